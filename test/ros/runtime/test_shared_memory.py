"""Shared memory of killed processes is freed by the next one, that of living ones is not."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
import re
import signal
import subprocess
import sys

import pytest

pytest.importorskip('rclpy')

from depth_estimation_ros.ros.runtime.shared_memory import remove_stale_segments

pytestmark = pytest.mark.ros

NAME = 'fastrtps_0123456789abcdef'
SEGMENT = r'/\S+/fast(?:rtps|dds)_[0-9a-z]{16}\b'
HOUR_SEC = 3600.0


def _segment(folder: Path, name: str, *, age_sec: float) -> Path:
    (folder / name).write_bytes(bytes(100))
    lock = folder / f'{name}_el'
    lock.touch()
    _age(lock, age_sec)
    return lock


def _age(path: Path, age_sec: float) -> None:
    then = path.stat().st_mtime - age_sec
    os.utime(path, (then, then))


@pytest.mark.parametrize('name', [NAME, NAME.replace('fastrtps', 'fastdds')])
def test_a_segment_that_nobody_holds_is_removed(tmp_path: Path, name: str) -> None:
    _segment(tmp_path, name, age_sec=HOUR_SEC)
    assert remove_stale_segments(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_segment_that_is_held_or_new_or_none_of_fast_dds_stays(tmp_path: Path) -> None:
    held = _segment(tmp_path, NAME, age_sec=HOUR_SEC)
    _segment(tmp_path, NAME.replace('0', '1'), age_sec=0.0)
    _segment(tmp_path, 'fastrtps_port7410', age_sec=HOUR_SEC)
    _segment(tmp_path, 'mine', age_sec=HOUR_SEC)
    with held.open('rb') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert remove_stale_segments(tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 8


def test_no_folder_of_shared_memory_is_no_error(tmp_path: Path) -> None:
    assert remove_stale_segments(tmp_path / 'none') == 0


PROGRAM = """
import rclpy
rclpy.init()
node = rclpy.create_node('held')
print('ready', flush=True)
rclpy.spin(node)
"""


def test_what_a_killed_process_leaves_is_freed_and_what_a_living_one_has_is_not() -> None:
    environment = {**os.environ, 'ROS_DOMAIN_ID': '77'}
    command = [sys.executable, '-c', PROGRAM]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == 'ready\n'
            maps = Path(f'/proc/{process.pid}/maps').read_text(encoding='utf-8')
            segments = {Path(name) for name in re.findall(SEGMENT, maps)}
            assert segments
            locks = {segment.with_name(f'{segment.name}_el') for segment in segments}
            for lock in locks:
                _age(lock, HOUR_SEC)
            remove_stale_segments()
            assert all(segment.exists() for segment in segments)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(60)
        assert all(segment.exists() for segment in segments)
        remove_stale_segments()
        assert not any(file.exists() for file in segments | locks)
