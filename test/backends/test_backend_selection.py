"""The choice of a backend: by name, by auto, by device; wrong numbers are refused."""

from __future__ import annotations

from dataclasses import replace
import logging
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tiny_model import PROBE_SEED, make_tiny_model

from depth_estimation_ros.backends.base import (
    AUTO_ORDER,
    BackendName,
    BackendOptions,
    load_backend,
    parse_backend_name,
    unavailable_reason,
)
from depth_estimation_ros.backends.selection import open_backend
from depth_estimation_ros.backends.tensorrt import backend as tensorrt_backend
from depth_estimation_ros.errors import BackendError
from depth_estimation_ros.model_file.model_spec import Probe, read_model_spec

if TYPE_CHECKING:
    from pathlib import Path

WITHOUT_GPU = unavailable_reason(BackendName.TENSORRT) is not None


@pytest.mark.parametrize('name', ['onnxruntime', 'openvino'])
def test_wrong_numbers_are_refused_by_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / 'wrong.onnx'
    good = make_tiny_model(path)
    probe = good.probes[good.input_size]
    shifted = replace(probe, reference=probe.reference * np.float32(1.01))
    make_tiny_model(path, probes={good.input_size: shifted})
    spec = read_model_spec(path)
    with pytest.raises(BackendError, match=r'wrong numbers.*0\.01 .*0\.001 is allowed for fp32'):
        open_backend(name, path, spec, options=BackendOptions())
    unchecked = open_backend(name, path, spec, options=BackendOptions(), check_numbers=False)
    assert unchecked.name.value == name


def test_auto_passes_over_wrong_numbers_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / 'wrong.onnx'
    reference = np.full((1, 48, 64), 3.0, dtype=np.float32)
    probe = Probe.from_output(reference, seed=PROBE_SEED, grid_step=8)
    make_tiny_model(path, probes={(96, 128): probe})
    with pytest.raises(BackendError, match=r'no backend can run .*onnxruntime: .*wrong numbers'):
        open_backend('auto', path, read_model_spec(path), options=BackendOptions())
    assert 'backend onnxruntime is passed over' in caplog.text


def test_one_short_line_says_what_was_taken(
    tiny_model_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    spec = read_model_spec(tiny_model_path)
    backend = open_backend('onnxruntime', tiny_model_path, spec, options=BackendOptions())
    assert caplog.messages == [
        f'{tiny_model_path.name} ({spec.encoder}, 128x96, fp32) on {backend.description}'
    ]
    assert len(caplog.messages[0]) < 100


@pytest.mark.skipif(not WITHOUT_GPU, reason='this machine has TensorRT')
def test_why_not_the_others_is_for_those_who_ask(
    tiny_model_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, 'depth_estimation_ros')
    spec = read_model_spec(tiny_model_path)
    open_backend('auto', tiny_model_path, spec, options=BackendOptions(device='cpu'))
    debug = [item.getMessage() for item in caplog.records if item.levelno == logging.DEBUG]
    reason = 'runs on cuda, asked for is cpu'
    assert f'backend tensorrt is passed over: {reason}' in debug
    assert f'backend onnxruntime-cuda is passed over: {reason}' in debug
    assert not [item for item in caplog.records if item.levelno > logging.INFO]


def test_a_better_backend_that_is_installed_and_broken_is_a_warning(
    tiny_model_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorrt_backend, 'unavailable_reason', lambda: 'no NVIDIA driver')
    spec = read_model_spec(tiny_model_path)
    for is_installed, expected in (
        (True, ['backend tensorrt is passed over: no NVIDIA driver']),
        (False, []),
    ):
        caplog.clear()
        monkeypatch.setattr(tensorrt_backend, 'is_installed', lambda there=is_installed: there)
        open_backend('auto', tiny_model_path, spec, options=BackendOptions())
        warnings = [item.getMessage() for item in caplog.records if item.levelname == 'WARNING']
        assert [text for text in warnings if 'tensorrt' in text] == expected


def test_auto_prefers_the_gpu_then_openvino() -> None:
    assert [item.value for item in AUTO_ORDER] == [
        'tensorrt',
        'onnxruntime-cuda',
        'openvino',
        'onnxruntime',
    ]


def test_an_explicit_backend_that_cannot_run_is_an_error(tiny_model_path: Path) -> None:
    spec = read_model_spec(tiny_model_path)
    for missing in (BackendName.TENSORRT, BackendName.ONNXRUNTIME_CUDA):
        reason = unavailable_reason(missing)
        if reason is None:
            pytest.skip(f'this machine has {missing}')
        with pytest.raises(BackendError, match=f'backend {missing}: .*pip install'):
            open_backend(str(missing), tiny_model_path, spec, options=BackendOptions())


def test_an_unknown_backend_lists_the_known_ones(tiny_model_path: Path) -> None:
    message = "unknown backend 'tpu': choose auto, onnxruntime, onnxruntime-cuda, openvino"
    with pytest.raises(BackendError, match=message):
        parse_backend_name('tpu')
    spec = read_model_spec(tiny_model_path)
    with pytest.raises(BackendError, match=message):
        open_backend('tpu', tiny_model_path, spec, options=BackendOptions())


def test_a_device_limits_the_choice(tiny_model_path: Path) -> None:
    spec = read_model_spec(tiny_model_path)
    options = BackendOptions(device='cuda')
    with pytest.raises(BackendError, match='runs on cpu, asked for is cuda'):
        load_backend(BackendName.ONNXRUNTIME, tiny_model_path, spec, options=options)
    assert unavailable_reason(BackendName.TENSORRT, options=BackendOptions(device='cpu')) == (
        'runs on cuda, asked for is cpu'
    )
