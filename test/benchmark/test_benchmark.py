"""depth-estimation benchmark: figures that hold together, each backend in its own process."""

from __future__ import annotations

from dataclasses import replace
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tiny_model import make_tiny_model

from depth_estimation_ros.backends.base import BackendName, unavailable_reason
from depth_estimation_ros.benchmark import hardware, measure
from depth_estimation_ros.benchmark.hardware import describe_hardware, has_bf16
from depth_estimation_ros.benchmark.measure import BenchmarkCase, measure_case, peak_rss_mb
from depth_estimation_ros.benchmark.worker import run_case
from depth_estimation_ros.cli.main import main
from depth_estimation_ros.errors import BackendError
from depth_estimation_ros.model_file.model_spec import Target

if TYPE_CHECKING:
    from pathlib import Path

QUICK = ['--num-runs', '12', '--num-warm-up', '1']


def case_of(path: Path, **changes: Any) -> BenchmarkCase:
    values: dict[str, Any] = {
        'model': str(path),
        'backend': 'onnxruntime',
        'image_sizes': ((96, 128),),
        'num_runs': 12,
        'num_warm_up': 1,
    }
    return BenchmarkCase(**values | changes)


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_the_command_measures_every_backend_that_works_here(
    tmp_path: Path, tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / 'new' / 'figures.json'
    sizes = ['--image-size', '160x120', '64x200']
    command = ['benchmark', str(tiny_model_path), *sizes, *QUICK, '--output', str(output)]
    assert main(command) == 0

    text = capsys.readouterr().out
    assert 'small, fp32, input 128x96' in text
    assert f'written: {output}' in text
    content = read_json(output)
    assert content['hardware']['cpu'] in text
    assert content['hardware']['versions']['numpy'] == np.__version__
    (model,) = content['models']
    assert (model['input_size'], model['precision']) == ([96, 128], 'fp32')
    rows = {row['backend']: row for row in model['backends']}
    assert list(rows) == ['tensorrt', 'onnxruntime-cuda', 'openvino', 'onnxruntime']
    for name in BackendName:
        reason = unavailable_reason(name)
        if reason is not None:
            assert rows[name]['result'] is None
            assert rows[name]['reason_not_run'] == reason
            assert f'not run: {reason}' in text
    result = rows['onnxruntime']['result']
    assert [size['image_size'] for size in result['sizes']] == [[96, 128], [120, 160], [200, 64]]
    assert [path.name for path in output.parent.iterdir()] == ['figures.json']


def test_the_figures_of_a_case_hold_together(tiny_model_path: Path) -> None:
    result = run_case(case_of(tiny_model_path))
    (size,) = result.sizes
    assert size.num_runs == 12
    assert 0.0 < size.p50_ms <= size.p95_ms <= size.p99_ms
    for part in (size.preprocess_ms, size.inference_ms, size.postprocess_ms):
        assert 0.0 < part < size.p50_ms
    assert 0.0 < size.images_per_sec <= 1e3 * 12 / (11 * size.p50_ms / 2)
    assert size.cpu_ms_per_image > 0.0
    assert result.load_sec > 0.0
    assert result.description.startswith('onnxruntime ')


def test_a_call_with_two_images_counts_as_two(tmp_path: Path) -> None:
    path = tmp_path / 'two.onnx'
    make_tiny_model(path, batch_size=2)
    (size,) = measure_case(case_of(path)).sizes
    # Were images counted as calls, this would be half as much.
    assert size.images_per_sec > 1.2e3 / size.p99_ms


def test_slow_calls_are_cut_short_but_not_below_ten(tiny_model_path: Path) -> None:
    (size,) = measure_case(case_of(tiny_model_path, num_runs=500, max_sec=1e-6)).sizes
    assert size.num_runs == 10


def test_the_memory_is_that_of_the_process_alone(tiny_model_path: Path) -> None:
    ballast = np.ones(400_000_000, dtype=np.uint8)
    assert peak_rss_mb() > 400
    result = run_case(case_of(tiny_model_path))
    assert 20 < result.peak_rss_mb < 400
    assert ballast.size == 400_000_000


def test_a_crash_is_one_line_and_not_the_end(
    tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    killer = tmp_path / 'python'
    killer.write_text('#!/bin/sh\nkill -SEGV $$\n')
    killer.chmod(0o755)
    monkeypatch.setattr(sys, 'executable', str(killer))
    with pytest.raises(BackendError, match='onnxruntime: its process ended with signal 11'):
        run_case(case_of(tiny_model_path))
    killer.write_text('#!/bin/sh\nexit 3\n')
    with pytest.raises(BackendError, match='onnxruntime: its process ended with code 3'):
        run_case(case_of(tiny_model_path))


def test_an_error_in_the_worker_comes_back_as_its_text(tmp_path: Path) -> None:
    path = tmp_path / 'gpu.onnx'
    make_tiny_model(path, target=Target.TENSORRT)
    with pytest.raises(BackendError, match='made for target tensorrt'):
        run_case(case_of(path))


def test_a_backend_asked_for_by_name_must_run(
    tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if unavailable_reason(BackendName.ONNXRUNTIME_CUDA) is None:
        pytest.skip('this machine has it')
    command = ['benchmark', str(tiny_model_path), '--backend', 'onnxruntime-cuda', *QUICK]
    assert main(command) == 1
    assert 'error: backend onnxruntime-cuda: ' in capsys.readouterr().err


def test_bf16_is_refused_where_the_processor_has_none(
    tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip('openvino')
    if has_bf16(describe_hardware()):
        pytest.skip('this processor has it')
    options = ['--backend', 'openvino', '--openvino-precision', 'bf16']
    assert main(['benchmark', str(tiny_model_path), *options, *QUICK]) == 1
    assert 'this processor does not compute bf16: openvino' in capsys.readouterr().err


@pytest.mark.parametrize('features', [(), ('avx512_bf16',)], ids=['f32 only', 'bf16 too'])
def test_a_file_that_no_backend_runs_is_an_error_with_its_reasons(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    features: tuple[str, ...],
) -> None:
    if unavailable_reason(BackendName.TENSORRT) is None:
        pytest.skip('this machine has TensorRT')
    found = replace(describe_hardware(), cpu_features=features)
    monkeypatch.setattr(hardware, 'describe_hardware', lambda: found)
    path = tmp_path / 'gpu.onnx'
    make_tiny_model(path, target=Target.TENSORRT)
    assert main(['benchmark', str(path), *QUICK]) == 1
    captured = capsys.readouterr()
    assert 'error: no backend could be measured' in captured.err
    # A line for each backend, and a second one for openvino where it has a second arithmetic.
    assert captured.out.count('not run') == 4 + len(features)


def test_ctrl_c_ends_the_worker_too(tiny_model_path: Path) -> None:
    endless = ['--num-runs', '1000000', '--max-sec', '3600']
    command = ['benchmark', str(tiny_model_path), '--backend', 'onnxruntime', *endless]
    with subprocess.Popen(
        [sys.executable, '-m', 'depth_estimation_ros.cli', *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while ' on onnxruntime ' not in process.stderr.readline():  # the worker has begun
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()  # until the worker does not hold it open any more
    assert process.returncode == 130
    assert said == 'depth-estimation: error: interrupted\n'


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--image-size', '640'], "'640' is not WIDTHxHEIGHT"),
        (['--image-size', '0x48'], "'0x48' is not WIDTHxHEIGHT"),
        (['--backend', 'auto'], "invalid choice: 'auto'"),
        (['--num-runs', '0'], '0 is not above 0'),
    ],
)
def test_wrong_usage_exits_with_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(['benchmark', *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_an_output_that_is_a_folder_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(['benchmark', '--output', str(tmp_path)])
    assert 'is a folder' in capsys.readouterr().err


def test_memory_of_a_gpu_is_what_the_case_added(
    tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used_mb = iter([1000.0, 1250.0])
    monkeypatch.setattr(measure, 'gpu_memory_used_mb', lambda: next(used_mb))
    assert measure_case(case_of(tiny_model_path)).gpu_memory_mb == 250.0
