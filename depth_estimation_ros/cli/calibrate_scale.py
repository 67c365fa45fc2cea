"""depth-estimation calibrate-scale: depth_scale of a running node, from a known distance."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.cli.options.arguments import (
    non_negative_float,
    positive_float,
    positive_int,
)

if TYPE_CHECKING:
    from depth_estimation_ros.depth.scale_fit import ScaleFit
    from depth_estimation_ros.ros.scale.calibration import Correction, ScaleCalibration
    from depth_estimation_ros.ros.scale.references import Reference

__all__ = ['HELP', 'add_arguments', 'run']

HELP = 'find the depth_scale that makes a running node metric, by a target or another sensor'
_logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    truth = parser.add_mutually_exclusive_group(required=True)
    truth.add_argument(
        '--distance',
        type=positive_float,
        metavar='M',
        help='of a flat target that faces the camera in the middle of the image, along the axis',
    )
    truth.add_argument(
        '--reference-topic',
        metavar='TOPIC',
        help='depth Image, LaserScan or PointCloud2 of another sensor',
    )
    parser.add_argument(
        '--offset', action='store_true', help='fit depth_offset too (needs --reference-topic)'
    )
    _add_node_arguments(parser)
    _add_target_arguments(parser)
    _add_sensor_arguments(parser)


def _add_node_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--depth-topic',
        default='depth/image_rect',
        metavar='TOPIC',
        help='depth images of the node; its name is found by it (%(default)s)',
    )
    parser.add_argument(
        '--camera-info-topic',
        metavar='TOPIC',
        help='their calibration (camera_info beside the depth topic)',
    )
    parser.add_argument(
        '--num-frames', type=positive_int, default=20, metavar='N', help='to compare (%(default)s)'
    )
    parser.add_argument(
        '--min-samples',
        type=positive_int,
        default=100,
        metavar='N',
        help='least number of depths compared, of all frames (%(default)s)',
    )
    parser.add_argument(
        '--timeout-sec',
        type=positive_float,
        default=20.0,
        metavar='S',
        help='give up when nothing new came for so long (%(default)s)',
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=Path('depth_scale.yaml'),
        metavar='YAML',
        help='parameter file to write, or to change if it is there (%(default)s)',
    )
    parser.add_argument(
        '--apply', action='store_true', help='set the parameters of the running node as well'
    )


def _add_target_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('with --distance')
    group.add_argument(
        '--region',
        type=_share,
        default=0.2,
        metavar='SHARE',
        help="of the image's width and height that the target fills (%(default)s)",
    )
    group.add_argument(
        '--max-spread',
        type=positive_float,
        default=0.25,
        metavar='RATIO',
        help='refuse a region whose depth differs by more, 10th to 90th percentile (%(default)s)',
    )


def _add_sensor_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('with --reference-topic')
    group.add_argument(
        '--transform',
        type=float,
        nargs='+',
        metavar='NUMBER',
        help='X Y Z [m] and ROLL PITCH YAW [rad] or QX QY QZ QW, as `tf2_echo '
        "CAMERA_OPTICAL_FRAME SENSOR_FRAME` prints (none: the camera's own frame)",
    )
    group.add_argument(
        '--reference-camera-info',
        metavar='TOPIC',
        help="calibration of a depth Image; without it its pixels must be the camera's own",
    )
    group.add_argument(
        '--depth-invalid',
        type=float,
        metavar='VALUE',
        help='of a depth Image: a value, in its own unit, that means none; 0, NaN and 65535 do',
    )
    group.add_argument(
        '--max-time-difference',
        type=non_negative_float,
        default=0.05,
        metavar='S',
        help='of stamps that belong together (%(default)s)',
    )


def run(args: argparse.Namespace) -> int:
    """Listen, fit, write.

    Raises:
        DataError: Nothing could be compared, or it tells no scale.
        ConfigError: ROS is missing, a topic cannot be used, or the file cannot be changed.
        ImageError: A message cannot be read.
    """
    _check_usage(args)
    _require_ros()
    from tqdm import tqdm

    from depth_estimation_ros.ros.scale.calibration import CalibrationSettings, ScaleCalibration
    from depth_estimation_ros.ros.scale.topic_client import open_client

    parent, _, _ = args.depth_topic.rpartition('/')
    settings = CalibrationSettings(
        depth_topic=args.depth_topic,
        camera_info_topic=args.camera_info_topic or f'{parent}/camera_info'.lstrip('/'),
        num_frames=args.num_frames,
        with_offset=args.offset,
        min_pairs=args.min_samples,
    )
    with open_client('calibrate_scale', args.timeout_sec) as client:
        calibration = ScaleCalibration(client, settings)
        now = calibration.find_node()
        reference = _make_reference(args, calibration)
        with tqdm(total=args.num_frames, unit='frame', disable=None) as progress:
            frames = calibration.collect(reference, progress.update)
        if len(frames) < args.num_frames:
            _logger.warning('%d of %d frames came', len(frames), args.num_frames)
        fit, found = calibration.fit(frames, now)
        _report(fit, found, now)
        _report_impossible(reference)
        _write(args.output, fit, found)
        if args.apply:
            calibration.apply(found)
            print('set on the running node')
    return 0


def _check_usage(args: argparse.Namespace) -> None:
    if args.distance is None:
        return
    for name in ('offset', 'transform', 'reference_camera_info', 'depth_invalid'):
        value = getattr(args, name)
        if value is not None and value is not False:  # 0 is a value
            option = name.replace('_', '-')
            args.usage_error(f'--{option} needs --reference-topic: one distance is not enough')


def _require_ros() -> None:
    """Raises ConfigError when the ROS libraries cannot be loaded."""
    from depth_estimation_ros.errors import ConfigError

    try:
        import rclpy  # noqa: F401
    except ImportError as err:
        raise ConfigError(
            f'calibrate-scale listens to a running node and needs ROS 2 ({err}): source '
            '/opt/ros/DISTRO/setup.bash, or install/local_setup.bash of this package'
        ) from err


def _make_reference(args: argparse.Namespace, calibration: ScaleCalibration) -> Reference:
    from depth_estimation_ros.camera.rigid_transform import RigidTransform
    from depth_estimation_ros.ros.scale.references import FlatTarget, SensorReference

    if args.distance is not None:
        return FlatTarget(distance=args.distance, region=args.region, max_spread=args.max_spread)
    transform = None if args.transform is None else RigidTransform.from_numbers(args.transform)
    reference = SensorReference(
        args.reference_topic,
        transform=transform,
        max_time_difference_sec=args.max_time_difference,
        needs_sensor_camera=args.reference_camera_info is not None,
        depth_invalid=args.depth_invalid,
    )
    calibration.listen_to_sensor(reference, args.reference_topic, args.reference_camera_info)
    return reference


def _report(fit: ScaleFit, found: Correction, now: Correction) -> None:
    near, far = fit.depth_range
    rows = {
        'depth_scale': f'{found.depth_scale:g} (was {now.depth_scale:g})',
        'depth_offset': f'{found.depth_offset:g} m (was {now.depth_offset:g} m)',
        'samples': f'{fit.num_pairs} in {fit.num_frames} frames, {near:.2f} to {far:.2f} m away',
        'AbsRel': f'{fit.abs_rel_before:.4f} before, {fit.abs_rel_after:.4f} after',
        'median error': f'{fit.median_error:.3f} m after',
        'repeatability': f"the frames' own scales differ by {fit.frame_spread:.2%} (1 sigma)",
    }
    for name, value in rows.items():
        print(f'{name:<14} {value}')


def _report_impossible(reference: Reference) -> None:
    num_pixels = reference.num_impossible
    if num_pixels:
        print(
            f'left out       {num_pixels} pixels of the reference: a mark for none (65535, '
            '--depth-invalid) or farther than any sensor measures'
        )


def _write(path: Path, fit: ScaleFit, found: Correction) -> None:
    from depth_estimation_ros.files.parameter_file import parameters_text, set_parameters

    comment = (
        'Written by depth-estimation calibrate-scale: '
        f'{fit.num_pairs} samples in {fit.num_frames} frames,\n'
        f'AbsRel {fit.abs_rel_before:.4f} before, {fit.abs_rel_after:.4f} after.\n'
        'For ros2 launch ... params_file:=THIS, or ros2 run ... --ros-args --params-file THIS'
    )
    values = {'depth_scale': found.depth_scale, 'depth_offset': found.depth_offset}
    print(parameters_text(values, comment), end='')
    print(f'{set_parameters(path, values, comment)}: {path}')


def _share(text: str) -> float:
    """Parse a number above 0 and up to 1 (argparse type)."""
    value = positive_float(text)
    if value > 1.0:
        raise argparse.ArgumentTypeError(f'{text} is above 1')
    return value
