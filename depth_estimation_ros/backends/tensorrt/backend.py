"""TensorRT 10.3 to 11.x on NVIDIA GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from depth_estimation_ros.backends.base import BackendName, TensorInfo, check_graph
from depth_estimation_ros.backends.tensorrt.api import (
    is_installed,
    make_log,
    tensorrt_unavailable_reason,
    tensorrt_version,
)
from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
from depth_estimation_ros.backends.tensorrt.builder import TensorRtBuilder
from depth_estimation_ros.backends.tensorrt.cuda_runtime import cuda_unavailable_reason, gpu_facts
from depth_estimation_ros.backends.tensorrt.engine_cache import EngineCache
from depth_estimation_ros.backends.tensorrt.session import TensorRtSession
from depth_estimation_ros.errors import BackendError
from depth_estimation_ros.model_file.model_spec import Precision

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    import tensorrt as trt

    from depth_estimation_ros.backends.base import BackendOptions
    from depth_estimation_ros.backends.tensorrt.api import TensorRtLog
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = ['TensorRtBackend', 'cached_engine_path', 'is_installed', 'load', 'unavailable_reason']

_TYPE_NAMES = {'UINT8': 'uint8', 'FLOAT': 'float32', 'HALF': 'float16'}


def unavailable_reason() -> str | None:
    """Why TensorRT cannot run here, or None."""
    return tensorrt_unavailable_reason() or cuda_unavailable_reason()


def load(model_path: Path, spec: ModelSpec, options: BackendOptions) -> TensorRtBackend:
    """Load a model file, building its engine first if there is none; see load_backend.

    Raises:
        BackendError: See load_backend; or the engine cannot be built.
        BuildCancelledError: options.progress was cancelled.
        ModelFileError: The graph is not what the facts say.
    """
    return TensorRtBackend(model_path, spec, options)


def cached_engine_path(model_path: Path, spec: ModelSpec, options: BackendOptions) -> Path | None:
    """Where the engine that `load` would take is; None if it would have to build one."""
    progress = BuildProgress()
    builder = _make_builder(make_log(), model_path, spec, options, progress)
    path = EngineCache(options.engine_cache_dir, progress).path_of(builder)
    return path if path.is_file() else None


class TensorRtBackend:
    """A TensorRT engine; implements backends.base.Backend and Releasable.

    Attributes:
        engine_path: The engine's file, None if it is in memory only.
        build_sec: How long the engine was built for [s], None if it came from the cache.
    """

    def __init__(self, model_path: Path, spec: ModelSpec, options: BackendOptions) -> None:
        """Take the engine from the cache or build it; make the buffers; run once.

        Raises:
            BackendError: TensorRT or CUDA refuses.
            BuildCancelledError: options.progress was cancelled.
            ModelFileError: The graph is not what the facts say.
        """
        version, gpu = tensorrt_version(), gpu_facts()
        progress = options.progress or BuildProgress()
        self._log = make_log()
        self._runtime: trt.Runtime | None = _make_runtime(self._log, options.dla_core)
        builder = _make_builder(self._log, model_path, spec, options, progress)
        cache = EngineCache(options.engine_cache_dir, progress)
        found = cache.obtain(builder, self._deserialize, rebuild=options.rebuild_engine)
        self.engine_path, self.build_sec = found.path, found.build_sec
        self._engine: trt.ICudaEngine | None = found.engine
        self._spec = spec
        self._cuda_graph = options.cuda_graph
        self._computes_tf32 = options.tf32 and spec.precision is Precision.FP32
        check_graph(model_path, spec, *_tensors(found.engine))
        self._session: TensorRtSession | None = self._make_session(found.engine)
        tags = [str(spec.precision)]
        tags += ['tf32'] if self._computes_tf32 else []
        tags += ['CUDA graph'] if self._session.is_recorded else []
        tags += [f'DLA core {options.dla_core}'] if options.dla_core >= 0 else []
        self._description = f'tensorrt {version} on {gpu.name}, {", ".join(tags)}'

    @property
    def name(self) -> BackendName:
        """Which backend this is."""
        return BackendName.TENSORRT

    @property
    def description(self) -> str:
        """Version, GPU and arithmetic."""
        return self._description

    @property
    def compute_precision(self) -> str | None:
        """'tf32' when layers may compute in it: below fp32, above the rest."""
        return 'tf32' if self._computes_tf32 else None

    def infer(self, images_nhwc: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network; see backends.base.Backend.infer."""
        if self._engine is None:
            raise BackendError(f'{self._description}: closed')
        if self._session is None:
            self._session = self._make_session(self._engine)
        try:
            return self._session.run(images_nhwc)
        except BackendError as err:
            raise BackendError(f'{self._description}: {err}') from err

    def release(self) -> None:
        """Free the buffers and the network's working memory until the next infer."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def close(self) -> None:
        """Free everything."""
        self.release()
        self._engine = None
        self._runtime = None

    def _make_session(self, engine: trt.ICudaEngine) -> TensorRtSession:
        return TensorRtSession(engine, self._log, self._spec, cuda_graph=self._cuda_graph)

    def _deserialize(self, data: bytes) -> trt.ICudaEngine:
        self._log.errors.clear()
        engine = None
        if self._runtime is not None:
            made = self._runtime.deserialize_cuda_engine(data)
            engine = cast('trt.ICudaEngine | None', made)
        if engine is None:
            raise BackendError(f'TensorRT cannot use the engine: {self._log.gist()}')
        return engine


def _make_builder(
    log: TensorRtLog,
    model_path: Path,
    spec: ModelSpec,
    options: BackendOptions,
    progress: BuildProgress,
) -> TensorRtBuilder:
    return TensorRtBuilder(
        log,
        model_path,
        spec=spec,
        gpu=gpu_facts(),
        options=options,
        progress=progress,
    )


def _make_runtime(log: TensorRtLog, dla_core: int) -> trt.Runtime:
    import tensorrt as trt

    try:
        runtime = trt.Runtime(log)
    except TypeError as err:  # its factory gave nothing
        raise BackendError(
            f'TensorRT {trt.__version__} cannot start: {log.gist()}; is the driver new enough '
            'for it?'
        ) from err
    if dla_core >= 0:
        runtime.DLA_core = dla_core
    return runtime


def _tensors(engine: trt.ICudaEngine) -> tuple[dict[str, TensorInfo], dict[str, TensorInfo]]:
    """List an engine's inputs and outputs."""
    import tensorrt as trt

    inputs: dict[str, TensorInfo] = {}
    outputs: dict[str, TensorInfo] = {}
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        dtype = engine.get_tensor_dtype(name).name
        shape = cast('Iterable[int]', engine.get_tensor_shape(name))
        info = TensorInfo(_TYPE_NAMES.get(dtype, dtype), tuple(shape))
        is_input = engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
        (inputs if is_input else outputs)[name] = info
    return inputs, outputs
