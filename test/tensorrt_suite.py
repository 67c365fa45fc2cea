"""The backend tensorrt against NVIDIA's classes of one version; test_tensorrt.py runs it for each.

Two versions of the bindings do not fit into one process, so this file is no test file by itself.
"""

from __future__ import annotations

from dataclasses import replace
import logging
import os
from pathlib import Path
import signal
import threading
from typing import TYPE_CHECKING, Any

import cuda.bindings.runtime as cuda_runtime
from fake_cuda import FakeCuda
from fake_tensorrt import FakeTensorRt, Faults
import numpy as np
import pytest
import tensorrt
from tiny_model import make_tiny_model, tiny_depth

from depth_estimation_ros.backends.base import (
    BackendName,
    BackendOptions,
    Releasable,
    load_backend,
    unavailable_reason,
)
from depth_estimation_ros.backends.selection import open_backend
from depth_estimation_ros.backends.tensorrt_api import make_log
from depth_estimation_ros.backends.tensorrt_backend import TensorRtBackend
from depth_estimation_ros.build_progress import BuildProgress
from depth_estimation_ros.errors import BackendError, BuildCancelledError, ModelFileError
from depth_estimation_ros.model_spec import ModelSpec, Precision, Target, read_model_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

IS_11 = tensorrt.__version__.startswith('11.')


@pytest.fixture(autouse=True)
def trt() -> Iterator[FakeTensorRt]:
    """A machine without faults; afterwards it has no memory in use."""
    fake = tensorrt
    assert isinstance(fake, FakeTensorRt)
    fake.faults = Faults()
    fake.configs.clear()
    fake.timing_caches.clear()
    fake.num_builds = 0
    before = vars(fake.cuda).copy()
    fake.cuda.fail = {}
    fake.cuda.num_calls.clear()
    yield fake
    live = dict(fake.cuda.live)
    fake.cuda.live.clear()
    for name in ('driver', 'num_devices', 'name', 'fail'):
        setattr(fake.cuda, name, before[name])
    assert not live, 'not given back'


@pytest.fixture
def options(tmp_path: Path) -> BackendOptions:
    return BackendOptions(engine_cache_dir=tmp_path / 'engines')


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / 'room.onnx'
    make_tiny_model(path)
    return path


def load(path: Path, options: BackendOptions) -> tuple[TensorRtBackend, ModelSpec]:
    spec = read_model_spec(path)
    backend = load_backend(BackendName.TENSORRT, path, spec, options=options)
    assert isinstance(backend, TensorRtBackend)
    return backend, spec


def changed(options: BackendOptions, **values: Any) -> BackendOptions:
    return replace(options, **values)


def random_images(spec: ModelSpec, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, spec.input_shape, dtype=np.uint8)


def test_the_depth_is_the_hand_computed_one(model: Path, options: BackendOptions) -> None:
    backend, spec = load(model, options)
    for seed in range(3):
        images = random_images(spec, seed)
        depth = backend.infer(images)
        assert depth.shape == (1, 48, 64)
        assert depth.dtype == np.float32
        np.testing.assert_allclose(depth, tiny_depth(images), rtol=1e-5)
    assert backend.name is BackendName.TENSORRT
    assert (
        backend.description == f'tensorrt {tensorrt.__version__} on Orin, fp32, tf32, CUDA graph'
    )
    backend.close()


def test_a_batch_keeps_its_images_apart(tmp_path: Path, options: BackendOptions) -> None:
    make_tiny_model(tmp_path / 'three.onnx', batch_size=3)
    backend, spec = load(tmp_path / 'three.onnx', options)
    images = random_images(spec)
    np.testing.assert_allclose(backend.infer(images), tiny_depth(images), rtol=1e-5)
    backend.close()


def test_buffers_are_made_once_and_given_back(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    backend, spec = load(model, options)
    for seed in range(3):
        backend.infer(random_images(spec, seed))
    calls = trt.cuda.num_calls
    assert (calls['cudaHostAlloc'], calls['cudaMalloc'], calls['cudaStreamCreate']) == (2, 2, 1)
    backend.close()
    backend.close()
    assert not trt.cuda.live
    with pytest.raises(BackendError, match='tensorrt .* on Orin.*: closed'):
        backend.infer(random_images(spec))


def test_a_recorded_run_is_replayed_in_one_call(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    backend, spec = load(model, options)
    trt.cuda.num_calls.clear()
    backend.infer(random_images(spec))
    assert trt.cuda.num_calls == {'cudaGraphLaunch': 1, 'cudaStreamSynchronize': 1}
    backend.close()


def test_without_cuda_graph_each_run_is_put_on_the_stream(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    backend, spec = load(model, changed(options, cuda_graph=False))
    assert 'CUDA graph' not in backend.description
    images = random_images(spec)
    np.testing.assert_allclose(backend.infer(images), tiny_depth(images), rtol=1e-5)
    assert 'cudaGraphLaunch' not in trt.cuda.num_calls
    backend.close()


@pytest.mark.parametrize('refused_by', ['tensorrt', 'capture', 'instantiate'])
def test_a_refused_recording_is_one_line_and_runs_go_on(
    model: Path,
    options: BackendOptions,
    trt: FakeTensorRt,
    caplog: pytest.LogCaptureFixture,
    refused_by: str,
) -> None:
    caplog.set_level(logging.INFO)
    status = cuda_runtime.cudaError_t.cudaErrorStreamCaptureUnsupported
    if refused_by == 'tensorrt':
        trt.faults.capture = 'operation not permitted when stream is capturing'
    else:
        name = {'capture': 'cudaStreamBeginCapture', 'instantiate': 'cudaGraphInstantiate'}
        trt.cuda.fail = {name[refused_by]: status}
    backend, spec = load(model, options)
    images = random_images(spec)
    np.testing.assert_allclose(backend.infer(images), tiny_depth(images), rtol=1e-5)
    lines = [item.getMessage() for item in caplog.records if 'CUDA graph' in item.getMessage()]
    assert len(lines) == 1
    assert 'captur' in lines[0]
    assert 'CUDA graph' not in backend.description
    backend.close()


def test_released_memory_is_taken_again_by_the_next_image(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    backend, spec = load(model, options)
    assert isinstance(backend, Releasable)
    backend.release()
    backend.release()
    assert not trt.cuda.live
    images = random_images(spec)
    np.testing.assert_allclose(backend.infer(images), tiny_depth(images), rtol=1e-5)
    backend.close()


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


OOM = 'Requested amount of GPU memory (2147483648 bytes) could not be allocated.'


@pytest.mark.parametrize(
    ('faults', 'values', 'message'),
    [
        (
            Faults(build=[OOM]),
            {},
            r'out of memory while building the engine of room\.onnx \(Requested.*: lower '
            r'max_workspace_mb \(now no limit; try 512\)',
        ),
        (
            Faults(build=['x', 'Cuda Runtime (out of memory)']),
            {'max_workspace_mb': 900},
            'now 900',
        ),
        (
            Faults(build=['Could not find any implementation due to insufficient workspace.']),
            {'max_workspace_mb': 3},
            r'max_workspace_mb 3 is too little for room\.onnx .*raise it',
        ),
        (
            Faults(build=['Error Code 10:\n Internal Error', 'then more']),
            {},
            r'cannot build the engine of room\.onnx: Error Code 10: Internal Error',
        ),
        (
            Faults(parse=('Plugin not found, are the name and version right?', 'Warp', 'node_7')),
            {},
            r'no operator and no plugin Warp \(node_7\) of room\.onnx: update TensorRT',
        ),
        (
            Faults(parse=('Assertion failed: axis', 'Concat', '')),
            {},
            r'cannot read Concat \(node without a name\) of room\.onnx: Assertion failed: axis',
        ),
        (Faults(parse=('', '', '')), {}, r'cannot read room\.onnx: it gave no reason'),
        (
            Faults(start='CUDA initialization failure with error: 35'),
            {},
            r'cannot start: CUDA initialization failure with error: 35; is the driver new enough',
        ),
        (Faults(num_dla_cores=1), {'dla_core': 1}, 'dla_core 1: this GPU has 1 DLA cores'),
        (Faults(context='no memory'), {}, r'cannot make an execution context \(no memory\)'),
        (Faults(run='illegal\naddress'), {}, r'TensorRT failed to run: illegal address'),
    ],
)
def test_what_tensorrt_refuses_is_one_line_with_the_cause(
    model: Path,
    options: BackendOptions,
    trt: FakeTensorRt,
    faults: Faults,
    values: dict[str, Any],
    message: str,
) -> None:
    trt.faults = faults
    with pytest.raises(BackendError, match=message) as caught:
        load(model, changed(options, **values))
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    'function',
    ['cudaStreamCreate', 'cudaHostAlloc', 'cudaMalloc', 'cudaMemcpyAsync'],
)
def test_what_cuda_refuses_is_named_and_the_rest_is_given_back(
    model: Path, options: BackendOptions, trt: FakeTensorRt, function: str
) -> None:
    trt.cuda.fail = {function: cuda_runtime.cudaError_t.cudaErrorMemoryAllocation}
    with pytest.raises(BackendError, match=rf'{function}: out of memory \(cudaErrorMemoryAlloc'):
        load(model, options)


def test_a_run_that_fails_later_names_the_backend(
    model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    backend, spec = load(model, options)
    trt.cuda.fail = {'cudaStreamSynchronize': cuda_runtime.cudaError_t.cudaErrorIllegalAddress}
    with pytest.raises(
        BackendError, match=r'tensorrt .* on Orin.*: CUDA: cudaStreamSynchronize: '
    ):
        backend.infer(random_images(spec))
    backend.close()


@pytest.mark.parametrize(
    ('state', 'message'),
    [
        ({'driver': 0}, 'no NVIDIA driver: install it'),
        (
            {'driver': 11040},
            r'the NVIDIA driver is too old: it is for CUDA 11\.4, cuda-python for 13\.5; update',
        ),
        ({'num_devices': 0}, 'no CUDA device: nvidia-smi must list one'),
        (
            {'fail': {'cudaGetDeviceCount': cuda_runtime.cudaError_t.cudaErrorSystemNotReady}},
            r'no CUDA device can be used: .*\(cudaErrorSystemNotReady\)',
        ),
    ],
)
def test_a_machine_without_a_gpu_says_what_is_missing(
    model: Path,
    options: BackendOptions,
    trt: FakeTensorRt,
    caplog: pytest.LogCaptureFixture,
    state: dict[str, Any],
    message: str,
) -> None:
    for name, value in state.items():
        setattr(trt.cuda, name, value)
    with pytest.raises(BackendError, match=f'backend tensorrt: {message}'):
        load(model, options)
    caplog.set_level(logging.INFO)
    backend = open_backend('auto', model, read_model_spec(model), options=options)
    assert backend.name is not BackendName.TENSORRT
    assert 'passed over: tensorrt: no' in caplog.text or 'too old' in caplog.text
    backend.close()


def test_the_driver_is_missed_as_cuda_python_12_tells_it(
    trt: FakeTensorRt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError('Failed to dlopen libcuda.so.1')

    monkeypatch.setattr(cuda_runtime, 'cudaGetDeviceCount', fail)
    assert trt.cuda.driver
    reason = unavailable_reason(BackendName.TENSORRT)
    assert reason is not None
    assert reason.startswith('no NVIDIA driver: install it')
    assert reason.endswith('(Failed to dlopen libcuda.so.1)')


def test_a_hidden_gpu_is_said_to_be_hidden(
    trt: FakeTensorRt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '7')
    trt.cuda.num_devices = 0
    reason = unavailable_reason(BackendName.TENSORRT)
    assert reason == "no CUDA device: CUDA_VISIBLE_DEVICES is '7', which may hide it"


def test_an_old_tensorrt_is_named(trt: FakeTensorRt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trt, '__version__', '8.6.1')
    reason = unavailable_reason(BackendName.TENSORRT)
    assert reason is not None
    assert reason.startswith('TensorRT 8.6.1 is too old: 10.3 is the oldest that works (JetPack')


def test_auto_takes_tensorrt_first(
    model: Path, options: BackendOptions, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    backend = open_backend('auto', model, read_model_spec(model), options=options)
    assert backend.name is BackendName.TENSORRT
    assert f'backend {backend.description} (auto)' in caplog.text
    backend.close()


def test_auto_moves_on_from_a_failed_build_and_says_why(
    model: Path, options: BackendOptions, trt: FakeTensorRt, caplog: pytest.LogCaptureFixture
) -> None:
    trt.faults.build = [OOM]
    backend = open_backend('auto', model, read_model_spec(model), options=options)
    assert backend.name is not BackendName.TENSORRT
    assert 'backend tensorrt is passed over: out of memory while building' in caplog.text
    backend.close()


def test_auto_does_not_move_on_from_a_cancelled_build(
    model: Path, options: BackendOptions
) -> None:
    progress = BuildProgress()
    progress.cancel()
    with pytest.raises(BuildCancelledError):
        open_backend(
            'auto', model, read_model_spec(model), options=changed(options, progress=progress)
        )


def test_an_int8_file_for_cpus_is_refused(tmp_path: Path, options: BackendOptions) -> None:
    path = tmp_path / 'cpu.onnx'
    make_tiny_model(path, precision=Precision.INT8, target=Target.CPU)
    with pytest.raises(BackendError, match='int8 model made for target cpu'):
        load(path, options)


def test_a_graph_of_another_size_than_its_metadata_is_refused(
    tmp_path: Path, options: BackendOptions
) -> None:
    path = tmp_path / 'wrong.onnx'
    make_tiny_model(path, graph_input_size=(64, 128))
    with pytest.raises(ModelFileError, match=r'uint8 \[1, 64, 128, 3\].*uint8 \[1, 96, 128, 3\]'):
        load(path, options)


def test_the_fake_refuses_what_the_real_classes_lack(trt: FakeTensorRt) -> None:
    """Else the other tests would prove nothing."""
    builder = trt.Builder(make_log())
    with pytest.raises(AttributeError):
        builder.build_engine(None)
    with pytest.raises(TypeError, match='build_serialized_network'):
        builder.build_serialized_network('network')
    with pytest.raises(AttributeError):
        builder.create_builder_config().max_workspace_size = 1 << 20
    assert hasattr(builder, 'platform_has_fast_fp16') != IS_11
    assert isinstance(trt.cuda, FakeCuda)
    with pytest.raises(TypeError):
        cuda_runtime.cudaMemcpyAsync(1, 2, 3)
