"""What a TensorRT engine is, and whether this machine can run it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from depth_estimation_ros.backends.tensorrt.engine_facts import read_sidecar
from depth_estimation_ros.errors import ModelFileError
from depth_estimation_ros.files.reading import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.backends.tensorrt.engine_facts import EngineKey

__all__ = ['describe_engine']


def describe_engine(path: Path) -> str:
    """Say in lines what the sidecar of an engine says, and whether it fits this machine.

    Raises:
        ModelFileError: There is no engine or no sidecar, or they do not belong together.
    """
    data = read_bytes(path, ModelFileError)
    sidecar = read_sidecar(path)
    if sidecar is None:
        raise ModelFileError(
            f'{path}: no {path.name}.json beside it says what it is: only engines that '
            '`depth-estimation build-engine` made are known here; build it anew'
        )
    if not sidecar.describes(data):
        raise ModelFileError(
            f'{path}: truncated or changed, it is not the {sidecar.engine_bytes} bytes that were '
            'written; `depth-estimation build-engine` makes it again'
        )
    key = sidecar.key
    limit = f'{key.max_workspace_mb} MB' if key.max_workspace_mb else 'none'
    facts = {
        'model': f'{sidecar.model}, SHA-256 {key.model_sha256}',
        'images a call': str(key.batch_size),
        'TensorRT': key.tensorrt,
        'GPU': f'{key.gpu}, compute capability {key.compute_capability}',
        'driver': f'CUDA {key.cuda_driver}',
        'workspace limit': limit,
        'DLA core': 'none, the GPU' if key.dla_core < 0 else str(key.dla_core),
        'compatibility': key.hardware_compatibility,
        'TF32': 'allowed' if key.tf32 else 'off',
        'built': f'{sidecar.built_at}, in {sidecar.build_sec:.0f} s, by {sidecar.created_by}',
        'runs here': _runs_here(key),
    }
    lines = [f'{path} ({len(data) / 1e6:.2f} MB)']
    return '\n'.join([*lines, *(f'  {name:<16} {value}' for name, value in facts.items())])


def _runs_here(key: EngineKey) -> str:
    from depth_estimation_ros.backends.tensorrt.api import tensorrt_version
    from depth_estimation_ros.backends.tensorrt.backend import unavailable_reason
    from depth_estimation_ros.backends.tensorrt.builder import fitting_gpus
    from depth_estimation_ros.backends.tensorrt.cuda_runtime import gpu_facts

    reason = unavailable_reason()
    if reason is not None:
        return f'no: {reason}'
    gpu, capability, driver = fitting_gpus(gpu_facts(), key.hardware_compatibility)
    here = replace(
        key,
        tensorrt=tensorrt_version(),
        gpu=gpu,
        compute_capability=capability,
        cuda_driver=driver,
    )
    differences = key.differences(here)
    return f'no: {"; ".join(differences)}' if differences else 'yes'
