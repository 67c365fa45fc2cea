"""Engines that are built, kept and checked; test_tensorrt.py runs this for each version."""

from __future__ import annotations

import logging
import os
from pathlib import Path
import signal
import threading
from typing import TYPE_CHECKING

import pytest
from tensorrt_machine import changed, load

from depth_estimation_ros.backends.selection import open_backend
from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
from depth_estimation_ros.errors import BackendError, BuildCancelledError
from depth_estimation_ros.model_file.model_spec import read_model_spec

if TYPE_CHECKING:
    from fake_tensorrt import FakeTensorRt

    from depth_estimation_ros.backends.base import (
        BackendOptions,
    )


def test_the_second_load_takes_the_engine_from_the_cache(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    first, _ = load(model, options)
    first.close()
    second, _ = load(model, options)
    assert trt.num_builds == 1
    assert (first.build_sec is None, second.build_sec) == (False, None)
    assert second.engine_path is not None
    assert second.engine_path.is_file()
    second.close()


@pytest.mark.parametrize(
    ('what', 'value'), [('name', b'A100'), ('driver', 12060)], ids=['gpu', 'driver']
)
def test_another_machine_needs_another_engine(
    model: Path, options: BackendOptions, trt: FakeTensorRt, what: str, value: object
) -> None:
    load(model, options)[0].close()
    setattr(trt.cuda, what, value)
    load(model, options)[0].close()
    assert trt.num_builds == 2


def test_an_engine_for_several_gpus_is_shared_by_them(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    shared = changed(options, hardware_compatibility='ampere_plus')
    load(model, shared)[0].close()
    level = trt.configs[-1].hardware_compatibility_level
    assert level == trt.real.HardwareCompatibilityLevel.AMPERE_PLUS
    key = next((options.engine_cache_dir or Path()).glob('*.json')).read_text(encoding='utf-8')
    assert 'any from Ampere on' in key


def test_a_compatibility_that_this_version_lacks_is_named(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    wanted = changed(options, hardware_compatibility='same_compute_capability')
    if hasattr(trt.real.HardwareCompatibilityLevel, 'SAME_COMPUTE_CAPABILITY'):
        load(model, wanted)[0].close()
        return
    with pytest.raises(BackendError, match='hardware_compatibility same_compute_capability: Ten'):
        load(model, wanted)


def test_options_reach_the_configuration(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    trt.faults.num_dla_cores = 2
    wanted = changed(options, max_workspace_mb=512, tf32=False, dla_core=1)
    backend, _ = load(model, wanted)
    config = trt.configs[-1]
    pool = trt.real.MemoryPoolType.WORKSPACE
    config.set_memory_pool_limit.assert_called_once_with(pool, 512 << 20)
    config.clear_flag.assert_called_once_with(trt.real.BuilderFlag.TF32)
    config.set_flag.assert_called_once_with(trt.real.BuilderFlag.GPU_FALLBACK)
    assert (config.DLA_core, config.default_device_type) == (1, trt.real.DeviceType.DLA)
    assert backend.description.endswith('on Orin, fp32, CUDA graph, DLA core 1')
    backend.close()


def test_by_default_the_configuration_is_left_alone(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    load(model, options)[0].close()
    config = trt.configs[-1]
    for method in (config.set_memory_pool_limit, config.clear_flag, config.set_flag):
        method.assert_not_called()


def test_tf32_is_told_and_checked_with_its_tolerance(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    trt.faults.factor = 1.004  # more than fp32 allows, less than tf32
    spec = read_model_spec(model)
    backend = open_backend('tensorrt', model, spec, options=options)
    assert backend.compute_precision == 'tf32'
    backend.close()
    exact = changed(options, tf32=False)
    with pytest.raises(BackendError, match=r'wrong numbers .* 0\.004 .*0\.001 is allowed'):
        open_backend('tensorrt', model, spec, options=exact)


def test_a_miscompiled_engine_is_refused_when_built_and_when_loaded(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    trt.faults.factor = 1.1
    spec = read_model_spec(model)
    message = r'error 0\.09.*0\.01 is allowed for fp32.*update TensorRT.*build-engine --rebuild'
    for _ in range(2):
        with pytest.raises(BackendError, match=message):
            open_backend('tensorrt', model, spec, options=options)
    assert trt.num_builds == 1, 'it is kept, so that the next start refuses it at once'
    trt.faults.factor = 1.0
    rebuilt = changed(options, rebuild_engine=True)
    open_backend('tensorrt', model, spec, options=rebuilt).close()
    assert trt.num_builds == 2


def test_what_a_build_learned_is_used_by_the_next(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    load(model, options)[0].close()
    load(model, changed(options, max_workspace_mb=64))[0].close()
    assert trt.timing_caches == [b'', b't']


def test_a_damaged_timing_cache_is_left_out(
    model: Path, options: BackendOptions, trt: FakeTensorRt, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    load(model, options)[0].close()
    (timings,) = (options.engine_cache_dir or Path()).glob('timing-*')
    timings.write_bytes(b'garbage')
    load(model, changed(options, rebuild_engine=True))[0].close()
    assert trt.timing_caches == [b'', b'garbage', b'']
    assert 'the timing cache is not of this machine' in caplog.text


def test_a_damaged_engine_is_built_anew(
    model: Path, options: BackendOptions, trt: FakeTensorRt, caplog: pytest.LogCaptureFixture
) -> None:
    backend, _ = load(model, options)
    backend.close()
    assert backend.engine_path is not None
    backend.engine_path.write_bytes(b'')
    load(model, options)[0].close()
    assert trt.num_builds == 2
    assert 'is not the' in caplog.text


def test_progress_is_told_and_a_cancelled_build_leaves_no_engine(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    trt.faults.step_sec = 0.01
    progress = BuildProgress()
    told: list[str] = []
    finish, original = threading.Event(), progress.complete_step

    def complete_step(name: str, step: int) -> bool:
        told.append(progress.description)
        if len(told) == 6:
            progress.cancel()
        finish.set()
        return original(name, step)

    progress.complete_step = complete_step  # type: ignore[method-assign]
    with pytest.raises(BuildCancelledError, match=r'building the TensorRT engine of room\.onnx'):
        load(model, changed(options, progress=progress))
    assert finish.is_set()
    assert len(told) == 6
    assert 'Tactics, 33 %' in told[-1]
    assert not list((options.engine_cache_dir or Path()).glob('*.engine'))


def test_ctrl_c_stops_the_build_and_is_raised_afterwards(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    trt.faults.step_sec = 0.1
    progress = BuildProgress()
    original = progress.start_phase

    def start_phase(name: str, parent: str | None, num_steps: int) -> None:
        original(name, parent, num_steps)
        if parent is not None:
            os.kill(os.getpid(), signal.SIGINT)

    progress.start_phase = start_phase  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        load(model, changed(options, progress=progress))
    assert progress.is_cancelled
    assert trt.num_builds == 1
    assert not list((options.engine_cache_dir or Path()).glob('*.engine'))


def test_a_second_ctrl_c_does_not_break_off_the_first(
    model: Path, options: BackendOptions, trt: FakeTensorRt, monkeypatch: pytest.MonkeyPatch
) -> None:
    trt.faults.step_sec = 0.02
    progress = BuildProgress()
    original, start = progress.cancel, progress.start_phase

    def cancel() -> None:
        signal.raise_signal(signal.SIGINT)
        original()

    def start_phase(name: str, parent: str | None, num_steps: int) -> None:
        start(name, parent, num_steps)
        if parent is None:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(progress, 'cancel', cancel)
    monkeypatch.setattr(progress, 'start_phase', start_phase)
    with pytest.raises(KeyboardInterrupt):
        load(model, changed(options, progress=progress))
    assert progress.is_cancelled
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not list((options.engine_cache_dir or Path()).glob('*.engine'))
