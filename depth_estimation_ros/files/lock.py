"""A lock between processes that ends with its holder, however that ends."""

from __future__ import annotations

from contextlib import contextmanager
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ['file_lock']


@contextmanager
def file_lock(path: Path, *, wait: Callable[[str], None]) -> Iterator[bool]:
    """Hold an exclusive lock inside the block.

    The kernel frees it when the process is gone, so kill -9 leaves nothing locked; the file
    itself stays, because removing it would let two processes lock two files of one name.

    Args:
        path: File to lock, made if it is missing.
        wait: Called again and again with the holder's process number ('' = unknown) until the
            lock is free; it pauses, and may raise to give up.

    Yields:
        Whether it had to wait for another process.

    Raises:
        OSError: The file cannot be made or locked.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        has_waited = False
        while not _try_lock(descriptor):
            has_waited = True
            wait(os.pread(descriptor, 32, 0).decode('ascii', 'replace').strip())
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f'{os.getpid()}\n'.encode('ascii'), 0)
        yield has_waited
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
