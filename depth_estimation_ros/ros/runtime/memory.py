"""How the process keeps memory that large messages and images need again and again."""

from __future__ import annotations

import ctypes

# glibc's names for mallopt, <malloc.h>.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
# 32 MiB is the most that glibc takes; a 1920x1080 depth image has 7.9 MiB.
_MMAP_THRESHOLD_BYTES = 32 * 1024 * 1024
_TRIM_THRESHOLD_BYTES = 1024 * 1024 * 1024


def keep_freed_memory() -> None:
    """Have freed arrays reused instead of handed back to the kernel; call at start.

    Otherwise every frame pays a page fault for each 4 KiB of its images and clouds anew: for all
    outputs at 640x480 8 ms of 30, measured in a virtual machine. All threads share one arena, as
    those that glibc makes for a thread give every 64 MiB back when they are empty, whatever the
    threshold: 24 ms a frame for all outputs at 1920x1080. Does nothing where the C library is
    not glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD_BYTES)
        mallopt(_M_ARENA_MAX, 1)
