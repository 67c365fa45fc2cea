"""Files of a data set where they lie: in a zip, read in place, or in a folder.

A zip of 100,000 files is indexed once; what is kept of it is a few numbers a file. Nothing is ever
written to disk. Reading needs no lock and no shared position (pread), so an archive can be used by
forked and spawned worker processes alike.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
import struct
from typing import TYPE_CHECKING, Any, Final, Protocol
import zipfile
import zlib

import numpy as np

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.files.reading import check_regular
from depth_estimation_ros.training.data.rgbd_sample import SampleError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_MEMBER_BYTES: Final = 1 << 28  # no picture of a data set is larger, inflated or not
_LOCAL_HEADER: Final = struct.Struct('<4s22xHH')
_ENCRYPTED: Final = 0x1


class Archive(Protocol):
    """Chosen files of a data set, by their place in a list."""

    path: Path

    def names(self) -> list[str]:
        """Return the names of all files, with forward slashes."""

    def choose(self, names: Sequence[str]) -> None:
        """Say which files `read` is for; forget the rest."""

    def read(self, index: int) -> bytes:
        """Return the bytes of a chosen file.

        Raises:
            SampleError: It cannot be read or is damaged.
        """

    def read_name(self, name: str) -> bytes:
        """Return the bytes of one file, before `choose`."""


def open_archive(path: Path) -> Archive:
    """Open a zip file or a folder.

    Raises:
        DataError: There is none, or the zip is damaged or has names that lead out of it.
    """
    if path.is_dir():
        return FolderArchive(path)
    check_regular(path, DataError)
    if not path.is_file():
        raise DataError(f'{path}: no such file or folder')
    return ZipArchive(path)


class FolderArchive:
    """The files under a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._chosen: Sequence[str] = ()

    def names(self) -> list[str]:
        """Return the paths of all files under the folder."""
        files = (item for item in self.path.rglob('*') if item.is_file())
        return sorted(item.relative_to(self.path).as_posix() for item in files)

    def choose(self, names: Sequence[str]) -> None:
        """Say which files `read` is for."""
        self._chosen = names

    def read(self, index: int) -> bytes:
        """Return the bytes of a chosen file."""
        return self.read_name(self._chosen[index])

    def read_name(self, name: str) -> bytes:
        """Return the bytes of one file."""
        try:
            return (self.path / name).read_bytes()
        except OSError as err:
            raise SampleError(f'{self.path / name}: cannot be read: {err.strerror}') from err


class ZipArchive:
    """The files in a zip, stored or deflated; never extracted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        try:
            with zipfile.ZipFile(path) as archive:
                self._infos = {info.filename: info for info in archive.infolist()}
        except Exception as err:  # zipfile raises more than BadZipFile
            raise DataError(
                f'{path}: damaged, cut short or no zip file ({err}); download it again'
            ) from err
        for name in self._infos:
            if not is_inside(name):
                raise DataError(f'{path}: refused, {name!r} in it leads out of the zip')
        self._chosen: Sequence[str] = ()
        self._places = np.zeros((0, 4), np.int64)

    def names(self) -> list[str]:
        """Return the names of all files in the zip."""
        return [name for name in self._infos if not name.endswith('/')]

    def choose(self, names: Sequence[str]) -> None:
        """Say which files `read` is for, and forget the rest."""
        self._places = np.array([self._place(self._infos[name]) for name in names], np.int64)
        self._chosen = names
        self._infos = {}

    def read(self, index: int) -> bytes:
        """Return the bytes of a chosen file."""
        return self._read(self._chosen[index], self._places[index].tolist())

    def read_name(self, name: str) -> bytes:
        """Return the bytes of one file."""
        return self._read(name, self._place(self._infos[name]))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, '_file': None}

    def __del__(self) -> None:
        if self._file is not None:
            os.close(self._file)

    def _place(self, info: zipfile.ZipInfo) -> list[int]:
        """Return where a file's data is: header's offset, length, CRC, and 1 if deflated."""
        if info.flag_bits & _ENCRYPTED:
            raise DataError(f'{self.path}: {info.filename} is encrypted')
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(
                f'{self.path}: {info.filename} has compression {info.compress_type}, '
                'expected stored or deflated'
            )
        deflated = info.compress_type == zipfile.ZIP_DEFLATED
        return [info.header_offset, info.compress_size, info.CRC, int(deflated)]

    def _read(self, name: str, place: list[int]) -> bytes:
        offset, length, checksum, deflated = place
        if length > MAX_MEMBER_BYTES:
            raise SampleError(f'{self.path}: {name}: {length} bytes, more than a picture has')
        if self._file is None:
            self._file = os.open(self.path, os.O_RDONLY | getattr(os, 'O_CLOEXEC', 0))
        try:
            header = os.pread(self._file, _LOCAL_HEADER.size, offset)
            magic, name_length, extra_length = _LOCAL_HEADER.unpack(header)
            start = offset + _LOCAL_HEADER.size + name_length + extra_length
            data = os.pread(self._file, length, start)
            if deflated:
                data = _inflate(data)
        except (OSError, struct.error, zlib.error) as err:
            raise SampleError(f'{self.path}: {name}: cannot be read: {err}') from err
        if magic != b'PK\x03\x04' or zlib.crc32(data) != checksum:
            raise SampleError(f'{self.path}: {name}: damaged: its checksum is wrong')
        return data


def _inflate(data: bytes) -> bytes:
    """Inflate no more than a picture can have, whatever the zip says of its size.

    Raises:
        zlib.error: It is damaged, cut short or larger.
    """
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    inflated = inflater.decompress(data, MAX_MEMBER_BYTES + 1)
    if len(inflated) > MAX_MEMBER_BYTES:
        raise zlib.error(f'it inflates to more than {MAX_MEMBER_BYTES} bytes')
    if not inflater.eof:
        raise zlib.error('it is cut short')
    return inflated


def is_inside(name: str) -> bool:
    """Return whether a relative name stays below the folder it is relative to."""
    path = PurePosixPath(name.replace('\\', '/'))
    windows_drive = len(name) > 1 and name[1] == ':'
    return not (path.is_absolute() or '..' in path.parts or windows_drive)
