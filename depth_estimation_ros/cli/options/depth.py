"""What a user can ask of finished depth on the command line; see DepthSettings."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from depth_estimation_ros.cli.options.arguments import non_negative_float, positive_float

if TYPE_CHECKING:
    from depth_estimation_ros.depth.settings import DepthSettings

__all__ = ['add_depth_arguments', 'depth_settings']


def add_depth_arguments(parser: argparse.ArgumentParser) -> None:
    """Add an option for every field of DepthSettings, of the same name."""
    group = parser.add_argument_group('depth')
    add = group.add_argument
    size = 'camera, network (its own grid) or WIDTHxHEIGHT'
    add('--depth-size', metavar='SIZE', help=f'of the depth image and the cloud: {size}')
    add('--color-size', metavar='SIZE', help=f'of the coloured PNG: depth (the same), {size}')
    add('--depth-scale', type=positive_float, metavar='S', help='factor of the depth')
    add('--depth-offset', type=_finite_float, metavar='M', help='added to the scaled depth')
    add('--min-depth', type=non_negative_float, metavar='M', help='nearest depth, painted red')
    add('--max-depth', type=positive_float, metavar='M', help='farthest depth, painted blue')
    add(
        '--range-policy',
        metavar='POLICY',
        help='nearer and farther is -inf and inf (rep117, default) or nan',
    )
    add(
        '--temporal-filter',
        type=non_negative_float,
        metavar='SHARE',
        help='less flicker in videos: share of the frames before, below 1; 0 = off (default)',
    )
    add(
        '--edge-filter-threshold',
        type=non_negative_float,
        metavar='SHARE',
        help='leave edges out of the cloud: steps of more than this share of the depth; 0 = off',
    )
    add(
        '--edge-filter-image',
        action='store_true',
        default=None,
        help='leave edges out of the depth image too',
    )
    add(
        '--confidence',
        action='store_true',
        default=None,
        help='also NAME_confidence.png (0 to 255): does the mirrored image agree',
    )


def depth_settings(args: argparse.Namespace) -> DepthSettings:
    """Read what `add_depth_arguments` declared; what is not given has the settings' default.

    A value that is not accepted is wrong usage.
    """
    from dataclasses import fields

    from depth_estimation_ros.depth.settings import DepthSettings
    from depth_estimation_ros.errors import ConfigError

    if None not in (args.min_depth, args.max_depth) and not args.min_depth < args.max_depth:
        args.usage_error(
            f'--min-depth {args.min_depth:g} is not below --max-depth {args.max_depth:g}'
        )
    given = {item.name: getattr(args, item.name) for item in fields(DepthSettings)}
    try:
        return DepthSettings(**{name: value for name, value in given.items() if value is not None})
    except ConfigError as err:
        args.usage_error(str(err))
        raise


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f'{text} is not a finite number')
    return value
