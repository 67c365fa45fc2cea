"""Processes killed while they write, without room or on a read-only disk leave files whole."""

from __future__ import annotations

from pathlib import Path
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('rosbags')

from read_only import on_read_only_disk
from rosbags.highlevel import AnyReader

from depth_estimation_ros.files.atomic import atomic_write_text

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.ros

ROOT = Path(__file__).parents[3]
NUM_KILLS = 3
TIMEOUT_SEC = 60.0
NUM_MESSAGES = 2000

# Each says that it has begun and writes the same file until it is killed.
PARAMETERS_ON_AND_ON = """
from itertools import cycle
from pathlib import Path
import sys
from depth_estimation_ros.files.parameter_file import set_parameters
print('writing', flush=True)
for scale in cycle((1.25, 2.5)):
    set_parameters(Path(sys.argv[1]), {'depth_scale': scale, 'depth_offset': 0.5}, 'x')
"""
RECORDINGS_ON_AND_ON = f"""
from pathlib import Path
import sys
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo
from depth_estimation_ros.ros.demo.mcap_writer import write_mcap
from depth_estimation_ros.ros.demo.recording import Message, Topic
data = serialize_message(CameraInfo(height=6, width=8))
messages = [
    Message(topic=Topic.CAMERA_INFO, stamp_ns=number, received_ns=number, data=data)
    for number in range({NUM_MESSAGES})
]
types = {{Topic.CAMERA_INFO.value: 'sensor_msgs/msg/CameraInfo'}}
print('writing', flush=True)
while True:
    write_mcap(Path(sys.argv[1]), messages, types)
"""


def start(
    program: str, path: Path, *, max_file_bytes: int = 0, before: Sequence[str] = ()
) -> subprocess.Popen[str]:
    """Run a program, with a limit to the size of a file or a command before it if given."""
    limit = (
        f'import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2 * [{max_file_bytes}]))\n'
    )
    return subprocess.Popen(
        [*before, sys.executable, '-c', (limit if max_file_bytes else '') + program, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_writing(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == 'writing\n', process.communicate()[1]


def kill(process: subprocess.Popen[str], dice: random.Random) -> None:
    """Kill it at some moment, which is not when it waits for anything."""
    time.sleep(dice.uniform(0.0, 0.2))
    process.kill()
    process.communicate(timeout=TIMEOUT_SEC)


def num_recorded(path: Path) -> int:
    with AnyReader([path]) as reader:
        return sum(1 for _ in reader.messages())


def test_a_parameter_file_is_whole_whenever_its_writer_is_killed(tmp_path: Path) -> None:
    config = (ROOT / 'config' / 'depth.yaml').read_text()
    path = tmp_path / 'depth.yaml'
    atomic_write_text(path, config)
    dice = random.Random(5)  # noqa: S311 - moments, no secrets
    for _ in range(NUM_KILLS):
        process = start(PARAMETERS_ON_AND_ON, path)
        wait_writing(process)
        kill(process, dice)
        lines = path.read_text().splitlines()
        changed = [new for old, new in zip(config.splitlines(), lines, strict=True) if old != new]
        assert [line.split('#')[0].strip() for line in changed] in (
            ['depth_scale: 1.25', 'depth_offset: 0.5'],
            ['depth_scale: 2.5', 'depth_offset: 0.5'],
        )


def test_a_recording_is_whole_whenever_its_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / 'demo.mcap'
    dice = random.Random(7)  # noqa: S311 - moments, no secrets
    for _ in range(NUM_KILLS):
        process = start(RECORDINGS_ON_AND_ON, path)
        wait_writing(process)
        while not path.exists():
            assert process.poll() is None
        kill(process, dice)
        assert num_recorded(path) == NUM_MESSAGES


WRITERS = pytest.mark.parametrize(
    ('program', 'name'),
    [(PARAMETERS_ON_AND_ON, 'depth.yaml'), (RECORDINGS_ON_AND_ON, 'demo.mcap')],
)


@pytest.fixture
def old() -> bytes:
    """What stands in a file before a writer fails."""
    return (ROOT / 'config' / 'depth.yaml').read_bytes()


def write_on(path: Path, old: bytes, program: str, **limits: Any) -> str:
    """Let a writer that must fail loose on a file; return what it says."""
    path.write_bytes(old)
    process = start(program, path, **limits)
    error = process.communicate(timeout=TIMEOUT_SEC)[1]
    assert process.returncode == 1
    assert path.read_bytes() == old
    return error


@WRITERS
def test_a_writer_without_room_says_so_and_keeps_the_old_file(
    tmp_path: Path, old: bytes, program: str, name: str
) -> None:
    assert 'File too large' in write_on(
        tmp_path / name, old, program, max_file_bytes=len(old) // 2
    )


@WRITERS
def test_a_writer_on_a_read_only_disk_says_so_and_keeps_the_old_file(
    tmp_path: Path, old: bytes, program: str, name: str
) -> None:
    error = write_on(tmp_path / name, old, program, before=on_read_only_disk(tmp_path))
    error = error.splitlines()[-1]
    assert 'Read-only file system' in error
    assert name in error
    assert [file.name for file in tmp_path.iterdir()] == [name]
