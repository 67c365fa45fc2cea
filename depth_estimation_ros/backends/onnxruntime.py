"""onnxruntime on the CPU, or on an NVIDIA GPU with its CUDA provider."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from depth_estimation_ros.backends.base import BackendName, TensorInfo, check_graph
from depth_estimation_ros.backends.telemetry import import_onnxruntime
from depth_estimation_ros.errors import BackendError, library_text
from depth_estimation_ros.model_file.model_spec import FREE_AXES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from depth_estimation_ros.backends.base import BackendOptions
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = [
    'OnnxRuntimeBackend',
    'is_installed',
    'is_installed_cuda',
    'load',
    'load_cuda',
    'unavailable_reason',
    'unavailable_reason_cuda',
]

_logger = logging.getLogger(__name__)
_CPU_PROVIDER = 'CPUExecutionProvider'
_CUDA_PROVIDER = 'CUDAExecutionProvider'
_ERROR_SEVERITY = 3


def is_installed() -> bool:
    """Whether onnxruntime is there, working or not."""
    return importlib.util.find_spec('onnxruntime') is not None


def is_installed_cuda() -> bool:
    """Whether an onnxruntime for NVIDIA GPUs is there, working or not."""
    if not is_installed():
        return False
    return _CUDA_PROVIDER in import_onnxruntime().get_available_providers()


def unavailable_reason() -> str | None:
    """Why onnxruntime cannot run here, or None."""
    if not is_installed():
        return 'onnxruntime is not installed (pip install onnxruntime)'
    return None


def unavailable_reason_cuda() -> str | None:
    """Why onnxruntime cannot run on a GPU here, or None."""
    reason = unavailable_reason()
    if reason is not None:
        return reason
    if not is_installed_cuda():
        return (
            f'this onnxruntime has no {_CUDA_PROVIDER} (pip install onnxruntime-gpu in place of '
            'onnxruntime, with CUDA and cuDNN)'
        )
    return None


def load(model_path: Path, spec: ModelSpec, options: BackendOptions) -> OnnxRuntimeBackend:
    """Load a model file on the CPU; see backends.base.load_backend."""
    return OnnxRuntimeBackend(model_path, spec, options, provider=_CPU_PROVIDER)


def load_cuda(model_path: Path, spec: ModelSpec, options: BackendOptions) -> OnnxRuntimeBackend:
    """Load a model file on the GPU; see backends.base.load_backend."""
    return OnnxRuntimeBackend(model_path, spec, options, provider=_CUDA_PROVIDER)


class OnnxRuntimeBackend:
    """An onnxruntime session; implements backends.base.Backend."""

    def __init__(
        self, model_path: Path, spec: ModelSpec, options: BackendOptions, *, provider: str
    ) -> None:
        """Load the graph.

        Args:
            model_path: The model file.
            spec: Its facts.
            options: num_threads is used.
            provider: The execution provider; no other takes over when it fails.

        Raises:
            BackendError: onnxruntime refuses the file or the provider does not start.
            ModelFileError: The graph is not what the facts say.
        """
        onnxruntime = import_onnxruntime()
        self._on_gpu = provider == _CUDA_PROVIDER
        if self._on_gpu:
            _load_cuda_of_pip()
        self._errors = _error_types()
        session_options = onnxruntime.SessionOptions()
        session_options.intra_op_num_threads = options.num_threads
        session_options.log_severity_level = _ERROR_SEVERITY
        # Else its threads spin for a while after each run, on the cores that the rest of a frame
        # needs: twice the processor time a frame at a camera's rate.
        session_options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        if spec.free_size:  # known sizes make faster plans
            for name, size in zip(FREE_AXES, spec.input_size, strict=True):
                session_options.add_free_dimension_override_by_name(name, size)
        try:
            session = onnxruntime.InferenceSession(
                str(model_path), session_options, providers=[provider]
            )
        except self._errors as err:
            raise BackendError(
                f'onnxruntime cannot load {model_path}: {_first_line(err)}'
            ) from err
        if provider not in session.get_providers():
            raise BackendError(
                f'onnxruntime could not start {provider}: no GPU, or CUDA and cuDNN of another '
                "version than it was built for (pip install 'onnxruntime-gpu[cuda,cudnn]')"
            )
        check_graph(
            model_path, spec, _tensors(session.get_inputs()), _tensors(session.get_outputs())
        )
        threads = (
            '' if self._on_gpu or not options.num_threads else f', {options.num_threads} threads'
        )
        self._description = f'onnxruntime {onnxruntime.__version__} on {provider}{threads}'
        self._session = session
        self._binding = session.io_binding()
        self._output = np.zeros(spec.output_shape, dtype=np.float32)
        self._binding.bind_output(
            'depth', 'cpu', 0, np.float32, self._output.shape, self._output.ctypes.data
        )

    @property
    def name(self) -> BackendName:
        """Which backend this is."""
        return BackendName.ONNXRUNTIME_CUDA if self._on_gpu else BackendName.ONNXRUNTIME

    @property
    def description(self) -> str:
        """Version and device."""
        return self._description

    @property
    def compute_precision(self) -> str | None:
        """None on the CPU, which computes in the file's precision; GPUs may use TF32."""
        return 'tf32' if self._on_gpu else None

    def infer(self, images_nhwc: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network; see backends.base.Backend.infer."""
        if self._session is None:
            raise BackendError(f'{self._description}: closed')
        self._binding.bind_input(
            'image', 'cpu', 0, np.uint8, images_nhwc.shape, images_nhwc.ctypes.data
        )
        try:
            self._session.run_with_iobinding(self._binding)
        except self._errors as err:
            raise BackendError(f'{self._description}: {_first_line(err)}') from err
        return self._output

    def close(self) -> None:
        """Free the session."""
        self._binding = None
        self._session = None


def _load_cuda_of_pip() -> None:
    """Load the CUDA and cuDNN that pip put beside onnxruntime-gpu; others are found by themselves.

    Without this a machine needs them in the system or on LD_LIBRARY_PATH.
    """
    preload = getattr(import_onnxruntime(), 'preload_dlls', None)  # from 1.21
    if preload is None:
        return
    with contextlib.redirect_stdout(io.StringIO()) as said:
        preload()
    if said.getvalue():
        _logger.debug('onnxruntime: %s', said.getvalue().strip())


def _error_types() -> tuple[type[Exception], ...]:
    """List onnxruntime's exceptions; their only common base is Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = [item for item in vars(state).values() if isinstance(item, type)]
    found = [item for item in found if issubclass(item, Exception)]
    return (RuntimeError, UnicodeDecodeError, *found)


def _first_line(err: Exception) -> str:
    return library_text(err).strip().partition('\n')[0]


def _tensors(nodes: list[Any]) -> dict[str, TensorInfo]:
    names = {'tensor(float)': 'float32', 'tensor(uint8)': 'uint8', 'tensor(float16)': 'float16'}
    return {
        node.name: TensorInfo(names.get(node.type, node.type), tuple(node.shape)) for node in nodes
    }
