"""A GPU in host memory behind cuda-python's own functions.

Each function keeps its name and its parameters: a call that the real one would not take is a
TypeError, and what does not exist cannot be replaced.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
import inspect
from typing import TYPE_CHECKING, Any

from cuda.bindings import runtime

if TYPE_CHECKING:
    from collections.abc import Callable

_STATUS = runtime.cudaError_t
_FIRST_HANDLE = 0x51


@dataclass
class FakeCuda:
    """The state of the GPU.

    Attributes:
        fail: Function name -> status it answers.
        live: Address or handle -> what it is; empty when everything was given back.
        num_runs: How often each function was called.
    """

    driver: int = 13000
    num_devices: int = 1
    name: bytes = b'Orin'
    fail: dict[str, Any] = field(default_factory=dict)
    live: dict[int, Any] = field(default_factory=dict)
    num_calls: dict[str, int] = field(default_factory=dict)
    capture: list[Callable[[], None]] | None = None
    recorded: dict[int, list[Callable[[], None]]] = field(default_factory=dict)
    num_handles: int = 0

    def install(self) -> FakeCuda:
        """Put it in the place of the real functions, until `uninstall`."""
        self._real = {
            name: getattr(runtime, name) for name in dir(type(self)) if name.startswith('cuda')
        }
        for name, real in self._real.items():
            setattr(runtime, name, self._checked(name, real))
        return self

    def uninstall(self) -> None:
        for name, real in self._real.items():
            setattr(runtime, name, real)

    def do(self, action: Callable[[], None]) -> None:
        """Do it, or record it while the stream is captured."""
        if self.capture is None:
            action()
        else:
            self.capture.append(action)

    def _handle(self, what: str) -> int:
        """Make a handle that no other thing ever had."""
        self.num_handles += 1
        handle = _FIRST_HANDLE + self.num_handles
        self.live[handle] = what
        return handle

    def _checked(self, name: str, real: Any) -> Callable[..., tuple[Any, ...]]:
        signature = inspect.signature(real)
        mine = getattr(self, name)

        def function(*arguments: Any) -> tuple[Any, ...]:
            signature.bind(*arguments)
            self.num_calls[name] = self.num_calls.get(name, 0) + 1
            if name in self.fail:
                return (self.fail[name], None)
            result = mine(*arguments)
            if isinstance(result, tuple):
                return result
            return (_STATUS.cudaSuccess,) if result is None else (_STATUS.cudaSuccess, result)

        function.__name__ = name
        return function

    def cudaGetDeviceCount(self) -> Any:  # noqa: N802 - NVIDIA's names
        if not self.driver or self.driver < 12000:
            return _STATUS.cudaErrorInsufficientDriver, None
        return self.num_devices if self.num_devices else (_STATUS.cudaErrorNoDevice, None)

    def cudaDriverGetVersion(self) -> int:  # noqa: N802
        return self.driver

    def cudaRuntimeGetVersion(self) -> int:  # noqa: N802
        return 13050

    def cudaGetDevice(self) -> int:  # noqa: N802
        return 0

    def cudaGetDeviceProperties(self, device: int) -> Any:  # noqa: N802
        assert device == 0
        properties = runtime.cudaDeviceProp()
        properties.name = self.name.ljust(256, b'\0')
        properties.major, properties.minor = 8, 7
        properties.totalGlobalMem = 8 << 30
        return properties

    def cudaStreamCreate(self) -> Any:  # noqa: N802
        return runtime.cudaStream_t(self._handle('stream'))

    def cudaStreamDestroy(self, stream: Any) -> None:  # noqa: N802
        del self.live[int(stream)]

    def cudaStreamSynchronize(self, stream: Any) -> None:  # noqa: N802
        assert self.live[int(stream)] == 'stream'

    def _allocate(self, num_bytes: int) -> int:
        buffer = (ctypes.c_uint8 * num_bytes).from_buffer(bytearray(b'\xab' * num_bytes))
        self.live[ctypes.addressof(buffer)] = buffer
        return ctypes.addressof(buffer)

    def cudaMalloc(self, size: int) -> int:  # noqa: N802
        return self._allocate(size)

    def cudaHostAlloc(self, size: int, flags: int) -> int:  # noqa: N802
        assert flags == 0
        return self._allocate(size)

    def cudaFree(self, pointer: int) -> None:  # noqa: N802
        del self.live[pointer]

    def cudaFreeHost(self, pointer: int) -> None:  # noqa: N802
        del self.live[pointer]

    def cudaMemcpyAsync(  # noqa: N802
        self, dst: int, src: int, count: int, kind: Any, stream: Any
    ) -> None:
        assert self.live[int(stream)] == 'stream'
        assert kind in tuple(runtime.cudaMemcpyKind)
        assert ctypes.sizeof(self.live[dst]) == ctypes.sizeof(self.live[src]) == count
        self.do(lambda: _copy(dst, src, count))

    def cudaStreamBeginCapture(self, stream: Any, mode: Any) -> None:  # noqa: N802
        assert self.live[int(stream)] == 'stream'
        assert mode in tuple(runtime.cudaStreamCaptureMode)
        self.capture = []

    def cudaStreamEndCapture(self, stream: Any) -> Any:  # noqa: N802
        assert self.live[int(stream)] == 'stream'
        assert self.capture is not None
        graph = self._handle('graph')
        self.recorded[graph], self.capture = self.capture, None
        return runtime.cudaGraph_t(graph)

    def cudaGraphInstantiate(self, graph: Any, flags: int) -> Any:  # noqa: N802
        assert (self.live[int(graph)], flags) == ('graph', 0)
        executable = self._handle('executable')
        self.recorded[executable] = self.recorded[int(graph)]
        return runtime.cudaGraphExec_t(executable)

    def cudaGraphDestroy(self, graph: Any) -> None:  # noqa: N802
        del self.live[int(graph)]

    def cudaGraphExecDestroy(self, executable: Any) -> None:  # noqa: N802
        del self.live[int(executable)]

    def cudaGraphLaunch(self, executable: Any, stream: Any) -> None:  # noqa: N802
        assert self.live[int(executable)] == 'executable'
        assert self.live[int(stream)] == 'stream'
        for action in self.recorded[int(executable)]:
            action()


def _copy(dst: int, src: int, count: int) -> None:
    ctypes.memmove(dst, src, count)
