"""openvino on the CPU."""

from __future__ import annotations

from functools import cache
import importlib.util
import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from depth_estimation_ros.backends.base import BackendName, TensorInfo, check_graph
from depth_estimation_ros.errors import BackendError, library_text

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from depth_estimation_ros.backends.base import BackendOptions
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = ['OpenVinoBackend', 'is_installed', 'load', 'unavailable_reason']

_logger = logging.getLogger(__name__)
_DEVICE = 'CPU'
_PRECISION_NAMES = {'float32': 'f32', 'bfloat16': 'bf16', 'float16': 'f16'}
_COMPUTE_PRECISIONS = {'bf16': 'bf16', 'f16': 'fp16'}


def is_installed() -> bool:
    """Whether openvino is there, working or not."""
    return importlib.util.find_spec('openvino') is not None


def unavailable_reason() -> str | None:
    """Why openvino cannot run here, or None."""
    if not is_installed():
        return "openvino is not installed (pip install 'depth-estimation-ros[openvino]')"
    return None


def load(model_path: Path, spec: ModelSpec, options: BackendOptions) -> OpenVinoBackend:
    """Load a model file; see backends.base.load_backend."""
    return OpenVinoBackend(model_path, spec, options)


class OpenVinoBackend:
    """A compiled openvino model; implements backends.base.Backend.

    openvino's own default is bf16 on CPUs that have it, with about 1 % rms error. Here f32 is
    the default, so that all backends give the same numbers, and bf16 is the user's to choose.
    """

    def __init__(self, model_path: Path, spec: ModelSpec, options: BackendOptions) -> None:
        """Load and compile the graph.

        Args:
            model_path: The model file.
            spec: Its facts.
            options: num_threads and openvino_precision are used.

        Raises:
            BackendError: openvino refuses the file.
            ModelFileError: The graph is not what the facts say.
        """
        import openvino

        config: dict[str, Any] = {
            'PERFORMANCE_HINT': 'LATENCY',
            'INFERENCE_PRECISION_HINT': options.openvino_precision,
        }
        if options.num_threads:
            config['INFERENCE_NUM_THREADS'] = options.num_threads
        try:
            core = _core()
            model = core.read_model(str(model_path))
            if spec.free_size:
                model.reshape({'image': list(spec.input_shape)})
            check_graph(model_path, spec, _tensors(model.inputs), _tensors(model.outputs))
            compiled = core.compile_model(model, _DEVICE, config)
        except (RuntimeError, UnicodeDecodeError) as err:
            raise BackendError(f'openvino cannot load {model_path}: {_gist(err)}') from err
        self._precision = _precision(compiled, options.openvino_precision)
        version = openvino.__version__.partition('-')[0]
        threads = f', {options.num_threads} threads' if options.num_threads else ''
        self._description = f'openvino {version} on {_DEVICE}, {self._precision}{threads}'
        self._tensor_type = openvino.Tensor
        self._request = compiled.create_infer_request()

    @property
    def name(self) -> BackendName:
        """Which backend this is."""
        return BackendName.OPENVINO

    @property
    def description(self) -> str:
        """Version, device and arithmetic."""
        return self._description

    @property
    def compute_precision(self) -> str | None:
        """'bf16' when the user chose it and the CPU has it, else None."""
        return _COMPUTE_PRECISIONS.get(self._precision)

    def infer(self, images_nhwc: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network; see backends.base.Backend.infer."""
        if self._request is None:
            raise BackendError(f'{self._description}: closed')
        try:
            self._request.set_input_tensor(self._tensor_type(images_nhwc, shared_memory=True))
            self._request.infer()
        except (RuntimeError, UnicodeDecodeError) as err:
            raise BackendError(f'{self._description}: {_gist(err)}') from err
        output: NDArray[np.float32] = self._request.get_output_tensor().data
        return output

    def close(self) -> None:
        """Free the model."""
        self._request = None


@cache
def _core() -> Any:
    """Return the one openvino.Core of this process, which is never let go.

    With the last Core and model openvino 2026.4 unloads its CPU plugin, and with it the alternate
    signal stack that the plugin gave to the thread that loaded it. When another thread does the
    unloading, the next signal to the first one, a plain SIGINT or SIGCHLD, ends the process with
    a segmentation fault.
    """
    import openvino

    return openvino.Core()


def _precision(compiled: Any, wanted: str) -> str:
    """The arithmetic in use, in openvino's words; a CPU without bf16 computes in f32."""
    name = str(compiled.get_property('INFERENCE_PRECISION_HINT').to_string())
    used = _PRECISION_NAMES.get(name, name)
    if used != wanted:
        _logger.warning('openvino_precision %s has no effect: this CPU computes %s', wanted, used)
    return used


def _gist(err: Exception) -> str:
    """Last line of the text, which says what is wrong; those before say where in the sources."""
    lines = [line.strip() for line in library_text(err).splitlines() if line.strip()]
    return lines[-1] if lines else repr(err)


def _tensors(ports: list[Any]) -> dict[str, TensorInfo]:
    found = {}
    for port in ports:
        shape = port.get_partial_shape()
        sizes = tuple(
            dimension.get_length() if dimension.is_static else str(dimension)
            for dimension in shape
        )
        name = np.dtype(port.get_element_type().to_dtype()).name
        found[port.get_any_name()] = TensorInfo(name, sizes)
    return found
