"""`depth-estimation build-engine` and `info`, with a fake GPU and without one."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
from pathlib import Path
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

from fake_builder import FakeBuilder, obtain
from fake_gpu import bindings_folder, environment, listed_versions
import pytest

from depth_estimation_ros.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Start = Callable[..., subprocess.Popen[str]]

VERSION = listed_versions()[-1]
TIMEOUT_SEC = 120.0
HAS_FAKE_GPU = bindings_folder(VERSION) is not None and importlib.util.find_spec('cuda')
HAS_TENSORRT = importlib.util.find_spec('tensorrt') is not None

needs_fake_gpu = pytest.mark.skipif(not HAS_FAKE_GPU, reason='make test brings the bindings')
needs_no_tensorrt = pytest.mark.skipif(HAS_TENSORRT, reason='this machine has TensorRT')


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    def start_command(arguments: Sequence[object], **faults: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, '-m', 'depth_estimation_ros.cli', *map(str, arguments)],
            cwd=tmp_path,
            env=environment(tmp_path / 'gpu', VERSION, **faults),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start_command


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=TIMEOUT_SEC)
    return process.returncode, output, errors


def engines(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / 'gpu/cache/depth_estimation_ros').glob('*.engine'))


@needs_fake_gpu
def test_an_engine_is_built_checked_found_again_described_and_used(
    start: Start, tiny_model_path: Path, tmp_path: Path
) -> None:
    code, output, errors = ended(start(['build-engine', tiny_model_path]))
    assert code == 0, errors
    (engine,) = engines(tmp_path)
    assert output.startswith(f'{engine}: built in ')
    assert f'tensorrt {VERSION.removesuffix(".post1")} on Orin, fp32, tf32, CUDA graph' in output
    assert 'self-check: relative RMS error ' in output
    code, output, _ = ended(start(['build-engine', tiny_model_path]))
    assert (code, output.splitlines()[0]) == (0, f'{engine}: was there already')
    code, output, _ = ended(start(['info', engine]))
    assert code == 0
    for fact in ('tiny.onnx, SHA-256', 'Orin, compute capability 8.7', 'CUDA 13.0', 'here   '):
        assert fact in output
    assert output.rstrip().endswith('yes')
    code, output, _ = ended(start(['info', tiny_model_path]))
    assert f'tensorrt         yes: tensorrt {VERSION}' in output
    code, output, _ = ended(start(['info', engine], driver=12060))
    assert 'no: cuda_driver 13.0, here 12.6' in output


@needs_fake_gpu
def test_a_terminal_shows_a_bar_with_phase_share_and_time(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 100, 0, 0))
    process = subprocess.Popen(
        [sys.executable, '-m', 'depth_estimation_ros.cli', 'build-engine', str(tiny_model_path)],
        env=environment(tmp_path / 'gpu', VERSION, step_sec=0.2),
        stdout=subprocess.PIPE,
        stderr=end,
        text=True,
    )
    os.close(end)
    shown = b''
    with contextlib.suppress(OSError):  # how Linux tells that the other end is closed
        while chunk := os.read(terminal, 4096):
            shown += chunk
    os.close(terminal)
    output, _ = process.communicate(timeout=TIMEOUT_SEC)
    assert process.returncode == 0
    assert 'built in ' in output
    text = shown.decode('utf-8', 'replace')
    assert 'building the engine of tiny.onnx, which takes minutes' in text
    assert re.search(r'Tactics: +[1-9]\d*%\|.*\| 00:0\d', text), text


@needs_fake_gpu
def test_ctrl_c_ends_a_build_cleanly_and_leaves_no_engine(
    start: Start, tiny_model_path: Path, tmp_path: Path
) -> None:
    process = start(['build-engine', tiny_model_path], step_sec=1.0)
    assert process.stderr is not None
    assert 'building the engine of tiny.onnx' in process.stderr.readline()
    sent_at = time.monotonic()
    process.send_signal(signal.SIGINT)
    code, _, errors = ended(process)
    assert (code, errors) == (130, 'depth-estimation: error: interrupted\n')
    assert time.monotonic() - sent_at < TIMEOUT_SEC / 2
    assert engines(tmp_path) == []
    assert ended(start(['build-engine', tiny_model_path]))[0] == 0


@needs_fake_gpu
def test_an_engine_with_wrong_numbers_is_one_line_with_what_to_try(
    start: Start, tiny_model_path: Path
) -> None:
    code, output, errors = ended(start(['build-engine', tiny_model_path], factor=1.2))
    assert (code, output) == (1, '')
    line = errors.splitlines()[-1]
    assert line.startswith('depth-estimation: error: tensorrt ')
    assert 'relative RMS error 0.1' in line
    assert 'update TensorRT' in line


@needs_fake_gpu
def test_an_engine_that_cannot_be_kept_is_an_error_of_this_command(
    start: Start, tiny_model_path: Path, tmp_path: Path
) -> None:
    (tmp_path / 'file').write_text('in the way', encoding='utf-8')
    folder = tmp_path / 'file' / 'engines'
    command = ['build-engine', tiny_model_path, '--engine-cache-dir', folder]
    code, output, errors = ended(start(command))
    assert (code, output) == (1, '')
    assert 'Not a directory: the engine is kept in memory only' in errors
    assert errors.endswith('could not be kept: see the warning above\n')


@needs_no_tensorrt
def test_without_tensorrt_it_says_how_to_get_it(
    tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['build-engine', str(tiny_model_path)]) == 1
    assert capsys.readouterr().err.startswith(
        'depth-estimation: error: no engine can be built here: tensorrt is not installed (pip'
    )


def test_a_wrong_setting_is_named(
    tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match='2'):
        main(['build-engine', str(tiny_model_path), '--max-workspace-mb', '-5'])
    words = 'argument --max-workspace-mb: -5 is below 0 (no limit)'
    assert words in capsys.readouterr().err


def test_an_engine_is_no_model_and_the_message_says_what_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = obtain(tmp_path, FakeBuilder()).path
    assert main(['build-engine', str(path)]) == 1
    error = capsys.readouterr().err
    assert 'truncated or not an ONNX file but a TensorRT engine: name the .onnx file' in error


def test_info_describes_an_engine_of_another_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = obtain(tmp_path, FakeBuilder()).path
    assert main(['info', str(path)]) == 0
    text = capsys.readouterr().out
    assert 'room.onnx, SHA-256 abab' in text
    assert 'Orin, compute capability 8.7' in text
    assert 'runs here        no: ' in text


@pytest.mark.parametrize(
    ('kind', 'message'),
    [
        ('missing', 'nothing.engine: cannot be read: No such file or directory'),
        ('no sidecar', '.engine.json beside it says what it is'),
        ('truncated', 'truncated or changed, it is not the 1000 bytes that were written'),
        ('not JSON', '.engine.json beside it says what it is'),
    ],
)
def test_info_names_what_is_wrong_with_an_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, message: str
) -> None:
    path = obtain(tmp_path, FakeBuilder()).path
    assert path is not None
    sidecar = Path(f'{path}.json')
    assert json.loads(sidecar.read_text(encoding='utf-8'))['engine_bytes'] == 1000
    if kind == 'missing':
        path = tmp_path / 'nothing.engine'
    elif kind == 'no sidecar':
        sidecar.unlink()
    elif kind == 'truncated':
        path.write_bytes(path.read_bytes()[:99])
    else:
        sidecar.write_bytes(b'\xff')
    assert main(['info', str(path)]) == 1
    assert message in capsys.readouterr().err
