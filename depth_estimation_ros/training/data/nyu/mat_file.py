"""The numbers in a MATLAB v5 file such as splits.mat, read without trusting a byte of it.

Only the form that is needed: real numeric matrices at the top level, plain or compressed with
zlib, in either byte order. Every length is held against the bytes that are there.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final
import zlib

import numpy as np

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.files.reading import printable, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_HEADER_BYTES: Final = 128
_MAX_FILE_BYTES: Final = 1 << 24
_MAX_INFLATED_BYTES: Final = 1 << 26
_MAX_NAME_BYTES: Final = 256
_MATRIX, _COMPRESSED, _INT8, _INT32, _UINT32 = 14, 15, 1, 5, 6
_COMPLEX: Final = 0x0800
_NUMERIC_CLASSES: Final = range(6, 16)  # double to uint64
_TYPES: Final = {
    1: 'i1', 2: 'u1', 3: 'i2', 4: 'u2', 5: 'i4', 6: 'u4', 7: 'f4', 9: 'f8', 12: 'i8', 13: 'u8',
}  # fmt: skip


class _DamagedError(Exception):
    """The bytes are not what they should be."""


def read_mat_numbers(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    """Read matrices of numbers from a MATLAB v5 file.

    Args:
        path: The file, 16 MiB at most.
        names: The variables wanted.

    Returns:
        Those of them that are there: (N,) float64, in the order of the file.

    Raises:
        DataError: Missing, damaged, larger than such a file is, or no MATLAB v5 file.
    """
    data = read_bytes(path, DataError)
    try:
        return _read(data, names)
    except (_DamagedError, struct.error, zlib.error) as err:
        raise DataError(f'{printable(path)}: damaged, or no MATLAB file ({err})') from err


def _read(data: bytes, names: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    if len(data) > _MAX_FILE_BYTES:
        raise _DamagedError(f'{len(data)} bytes, expected {_MAX_FILE_BYTES} at most')
    order = {b'IM': '<', b'MI': '>'}.get(data[126:_HEADER_BYTES])
    if order is None or not data.startswith(b'MATLAB 5.0'):
        raise _DamagedError('it does not begin as MATLAB 5.0')
    found = {}
    left = _MAX_INFLATED_BYTES
    for kind, payload in _elements(memoryview(data)[_HEADER_BYTES:], order):
        if kind == _COMPRESSED:
            inflated = _inflate(payload, left)
            left -= len(inflated)
            elements = list(_elements(memoryview(inflated), order))
        else:
            elements = [(kind, payload)]
        for inner_kind, matrix in elements:
            if inner_kind != _MATRIX:
                raise _DamagedError(f'an element of type {inner_kind} is no matrix')
            name, values = _matrix(matrix, order, names)
            if values is not None:
                found[name] = values
    return found


def _inflate(payload: memoryview, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj()
    inflated = inflater.decompress(payload, max_bytes + 1)
    if len(inflated) > max_bytes:
        raise _DamagedError(f'it inflates to more than {_MAX_INFLATED_BYTES} bytes')
    if not inflater.eof:
        raise _DamagedError('a compressed element is cut short')
    return inflated


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Yield the type and the bytes of each element, which are padded to 8 bytes."""
    place = 0
    while place < len(data):
        (tag,) = struct.unpack_from(f'{order}I', data, place)
        if tag >> 16:  # up to 4 bytes, in the tag itself
            kind, length, start = tag & 0xFFFF, tag >> 16, place + 4
            if length > 4:
                raise _DamagedError(f'a small element of {length} bytes')
            following = place + 8
        else:
            kind = tag
            (length,) = struct.unpack_from(f'{order}I', data, place + 4)
            start = place + 8
            following = start + (length if kind == _COMPRESSED else -(-length // 8) * 8)
        if start + length > len(data):
            raise _DamagedError(f'an element ends at byte {start + length} of {len(data)}')
        yield kind, data[start : start + length]
        place = following


def _matrix(
    data: memoryview, order: str, names: tuple[str, ...]
) -> tuple[str, NDArray[np.float64] | None]:
    """Return a matrix's name and, if it is wanted, its numbers."""
    parts = _elements(data, order)
    flags_kind, flags = next(parts, (0, data))
    shape_kind, shape = next(parts, (0, data))
    name_kind, name_bytes = next(parts, (0, data))
    if (flags_kind, shape_kind, name_kind) != (_UINT32, _INT32, _INT8) or len(flags) != 8:
        raise _DamagedError('a matrix has no flags, shape and name')
    if len(name_bytes) > _MAX_NAME_BYTES:
        raise _DamagedError(f'a name of {len(name_bytes)} bytes')
    name = bytes(name_bytes).decode('ascii', 'replace')
    if name not in names:
        return name, None
    (word,) = struct.unpack_from(f'{order}I', flags)
    sides = np.frombuffer(shape, np.dtype(f'{order}i4')).tolist()
    kind, payload = next(parts, (0, data))
    if (word & 0xFF) not in _NUMERIC_CLASSES or word & _COMPLEX or kind not in _TYPES:
        raise _DamagedError(f'{name} holds no real numbers')
    dtype = np.dtype(f'{order}{_TYPES[kind]}')
    count = 1
    for side in sides:
        count *= side
    if min(sides, default=-1) < 0 or count * dtype.itemsize != len(payload):
        raise _DamagedError(f'{name} of shape {sides} has {len(payload)} bytes')
    return name, np.frombuffer(payload, dtype).astype(np.float64)
