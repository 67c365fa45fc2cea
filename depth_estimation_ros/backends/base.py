"""What every backend offers, and the table that finds them by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from depth_estimation_ros.backends.options import BackendOptions
from depth_estimation_ros.errors import BackendError, ModelFileError
from depth_estimation_ros.model_file.model_spec import Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = [
    'AUTO_ORDER',
    'Backend',
    'BackendName',
    'BackendOptions',
    'Releasable',
    'TensorInfo',
    'check_graph',
    'is_installed',
    'load_backend',
    'parse_backend_name',
    'unavailable_reason',
    'unsuitable_reason',
]


class BackendName(str, Enum):
    """Names as users write them."""

    ONNXRUNTIME = 'onnxruntime'
    ONNXRUNTIME_CUDA = 'onnxruntime-cuda'
    OPENVINO = 'openvino'
    TENSORRT = 'tensorrt'

    def __str__(self) -> str:
        return self.value

    @property
    def device(self) -> str:
        """'cuda' for the backends that need an NVIDIA GPU, else 'cpu'."""
        return 'cuda' if self in (BackendName.ONNXRUNTIME_CUDA, BackendName.TENSORRT) else 'cpu'

    @property
    def targets(self) -> frozenset[Target]:
        """The flavours of model file that it runs right (ModelSpec.target)."""
        own = Target.TENSORRT if self is BackendName.TENSORRT else Target.CPU
        return frozenset({Target.ANY, own})


AUTO_ORDER = (
    BackendName.TENSORRT,
    BackendName.ONNXRUNTIME_CUDA,
    BackendName.OPENVINO,
    BackendName.ONNXRUNTIME,
)


class Backend(Protocol):
    """One loaded model on one device. Not safe for use by two threads at once."""

    @property
    def name(self) -> BackendName:
        """Which backend this is."""

    @property
    def description(self) -> str:
        """Device and precision for people, e.g. 'openvino 2026.4 on CPU, f32'."""

    @property
    def compute_precision(self) -> str | None:
        """'fp16', 'bf16' or 'tf32' when it computes below the file's precision, else None."""

    def infer(self, images_nhwc: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network.

        Args:
            images_nhwc: (N, H, W, 3) uint8 RGB, C-contiguous, of exactly the model's shape.

        Returns:
            (N, h, w) float32 depth [m], 0 = invalid. The buffer belongs to the backend and is
            valid until the next call or close().

        Raises:
            BackendError: The backend failed.
        """

    def close(self) -> None:
        """Free what the model holds; further calls of infer are errors."""


@runtime_checkable
class Releasable(Protocol):
    """A backend that holds device memory which it can do without between two runs."""

    def release(self) -> None:
        """Free that memory; the next infer takes it again."""


# Each module has `load(model_path, spec, options) -> Backend` (onnxruntime-cuda: `load_cuda`),
# `is_installed() -> bool` and `unavailable_reason() -> str | None` (same); all import lazily.
_MODULES: Mapping[BackendName, tuple[str, str]] = {
    BackendName.ONNXRUNTIME: ('onnxruntime', ''),
    BackendName.ONNXRUNTIME_CUDA: ('onnxruntime', '_cuda'),
    BackendName.OPENVINO: ('openvino', ''),
    BackendName.TENSORRT: ('tensorrt.backend', ''),
}


def parse_backend_name(name: str) -> BackendName:
    """Turn a user's word into a name.

    Raises:
        BackendError: There is no such backend.
    """
    try:
        return BackendName(name)
    except ValueError:
        known = ', '.join(item.value for item in BackendName)
        raise BackendError(f'unknown backend {name!r}: choose auto, {known}') from None


def unavailable_reason(
    name: BackendName, spec: ModelSpec | None = None, *, options: BackendOptions | None = None
) -> str | None:
    """Why a backend cannot run here (and run this file), or None when it can.

    Args:
        name: The backend.
        spec: Facts of the model file; None asks about the machine only.
        options: Settings; None = the defaults.
    """
    reason = unsuitable_reason(name, spec, options=options or BackendOptions())
    return reason or cast('str | None', _entry_point(name, 'unavailable_reason')())


def unsuitable_reason(
    name: BackendName, spec: ModelSpec | None, *, options: BackendOptions
) -> str | None:
    """Why a backend is not for these settings or this file, wherever it runs; None if it is."""
    if options.device not in ('auto', name.device):
        return f'runs on {name.device}, asked for is {options.device}'
    if spec is not None and options.check_target and spec.target not in name.targets:
        return (
            f'the file is an {spec.precision} model made for target {spec.target}, whose numbers '
            f'{name} gets wrong; export it for this target or with --precision fp32'
        )
    return None


def is_installed(name: BackendName) -> bool:
    """Whether a backend's library is there, working or not."""
    return bool(_entry_point(name, 'is_installed')())


def load_backend(
    name: BackendName, model_path: Path, spec: ModelSpec, *, options: BackendOptions
) -> Backend:
    """Load a model file into a backend.

    Args:
        name: The backend.
        model_path: The model file.
        spec: Its facts, from read_model_spec, `resized` to the size that it shall run at.
        options: Settings.

    Raises:
        BackendError: The backend is not installed, lacks a device or refuses the file.
        ModelFileError: The graph in the file is damaged or not what the facts say.
    """
    reason = unavailable_reason(name, spec, options=options)
    if reason is not None:
        raise BackendError(f'backend {name}: {reason}')
    return cast('Backend', _entry_point(name, 'load')(model_path, spec, options))


@dataclass(frozen=True)
class TensorInfo:
    """Type ('uint8', 'float32') and shape of a graph's input or output."""

    dtype: str
    shape: tuple[object, ...]

    def __str__(self) -> str:
        return f'{self.dtype} {list(self.shape)}'


def check_graph(
    model_path: Path,
    spec: ModelSpec,
    inputs: Mapping[str, TensorInfo],
    outputs: Mapping[str, TensorInfo],
) -> None:
    """Compare the tensors that a backend found in the graph with the metadata.

    Raises:
        ModelFileError: They differ.
    """
    wanted_inputs = {'image': TensorInfo('uint8', spec.input_shape)}
    wanted_outputs = {'depth': TensorInfo('float32', spec.output_shape)}
    for kind, found, wanted in (
        ('input', inputs, wanted_inputs),
        ('output', outputs, wanted_outputs),
    ):
        if found.keys() != wanted.keys() or not all(
            _agrees(found[name], wanted[name], free_size=spec.free_size) for name in wanted
        ):
            raise ModelFileError(
                f'{model_path}: {kind} of the graph is {_listed(found)}, '
                f'its metadata says {_listed(wanted)}; export the model again'
            )


def _agrees(found: TensorInfo, wanted: TensorInfo, *, free_size: bool) -> bool:
    """Whether a tensor is what it must be; free heights and widths have names, not numbers."""
    if found.dtype != wanted.dtype or len(found.shape) != len(wanted.shape):
        return False
    return all(
        size == other or (free_size and axis in (1, 2) and isinstance(size, str))
        for axis, (size, other) in enumerate(zip(found.shape, wanted.shape, strict=True))
    )


def _listed(tensors: Mapping[str, TensorInfo]) -> str:
    return ', '.join(f'{name} {info}' for name, info in tensors.items()) or 'nothing'


def _entry_point(name: BackendName, function: str) -> Any:
    module_name, suffix = _MODULES[name]
    module = importlib.import_module(f'depth_estimation_ros.backends.{module_name}')
    return getattr(module, function + suffix)
