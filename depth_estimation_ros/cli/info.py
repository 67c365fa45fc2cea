"""depth-estimation info: what a model file or an engine is, and what can run it here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from depth_estimation_ros.backends.base import BackendName
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = ['HELP', 'add_arguments', 'run']

HELP = 'print what a model file or a TensorRT engine is, and what can run it here'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        'file',
        type=Path,
        nargs='?',
        metavar='FILE',
        help='model file (the one that comes along) or engine',
    )


def run(args: argparse.Namespace) -> int:
    """Print the facts and try the backends.

    Raises:
        ModelFileError: The file is missing, damaged or foreign.
    """
    from depth_estimation_ros.backends.base import AUTO_ORDER
    from depth_estimation_ros.backends.tensorrt.engine_facts import ENGINE_SUFFIXES
    from depth_estimation_ros.cli.engine_info import describe_engine
    from depth_estimation_ros.model_file.default_model import find_model
    from depth_estimation_ros.model_file.model_spec import read_model_spec

    path = find_model(args.file)
    if path.suffix in ENGINE_SUFFIXES:
        print(describe_engine(path))
        return 0
    spec = read_model_spec(path)
    print(f'{path} ({path.stat().st_size / 1e6:.2f} MB)')
    for name, value in _facts(spec).items():
        print(f'  {name:<16} {value}')
    print('backends')
    for backend in AUTO_ORDER:
        print(f'  {backend:<16} {_try_backend(backend, path, spec)}')
    return 0


def _facts(spec: ModelSpec) -> dict[str, str]:
    fx = 'unknown' if spec.training_fx is None else f'{spec.training_fx:.1f} px at input width'
    facts = {
        'network': f'{spec.encoder}, {spec.variant} decoder {spec.decoder_width} wide',
        'input': f'image uint8 {spec.input_shape} RGB',
        'output': f'depth float32 {spec.output_shape} [m], 0 = invalid',
        'depth range': f'{spec.min_depth:g} to {spec.max_depth:g} m',
        'training fx': fx,
        'precision': f'{spec.precision}, for target {spec.target}',
        'training data': spec.training_data,
        'metrics': ', '.join(f'{key} {value:.4g}' for key, value in spec.metrics.items()),
        'measured on': spec.metrics_data,
        'licence': spec.licence,
        'created by': spec.created_by,
    }
    return {name: value or 'not stated' for name, value in facts.items()}


def _try_backend(name: BackendName, path: Path, spec: ModelSpec) -> str:
    from depth_estimation_ros.backends.base import (
        BackendName,
        BackendOptions,
        load_backend,
        unavailable_reason,
    )
    from depth_estimation_ros.backends.selection import self_check
    from depth_estimation_ros.backends.tensorrt.backend import cached_engine_path
    from depth_estimation_ros.errors import DepthEstimationError

    reason = unavailable_reason(name, spec)
    if reason is not None:
        return f'no: {reason}'
    try:
        if name is BackendName.TENSORRT and not cached_engine_path(path, spec, BackendOptions()):
            return 'yes, once its engine is built: depth-estimation build-engine'
        backend = load_backend(name, path, spec, options=BackendOptions())
        error = self_check(backend, spec)
    except DepthEstimationError as err:
        return f'no: {err}'
    description = backend.description
    backend.close()
    return f'yes: {description}; self-check error {error:.1e}'
