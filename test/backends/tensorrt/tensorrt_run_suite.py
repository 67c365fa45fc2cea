"""Runs on the fake GPU with one version of TensorRT; test_tensorrt.py runs this for each."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import cuda.bindings.runtime as cuda_runtime
from fake_cuda import FakeCuda
import numpy as np
import pytest
import tensorrt
from tensorrt_machine import changed, load, random_images
from tiny_model import make_tiny_model, tiny_depth

from depth_estimation_ros.backends.base import (
    BackendName,
    BackendOptions,
    Releasable,
)
from depth_estimation_ros.backends.tensorrt.api import make_log
from depth_estimation_ros.errors import BackendError

if TYPE_CHECKING:
    from pathlib import Path

    from fake_tensorrt import FakeTensorRt

IS_11 = tensorrt.__version__.startswith('11.')


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
