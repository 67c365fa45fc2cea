"""The backend onnxruntime-cuda, as far as a machine without a GPU can tell.

The session is onnxruntime's own and computes on the CPU; what it is asked for and what it says of
itself are those of a build with CUDA.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
from tiny_model import make_tiny_model, tiny_depth

from depth_estimation_ros.backends.base import (
    BackendName,
    BackendOptions,
    load_backend,
    unavailable_reason,
)
from depth_estimation_ros.backends.selection import open_backend
from depth_estimation_ros.errors import BackendError
from depth_estimation_ros.model_file.model_spec import Target, probe_image, read_model_spec

if TYPE_CHECKING:
    from pathlib import Path

CUDA, CPU = 'CUDAExecutionProvider', 'CPUExecutionProvider'


class CudaSession(onnxruntime.InferenceSession):  # type: ignore[misc]
    """Takes the CUDA provider as a build with it does.

    Attributes:
        asked: Providers that sessions were made with.
        starts: The provider starts; otherwise onnxruntime falls back to the CPU by itself.
    """

    asked: list[list[str]]
    starts: bool

    def __init__(self, path: str, options: Any, *, providers: list[str]) -> None:
        self.asked.append(providers)
        self._said = [*(CUDA for _ in range(self.starts and CUDA in providers)), CPU]
        super().__init__(path, options, providers=[CPU])

    def get_providers(self) -> list[str]:
        return self._said


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> type[CudaSession]:
    """An onnxruntime that was built with CUDA, on a machine with a GPU."""
    monkeypatch.setattr(CudaSession, 'asked', [], raising=False)
    monkeypatch.setattr(CudaSession, 'starts', True, raising=False)
    monkeypatch.setattr(onnxruntime, 'InferenceSession', CudaSession)
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: [CUDA, CPU])
    return CudaSession


def test_it_computes_on_the_gpu_and_says_so(
    cuda: type[CudaSession], tiny_model_path: Path
) -> None:
    spec = read_model_spec(tiny_model_path)
    backend = load_backend(
        BackendName.ONNXRUNTIME_CUDA, tiny_model_path, spec, options=BackendOptions()
    )
    assert cuda.asked == [[CUDA]]
    assert backend.name is BackendName.ONNXRUNTIME_CUDA
    assert backend.description == f'onnxruntime {onnxruntime.__version__} on {CUDA}'
    assert backend.compute_precision == 'tf32'
    image = probe_image(3, batch_size=1, height=96, width=128)
    np.testing.assert_allclose(backend.infer(image), tiny_depth(image), rtol=1e-5)
    backend.close()
    with pytest.raises(BackendError, match=f'{CUDA}: closed'):
        backend.infer(image)


@pytest.mark.usefixtures('cuda')
def test_auto_takes_it_before_openvino_and_says_so(
    tiny_model_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if unavailable_reason(BackendName.TENSORRT) is None:
        pytest.skip('this machine has TensorRT')
    caplog.set_level(logging.INFO)
    spec = read_model_spec(tiny_model_path)
    backend = open_backend('auto', tiny_model_path, spec, options=BackendOptions())
    assert backend.name is BackendName.ONNXRUNTIME_CUDA
    assert caplog.messages == [
        f'tiny.onnx (small, 128x96, fp32) on onnxruntime {onnxruntime.__version__} on {CUDA}'
    ]


def test_a_silent_fall_back_to_the_cpu_is_an_error(
    cuda: type[CudaSession], monkeypatch: pytest.MonkeyPatch, tiny_model_path: Path
) -> None:
    monkeypatch.setattr(cuda, 'starts', False)
    spec = read_model_spec(tiny_model_path)
    options = BackendOptions()
    with pytest.raises(BackendError, match=f'could not start {CUDA}: no GPU, or CUDA and cuDNN'):
        open_backend('onnxruntime-cuda', tiny_model_path, spec, options=options)


@pytest.mark.parametrize('device', ['auto', 'cpu'])
def test_auto_goes_on_to_the_cpu(
    cuda: type[CudaSession],
    monkeypatch: pytest.MonkeyPatch,
    tiny_model_path: Path,
    caplog: pytest.LogCaptureFixture,
    device: str,
) -> None:
    monkeypatch.setattr(cuda, 'starts', False)
    spec = read_model_spec(tiny_model_path)
    backend = open_backend('auto', tiny_model_path, spec, options=BackendOptions(device=device))
    assert backend.name.device == 'cpu'
    passed_over = 'backend onnxruntime-cuda is passed over' in caplog.text
    assert passed_over is (device == 'auto')


@pytest.mark.usefixtures('cuda')
def test_a_file_meant_for_tensorrt_is_not_for_it(tmp_path: Path) -> None:
    path = tmp_path / 'int8.onnx'
    make_tiny_model(path, target=Target.TENSORRT)
    reason = unavailable_reason(BackendName.ONNXRUNTIME_CUDA, read_model_spec(path))
    assert reason is not None
    assert 'made for target tensorrt' in reason


def test_the_cuda_of_pip_is_loaded_first_and_quietly(
    cuda: type[CudaSession],
    monkeypatch: pytest.MonkeyPatch,
    tiny_model_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def preload() -> None:
        cuda.asked.append(['libraries'])
        sys.stdout.write('Failed to load libcudnn.so.9')

    monkeypatch.setattr(onnxruntime, 'preload_dlls', preload, raising=False)
    spec = read_model_spec(tiny_model_path)
    for name in (BackendName.ONNXRUNTIME_CUDA, BackendName.ONNXRUNTIME):
        load_backend(name, tiny_model_path, spec, options=BackendOptions()).close()
    assert cuda.asked == [['libraries'], [CUDA], [CPU]]
    assert capsys.readouterr().out == ''


def test_a_build_without_cuda_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: [CPU])
    reason = unavailable_reason(BackendName.ONNXRUNTIME_CUDA)
    assert reason is not None
    assert f'has no {CUDA} (pip install onnxruntime-gpu in place of onnxruntime' in reason
