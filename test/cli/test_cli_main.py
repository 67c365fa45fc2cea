"""The command itself: help, version, one line for every error; and info."""

from __future__ import annotations

from dataclasses import replace
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from tiny_model import make_tiny_model

from depth_estimation_ros.cli.main import SUB_COMMANDS, main
from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.model_file.model_spec import Precision, Target
from depth_estimation_ros.version import VERSION

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


def _exit_code(arguments: list[str]) -> object:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


def _command_that(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Replace the sub-commands by one, `fail`, that raises the error."""

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.set_defaults(error=error)

    def run(args: argparse.Namespace) -> int:
        raise args.error

    module = ModuleType('fail')
    vars(module).update(HELP='fails', add_arguments=add_arguments, run=run)
    monkeypatch.setitem(sys.modules, 'depth_estimation_ros.cli.fail', module)
    monkeypatch.setattr('depth_estimation_ros.cli.main.SUB_COMMANDS', {'fail': 'fail'})


def test_help_lists_every_sub_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code(['--help']) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in SUB_COMMANDS)


@pytest.mark.parametrize('name', SUB_COMMANDS)
def test_every_sub_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code([name, '--help']) == 0
    assert f'depth-estimation {name}' in capsys.readouterr().out


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code(['--version']) == 0
    assert capsys.readouterr().out == f'depth-estimation {VERSION}\n'


@pytest.mark.parametrize('arguments', [[], ['guess'], ['predict'], ['info', 'a', 'b']])
def test_wrong_usage_exits_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _exit_code(arguments) == 2
    assert 'error:' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('error', 'line'),
    [
        (ConfigError('rate -1: must\nbe positive'), 'rate -1: must be positive'),
        (OSError(28, 'No space left on device', 'x.png'), 'x.png: No space left on device'),
        (
            ModuleNotFoundError("No module named 'torch'", name='torch.nn'),
            'this command needs torch: pip install depth-estimation-ros[train]',
        ),
    ],
)
def test_an_error_is_one_line_on_stderr_and_exit_1(
    error: Exception,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _command_that(monkeypatch, error)
    assert main(['fail']) == 1
    captured = capsys.readouterr()
    assert captured.err == f'depth-estimation: error: {line}\n'
    assert captured.out == ''


def test_ctrl_c_exits_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _command_that(monkeypatch, KeyboardInterrupt())
    assert main(['fail']) == 130
    assert 'interrupted' in capsys.readouterr().err


@pytest.mark.parametrize(
    'error', [ModuleNotFoundError("No module named 'numppy'", name='numppy'), ZeroDivisionError()]
)
def test_a_bug_is_not_hidden(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    _command_that(monkeypatch, error)
    with pytest.raises(type(error)):
        main(['fail'])


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, '-m', 'depth_estimation_ros.cli', 'info', 'nowhere.onnx'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == 'depth-estimation: error: nowhere.onnx: no such model file\n'


def test_info_prints_the_facts_and_tries_the_backends(
    tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['info', str(tiny_model_path)]) == 0
    text = capsys.readouterr().out
    for fact in (
        str(tiny_model_path),
        'image uint8 (1, 96, 128, 3) RGB',
        'depth float32 (1, 48, 64) [m]',
        '0.2 to 10 m',
        'fp32, for target any',
        'abs_rel 0.5, a1 0.25',
        'Apache-2.0',
    ):
        assert fact in text
    lines = {line.split()[0]: line for line in text.partition('backends')[2].strip().splitlines()}
    assert list(lines) == ['tensorrt', 'onnxruntime-cuda', 'openvino', 'onnxruntime']
    assert 'yes: onnxruntime' in lines['onnxruntime']
    assert 'self-check error' in lines['onnxruntime']


def test_info_says_why_a_backend_cannot_run_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'int8.onnx'
    make_tiny_model(path, precision=Precision.INT8, target=Target.TENSORRT)
    assert main(['info', str(path)]) == 0
    assert 'openvino         no: the file is an int8 model' in capsys.readouterr().out


def test_info_tells_a_backend_with_wrong_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'wrong.onnx'
    spec = make_tiny_model(path)
    probe = spec.probes[spec.input_size]
    make_tiny_model(path, probes={spec.input_size: replace(probe, seed=probe.seed + 1)})
    assert main(['info', str(path)]) == 0
    assert 'gives wrong numbers' in capsys.readouterr().out
