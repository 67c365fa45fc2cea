"""Builds the TensorRT engine of a model file."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from depth_estimation_ros.backends.tensorrt.api import tensorrt_version
from depth_estimation_ros.backends.tensorrt.engine_builder import BuiltEngine
from depth_estimation_ros.backends.tensorrt.engine_facts import EngineKey, sha256_of_file
from depth_estimation_ros.backends.tensorrt.errors import build_error, parser_error
from depth_estimation_ros.backends.tensorrt.stoppable import run_stoppable
from depth_estimation_ros.errors import BackendError

if TYPE_CHECKING:
    from pathlib import Path

    import tensorrt as trt

    from depth_estimation_ros.backends.options import BackendOptions
    from depth_estimation_ros.backends.tensorrt.api import TensorRtLog
    from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
    from depth_estimation_ros.backends.tensorrt.cuda_runtime import GpuFacts
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = ['TensorRtBuilder', 'fitting_gpus']

_logger = logging.getLogger(__name__)
_BYTES_PER_MB = 1 << 20


class TensorRtBuilder:
    """Implements engine_builder.EngineBuilder.

    Args:
        log: From make_log.
        model_path: The model file.
        spec: Facts of the model file, at the size that the engine is for.
        gpu: The GPU in use.
        options: Settings.
        progress: Told the phases; asked whether to go on.

    Raises:
        OSError: The model file cannot be read.
    """

    def __init__(
        self,
        log: TensorRtLog,
        model_path: Path,
        *,
        spec: ModelSpec,
        gpu: GpuFacts,
        options: BackendOptions,
        progress: BuildProgress,
    ) -> None:
        self._log = log
        self._model_path = model_path
        self._spec = spec
        self._options = options
        self._progress = progress
        names, capability, driver = fitting_gpus(gpu, options.hardware_compatibility)
        self.model_name = model_path.name
        self.key = EngineKey(
            model_sha256=sha256_of_file(model_path),
            batch_size=spec.batch_size,
            height=spec.input_size[0],
            width=spec.input_size[1],
            tensorrt=tensorrt_version(),
            gpu=names,
            compute_capability=capability,
            cuda_driver=driver,
            max_workspace_mb=options.max_workspace_mb,
            dla_core=options.dla_core,
            hardware_compatibility=options.hardware_compatibility,
            tf32=options.tf32,
        )

    def build(self, timing_cache: bytes) -> BuiltEngine:
        """Build it; see engine_builder.EngineBuilder.build.

        The work is done on another thread: an exception that Ctrl-C raises inside TensorRT's
        own frames would end the process.
        """
        self._progress.check()
        return run_stoppable(lambda: self._build(timing_cache), on_interrupt=self._progress.cancel)

    def _build(self, timing_cache: bytes) -> BuiltEngine:
        import tensorrt as trt

        self._log.errors.clear()
        try:
            builder = trt.Builder(self._log)
        except TypeError as err:  # its factory gave nothing
            raise BackendError(
                f'TensorRT {self.key.tensorrt} cannot start: {self._log.gist()}; is the driver '
                'new enough for it?'
            ) from err
        strongly_typed = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
        network = builder.create_network(strongly_typed)
        parser = trt.OnnxParser(network, self._log)
        if not parser.parse(self._model_path.read_bytes(), str(self._model_path)):
            raise parser_error(parser, self._log, self.model_name, self.key.tensorrt)
        if self._spec.free_size:
            network.get_input(0).shape = trt.Dims(list(self._spec.input_shape))
        config = self._configure(builder)
        timings = self._attach_timings(config, timing_cache)
        monitor = _make_monitor(self._progress)
        config.progress_monitor = monitor
        plan = builder.build_serialized_network(network, config)
        self._progress.check()
        if plan is None:
            raise build_error(self._log, self.model_name, self._options)
        return BuiltEngine(engine=bytes(plan), timing_cache=bytes(timings.serialize()))

    def _configure(self, builder: trt.Builder) -> trt.IBuilderConfig:
        """Turn the options into TensorRT's configuration."""
        import tensorrt as trt

        options = self._options
        config = builder.create_builder_config()
        if options.max_workspace_mb:
            limit = options.max_workspace_mb * _BYTES_PER_MB
            config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, limit)
        if not options.tf32:
            config.clear_flag(trt.BuilderFlag.TF32)
        if options.hardware_compatibility != 'none':
            config.hardware_compatibility_level = self._compatibility_level()
        if options.dla_core >= 0:
            if options.dla_core >= builder.num_DLA_cores:
                raise BackendError(
                    f'dla_core {options.dla_core}: this GPU has {builder.num_DLA_cores} DLA '
                    'cores, counted from 0; -1 uses the GPU'
                )
            config.default_device_type = trt.DeviceType.DLA
            config.DLA_core = options.dla_core
            config.set_flag(trt.BuilderFlag.GPU_FALLBACK)  # for layers that DLA lacks
        return config

    def _compatibility_level(self) -> trt.HardwareCompatibilityLevel:
        import tensorrt as trt

        name = self._options.hardware_compatibility.upper()
        level: trt.HardwareCompatibilityLevel | None = getattr(
            trt.HardwareCompatibilityLevel, name, None
        )
        if level is None:
            raise BackendError(
                f'hardware_compatibility {name.lower()}: TensorRT {self.key.tensorrt} does '
                'not have it; choose ampere_plus or none'
            )
        return level

    def _attach_timings(self, config: trt.IBuilderConfig, timing_cache: bytes) -> trt.ITimingCache:
        """Give what earlier builds measured; what is of no use is left out."""
        made = config.create_timing_cache(timing_cache)
        timings = cast('trt.ITimingCache | None', made)
        if timings is None or not config.set_timing_cache(timings, False):
            _logger.info('the timing cache is not of this machine: starting a new one')
            timings = config.create_timing_cache(b'')
            config.set_timing_cache(timings, False)
        return timings


def fitting_gpus(gpu: GpuFacts, hardware_compatibility: str) -> tuple[str, str, str]:
    """Names, compute capability and driver of the machines that an engine fits."""
    if hardware_compatibility == 'ampere_plus':
        return 'any from Ampere on', '8.0', 'any'
    if hardware_compatibility == 'same_compute_capability':
        return 'any of its compute capability', gpu.compute_capability, 'any'
    return gpu.name, gpu.compute_capability, gpu.driver


def _make_monitor(progress: BuildProgress) -> trt.IProgressMonitor:
    import tensorrt as trt

    class Monitor(trt.IProgressMonitor):
        """Passes on what TensorRT tells, from whatever thread it does."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            progress.start_phase(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return progress.complete_step(phase_name, step)

        def phase_finish(self, phase_name: str) -> None:
            progress.finish_phase(phase_name)

    return Monitor()
