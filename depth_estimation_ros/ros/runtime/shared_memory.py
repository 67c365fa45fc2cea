"""What Fast DDS leaves in shared memory when a process is killed: 32 MiB for each participant."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
import re
import time
from typing import Final

__all__ = ['remove_stale_segments']

_FOLDER: Final = Path('/dev/shm')  # noqa: S108 - where Fast DDS puts them on Linux
# A segment `fastrtps_` (Fast DDS 3, of Kilted and newer: `fastdds_`) + 16 letters has a file
# `..._el`, locked as long as its owner lives.
_LOCK_NAME: Final = re.compile(r'fast(rtps|dds)_[0-9a-z]{16}_el')
_MIN_AGE_SEC: Final = 10.0  # a file is made a moment before it is locked


def remove_stale_segments(folder: Path = _FOLDER) -> int:
    """Remove the segments of dead processes, by the rule of `fastdds shm clean`.

    A segment is stale when nobody holds the lock of its lock file. Ports are left alone: Fast DDS
    takes over those of the dead by itself. What belongs to another user stays.

    Args:
        folder: Where segments are.

    Returns:
        How many were removed.
    """
    try:
        locks = [file for file in folder.iterdir() if _LOCK_NAME.fullmatch(file.name)]
    except OSError:  # no such folder on this system
        return 0
    return sum(_remove_if_stale(lock) for lock in locks)


def _remove_if_stale(lock: Path) -> bool:
    try:
        with lock.open('rb') as file:
            status = os.fstat(file.fileno())
            if time.time() - status.st_mtime < _MIN_AGE_SEC:
                return False
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.with_name(lock.name.removesuffix('_el')).unlink(missing_ok=True)
            lock.unlink()
    except OSError:  # held by its owner, another user's, or removed meanwhile
        return False
    return True
