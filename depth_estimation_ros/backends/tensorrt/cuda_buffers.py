"""Memory of the host and of the GPU, and the one stream on which a model runs."""

from __future__ import annotations

from contextlib import ExitStack
import ctypes
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from depth_estimation_ros.backends.tensorrt.cuda_runtime import call, runtime
from depth_estimation_ros.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import DTypeLike, NDArray

__all__ = ['CudaBuffers']


class CudaBuffers:
    """A stream with pinned host arrays and GPU memory that live and die together."""

    def __init__(self) -> None:
        """Make the stream.

        Raises:
            BackendError: CUDA refuses.
        """
        self._cuda = runtime()
        self._owned = ExitStack()
        self.stream = call(self._cuda.cudaStreamCreate)
        self._own(self._cuda.cudaStreamDestroy, self.stream)

    @property
    def stream_handle(self) -> int:
        """The stream as TensorRT wants it."""
        return int(self.stream)

    def host_array(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Make an array in pinned memory, which the GPU copies from at full speed.

        It must not be touched after `free`.

        Raises:
            BackendError: There is not enough memory.
        """
        num_bytes = math.prod(shape) * np.dtype(dtype).itemsize
        pointer = int(call(self._cuda.cudaHostAlloc, num_bytes, 0))
        self._own(self._cuda.cudaFreeHost, pointer)
        raw = (ctypes.c_uint8 * num_bytes).from_address(pointer)
        return np.frombuffer(memoryview(raw), np.dtype(dtype)).reshape(shape)

    def device_memory(self, num_bytes: int) -> int:
        """Take memory of the GPU; returns its address.

        Raises:
            BackendError: There is not enough.
        """
        pointer = int(call(self._cuda.cudaMalloc, num_bytes))
        self._own(self._cuda.cudaFree, pointer)
        return pointer

    def upload(self, source: NDArray[Any], target: int) -> None:
        """Copy a pinned array to the GPU, when the stream gets there."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        address = source.ctypes.data
        call(self._cuda.cudaMemcpyAsync, target, address, source.nbytes, kind, self.stream)

    def download(self, source: int, target: NDArray[Any]) -> None:
        """Copy from the GPU into a pinned array, when the stream gets there."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        address = target.ctypes.data
        call(self._cuda.cudaMemcpyAsync, address, source, target.nbytes, kind, self.stream)

    def synchronize(self) -> None:
        """Wait until the stream has done everything.

        Raises:
            BackendError: Something of it failed.
        """
        call(self._cuda.cudaStreamSynchronize, self.stream)

    def record(self, enqueue: Callable[[], None]) -> Callable[[], None]:
        """Record what a function puts on the stream as a CUDA graph.

        Args:
            enqueue: Puts work on the stream and waits for none of it.

        Returns:
            A function that puts all of it on the stream again, in one call.

        Raises:
            BackendError: CUDA or what is recorded refuses; the stream can be used as before.
        """
        cuda = self._cuda
        mode = cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        call(cuda.cudaStreamBeginCapture, self.stream, mode)
        try:
            enqueue()
        except BackendError:
            self._end_capture()  # else the stream stays in capture mode
            raise
        graph = call(cuda.cudaStreamEndCapture, self.stream)
        try:
            executable = call(cuda.cudaGraphInstantiate, graph, 0)
        finally:
            call(cuda.cudaGraphDestroy, graph)
        self._own(cuda.cudaGraphExecDestroy, executable)
        return lambda: _launch(cuda, executable, self.stream)

    def free(self) -> None:
        """Give everything back, once the stream is done; safe to call again."""
        self._owned.close()

    def _own(self, free: Callable[..., Any], handle: Any) -> None:
        # A failure to free is of no use to anybody, and must not keep the rest from being freed.
        self._owned.callback(free, handle)

    def _end_capture(self) -> None:
        status, graph = self._cuda.cudaStreamEndCapture(self.stream)
        if int(status) == 0 and graph is not None:
            self._cuda.cudaGraphDestroy(graph)


def _launch(cuda: Any, executable: Any, stream: Any) -> None:
    call(cuda.cudaGraphLaunch, executable, stream)
