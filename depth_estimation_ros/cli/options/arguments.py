"""Arguments that several sub-commands share: checked numbers, and the choice of a model."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.cli.options.backend import (
    TENSORRT_OPTIONS,
    add_option,
    add_tensorrt_options,
    option_values,
)

if TYPE_CHECKING:
    from depth_estimation_ros.estimator import DepthEstimator

__all__ = [
    'BACKEND_CHOICES',
    'add_data_option',
    'add_model_arguments',
    'add_network_size',
    'non_negative_float',
    'non_negative_int',
    'open_estimator',
    'positive_float',
    'positive_int',
    'width_x_height',
]

_MODEL_OPTIONS = ('device', 'num_threads', 'openvino_precision')
BACKEND_CHOICES = ('auto', 'tensorrt', 'onnxruntime-cuda', 'openvino', 'onnxruntime')


def positive_int(text: str) -> int:
    """Parse an int above 0 (argparse type)."""
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f'{value} is not above 0')
    return value


def non_negative_int(text: str) -> int:
    """Parse an int of 0 or more (argparse type)."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f'{value} is below 0')
    return value


def positive_float(text: str) -> float:
    """Parse a finite float above 0 (argparse type)."""
    value = float(text)
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'{text} is not a number above 0')
    return value


def non_negative_float(text: str) -> float:
    """Parse a finite float of 0 or more (argparse type)."""
    value = float(text)
    if not 0.0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f'{text} is not a number of 0 or more')
    return value


def width_x_height(text: str) -> tuple[int, int]:
    """Parse 640x480 into (height, width) (argparse type)."""
    width, times, height = text.partition('x')
    if not (times and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f'{text!r} is not WIDTHxHEIGHT, such as 640x480')
    return int(height), int(width)


def add_data_option(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add --data-option, a list of (name, value) that `open_dataset` takes."""
    parser.add_argument(
        '--data-option',
        action='append',
        default=[],
        type=key_and_value,
        metavar='KEY=VALUE',
        help='what this kind of data takes besides its path, such as depth_scale=0.001',
    )


def key_and_value(text: str) -> tuple[str, object]:
    """Parse KEY=VALUE; a value that is a number is one (argparse type)."""
    key, equals, value = text.partition('=')
    if not equals or not key.isidentifier():
        raise argparse.ArgumentTypeError(f'{text!r} is not KEY=VALUE')
    try:
        return key, json.loads(value)
    except (ValueError, RecursionError):
        return key, value


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model, --backend, --device and what belongs to them; see `open_estimator`."""
    group = parser.add_argument_group('model')
    group.add_argument(
        '--model',
        type=Path,
        metavar='FILE',
        help='model file, or one that comes along: default, default-int8 (the one of these that '
        'is fastest here)',
    )
    group.add_argument(
        '--backend', choices=BACKEND_CHOICES, default='auto', help='what runs it (%(default)s)'
    )
    for name in _MODEL_OPTIONS:
        add_option(group, name)
    add_network_size(group)
    group.add_argument(
        '--resize-mode',
        choices=('letterbox', 'resize'),
        default='letterbox',
        help='where the network size is given or fixed: keep the aspect and pad, or stretch '
        '(%(default)s)',
    )
    group.add_argument(
        '--no-focal-normalization',
        dest='focal_normalization',
        action='store_false',
        help="do not scale depth by the camera's focal length",
    )
    add_tensorrt_options(parser)


def add_network_size(parser: argparse._ActionsContainer) -> None:
    """Add --network-size; see network_size.parse_network_size."""
    parser.add_argument(
        '--network-size',
        default='auto',
        metavar='HEIGHTxWIDTH',
        help="input of the network, such as 160x288; auto: the model's number of pixels in the "
        "images' shape (%(default)s)",
    )


def open_estimator(args: argparse.Namespace) -> DepthEstimator:
    """Load the model that the arguments of `add_model_arguments` name.

    Raises:
        ModelFileError: The file is missing, damaged or foreign.
        BackendError: The backend cannot run it here.
    """
    from depth_estimation_ros.backends.base import BackendOptions
    from depth_estimation_ros.estimator import DepthEstimator
    from depth_estimation_ros.model_file.default_model import find_model

    options = BackendOptions(**option_values(args, *_MODEL_OPTIONS, *TENSORRT_OPTIONS))
    return DepthEstimator.from_file(
        find_model(args.model, backend=args.backend, options=options),
        args.backend,
        network_size=args.network_size,
        resize_mode=args.resize_mode,
        focal_normalization=args.focal_normalization,
        options=options,
    )
