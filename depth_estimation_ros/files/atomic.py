"""Files that appear complete or not at all."""

from __future__ import annotations

from contextlib import contextmanager, suppress
import os
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any
import uuid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = [
    'atomic_path',
    'atomic_write',
    'atomic_write_array',
    'atomic_write_bytes',
    'atomic_write_text',
    'naming',
]


@contextmanager
def naming(path: str | os.PathLike[str], *others: str | os.PathLike[str]) -> Iterator[None]:
    """Put a file's name into an error of the system that has none, as that of a full disk.

    Args:
        path: The name to put in.
        others: It takes the place of names that begin as one of these too.
    """
    try:
        yield
    except OSError as err:
        hides_it = err.filename is None or str(err.filename).startswith(tuple(map(str, others)))
        if err.errno is not None and hides_it:
            raise OSError(err.errno, err.strerror, str(path)) from err
        raise


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the same folder; rename it over `path` when the block succeeds.

    The temporary name keeps the suffix (libraries choose a format by it) and starts with a dot.
    On any exception the temporary file is removed and `path` stays as it was.

    Args:
        path: File to create or replace. Missing parent folders are made.

    Raises:
        OSError: The file cannot be written.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f'.{target.stem}.{uuid.uuid4().hex[:12]}.tmp{target.suffix}')
    try:
        with naming(target, temporary):
            yield temporary
            _sync(temporary)
            temporary.replace(target)
    except BaseException:
        with suppress(OSError):  # on a read-only disk this fails too, and would hide the reason
            temporary.unlink()
        raise
    _sync(target.parent)


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary file that replaces `path` only when the block succeeds."""
    with atomic_path(path) as temporary, temporary.open('xb') as file:
        yield file


def atomic_write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write bytes to `path`, complete or not at all."""
    with atomic_write(path) as file:
        file.write(data)


def atomic_write_array(path: str | os.PathLike[str], array: NDArray[Any]) -> None:
    """Write an array to `path` as .npy, complete or not at all.

    It goes through `write`, which says why it failed: numpy's own way to a file says how many
    numbers it could not write, and no more.
    """
    import numpy as np

    with atomic_write(path) as file:
        target: Any = SimpleNamespace(write=file.write)
        np.save(target, array, allow_pickle=False)


def atomic_write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write text to `path` as UTF-8, complete or not at all."""
    atomic_write_bytes(path, text.encode('utf-8'))


def _sync(path: Path) -> None:
    """Make the contents of a file, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
