"""Files of tensors: sealed with a digest of every byte, and whole before anything in them is used.

The seal is the comment of the zip that PyTorch writes, so `torch.load` reads a sealed file as any
other. Files without one are checked by what they have: the CRC-32 of each part of a zip, or the
digest that torchvision puts into a file's name.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
import pickle
import re
import struct
from typing import IO, Any, Final
import zipfile

import torch

from depth_estimation_ros.errors import CheckpointError, DepthEstimationError
from depth_estimation_ros.files.reading import check_regular, printable

__all__ = ['one_line', 'read_tensors', 'seal']

_MARK: Final = b'depth_estimation_ros sha256 '
_SEAL_BYTES: Final = len(_MARK) + hashlib.sha256().digest_size * 2
_END: Final = struct.Struct('<4s16xH')  # zip's last record, with the length of the comment
_CHUNK_BYTES: Final = 1 << 20
_MAGIC: Final = b'PK\x03\x04'
_DIGEST_IN_NAME: Final = re.compile(r'-([0-9a-f]{8,64})\.pth?$')
_FOREIGN_OBJECT: Final = re.compile(r'GLOBAL (\S+)')


def seal(file: IO[bytes]) -> None:
    """Put the SHA-256 of all bytes before it at the end of a file that `torch.save` wrote.

    Args:
        file: Open for reading and writing.

    Raises:
        OSError: It cannot be written.
    """
    file.seek(-_END.size, os.SEEK_END)
    magic, length = _END.unpack(file.read())
    if magic != b'PK\x05\x06' or length:
        raise RuntimeError('torch.save wrote no zip without a comment: it cannot be sealed')
    file.seek(-2, os.SEEK_END)
    file.write(struct.pack('<H', _SEAL_BYTES))
    size = file.tell()
    digest = _sha256(file, size)
    file.seek(size)
    file.write(_MARK + digest.encode('ascii'))


def read_tensors(path: str | os.PathLike[str], expected: str) -> Any:
    """Read what `torch.save` wrote, on the CPU. Nothing in the file is executed.

    Args:
        path: The file.
        expected: What it should be, for the message.

    Raises:
        CheckpointError: It is missing, damaged, or asks for other objects than tensors.
    """
    check_regular(path, CheckpointError)
    try:
        with Path(path).open('rb') as file:
            _check_whole(file, path)
            file.seek(0)
            return torch.load(file, map_location='cpu', weights_only=True)
    except DepthEstimationError:
        raise
    except Exception as err:  # PyTorch, zipfile and pickle raise what they like
        raise CheckpointError(
            f'{printable(path)} is not a {expected}, or is damaged: {_reason(err)}'
        ) from err


def _reason(err: Exception) -> str:
    """Say why a file cannot be read, without PyTorch's advice to read it all the same."""
    foreign = _FOREIGN_OBJECT.search(str(err))
    if foreign:
        return f'it asks for {foreign[1]}, which is no tensor; nothing in it was executed'
    if isinstance(err, pickle.UnpicklingError):
        return 'no tensors can be read from it'
    return one_line(str(err)) or type(err).__name__


def one_line(text: str) -> str:
    """Return the first line of a message."""
    return (text.strip().splitlines() or [''])[0]


def _check_whole(file: IO[bytes], path: str | os.PathLike[str]) -> None:
    """Compare a file with its seal; one without, with the checksums that it has.

    Raises:
        CheckpointError: It is not as it was written.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _SEAL_BYTES))
    last = file.read()
    if last.startswith(_MARK):
        found = _sha256(file, size - _SEAL_BYTES)
        if found.encode('ascii') != last[len(_MARK) :]:
            raise CheckpointError(
                f'{printable(path)}: damaged: its SHA-256 is {found[:16]}..., it was written '
                f'with {last[len(_MARK) :][:16].decode("ascii", "replace")}...; copy it again'
            )
        return
    file.seek(0)
    if file.read(len(_MAGIC)) == _MAGIC:
        _check_zip(file, path)
    elif digest := _DIGEST_IN_NAME.search(Path(path).name):
        found = _sha256(file, size)
        if not found.startswith(digest[1]):
            raise CheckpointError(
                f'{printable(path)}: damaged: its SHA-256 begins with '
                f'{found[: len(digest[1])]}, its name says {digest[1]}; download it again'
            )


def _check_zip(file: IO[bytes], path: str | os.PathLike[str]) -> None:
    """Check the parts of a zip without a seal by their CRC-32.

    They cover the tensors and what they are called, not the zip's own tables.
    """
    with zipfile.ZipFile(file) as archive:
        if archive.comment:
            raise CheckpointError(f'{printable(path)}: damaged: its seal cannot be read')
        for part in archive.infolist():
            if part.compress_type != zipfile.ZIP_STORED:  # would inflate to any size
                raise CheckpointError(
                    f'{printable(path)}: refused, {part.filename} in it is compressed'
                )
        damaged = archive.testzip()
    if damaged is not None:
        raise CheckpointError(
            f'{printable(path)}: damaged: the checksum of {damaged} in it is wrong; copy it again'
        )


def _sha256(file: IO[bytes], size: int) -> str:
    """Hash the first bytes of a file."""
    digest = hashlib.sha256()
    file.seek(0)
    while size > 0 and (chunk := file.read(min(size, _CHUNK_BYTES))):
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest()
