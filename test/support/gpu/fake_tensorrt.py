"""TensorRT that "runs" engines with onnxruntime, behind NVIDIA's own Python classes.

Each object is an autospec of the real class of the version at hand, made by the real bindings:
an attribute that does not exist there, or arguments that the real method does not take, fail.
An engine is the ONNX file with a line about the machine in front.
"""

from __future__ import annotations

import ctypes
import json
from pathlib import Path
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest.mock import create_autospec

from binding_signatures import checked
from fake_faults import Faults
import numpy as np

if TYPE_CHECKING:
    from fake_cuda import FakeCuda

LOOK_SEC = 0.05  # from one look for the file `hurry` to the next
_TYPES = {'tensor(uint8)': 'UINT8', 'tensor(float)': 'FLOAT', 'tensor(float16)': 'HALF'}


class FakeTensorRt(ModuleType):
    """Stands for the module `tensorrt`.

    Attributes:
        faults: See there; may be changed at any time.
        configs: The configurations that builds ran with.
        timing_caches: What they were given.
        num_builds: How many there were.
    """

    def __init__(self, real: Any, cuda: FakeCuda) -> None:
        super().__init__('tensorrt')
        self.real = real
        self.cuda = cuda
        self.faults = Faults()
        self.configs: list[Any] = []
        self.timing_caches: list[bytes] = []
        self.num_builds = 0
        self.__version__ = real.__version__
        self.__spec__ = real.__spec__

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def _spec(self, name: str, **values: Any) -> Any:
        """Make an object of a real class, some of whose methods do something."""
        kind = getattr(self.real, name)
        made = create_autospec(kind, instance=True, spec_set=True)
        for attribute, value in values.items():
            if not callable(value):
                setattr(made, attribute, value)
                continue
            method = checked(getattr(kind, attribute), attribute, value)
            getattr(made, attribute).side_effect = method
        return made

    def _fail_to_start(self, log: Any) -> None:
        if not isinstance(log, self.real.ILogger):
            raise TypeError('incompatible constructor arguments')
        if self.faults.start:
            log.log(self.real.ILogger.ERROR, self.faults.start)
            raise TypeError('pybind11::init(): factory function returned nullptr')

    def Builder(self, log: Any) -> Any:  # noqa: N802 - NVIDIA's names
        self._fail_to_start(log)
        state: dict[str, Any] = {'log': log}

        def create_network(flags: int) -> Any:
            strongly_typed = self.real.NetworkDefinitionCreationFlag.STRONGLY_TYPED
            assert flags == 1 << int(strongly_typed)
            tensor = self._spec('ITensor')
            state['input'] = tensor
            network = self._spec('INetworkDefinition', get_input=[tensor].__getitem__)
            self._networks[id(network)] = state
            return network

        def build(network: Any, config: Any) -> Any:
            assert self._networks[id(network)] is state
            return self._build(state, config)

        return self._spec(
            'Builder',
            create_network=create_network,
            create_builder_config=self._config,
            build_serialized_network=build,
            num_DLA_cores=self.faults.num_dla_cores,
        )

    _networks: dict[int, dict[str, Any]] = {}  # noqa: RUF012 - one module, one process

    def _config(self) -> Any:
        def create_timing_cache(data: bytes) -> Any:
            return self._spec('ITimingCache', serialize=lambda: data + b't')

        def set_timing_cache(cache: Any, ignore_mismatch: bool) -> bool:
            data = cache.serialize()[:-1]
            assert not ignore_mismatch
            self.timing_caches.append(data)
            return set(data) <= {ord('t')}

        def set_memory_pool_limit(pool: Any, size: int) -> None:
            assert isinstance(pool, self.real.MemoryPoolType)
            assert size > 0

        config = self._spec(
            'IBuilderConfig',
            create_timing_cache=create_timing_cache,
            set_timing_cache=set_timing_cache,
            set_memory_pool_limit=set_memory_pool_limit,
        )
        self.configs.append(config)
        return config

    def _build(self, state: dict[str, Any], config: Any) -> bytes | None:
        self.num_builds += 1
        monitor = config.progress_monitor
        assert isinstance(monitor, self.real.IProgressMonitor)
        monitor.phase_start('Building engine', None, 3)
        for step in range(3):
            monitor.phase_start('Tactics', 'Building engine', 4)
            for tactic in range(4):
                self._take_a_step()
                if not monitor.step_complete('Tactics', tactic):
                    return None
            monitor.phase_finish('Tactics')
            monitor.step_complete('Building engine', step)
        monitor.phase_finish('Building engine')
        for line in self.faults.build:
            state['log'].log(self.real.ILogger.ERROR, line)
        if self.faults.build:
            return None
        shape = state['input'].shape
        is_set = isinstance(shape, self.real.Dims)
        return self._header() + (_reshaped(state['onnx'], shape) if is_set else state['onnx'])

    def _take_a_step(self) -> None:
        ends_at = time.monotonic() + self.faults.step_sec
        while (left := ends_at - time.monotonic()) > 0.0:
            if self.faults.hurry and Path(self.faults.hurry).exists():
                return
            time.sleep(min(left, LOOK_SEC))

    def _header(self) -> bytes:
        return json.dumps([self.__version__, self.cuda.name.decode()]).encode() + b'\n'

    def OnnxParser(self, network: Any, log: Any) -> Any:  # noqa: N802
        assert isinstance(log, self.real.ILogger)
        state = self._networks[id(network)]
        fault = self.faults.parse

        def parse(model: bytes, path: str) -> bool:
            assert path.endswith('.onnx')
            state['onnx'] = model
            return fault is None

        def get_error(index: int) -> Any:
            assert index == 0
            assert fault is not None
            text, operator, node = fault
            return self._spec(
                'ParserError',
                desc=lambda: text,
                node_operator=lambda: operator,
                node_name=lambda: node,
            )

        num_errors = 1 if fault and fault[0] else 0
        return self._spec('OnnxParser', parse=parse, get_error=get_error, num_errors=num_errors)

    def Runtime(self, log: Any) -> Any:  # noqa: N802
        self._fail_to_start(log)

        def deserialize(data: bytes) -> Any:
            header, _, onnx = bytes(data).partition(b'\n')
            if header + b'\n' != self._header():
                log.log(self.real.ILogger.ERROR, 'Serialization assertion: version tag differs')
                return None
            return self._engine(onnx, log)

        return self._spec('Runtime', deserialize_cuda_engine=deserialize)

    def _engine(self, onnx: bytes, log: Any) -> Any:
        import onnxruntime

        session = onnxruntime.InferenceSession(onnx, providers=['CPUExecutionProvider'])
        inputs = {item.name: item for item in session.get_inputs()}
        tensors = {item.name: item for item in (*session.get_inputs(), *session.get_outputs())}
        modes = self.real.TensorIOMode

        def create_execution_context() -> Any:
            if self.faults.context:
                log.log(self.real.ILogger.ERROR, self.faults.context)
                return None
            return self._context(session, log)

        return self._spec(
            'ICudaEngine',
            num_io_tensors=len(tensors),
            get_tensor_name=list(tensors).__getitem__,
            get_tensor_mode=lambda name: modes.INPUT if name in inputs else modes.OUTPUT,
            get_tensor_dtype=lambda name: getattr(self.real.DataType, _TYPES[tensors[name].type]),
            get_tensor_shape=lambda name: self.real.Dims(tensors[name].shape),
            create_execution_context=create_execution_context,
        )

    def _context(self, session: Any, log: Any) -> Any:
        addresses: dict[str, int] = {}

        def set_tensor_address(name: str, memory: int) -> bool:
            addresses[name] = memory
            return memory in self.cuda.live

        def execute_async_v3(stream_handle: int) -> bool:
            assert self.cuda.live[stream_handle] == 'stream'
            fault = self.faults.run or (
                self.faults.capture if self.cuda.capture is not None else ''
            )
            if fault:
                log.log(self.real.ILogger.ERROR, fault)
                return False
            self.cuda.do(run)
            return True

        def run() -> None:
            image = _array_at(addresses['image'], session.get_inputs()[0], np.uint8)
            depth = _array_at(addresses['depth'], session.get_outputs()[0], np.float32)
            depth[...] = session.run(['depth'], {'image': image})[0] * self.faults.factor

        return self._spec(
            'IExecutionContext',
            set_tensor_address=set_tensor_address,
            execute_async_v3=execute_async_v3,
        )


def _reshaped(model: bytes, shape: Any) -> bytes:
    """Give the input of an ONNX file a static shape."""
    import onnx

    graph = onnx.load_from_string(model)
    dims = graph.graph.input[0].type.tensor_type.shape.dim
    for dim, size in zip(dims, shape, strict=True):
        dim.dim_value = size
    graph.graph.output[0].type.tensor_type.ClearField('shape')
    return bytes(onnx.shape_inference.infer_shapes(graph, strict_mode=True).SerializeToString())


def _array_at(address: int, tensor: Any, dtype: type) -> Any:
    num_bytes = int(np.prod(tensor.shape)) * np.dtype(dtype).itemsize
    raw = (ctypes.c_uint8 * num_bytes).from_address(address)
    return np.frombuffer(memoryview(raw), np.dtype(dtype)).reshape(tensor.shape)
