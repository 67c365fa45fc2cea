"""depth-estimation export: a checkpoint becomes a model file, checked or not written."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.cli.options.arguments import positive_int

if TYPE_CHECKING:
    import argparse

    import numpy as np
    from numpy.typing import NDArray

    from depth_estimation_ros.export.export_model import ExportOptions, ExportReport
    from depth_estimation_ros.training.model.checkpoint import NetworkInfo

__all__ = ['HELP', 'add_arguments', 'run']

HELP = 'make a model file (ONNX) from a checkpoint and check it'
_logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        'checkpoint', type=Path, metavar='CHECKPOINT', help='from train or import-keras'
    )
    parser.add_argument(
        '--output', type=Path, metavar='FILE', help='model file (CHECKPOINT with _PRECISION.onnx)'
    )
    size = 'a multiple of 32 (as in training)'
    parser.add_argument('--height', type=int, metavar='PX', help=f'rows of the input, {size}')
    parser.add_argument('--width', type=int, metavar='PX', help=f'columns of the input, {size}')
    parser.add_argument(
        '--batch', type=positive_int, default=1, metavar='N', help='images a call (%(default)s)'
    )
    parser.add_argument(
        '--precision',
        choices=('fp32', 'fp16', 'int8'),
        default='fp32',
        help='number format of weights and arithmetic (%(default)s)',
    )
    parser.add_argument(
        '--target',
        choices=('cpu', 'tensorrt'),
        help='which backends an int8 file is for; the other gets its numbers wrong',
    )
    group = parser.add_argument_group('int8')
    group.add_argument(
        '--calibration',
        metavar='SOURCE',
        help='images to read number ranges off: an image, a video, a folder, KIND:PATH of a data '
        'set, or "rooms" for synthetic ones; take what the camera will see',
    )
    group.add_argument(
        '--num-calibration-images',
        type=positive_int,
        default=128,
        metavar='N',
        help='how many of them (%(default)s)',
    )
    group = parser.add_argument_group('facts written into the file (from the checkpoint)')
    group.add_argument('--licence', metavar='TEXT', help='licence of the weights')
    group.add_argument('--training-data', metavar='TEXT', help='what it was trained on')
    group.add_argument(
        '--metrics', type=Path, metavar='JSON', help='what `depth-estimation evaluate` wrote'
    )


def run(args: argparse.Namespace) -> int:
    """Export.

    Raises:
        DepthEstimationError: Something of the input cannot be used, or the file came out wrong.
    """
    _check_usage(args)
    options = _options(args)
    from depth_estimation_ros.export.export_model import export_model
    from depth_estimation_ros.training.model.checkpoint import load_checkpoint

    info = load_checkpoint(args.checkpoint).info
    height, width = options.height or info.input_size[0], options.width or info.input_size[1]
    if (height, width) != info.input_size:
        _logger.warning(
            'trained at %dx%d (height x width), exported at %dx%d: measure it before you trust it',
            *info.input_size,
            height,
            width,
        )
    output = args.output or args.checkpoint.with_name(
        f'{args.checkpoint.stem}_{args.precision}.onnx'
    )
    images = _calibration(args, height=height, width=width)
    report = export_model(args.checkpoint, output, options, calibration=images)
    _print_report(output, report, info)
    return 0


def _check_usage(args: argparse.Namespace) -> None:
    """Refuse combinations of options that mean nothing."""
    if args.precision == 'int8':
        if args.target is None:
            args.usage_error('--precision int8 needs --target cpu or --target tensorrt')
        if args.calibration is None:
            args.usage_error('--precision int8 needs --calibration FOLDER (or rooms)')
    elif args.target is not None or args.calibration is not None:
        args.usage_error(
            f'--target and --calibration are for --precision int8; an {args.precision} file '
            'runs on every backend'
        )


def _options(args: argparse.Namespace) -> ExportOptions:
    """Check the facts and sizes before anything is loaded."""
    from depth_estimation_ros.export.export_model import ExportOptions
    from depth_estimation_ros.model_file.model_spec import Precision, Target

    metrics, metrics_data = _read_metrics(args.metrics) if args.metrics else ({}, '')
    return ExportOptions(
        height=args.height,
        width=args.width,
        batch_size=args.batch,
        precision=Precision(args.precision),
        target=Target(args.target or 'any'),
        licence=args.licence,
        training_data=args.training_data,
        metrics=metrics,
        metrics_data=metrics_data,
    )


def _read_metrics(path: Path) -> tuple[dict[str, float], str]:
    """Read the report of an evaluation.

    Raises:
        DataError: It is not one.
    """
    import json

    from depth_estimation_ros.errors import DataError

    names = ('a1', 'a2', 'a3', 'abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'log10')
    try:
        report = json.loads(path.read_text(encoding='utf-8'))
        metrics = {name: float(report[name]) for name in names if name in report}
        if not metrics:
            raise DataError(f'{path}: holds none of {", ".join(names)}')
        return metrics, str(report.get('data', ''))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as err:
        raise DataError(f'{path}: not what `depth-estimation evaluate` writes: {err}') from err


def _calibration(args: argparse.Namespace, *, height: int, width: int) -> list[NDArray[np.uint8]]:
    if args.calibration is None:
        return []
    from depth_estimation_ros.export.calibration import calibration_images

    return calibration_images(
        args.calibration, height=height, width=width, num_images=args.num_calibration_images
    )


def _print_report(output: Path, report: ExportReport, info: NetworkInfo) -> None:
    spec = report.spec
    for problem in report.warnings:
        _logger.warning('TensorRT would refuse it: %s', problem)
    fx = 'unknown focal length' if info.training_fx is None else f'fx {info.training_fx:g} px'
    print(f'{output}: {report.num_bytes / 1e6:.2f} MB, {spec.precision}, target {spec.target}')
    print(f'  input  uint8   {spec.input_shape} RGB')
    print(f'  output float32 {spec.output_shape} metres, 0 = invalid, for {fx}')
    print(f'  against PyTorch: relative RMS error {report.error:.1e}')
