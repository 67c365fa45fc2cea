"""depth-estimation benchmark: what a model file costs here, backend by backend."""

from __future__ import annotations

import logging
from pathlib import Path
import sys
from typing import TYPE_CHECKING

from depth_estimation_ros.cli.options.arguments import (
    BACKEND_CHOICES,
    add_network_size,
    non_negative_int,
    positive_float,
    positive_int,
    width_x_height,
)
from depth_estimation_ros.cli.options.backend import (
    TENSORRT_OPTIONS,
    add_option,
    add_tensorrt_options,
    option_values,
)

if TYPE_CHECKING:
    import argparse

    from depth_estimation_ros.benchmark.hardware import Hardware
    from depth_estimation_ros.benchmark.measure import BenchmarkCase
    from depth_estimation_ros.benchmark.report import ModelReport, Row
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = ['HELP', 'add_arguments', 'run']

HELP = 'time model files in every backend of this machine: latency, throughput, CPU, memory'
_logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        'models',
        nargs='*',
        metavar='MODEL',
        help='model files, such as one of each precision (those that come along)',
    )
    parser.add_argument(
        '--backend',
        choices=[name for name in BACKEND_CHOICES if name != 'auto'],
        action='append',
        help='may be given again; it must work (default: all that work here)',
    )
    parser.add_argument(
        '--image-size',
        type=width_x_height,
        nargs='+',
        action='extend',
        default=[],
        metavar='WxH',
        help="camera images to measure with, besides the model's own size, as 640x480",
    )
    parser.add_argument('--output', type=Path, metavar='JSON', help='also write the figures')
    parser.add_argument(
        '--num-runs',
        type=positive_int,
        default=200,
        metavar='N',
        help='calls timed for each backend and size (%(default)s)',
    )
    parser.add_argument(
        '--num-warm-up',
        type=non_negative_int,
        default=10,
        metavar='N',
        help='calls before them (%(default)s)',
    )
    parser.add_argument(
        '--max-sec',
        type=positive_float,
        default=30.0,
        metavar='S',
        help='time fewer calls, but at least 10, when they take longer (%(default)s)',
    )
    add_option(parser, 'num_threads')
    add_network_size(parser)
    add_option(
        parser,
        'openvino_precision',
        action='append',
        default=None,
        help='may be given again (default: f32, and bf16 where the processor has it)',
    )
    add_tensorrt_options(parser)


def run(args: argparse.Namespace) -> int:
    """Measure every case, print a table, write JSON.

    Raises:
        ConfigError: A setting is not accepted.
        ModelFileError: A model file cannot be used.
        BackendError: A backend that was asked for by name cannot run, or none can.
        OSError: The JSON cannot be written.
    """
    from depth_estimation_ros.backends.base import BackendOptions
    from depth_estimation_ros.benchmark.hardware import describe_hardware
    from depth_estimation_ros.benchmark.report import ModelReport, report_json
    from depth_estimation_ros.errors import BackendError
    from depth_estimation_ros.files.atomic import atomic_write_text
    from depth_estimation_ros.model_file.default_model import default_model_path, find_model
    from depth_estimation_ros.model_file.model_spec import read_model_spec
    from depth_estimation_ros.model_file.network_size import parse_network_size

    if args.output is not None and args.output.is_dir():
        args.usage_error(f'--output {args.output} is a folder')
    BackendOptions(**option_values(args, 'num_threads', *TENSORRT_OPTIONS))  # refuses bad values
    network_size = parse_network_size(args.network_size)
    paths = [find_model(name) for name in args.models]
    paths = paths or sorted(default_model_path().parent.glob('*.onnx'))
    specs = [read_model_spec(path) for path in paths]
    for spec in specs:
        spec.resized(network_size or spec.input_size)  # refuses what a fixed file cannot have
    hardware = describe_hardware()
    for line in hardware.lines():
        print(line)
    if hardware.is_busy:
        _logger.warning(
            'the machine is at work already (load %.1f): times will be too long',
            hardware.load_average,
        )
    reports: list[ModelReport] = []
    for path, spec in zip(paths, specs, strict=True):
        rows = [_measure(case, spec, args) for case in _cases(path, spec, hardware, args)]
        reports.append(ModelReport(path=path, spec=spec, rows=tuple(rows)))
        print('\n' + reports[-1].table(), flush=True)
    if args.output is not None:
        atomic_write_text(args.output, report_json(hardware, reports))
        print(f'written: {args.output}')
    if not any(row.result for report in reports for row in report.rows):
        raise BackendError('no backend could be measured')
    return 0


def _cases(
    path: Path, spec: ModelSpec, hardware: Hardware, args: argparse.Namespace
) -> list[BenchmarkCase]:
    from depth_estimation_ros.backends.base import AUTO_ORDER
    from depth_estimation_ros.benchmark.hardware import has_bf16
    from depth_estimation_ros.benchmark.measure import BenchmarkCase
    from depth_estimation_ros.model_file.network_size import parse_network_size

    tensorrt = option_values(args, *TENSORRT_OPTIONS)
    if tensorrt['engine_cache_dir'] is not None:
        tensorrt['engine_cache_dir'] = str(tensorrt['engine_cache_dir'])
    own_size = parse_network_size(args.network_size) or spec.input_size
    precisions = args.openvino_precision or (['f32', 'bf16'] if has_bf16(hardware) else ['f32'])
    return [
        BenchmarkCase(
            model=str(path),
            backend=backend,
            openvino_precision=precision,
            image_sizes=tuple(dict.fromkeys([own_size, *args.image_size])),
            num_runs=args.num_runs,
            num_warm_up=args.num_warm_up,
            max_sec=args.max_sec,
            num_threads=args.num_threads,
            network_size=args.network_size,
            tensorrt=tensorrt,
        )
        for backend in args.backend or [name.value for name in AUTO_ORDER]
        for precision in (precisions if backend == 'openvino' else ['f32'])
    ]


def _measure(case: BenchmarkCase, spec: ModelSpec, args: argparse.Namespace) -> Row:
    from depth_estimation_ros.backends.base import parse_backend_name, unavailable_reason
    from depth_estimation_ros.benchmark.report import Row
    from depth_estimation_ros.benchmark.worker import run_case
    from depth_estimation_ros.errors import BackendError

    reason = unavailable_reason(parse_backend_name(case.backend), spec)
    if reason is not None and args.backend:
        raise BackendError(f'backend {case.backend}: {reason}')
    if reason is None:
        sys.stdout.flush()
        try:
            return Row(case=case, result=run_case(case))
        except BackendError as err:
            if args.backend:
                raise
            reason = str(err)
    return Row(case=case, reason=reason)
