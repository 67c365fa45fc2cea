"""What goes wrong, each as one line; test_tensorrt.py runs this for each version."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import cuda.bindings.runtime as cuda_runtime
from fake_faults import Faults
import pytest
from tensorrt_machine import changed, load, random_images
from tiny_model import make_tiny_model

from depth_estimation_ros.backends.base import (
    BackendName,
    BackendOptions,
    unavailable_reason,
)
from depth_estimation_ros.backends.selection import open_backend
from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
from depth_estimation_ros.errors import BackendError, BuildCancelledError, ModelFileError
from depth_estimation_ros.model_file.model_spec import Precision, Target, read_model_spec

if TYPE_CHECKING:
    from pathlib import Path

    from fake_tensorrt import FakeTensorRt

    pass


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
    (warning,) = [item.getMessage() for item in caplog.records if item.levelname == 'WARNING']
    assert warning.startswith('backend tensorrt is passed over: ')
    assert 'passed over: no' in warning or 'too old' in warning
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
    assert caplog.messages[-1].endswith(f') on {backend.description}')
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
