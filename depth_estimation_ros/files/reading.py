"""The boundary of every reader: regular files only, and one kind of error with the file's name."""

from __future__ import annotations

from contextlib import contextmanager
import os
from pathlib import Path
import stat
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import DataError, DepthEstimationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ['check_regular', 'printable', 'read_bytes', 'reading']


def check_regular(path: str | os.PathLike[str], error: type[DepthEstimationError]) -> None:
    """Refuse what is there but no file: opening a pipe would wait for its writer for ever.

    A path that does not exist passes: opening it says so.

    Raises:
        DepthEstimationError: Of the type asked for; a folder, pipe, socket or device.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - takes bytes and surrogates alike
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        kinds = {stat.S_IFIFO: 'a pipe', stat.S_IFSOCK: 'a socket', stat.S_IFCHR: 'a device'}
        kind = kinds.get(stat.S_IFMT(mode), 'a device')
        raise error(f'{printable(path)}: cannot be read: it is {kind}, not a file')


def read_bytes(path: str | os.PathLike[str], error: type[DepthEstimationError]) -> bytes:
    """Return the contents of a regular file.

    Raises:
        DepthEstimationError: Of the type asked for; it is missing, unreadable or no file.
    """
    check_regular(path, error)
    try:
        return Path(path).read_bytes()
    except OSError as err:
        raise error(f'{printable(path)}: cannot be read: {err.strerror}') from err
    except ValueError as err:  # a null byte in the path
        raise error(f'{printable(path)}: cannot be read: {err}') from err


@contextmanager
def reading(
    path: str | os.PathLike[str],
    expected: str,
    error: type[DepthEstimationError] = DataError,
) -> Iterator[None]:
    """Turn whatever a library raises over a file into one kind of error.

    Libraries raise what they like over damaged files: KeyError, OverflowError, RecursionError,
    NotImplementedError, MemoryError, errors of their own. Errors of this package pass as they
    are, and so does a full disk or a missing library.

    Args:
        path: The file, for the message.
        expected: What it should be, such as 'rosbag2'.
        error: Raised in their place.
    """
    try:
        yield
    except (DepthEstimationError, ModuleNotFoundError):
        raise
    except Exception as err:
        reason = str(err) or type(err).__name__
        raise error(f'{printable(path)}: damaged, or no {expected} ({reason})') from err


def printable(path: str | os.PathLike[str]) -> str:
    r"""Return a path as text that can be printed: bytes that are no UTF-8 become \\xNN."""
    text = os.fspath(path)
    return text.encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')
