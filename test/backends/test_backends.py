"""Backends: same numbers from all, clear refusals of files and settings."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from tiny_model import make_tiny_model, tiny_depth

from depth_estimation_ros.backends.base import (
    BackendName,
    BackendOptions,
    load_backend,
    unavailable_reason,
)
from depth_estimation_ros.backends.selection import self_check
from depth_estimation_ros.errors import BackendError, ConfigError, ModelFileError
from depth_estimation_ros.model_file.model_spec import (
    ModelSpec,
    Precision,
    Probe,
    Target,
    read_model_spec,
)

if TYPE_CHECKING:
    from pathlib import Path

CPU_BACKENDS = [BackendName.ONNXRUNTIME, BackendName.OPENVINO]


@pytest.fixture(params=CPU_BACKENDS, ids=str)
def name(request: pytest.FixtureRequest) -> BackendName:
    chosen: BackendName = request.param
    if unavailable_reason(chosen) is not None:
        pytest.skip(f'{chosen} is not installed')
    return chosen


def _load(
    name: BackendName, path: Path, options: BackendOptions | None = None
) -> tuple[Any, ModelSpec]:
    spec = read_model_spec(path)
    return load_backend(name, path, spec, options=options or BackendOptions()), spec


_SIGNAL_AFTER_CLOSE = """
import os, signal, sys, threading
from pathlib import Path
from depth_estimation_ros.backends.base import BackendName, BackendOptions, load_backend
from depth_estimation_ros.model_file.model_spec import read_model_spec

path = Path(sys.argv[1])
signal.signal(signal.SIGUSR1, lambda number, frame: print('heard'))
loaded = [
    load_backend(BackendName(sys.argv[2]), path, read_model_spec(path), options=BackendOptions())
]
closer = threading.Thread(target=lambda: loaded.pop().close())
closer.start()
closer.join()
os.kill(os.getpid(), signal.SIGUSR1)
"""


def test_a_process_survives_a_signal_after_another_thread_closed_its_model(
    name: BackendName, tiny_model_path: Path
) -> None:
    command = [sys.executable, '-c', _SIGNAL_AFTER_CLOSE, str(tiny_model_path), str(name)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout.split()) == (0, ['heard']), ended.stderr


def _random_images(spec: ModelSpec, seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, spec.input_shape, dtype=np.uint8)
    images[:, :8] = 0  # black: invalid
    return images


def test_every_backend_gives_the_hand_computed_depth(
    name: BackendName, tiny_model_path: Path
) -> None:
    backend, spec = _load(name, tiny_model_path)
    images = _random_images(spec)
    depth = backend.infer(images)
    assert depth.shape == (1, 48, 64)
    assert depth.dtype == np.float32
    assert (depth[:, :4] == 0.0).all()
    np.testing.assert_allclose(depth, tiny_depth(images), rtol=1e-5)
    assert backend.name is name
    assert str(name) in backend.description
    backend.close()


def test_repeated_calls_see_the_new_image(name: BackendName, tiny_model_path: Path) -> None:
    backend, spec = _load(name, tiny_model_path)
    for seed in range(3):
        images = _random_images(spec, seed)
        np.testing.assert_allclose(backend.infer(images), tiny_depth(images), rtol=1e-5)


def test_a_batch_keeps_its_images_apart(name: BackendName, tmp_path: Path) -> None:
    make_tiny_model(tmp_path / 'three.onnx', batch_size=3)
    backend, spec = _load(name, tmp_path / 'three.onnx')
    images = _random_images(spec)
    np.testing.assert_allclose(backend.infer(images), tiny_depth(images), rtol=1e-5)


def test_a_closed_backend_says_so(name: BackendName, tiny_model_path: Path) -> None:
    backend, spec = _load(name, tiny_model_path)
    backend.close()
    with pytest.raises(BackendError, match='closed'):
        backend.infer(_random_images(spec))


def test_the_number_of_threads_is_taken_and_told(name: BackendName, tiny_model_path: Path) -> None:
    backend, spec = _load(name, tiny_model_path, BackendOptions(num_threads=1))
    assert '1 threads' in backend.description
    assert self_check(backend, spec) < 1e-5


def test_a_graph_of_another_size_than_the_metadata_is_refused(
    name: BackendName, tmp_path: Path
) -> None:
    path = tmp_path / 'wrong.onnx'
    make_tiny_model(path, graph_input_size=(64, 128))
    with pytest.raises(ModelFileError, match=r'uint8 \[1, 64, 128, 3\].*uint8 \[1, 96, 128, 3\]'):
        _load(name, path)


def test_a_graph_with_a_free_size_is_refused(name: BackendName, tmp_path: Path) -> None:
    path = tmp_path / 'dynamic.onnx'
    make_tiny_model(path)
    model = onnx.load(str(path))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = 'rows'
    onnx.save(model, str(path))
    with pytest.raises(ModelFileError, match=r'dynamic\.onnx: input of the graph'):
        _load(name, path)


def test_a_graph_that_takes_floats_is_refused(name: BackendName, tmp_path: Path) -> None:
    path = tmp_path / 'float.onnx'
    make_tiny_model(path)
    model = onnx.load(str(path))
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    onnx.save(model, str(path))
    with pytest.raises(ModelFileError, match=r'float32 \[1, 96, 128, 3\]'):
        _load(name, path)


def test_an_unknown_operator_is_one_clear_line(name: BackendName, tmp_path: Path) -> None:
    path = tmp_path / 'operator.onnx'
    make_tiny_model(path)
    model = onnx.load(str(path))
    model.graph.node[2].op_type = 'Telepathy'
    onnx.save(model, str(path))
    with pytest.raises(BackendError, match=r'operator\.onnx.*Telepathy') as caught:
        _load(name, path)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('backend', list(BackendName), ids=str)
def test_an_int8_file_of_the_other_flavour_is_refused(backend: BackendName) -> None:
    spec = _int8_spec(Target.CPU if backend is BackendName.TENSORRT else Target.TENSORRT)
    reason = unavailable_reason(backend, spec)
    assert reason is not None
    assert f'int8 model made for target {spec.target}' in reason


def test_onnxruntime_may_evaluate_a_file_meant_for_tensorrt_when_told(tmp_path: Path) -> None:
    path = tmp_path / 'int8.onnx'
    spec = make_tiny_model(path, target=Target.TENSORRT, precision=Precision.INT8)
    with pytest.raises(BackendError, match='made for target tensorrt'):
        load_backend(BackendName.ONNXRUNTIME, path, spec, options=BackendOptions())
    options = BackendOptions(check_target=False)
    backend = load_backend(BackendName.ONNXRUNTIME, path, spec, options=options)
    assert self_check(backend, spec) < 1e-5


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'num_threads': -1}, 'num_threads -1'),
        ({'num_threads': 257}, 'num_threads 257: must be 256 or less'),
        ({'max_workspace_mb': -1}, r'max_workspace_mb -1: must be 0 \(no limit\) or more'),
        ({'dla_core': -2}, r'dla_core -2: must be -1 \(the GPU\) or more'),
        (
            {'hardware_compatibility': 'all'},
            "'all': must be one of none, same_compute_capability, ampere_plus",
        ),
        ({'openvino_precision': 'f8'}, "openvino_precision 'f8': must be one of f32, bf16"),
        ({'device': 'tpu'}, "device 'tpu': must be one of auto, cpu, cuda"),
    ],
)
def test_settings_that_are_not_accepted_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BackendOptions(**change)


@pytest.mark.skipif(importlib.util.find_spec('openvino') is None, reason='needs openvino')
def test_openvino_computes_in_f32_unless_bf16_is_chosen(
    tiny_model_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    backend, _ = _load(BackendName.OPENVINO, tiny_model_path)
    assert ', f32' in backend.description
    assert backend.compute_precision is None
    options = BackendOptions(openvino_precision='bf16')
    chosen, spec = _load(BackendName.OPENVINO, tiny_model_path, options)
    has_bf16 = ', bf16' in chosen.description
    assert has_bf16 == (chosen.compute_precision == 'bf16')
    assert has_bf16 != ('bf16 has no effect' in caplog.text)
    self_check(chosen, spec)


def _int8_spec(target: Target) -> ModelSpec:
    reference = np.ones((1, 1, 1), dtype=np.float32)
    return ModelSpec(
        encoder='small',
        variant='paper',
        decoder_width=1,
        input_size=(32, 64),
        output_size=(16, 32),
        min_depth=0.1,
        max_depth=10.0,
        precision=Precision.INT8,
        target=target,
        probes={(32, 64): Probe(seed=0, grid_step=16, reference=reference)},
    )


_LOAD = """
from pathlib import Path
import sys
from depth_estimation_ros.backends import onnxruntime
from depth_estimation_ros.backends.base import BackendOptions
from depth_estimation_ros.model_file.model_spec import read_model_spec
path = Path(sys.argv[1])
onnxruntime.is_installed_cuda()
onnxruntime.load(path, read_model_spec(path), BackendOptions()).close()
"""


def test_onnxruntime_leaves_no_device_id_for_its_maker(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    environment = {**os.environ, 'HOME': str(tmp_path), 'XDG_CACHE_HOME': str(tmp_path / 'cache')}
    del environment['ORT_DISABLE_TELEMETRY']
    subprocess.run(
        [sys.executable, '-c', _LOAD, str(tiny_model_path)], env=environment, check=True
    )
    assert list(tmp_path.iterdir()) == []
