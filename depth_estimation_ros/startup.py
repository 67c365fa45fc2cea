"""The first second of a program: what must be settled before its imports.

A signal during them ends it without a traceback, and memory is kept before they start threads.
Imports nothing but Python's own small modules.
"""

from __future__ import annotations

from contextlib import contextmanager
import ctypes
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ['keep_freed_memory', 'leave_on_signals', 'leaving_on_signals']

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# glibc's names for mallopt, <malloc.h>.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
# 32 MiB is the most that glibc takes; a 1920x1080 depth image has 7.9 MiB.
_MMAP_THRESHOLD_BYTES = 32 * 1024 * 1024
_TRIM_THRESHOLD_BYTES = 1024 * 1024 * 1024


def leave_on_signals(status: int) -> None:
    """Have SIGINT and SIGTERM end the process at once, until other handlers take their place.

    Only while there is nothing to clean up: nothing of Python's own end is run.

    Args:
        status: The exit status.
    """
    for number in _SIGNALS:
        signal.signal(number, lambda _number, _frame: os._exit(status))


@contextmanager
def leaving_on_signals(status: int) -> Iterator[None]:
    """Do so in a block, such as one of imports; afterwards signals do what they did before."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    leave_on_signals(status)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def keep_freed_memory() -> None:
    """Have freed arrays reused instead of handed back to the kernel.

    Call it early, best before the imports.
    Otherwise every frame pays a page fault for each 4 KiB of its images and clouds anew: for all
    outputs at 640x480 8 ms of 30, measured in a virtual machine. All threads share one arena, as
    those that glibc makes for a thread give every 64 MiB back when they are empty, whatever the
    threshold: 24 ms a frame for all outputs at 1920x1080. Threads that are there already, as
    libraries start them when they are imported, keep theirs, and later ones may share them.
    Does nothing where the C library is not glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD_BYTES)
        mallopt(_M_ARENA_MAX, 1)
