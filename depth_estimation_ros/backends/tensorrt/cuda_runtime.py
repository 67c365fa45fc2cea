"""The few calls of the CUDA runtime that a backend needs, through cuda-python, without torch."""

from __future__ import annotations

from dataclasses import dataclass
import importlib
import os
from typing import Any

from depth_estimation_ros.errors import BackendError

__all__ = ['GpuFacts', 'call', 'cuda_unavailable_reason', 'gpu_facts', 'runtime']

_INSUFFICIENT_DRIVER = 35  # cudaErrorInsufficientDriver
_NO_DEVICE = 100  # cudaErrorNoDevice
_NO_DRIVER = (
    'no NVIDIA driver: install it (nvidia-smi must list a GPU), and start containers with the '
    'NVIDIA runtime (docker run --gpus all)'
)
_INSTALL = "pip install 'depth-estimation-ros[tensorrt]'"


@dataclass(frozen=True, kw_only=True)
class GpuFacts:
    """The GPU in use.

    Attributes:
        name: As its maker says.
        compute_capability: '8.7'.
        driver: CUDA version of the driver, '12.6'.
    """

    name: str
    compute_capability: str
    driver: str


def runtime() -> Any:
    """Return cuda-python's module of the CUDA runtime.

    Raises:
        ImportError: cuda-python is not installed, or not for this Python.
    """
    return importlib.import_module('cuda.bindings.runtime')


def call(function: Any, *arguments: Any) -> Any:
    """Call a function of the runtime.

    Returns:
        What it gives besides its status: nothing, one value or a tuple.

    Raises:
        BackendError: The status is not success; the text names the function and the status.
    """
    status, *values = function(*arguments)
    if int(status) != 0:
        raise BackendError(f'CUDA: {function.__name__}: {_status_text(status)}')
    return values[0] if len(values) == 1 else tuple(values) or None


def cuda_unavailable_reason() -> str | None:
    """Why no GPU can be used, with what to do about it; None if one can."""
    try:
        cuda = runtime()
    except ImportError as err:
        return f'cuda-python cannot be imported ({err}): {_INSTALL}'
    try:
        status, count = cuda.cudaGetDeviceCount()
    except RuntimeError as err:  # cuda-python 12: no libcuda.so.1
        return f'{_NO_DRIVER} ({err})'
    code = int(status)
    if code == 0 and count:
        return None
    driver = call(cuda.cudaDriverGetVersion)
    if code == _INSUFFICIENT_DRIVER and not driver:
        return _NO_DRIVER
    if code == _INSUFFICIENT_DRIVER:
        wanted = call(cuda.cudaRuntimeGetVersion)
        return (
            f'the NVIDIA driver is too old: it is for CUDA {_version(driver)}, cuda-python for '
            f'{_version(wanted)}; update the driver, or pip install "cuda-python=='
            f'{driver // 1000}.*"'
        )
    if code in (0, _NO_DEVICE):
        visible = os.environ.get('CUDA_VISIBLE_DEVICES')
        hint = 'nvidia-smi must list one'
        if visible is not None:
            hint = f'CUDA_VISIBLE_DEVICES is {visible!r}, which may hide it'
        return f'no CUDA device: {hint}'
    return f'no CUDA device can be used: {_status_text(status)}'


def gpu_facts() -> GpuFacts:
    """Describe the GPU in use.

    Raises:
        BackendError: It cannot be asked.
    """
    cuda = runtime()
    properties = call(cuda.cudaGetDeviceProperties, call(cuda.cudaGetDevice))
    name: bytes = properties.name
    return GpuFacts(
        name=name.decode('utf-8', 'replace').rstrip('\0'),
        compute_capability=f'{properties.major}.{properties.minor}',
        driver=_version(call(cuda.cudaDriverGetVersion)),
    )


def _version(number: int) -> str:
    """Turn 12060 into '12.6'."""
    return f'{number // 1000}.{number % 1000 // 10}'


def _status_text(status: Any) -> str:
    try:
        _, text = runtime().cudaGetErrorString(status)
    except RuntimeError:  # cuda-python 12 asks the driver, which may be what is missing
        return str(status.name)
    return f'{text.decode("utf-8", "replace")} ({status.name})'
