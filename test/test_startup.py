"""The first second: a signal ends it without a word, and memory is kept from then on."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys

import pytest

from depth_estimation_ros.startup import keep_freed_memory

SCRIPTS = Path(__file__).parents[1] / 'scripts'
# Stands for a module whose import takes long.
ENDLESS = "print('importing', flush=True)\nwhile True:\n    pass\n"


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ('script', 'module', 'status'),
    [
        ('depth_estimation', 'rclpy', 0),
        ('camera_player', 'rclpy', 0),
        ('demo', 'numpy', 130),
        ('snapshot', 'numpy', 130),
        ('live_view', 'numpy', 130),
        ('live_demo', 'numpy', 130),
        ('depth-estimation', 'argparse', 130),
    ],
)
def test_a_signal_during_the_imports_ends_a_program_cleanly(
    tmp_path: Path, script: str, module: str, status: int, number: signal.Signals
) -> None:
    (tmp_path / f'{module}.py').write_text(ENDLESS)
    paths = [str(tmp_path), os.environ.get('PYTHONPATH', '')]
    with subprocess.Popen(
        [sys.executable, str(SCRIPTS / script)],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'importing\n'
        process.send_signal(number)
        _, complaint = process.communicate(timeout=120)
    assert (process.returncode, complaint) == (status, '')


def test_keeping_freed_memory_can_be_asked_for_twice() -> None:
    keep_freed_memory()
    keep_freed_memory()


def test_a_thread_that_frees_arrays_gets_the_same_memory_again() -> None:
    """Page faults of a thread that makes 100 MB of arrays and frees them, ten times."""
    code = """
import resource, threading
from depth_estimation_ros.startup import keep_freed_memory
keep_freed_memory()
faults = []
def work():
    for _ in range(10):
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        arrays = [b'x' * 8_000_000 for _ in range(12)]
        del arrays
        faults.append(resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before)
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(faults[0], sum(faults[1:]))
"""
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True, timeout=60
    )
    first, later = map(int, done.stdout.split())
    assert later < first  # three times as many where a thread has an arena of its own
