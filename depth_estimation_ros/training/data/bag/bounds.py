"""The sizes that an mcap file claims, held against the file before a reader allocates by them."""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING, Final

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.files.reading import check_regular, printable

if TYPE_CHECKING:
    from pathlib import Path

MAX_CHUNK_BYTES: Final = 1 << 30  # of one chunk, unpacked; writers cut chunks at a few MB
_MAGIC: Final = b'\x89MCAP0\r\n'
_RECORD: Final = struct.Struct('<BQ')
_CHUNK: Final = struct.Struct('<QQQII')  # start, end, unpacked size, checksum, length of a name
_CHUNK_OPCODE, _CHUNK_INDEX_OPCODE, _FOOTER_OPCODE = 0x06, 0x08, 0x02
_ZSTD_MAGIC: Final = b'\x28\xb5\x2f\xfd'
_LZ4_MAGIC: Final = b'\x04\x22\x4d\x18'


def check_bag(path: Path) -> None:
    """Walk the records of each mcap file of a bag, without reading what is in them.

    Args:
        path: The bag's folder, or one file of it; other files than mcap are left alone.

    Raises:
        DataError: A record goes on behind the end of the file, or a chunk claims more than
            MAX_CHUNK_BYTES.
    """
    check_regular(path, DataError)
    files = sorted(path.glob('*.mcap')) if path.is_dir() else [path]
    for file_path in files:
        check_regular(file_path, DataError)
        with file_path.open('rb') as file:
            if file.read(len(_MAGIC)) == _MAGIC:
                _check_records(file, file_path)


def _check_records(file: IO[bytes], path: Path) -> None:
    size = path.stat().st_size
    place = len(_MAGIC)
    while place + _RECORD.size <= size:
        file.seek(place)
        opcode, length = _RECORD.unpack(file.read(_RECORD.size))
        end = place + _RECORD.size + length
        if end > size:
            raise DataError(
                f'{printable(path)}: damaged: a record of {length} bytes at byte {place} does not '
                f'fit the {size} bytes of the file'
            )
        if opcode == _CHUNK_OPCODE:
            _check_chunk(file, path, place, length)
        elif opcode == _CHUNK_INDEX_OPCODE:
            _check_index(file.read(length), path, place)
        elif opcode == _FOOTER_OPCODE:
            return
        place = end


def _check_chunk(file: IO[bytes], path: Path, place: int, length: int) -> None:
    head = file.read(min(length, 256))
    if len(head) < _CHUNK.size:
        raise DataError(f'{printable(path)}: damaged: the chunk at byte {place} is cut short')
    _, _, unpacked, _, name_length = _CHUNK.unpack_from(head)
    data = head[_CHUNK.size + name_length + 8 :]
    _refuse(max(unpacked, _claimed(data)), path, place)


def _check_index(record: bytes, path: Path, place: int) -> None:
    """Hold the sizes in a chunk's index against the bounds: the reader takes them from there."""
    sizes = struct.unpack('<QQ', record[-16:]) if len(record) >= 16 else (0, 0)
    _refuse(max(sizes), path, place)


def _refuse(claimed: int, path: Path, place: int) -> None:
    if claimed > MAX_CHUNK_BYTES:
        raise DataError(
            f'{printable(path)}: damaged: the chunk at byte {place} claims {claimed} bytes, more '
            f'than {MAX_CHUNK_BYTES}'
        )


def _claimed(data: bytes) -> int:
    """Return the size that a zstd or lz4 frame claims for its contents; 0 = it does not say."""
    if len(data) < 18:
        return 0
    if data[:4] == _ZSTD_MAGIC:
        descriptor = data[4]
        single = descriptor >> 5 & 1
        num_bytes = (single, 2, 4, 8)[descriptor >> 6]
        start = 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3]
        return int.from_bytes(data[start : start + num_bytes], 'little')
    if data[:4] == _LZ4_MAGIC and data[4] & 8:
        return int.from_bytes(data[6:14], 'little')
    return 0
