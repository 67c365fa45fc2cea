"""--help of every executable: its parameters and an example, and nothing is started."""

from __future__ import annotations

from dataclasses import dataclass, fields
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

pytest.importorskip('rclpy')

from depth_estimation_ros.ros.demo import snapshot
from depth_estimation_ros.ros.live import live_view
from depth_estimation_ros.ros.node import node
from depth_estimation_ros.ros.parameters.help_text import Help, answers_help, help_text
from depth_estimation_ros.ros.parameters.spec import Change, parameter
from depth_estimation_ros.ros.player import camera_player

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.ros

HELPS = (node.HELP, camera_player.HELP, snapshot.HELP, live_view.HELP)
TIMEOUT_SEC = 120.0


@dataclass(frozen=True, kw_only=True)
class TeaParameters:
    """Parameters of a node that makes tea."""

    warmth: float = parameter(
        80.0, 'Of the water.', unit='[degC]', limits=(0.0, 100.0), change=Change.LIVE
    )


TEA = Help(name='tea', summary='Makes tea.', parameters=TeaParameters, example='-p warmth:=70.0')


def test_the_text_is_usage_summary_parameters_and_an_example() -> None:
    assert help_text(TEA) == (
        'usage: ros2 run depth_estimation_ros tea '
        '[--ros-args -p NAME:=VALUE ... -r FROM:=TO ...]\n'
        '\n'
        'Makes tea.\n'
        '\n'
        'parameters:\n'
        '  warmth:=80.0\n'
        '      Of the water. ([degC], 0 to 100, live)\n'
        '\n'
        'example:\n'
        '  ros2 run depth_estimation_ros tea --ros-args -p warmth:=70.0\n'
    )


@pytest.mark.parametrize('flag', ['-h', '--help'])
def test_main_is_not_called_for_help(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    @answers_help(TEA)
    def main(args: list[str] | None = None) -> int:
        raise AssertionError(args)

    assert main([flag]) == 0
    assert capsys.readouterr().out == help_text(TEA)


def test_main_is_called_with_everything_else() -> None:
    @answers_help(TEA)
    def main(args: list[str] | None = None) -> int:
        return len(args or [])

    assert main(['--ros-args', '-p', 'warmth:=70.0']) == 3


@pytest.mark.parametrize('facts', HELPS, ids=lambda facts: facts.name)
def test_the_example_names_parameters_that_there_are(facts: Help) -> None:
    names = {item.name for item in fields(facts.parameters)}
    assert set(re.findall(r'-p (\w+):=', facts.example)) <= names


@pytest.mark.parametrize(
    'module',
    [
        'depth_estimation_ros.ros.node',
        'depth_estimation_ros.ros.player.camera_player',
        'depth_estimation_ros.ros.demo.snapshot',
        'depth_estimation_ros.ros.demo.demo',
        'depth_estimation_ros.ros.live.live_view',
        'depth_estimation_ros.ros.live.live_demo',
    ],
)
def test_the_program_answers_help_and_ends(module: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, '-m', module, '--help'],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SEC,
        check=False,
        cwd=tmp_path,  # where no source checkout hides the installed package
    )
    name = module.rpartition('.')[2]
    executable = 'depth_estimation' if name == 'node' else name
    assert ended.returncode == 0, ended.stderr
    assert 'usage: ' in ended.stdout
    assert (
        f'ros2 run depth_estimation_ros {executable} --' in ended.stdout.partition('example:')[2]
    )
