"""A file that is still arriving, and what is known of it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
import fcntl
import os
from typing import IO, TYPE_CHECKING

from depth_estimation_ros.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class PartialFile:
    """What has arrived of a file, and which version of it that is.

    Attributes:
        path: Where it is.
        file: Open for appending.
    """

    path: Path
    file: IO[bytes]

    @property
    def validator_path(self) -> Path:
        """Where the version is written down."""
        return self.path.with_name(f'{self.path.name}.version')

    @property
    def num_bytes(self) -> int:
        """How much has arrived."""
        return os.fstat(self.file.fileno()).st_size

    def validator(self) -> str | None:
        """Return the server's word for the version that is here, None = it gave none."""
        if not self.validator_path.is_file():
            return None
        return self.validator_path.read_text(encoding='utf-8').strip() or None

    def start_over(self, validator: str | None) -> None:
        """Drop what is there for a version of the file that the server calls so."""
        self.file.truncate(0)
        self.validator_path.write_text(validator or '', encoding='utf-8')


@contextmanager
def partial_file(target: Path) -> Iterator[PartialFile]:
    """Open what is there of a file, for this process alone; leave nothing if nothing arrived.

    Raises:
        DataError: Another process downloads it.
    """
    path = target.with_name(f'.{target.name}.part')
    with path.open('ab') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f'{target}: another download of it is running') from None
        part = PartialFile(path=path, file=file)
        try:
            yield part
        finally:
            file.flush()
            if path.exists() and part.num_bytes == 0:
                path.unlink()
                part.validator_path.unlink(missing_ok=True)
