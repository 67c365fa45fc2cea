"""Times a model file in one backend, in this process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from depth_estimation_ros.backends.base import BackendOptions
from depth_estimation_ros.benchmark.hardware import gpu_memory_used_mb
from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.errors import BackendError
from depth_estimation_ros.estimator import DepthEstimator

if TYPE_CHECKING:
    from collections.abc import Callable

    from depth_estimation_ros.depth.prediction import StageTimings

__all__ = ['BenchmarkCase', 'CaseResult', 'SizeResult', 'measure_case']

MIN_RUNS = 10  # even when they take longer than max_sec
HFOV_DEG = 60.0
_BYTES_PER_KB = 1024


@dataclass(frozen=True, kw_only=True)
class BenchmarkCase:
    """What is measured, in a process of its own.

    Attributes:
        model: Path of the model file.
        backend: Name of the backend.
        openvino_precision: Of the backend openvino.
        image_sizes: (height, width) of the images given [px].
        num_runs: Calls timed for each size.
        num_warm_up: Calls before them.
        max_sec: Fewer calls are timed when they take longer.
        num_threads: CPU threads, 0 = the backend's own choice.
        network_size: 'auto' or HEIGHTxWIDTH, see DepthEstimator.from_file.
        tensorrt: Settings of the backend tensorrt, as fields of BackendOptions that JSON can hold.
    """

    model: str
    backend: str
    openvino_precision: str = 'f32'
    image_sizes: tuple[tuple[int, int], ...]
    num_runs: int = 200
    num_warm_up: int = 10
    max_sec: float = 30.0
    num_threads: int = 0
    network_size: str = 'auto'
    tensorrt: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True)
class SizeResult:
    """Times for images of one size; a call takes as many as the model does."""

    image_size: tuple[int, int]  # (height, width) [px]
    num_runs: int
    p50_ms: float  # wall time of a call, image to depth of the image's size
    p95_ms: float
    p99_ms: float
    preprocess_ms: float  # medians of its parts
    inference_ms: float
    postprocess_ms: float
    images_per_sec: float
    cpu_ms_per_image: float  # processor time of all threads


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """All that was measured in one process."""

    description: str
    load_sec: float  # from the file to the checked backend; tensorrt may build an engine in it
    peak_rss_mb: float  # of the whole process, Python and libraries included
    gpu_memory_mb: float | None  # more in use on the GPU than before; on a Jetson, of the board
    sizes: tuple[SizeResult, ...]


def measure_case(case: BenchmarkCase) -> CaseResult:
    """Load the model and time it.

    Raises:
        ModelFileError: The file cannot be used.
        BackendError: The backend cannot run it, or not in this precision.
    """
    gpu_before = gpu_memory_used_mb()
    tensorrt = dict(case.tensorrt)
    if tensorrt.get('engine_cache_dir'):
        tensorrt['engine_cache_dir'] = Path(tensorrt['engine_cache_dir'])
    options = BackendOptions(
        num_threads=case.num_threads, openvino_precision=case.openvino_precision, **tensorrt
    )
    started = time.perf_counter()
    with DepthEstimator.from_file(
        case.model, case.backend, network_size=case.network_size, options=options
    ) as estimator:
        estimator.prepare(case.image_sizes[0])
        load_sec = time.perf_counter() - started
        description = estimator.backend_description
        if case.openvino_precision not in description and case.backend == 'openvino':
            raise BackendError(
                f'this processor does not compute {case.openvino_precision}: {description}'
            )
        sizes = tuple(_measure_size(estimator, size, case) for size in case.image_sizes)
        gpu_after = gpu_memory_used_mb()
    return CaseResult(
        description=description,
        load_sec=load_sec,
        peak_rss_mb=peak_rss_mb(),
        gpu_memory_mb=None if gpu_before is None or gpu_after is None else gpu_after - gpu_before,
        sizes=sizes,
    )


def _measure_size(
    estimator: DepthEstimator, image_size: tuple[int, int], case: BenchmarkCase
) -> SizeResult:
    height, width = image_size
    num_images = estimator.spec.batch_size
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(num_images)]
    camera = CameraIntrinsics.from_hfov(height=height, width=width, hfov_deg=HFOV_DEG)
    cameras = [camera] * num_images

    def call() -> StageTimings:
        return estimator.estimate_batch(images, cameras)[0].timings

    estimator.prepare(image_size)
    for _ in range(case.num_warm_up):
        call()
    return _time_calls(call, image_size, num_images, case)


def _time_calls(
    call: Callable[[], StageTimings],
    image_size: tuple[int, int],
    num_images: int,
    case: BenchmarkCase,
) -> SizeResult:
    times_ms: list[float] = []
    stages: list[tuple[float, float, float]] = []
    cpu_started, started = time.process_time(), time.perf_counter()
    while len(times_ms) < case.num_runs:
        before = time.perf_counter()
        timings = call()
        after = time.perf_counter()
        times_ms.append(1e3 * (after - before))
        stages.append((timings.preprocess_ms, timings.inference_ms, timings.postprocess_ms))
        if after - started > case.max_sec and len(times_ms) >= MIN_RUNS:
            break
    elapsed, cpu_sec = time.perf_counter() - started, time.process_time() - cpu_started
    done = len(times_ms) * num_images
    p50, p95, p99 = np.percentile(times_ms, (50, 95, 99))
    preprocess, inference, postprocess = np.median(stages, axis=0)
    return SizeResult(
        image_size=image_size,
        num_runs=len(times_ms),
        p50_ms=float(p50),
        p95_ms=float(p95),
        p99_ms=float(p99),
        preprocess_ms=float(preprocess),
        inference_ms=float(inference),
        postprocess_ms=float(postprocess),
        images_per_sec=done / elapsed,
        cpu_ms_per_image=1e3 * cpu_sec / done,
    )


def peak_rss_mb() -> float:
    """Largest resident memory of this process so far [MB].

    getrusage would give the parent's where that was larger: Linux keeps the figure over exec.
    """
    try:
        status = Path('/proc/self/status').read_text(encoding='ascii', errors='replace')
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES_PER_KB / 1e6
    line = next(line for line in status.splitlines() if line.startswith('VmHWM:'))
    return int(line.split()[1]) * _BYTES_PER_KB / 1e6
