"""What ROS cannot start with is one line that names it, in every executable."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

pytest.importorskip('rclpy')

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.ros

ROS = 'depth_estimation_ros.ros'
COMMANDS = {
    'depth_estimation': (f'{ROS}.node',),
    'camera_player': (f'{ROS}.player.camera_player',),
    'snapshot': (f'{ROS}.demo.snapshot',),
    'demo': (f'{ROS}.demo.demo', '--domain-id', '1'),
    'depth-estimation': ('depth_estimation_ros.cli', 'calibrate-scale', '--distance', '1'),
}
TIMEOUT_SEC = 120


def run(
    folder: Path, name: str, *arguments: str, without: str = '', **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    environment.pop(without, None)
    if without == 'HOME':
        environment.pop('ROS_LOG_DIR', None)
        environment.pop('ROS_HOME', None)
    return subprocess.run(
        [sys.executable, '-m', *COMMANDS[name], *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SEC,
        check=False,
    )


def the_line(ended: subprocess.CompletedProcess[str], name: str) -> str:
    """Return the one line of the error."""
    assert ended.returncode == 1, ended.stderr
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith(f'{name}: error: ROS cannot start: ')
    return lines[0]


@pytest.mark.parametrize('name', COMMANDS)
def test_without_a_home_the_line_says_so(tmp_path: Path, name: str) -> None:
    line = the_line(run(tmp_path, name, without='HOME'), name)
    assert 'HOME is not set' in line
    assert 'set HOME, or ROS_LOG_DIR' in line


def test_without_a_folder_for_its_log_it_says_so_and_goes_on(tmp_path: Path) -> None:
    ended = run(tmp_path, 'snapshot', ROS_LOG_DIR='/dev/null/log', ROS_DOMAIN_ID='abc')
    no_log, next_line = ended.stderr.splitlines()
    cure = 'set ROS_LOG_DIR to a folder that can be written'
    assert no_log == f'no log file: /dev/null/log: Not a directory: {cure}'
    assert 'ROS_DOMAIN_ID' in next_line


@pytest.mark.parametrize('name', [name for name in COMMANDS if name != 'demo'])
def test_a_domain_that_is_no_number_is_named(tmp_path: Path, name: str) -> None:
    line = the_line(run(tmp_path, name, ROS_DOMAIN_ID='abc'), name)
    assert 'ROS_DOMAIN_ID is not an integral number: set it to a number' in line
    assert '.c:' not in line


@pytest.mark.parametrize('text', [None, ': : : ['])
def test_a_parameter_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / 'parameters.yaml'
    if text is not None:
        path.write_text(text)
    for name in ('depth_estimation', 'camera_player', 'snapshot'):
        line = the_line(run(tmp_path, name, '--ros-args', '--params-file', str(path)), name)
        assert str(path) in line
        assert 'a file that can be read and is YAML' in line
