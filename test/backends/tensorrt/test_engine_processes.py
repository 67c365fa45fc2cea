"""The cache of engines shared by real processes, some of which are killed."""

from __future__ import annotations

from pathlib import Path
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from fake_builder import FakeBuilder, obtain
import pytest
from read_only import on_read_only_disk

from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
from depth_estimation_ros.backends.tensorrt.engine_cache import EngineCache
from depth_estimation_ros.errors import BuildCancelledError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TIMEOUT_SEC = 60.0
SUPPORT = Path(__file__).parents[2] / 'support' / 'gpu'


def start(folder: Path, *arguments: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Obtain an engine in another process."""
    script = SUPPORT / 'fake_builder.py'
    return subprocess.Popen(
        [*before, sys.executable, str(script), str(folder), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_line(process: subprocess.Popen[str], wanted: str) -> str:
    """Read up to a line that holds the text."""
    assert process.stdout is not None
    for line in process.stdout:
        if wanted in line:
            return line
    raise AssertionError(f'the process ended without {wanted!r}')


def go_on(process: subprocess.Popen[str]) -> str:
    """Let it finish building; returns its last line."""
    assert process.stdin is not None
    process.stdin.write('\n')
    process.stdin.flush()
    assert process.stdout is not None
    lines = process.stdout.read().splitlines()
    assert process.wait(TIMEOUT_SEC) == 0
    return lines[-1]


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def test_of_two_processes_one_builds_and_the_other_waits_and_says_so(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    processes.append(start(tmp_path))
    wait_line(processes[0], 'building')
    processes.append(start(tmp_path))
    line = wait_line(processes[1], 'another process builds room-')
    assert f'waiting (process {processes[0].pid})' in line
    assert go_on(processes[0]) == 'built'
    assert go_on(processes[1]) == 'found'
    assert len(list(tmp_path.glob('*.engine'))) == 1


def test_when_the_builder_is_killed_the_one_that_waits_builds(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    processes.append(start(tmp_path))
    wait_line(processes[0], 'building')
    processes.append(start(tmp_path))
    wait_line(processes[1], 'another process builds')
    processes[0].send_signal(signal.SIGKILL)
    wait_line(processes[1], 'building')
    assert go_on(processes[1]) == 'built'


@pytest.mark.parametrize('moment', ['open', 'rename engine', 'rename sidecar'])
def test_a_builder_killed_while_it_writes_leaves_nothing_that_is_used(
    tmp_path: Path, processes: list[subprocess.Popen[str]], moment: str
) -> None:
    processes.append(start(tmp_path, moment))
    wait_line(processes[0], 'building')
    assert processes[0].stdin is not None
    processes[0].stdin.write('\n')
    processes[0].stdin.flush()
    wait_line(processes[0], 'stopped')
    processes[0].send_signal(signal.SIGKILL)
    processes[0].wait(TIMEOUT_SEC)
    builder = FakeBuilder()
    assert obtain(tmp_path, builder).build_sec is not None
    assert builder.num_builds == 1
    assert obtain(tmp_path, builder).build_sec is None
    assert not list(tmp_path.glob('.*.tmp*')), 'what the killed one left is removed'


def test_on_a_read_only_disk_the_engine_is_used_from_memory_and_that_is_said(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    processes.append(start(tmp_path / 'cache', before=on_read_only_disk(tmp_path)))
    wait_line(processes[0], 'building')
    assert processes[0].stdin is not None
    processes[0].stdin.write('\n')
    processes[0].stdin.flush()
    line = wait_line(processes[0], 'kept in memory only')
    assert 'cache: Read-only file system' in line
    assert 'set engine_cache_dir to a folder that can be written' in line
    assert go_on(processes[0]) == 'built'
    assert list(tmp_path.iterdir()) == []


_WRITE_ON_AND_ON = """
from pathlib import Path
import sys
from fake_builder import FakeBuilder, obtain
print('writing', flush=True)
builder = FakeBuilder(num_bytes=8_000_000)
while True:
    obtain(Path(sys.argv[1]), builder, rebuild=True)
"""


def test_kills_at_any_time_leave_an_engine_that_is_whole_or_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dice = random.Random(3)  # noqa: S311 - moments, no secrets
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, '-c', _WRITE_ON_AND_ON, str(tmp_path)],
            cwd=SUPPORT,
            stdout=subprocess.PIPE,
            text=True,
        )
        wait_line(process, 'writing')
        time.sleep(dice.uniform(0.0, 0.3))
        process.kill()
        process.communicate()
        caplog.clear()
        found = obtain(tmp_path, FakeBuilder(num_bytes=8_000_000))
        assert len(found.engine) == 8_000_000
        assert found.engine.endswith(b'eeee')
        assert 'is not the' not in caplog.text, 'a file that was written in part was renamed'


def test_waiting_for_another_process_can_be_cancelled(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    processes.append(start(tmp_path))
    wait_line(processes[0], 'building')
    progress = BuildProgress()
    progress.cancel()
    with pytest.raises(BuildCancelledError, match='another process builds room-.*: cancelled'):
        EngineCache(tmp_path, progress).obtain(FakeBuilder(), bytes)
    assert go_on(processes[0]) == 'built'
