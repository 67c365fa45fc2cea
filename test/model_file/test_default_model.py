"""Which of the shipped model files is taken when none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from depth_estimation_ros.backends import onnxruntime as onnxruntime_backend
from depth_estimation_ros.backends import processor
from depth_estimation_ros.backends.options import BackendOptions
from depth_estimation_ros.backends.tensorrt import backend as tensorrt_backend
from depth_estimation_ros.errors import BackendError
from depth_estimation_ros.model_file.default_model import (
    default_model_path,
    fastest_default,
    find_model,
)
from depth_estimation_ros.model_file.model_spec import read_model_spec

if TYPE_CHECKING:
    from pathlib import Path

TOLERANCE = 0.05  # of AbsRel, as the model card says
AVX2 = 'fpu sse4_2 avx2 fma'
CPU_BACKENDS = ('openvino', 'onnxruntime')


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorrt_backend, 'unavailable_reason', lambda: 'no GPU')
    monkeypatch.setattr(onnxruntime_backend, 'unavailable_reason_cuda', lambda: 'no GPU')


@pytest.mark.usefixtures('no_gpu')
@pytest.mark.parametrize('backend', ['auto', *CPU_BACKENDS])
@pytest.mark.parametrize(
    ('flags', 'expected'),
    [
        (AVX2, 'default'),
        (f'{AVX2} avx512f avx512bw', 'default'),
        (f'{AVX2} avx512f avx512_vnni', 'default-int8'),
        (f'{AVX2} avx_vnni', 'default-int8'),
        (f'{AVX2} avx512f amx_tile amx_int8', 'default-int8'),
        ('fp asimd', 'default'),
        ('fp asimd asimddp', 'default-int8'),
        ('', 'default'),
    ],
)
def test_int8_is_for_processors_that_multiply_8_bits_faster(
    backend: str, flags: str, expected: str
) -> None:
    path = fastest_default(backend, flags=set(flags.split()))
    assert path == default_model_path().with_name(f'{expected}.onnx')


@pytest.mark.parametrize('backend', ['tensorrt', 'onnxruntime-cuda'])
def test_a_gpu_takes_fp32(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fastest_default(backend, flags={'avx512_vnni'}) == default_model_path()
    monkeypatch.setattr(tensorrt_backend, 'unavailable_reason', lambda: None)
    assert fastest_default(flags={'avx512_vnni'}) == default_model_path()
    limited = fastest_default(options=BackendOptions(device='cpu'), flags={'avx512_vnni'})
    assert limited.name == 'default-int8.onnx'


def test_without_an_int8_file_there_is_the_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        'depth_estimation_ros.model_file.default_model.__file__',
        str(tmp_path / 'model_file' / 'default_model.py'),
    )
    (tmp_path / 'models').mkdir()
    (tmp_path / 'models' / 'default.onnx').touch()
    assert fastest_default(flags={'avx512_vnni'}).name == 'default.onnx'


@pytest.mark.usefixtures('no_gpu')
def test_a_named_model_is_taken_whatever_the_processor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    info = tmp_path / 'cpuinfo'
    info.write_text('processor\t: 0\nflags\t\t: fpu avx512_vnni\n\nprocessor\t: 1\n')
    monkeypatch.setattr(processor, '_CPU_INFO', info)
    processor.cpu_info.cache_clear()
    try:
        assert find_model(None).name == 'default-int8.onnx'
        assert find_model('default').name == 'default.onnx'
        info.write_text('processor\t: 0\nFeatures\t: fp asimd\n')
        processor.cpu_info.cache_clear()
        assert processor.cpu_flags() == {'fp', 'asimd'}
        assert find_model('').name == 'default.onnx'
        assert find_model('default-int8').name == 'default-int8.onnx'
        info.unlink()
        processor.cpu_info.cache_clear()
        assert processor.cpu_flags() == frozenset()
    finally:
        processor.cpu_info.cache_clear()


def test_an_unknown_backend_is_named() -> None:
    with pytest.raises(BackendError, match="unknown backend 'tpu'"):
        fastest_default('tpu', flags={'avx512_vnni'})


def test_the_int8_file_is_within_the_tolerance_of_the_card() -> None:
    fp32, int8 = (
        read_model_spec(find_model(name)).metrics['abs_rel']
        for name in ('default', 'default-int8')
    )
    assert int8 <= (1 + TOLERANCE) * fp32
