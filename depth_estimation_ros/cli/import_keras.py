"""depth-estimation import-keras: the authors' Keras weights as a checkpoint."""

from __future__ import annotations

from pathlib import Path
import sys
from typing import TYPE_CHECKING

from depth_estimation_ros.cli.options.arguments import positive_float, positive_int

if TYPE_CHECKING:
    import argparse

    from depth_estimation_ros.training.model.checkpoint import NetworkInfo
    from depth_estimation_ros.training.model.network import DenseDepthNet

__all__ = ['HELP', 'add_arguments', 'run']

HELP = 'turn a DenseDepth network saved by Keras (.h5) into a checkpoint'
LICENCE = "the authors' (their repository is under GPL-3.0)"
_NOTE = (
    "note: the weights are their authors' work. DenseDepth's repository, which links the released "
    'ones, is under GPL-3.0; whether your use of them is covered is yours to judge.'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from depth_estimation_ros.training.data.nyu.camera import nyu_camera

    parser.epilog = (
        'The encoder, the width and the activations are read from the file. The other defaults '
        'are those of nyu.h5; for kitti.h5 use --max-depth 80 --min-depth 1 --height 384 '
        '--width 1280 --no-training-fx.'
    )
    parser.add_argument('file', type=Path, metavar='FILE.h5', help='what model.save() wrote')
    parser.add_argument(
        '--output', type=Path, required=True, metavar='FILE.pt', help='checkpoint to write'
    )
    parser.add_argument(
        '--half-pixel',
        action='store_true',
        help="upsample with half-pixel centres: for networks trained with the authors' code of "
        'September 2020 or later. The released weights (nyu.h5, kitti.h5) and those of the blog '
        'need aligned corners, the default; the file does not say which, and the wrong choice '
        'gives plausible depth that is off',
    )
    size = parser.add_argument_group('what the network was trained for')
    size.add_argument('--height', type=positive_int, default=480, help='input [px] (%(default)s)')
    size.add_argument('--width', type=positive_int, default=640, help='input [px] (%(default)s)')
    size.add_argument(
        '--min-depth', type=positive_float, default=0.1, help='nearest depth [m] (%(default)s)'
    )
    size.add_argument(
        '--max-depth',
        type=positive_float,
        default=10.0,
        help='furthest depth, coded as 1 [m] (%(default)s)',
    )
    focal = size.add_mutually_exclusive_group()
    focal.add_argument(
        '--training-fx',
        type=positive_float,
        default=nyu_camera().fx,
        help="focal length of the training data's camera at that width [px] (%(default)s); depth "
        'is scaled by it for other cameras',
    )
    focal.add_argument(
        '--no-training-fx',
        action='store_const',
        const=None,
        dest='training_fx',
        help='take depth as it comes, whatever the camera',
    )
    size.add_argument(
        '--training-data', default='NYU Depth v2', metavar='TEXT', help='in words (%(default)s)'
    )
    size.add_argument(
        '--licence', default=LICENCE, metavar='TEXT', help='of the weights (%(default)s)'
    )


def run(args: argparse.Namespace) -> int:
    """Read the Keras file and write the checkpoint.

    Raises:
        CheckpointError: The file is not DenseDepth or is damaged, or the output cannot be written.
        ConfigError: A depth or a size cannot be used.
    """
    from depth_estimation_ros.errors import ConfigError
    from depth_estimation_ros.training.keras.weights import load_keras
    from depth_estimation_ros.training.model.checkpoint import Checkpoint, save_checkpoint
    from depth_estimation_ros.training.model.network import num_trainable_parameters

    if args.min_depth >= args.max_depth:
        raise ConfigError(
            f'--min-depth {args.min_depth:g} must be below --max-depth {args.max_depth:g}'
        )
    for name, value in (('--height', args.height), ('--width', args.width)):
        if value % 32:
            raise ConfigError(f'{name} {value} must be a multiple of 32')
    if args.output.exists() and args.file.exists() and args.output.samefile(args.file):
        raise ConfigError(f'--output {args.output} is the file that is read: choose another')
    network = load_keras(args.file, align_corners=False if args.half_pixel else None)
    checkpoint = Checkpoint(info=_describe(network, args), weights=network.state_dict())
    save_checkpoint(args.output, checkpoint)
    upsampling = 'aligned corners' if network.config.align_corners else 'half-pixel centres'
    print(
        f'{args.output}: {network.config.encoder}, {network.config.variant} decoder '
        f'{network.config.decoder_width} wide, {num_trainable_parameters(network):,} parameters, '
        f'upsampling with {upsampling}'
    )
    print(f'next: depth-estimation export {args.output}')
    print(_NOTE, file=sys.stderr)
    return 0


def _describe(network: DenseDepthNet, args: argparse.Namespace) -> NetworkInfo:
    """Write down what the network is."""
    from dataclasses import asdict

    from depth_estimation_ros.training.model.checkpoint import NetworkInfo

    return NetworkInfo(
        **asdict(network.config),
        input_size=(args.height, args.width),
        min_depth=args.min_depth,
        max_depth=args.max_depth,
        training_fx=args.training_fx,
        training_data=f'{args.training_data} (by the authors of {args.file.name})',
        licence=args.licence,
    )
