"""depth-estimation train: train DenseDepth."""

from __future__ import annotations

from dataclasses import fields, replace
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.cli.arguments import add_data_option, positive_float
from depth_estimation_ros.training.config import CHOICES, TrainConfig
from depth_estimation_ros.training.presets import PRESETS

if TYPE_CHECKING:
    import argparse

    from depth_estimation_ros.training.run import TrainingData

__all__ = ['HELP', 'add_arguments', 'run']

HELP = 'train DenseDepth on NYU Depth v2, your own recordings or synthetic rooms'
_INTERRUPTED = 130
_logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        '--preset',
        choices=list(PRESETS),
        default='modern',
        help='settings to start from (%(default)s)',
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=Path('runs/train'),
        metavar='DIR',
        help='folder of the run (%(default)s)',
    )
    parser.add_argument(
        '--resume', action='store_true', help='go on from last.pt in the folder of the run'
    )
    parser.add_argument(
        '--max-minutes', type=positive_float, metavar='MIN', help='stop and save after this time'
    )
    parser.add_argument(
        '--device',
        default='auto',
        help='cpu, cuda, cuda:1, ...; auto takes a GPU if there is one (%(default)s)',
    )
    data = parser.add_argument_group('data')
    data.add_argument(
        '--data',
        nargs='+',
        default=['rooms'],
        metavar=('KIND', 'PATH'),
        help='rooms (synthetic; the path is a folder that keeps them), or nyu-densedepth, '
        'nyu-labeled, rgbd-folder or rosbag with its path (rooms)',
    )
    add_data_option(data)
    data.add_argument(
        '--data-name', metavar='TEXT', help='what the model card shall call the data (its kind)'
    )
    data.add_argument('--licence', default='unknown', metavar='TEXT', help='of the weights')
    settings = parser.add_argument_group('settings', "each replaces the preset's")
    for setting in fields(TrainConfig):
        _add_setting(settings, setting.name, str(setting.type), setting.metadata['help'])


def _add_setting(group: Any, name: str, kind: str, words: str) -> None:
    """Declare the option of one field of the configuration."""
    import argparse

    options: dict[str, Any] = {'default': argparse.SUPPRESS, 'dest': f'setting:{name}'}
    flag = f'--{name.replace("_", "-")}'
    words = words.replace('%', '%%')
    if kind.startswith('bool'):
        action = argparse.BooleanOptionalAction
        group.add_argument(flag, action=action, help=words, **options)
    elif name in CHOICES:
        group.add_argument(flag, choices=CHOICES[name], help=words, **options)
    else:
        parse = {'int': int, 'float': float, 'str': str}[kind.split(' ')[0]]
        group.add_argument(flag, type=parse, metavar=parse.__name__.upper(), help=words, **options)


def run(args: argparse.Namespace) -> int:
    """Train.

    Raises:
        DepthEstimationError: The settings, the data or a checkpoint cannot be used.
    """
    if len(args.data) > 2:
        args.usage_error(f'--data takes a kind and a path, not {" ".join(args.data)}')
    from depth_estimation_ros.training.distributed import process_group
    from depth_estimation_ros.training.run import train

    config = _config(args)
    with process_group(args.device) as group:
        data = _open_data(args, config)
        if group.is_main:
            _render_rooms(data)
        result = train(
            config,
            data,
            folder=args.output,
            group=group,
            resume=args.resume,
            max_minutes=args.max_minutes,
        )
        if result.stop_reason and group.is_main:
            _logger.info('step %d: %s; go on with --resume', result.step, result.stop_reason)
    return _INTERRUPTED if 'SIGINT' in result.stop_reason else 0


def _config(args: argparse.Namespace) -> TrainConfig:
    """Return the preset with the settings of the command line."""
    prefix = 'setting:'
    given = {k.removeprefix(prefix): v for k, v in vars(args).items() if k.startswith(prefix)}
    path = given.pop('initial_checkpoint', None)
    if path is None:
        return replace(PRESETS[args.preset], **given)
    from depth_estimation_ros.training.fine_tuning import start_from

    return start_from(path, PRESETS[args.preset], given)


def _open_data(args: argparse.Namespace, config: TrainConfig) -> TrainingData:
    """Open the training and the validation split."""
    from depth_estimation_ros.training.data.datasets import open_dataset
    from depth_estimation_ros.training.run import TrainingData

    kind, path = args.data[0], args.data[1] if len(args.data) == 2 else None
    options: dict[str, Any] = {'size': config.image_size, **dict(args.data_option)}
    return TrainingData(
        train=open_dataset(kind, path, split='train', **options),
        validation=open_dataset(kind, path, split='validation', **options),
        name=args.data_name or kind,
        licence=args.licence,
    )


def _render_rooms(data: TrainingData) -> None:
    """Fill the cache of synthetic rooms, if that is what the data is and it has one.

    Rendered while training they would be rendered again in every epoch.
    """
    from depth_estimation_ros.training.data.synthetic_rooms import SyntheticRooms

    for rooms in (data.train, data.validation):
        if isinstance(rooms, SyntheticRooms) and rooms.has_cache:
            rooms.prefill_with_bar()
