"""Memory that large messages need again and again stays with the process."""

from __future__ import annotations

import subprocess
import sys

from depth_estimation_ros.ros.runtime.memory import keep_freed_memory


def test_keeping_freed_memory_can_be_asked_for_twice() -> None:
    keep_freed_memory()
    keep_freed_memory()


def test_a_thread_that_frees_arrays_gets_the_same_memory_again() -> None:
    """Page faults of a thread that makes 100 MB of arrays and frees them, ten times."""
    code = """
import resource, threading
from depth_estimation_ros.ros.runtime.memory import keep_freed_memory
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
