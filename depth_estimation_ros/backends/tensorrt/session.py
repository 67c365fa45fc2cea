"""One engine ready to run: its execution context, buffers, stream and recorded run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

import numpy as np

from depth_estimation_ros.backends.tensorrt.cuda_buffers import CudaBuffers
from depth_estimation_ros.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    import tensorrt as trt

    from depth_estimation_ros.backends.tensorrt.api import TensorRtLog
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = ['TensorRtSession']

_logger = logging.getLogger(__name__)
_INPUT, _OUTPUT = 'image', 'depth'


class TensorRtSession:
    """Holds all device memory besides the engine's weights.

    Args:
        engine: With input `image` and output `depth` of the model's shapes.
        log: What TensorRT logs to.
        spec: Facts of the model.
        cuda_graph: Record a run after a first one and replay it.

    Raises:
        BackendError: There is not enough memory, or the first run fails.
    """

    def __init__(
        self, engine: trt.ICudaEngine, log: TensorRtLog, spec: ModelSpec, *, cuda_graph: bool
    ) -> None:
        self._log = log
        self._context = cast('trt.IExecutionContext | None', engine.create_execution_context())
        if self._context is None:
            raise BackendError(
                f'TensorRT cannot make an execution context ({log.gist()}): close other programs '
                'that use the GPU'
            )
        self._buffers = CudaBuffers()
        try:
            self._allocate(spec, self._context)
            self._launch = self._first_run(cuda_graph=cuda_graph)
        except BackendError:
            self.close()
            raise

    @property
    def is_recorded(self) -> bool:
        """Whether runs are replayed from a CUDA graph."""
        return self._launch != self._enqueue

    def run(self, images_nhwc: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network; the result is valid until the next call.

        Raises:
            BackendError: TensorRT or CUDA failed.
        """
        np.copyto(self._host_input, images_nhwc)
        self._launch()
        self._buffers.synchronize()
        return self._host_output

    def close(self) -> None:
        """Free everything; safe to call again."""
        self._context = None  # before its stream
        self._launch = self._enqueue
        self._buffers.free()

    def _allocate(self, spec: ModelSpec, context: trt.IExecutionContext) -> None:
        buffers = self._buffers
        self._host_input: NDArray[np.uint8] = buffers.host_array(spec.input_shape, np.uint8)
        self._host_output: NDArray[np.float32] = buffers.host_array(spec.output_shape, np.float32)
        self._device_input = buffers.device_memory(self._host_input.nbytes)
        self._device_output = buffers.device_memory(self._host_output.nbytes)
        self._host_input[...] = 0
        for name, address in ((_INPUT, self._device_input), (_OUTPUT, self._device_output)):
            if not context.set_tensor_address(name, address):
                raise BackendError(f'TensorRT refuses the buffer of {name}: {self._log.gist()}')

    def _first_run(self, *, cuda_graph: bool) -> Callable[[], None]:
        """Warm up, without which a run cannot be recorded, and record one."""
        self._enqueue()
        self._buffers.synchronize()
        if not cuda_graph:
            return self._enqueue
        try:
            replay = self._buffers.record(self._enqueue)
            replay()
            self._buffers.synchronize()
        except BackendError as err:
            _logger.info('no CUDA graph (%s): every run is launched layer by layer', err)
            return self._enqueue
        return replay

    def _enqueue(self) -> None:
        """Put one run on the stream: upload, network, download."""
        if self._context is None:
            raise BackendError('TensorRT: the memory of this session was given back')
        self._buffers.upload(self._host_input, self._device_input)
        if not self._context.execute_async_v3(self._buffers.stream_handle):
            raise BackendError(f'TensorRT failed to run: {self._log.gist()}')
        self._buffers.download(self._device_output, self._host_output)
