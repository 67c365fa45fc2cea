"""The walk through an mcap file that holds the sizes it claims against what is there."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from bag_files import recording, write_bag
import pytest

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.bag.bounds import MAX_CHUNK_BYTES, check_bag

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b'\x89MCAP0\r\n'
HEADER, FOOTER, CHUNK, CHUNK_INDEX = 0x01, 0x02, 0x06, 0x08
TOO_MUCH = MAX_CHUNK_BYTES + 1


def record(opcode: int, content: bytes, *, length: int | None = None) -> bytes:
    """A record: its kind, the length of its content, or another that it claims, the content."""
    return struct.pack('<BQ', opcode, len(content) if length is None else length) + content


def chunk(unpacked: int, data: bytes = b'', *, compression: bytes = b'zstd') -> bytes:
    """A chunk: times, unpacked size, checksum, compression, and its packed records."""
    head = struct.pack('<QQQII', 0, 0, unpacked, 0, len(compression))
    return record(CHUNK, head + compression + struct.pack('<Q', len(data)) + data)


def write(folder: Path, *records: bytes) -> Path:
    path = folder / 'a.mcap'
    path.write_bytes(MAGIC + b''.join(records))
    return path


def test_a_bag_as_it_is_recorded_passes(tmp_path: Path) -> None:
    write_bag(tmp_path / 'bag', recording(3))
    check_bag(tmp_path / 'bag')
    check_bag(next((tmp_path / 'bag').glob('*.mcap')))


def test_a_chunk_of_exactly_the_most_passes(tmp_path: Path) -> None:
    check_bag(write(tmp_path, record(HEADER, b''), chunk(MAX_CHUNK_BYTES)))


def test_a_file_of_another_kind_is_left_to_its_own_reader(tmp_path: Path) -> None:
    path = tmp_path / 'a.db3'
    path.write_bytes(b'SQLite format 3\0' + record(CHUNK, b'', length=2**60))
    check_bag(path)


def test_a_record_longer_than_the_file_is_refused_with_both_numbers(tmp_path: Path) -> None:
    # The magic is 8 bytes, an empty header 9: the second record is at byte 17, of 9 + 4.
    path = write(tmp_path, record(HEADER, b''), record(CHUNK, b'1234', length=5))
    words = (
        r'a\.mcap: damaged: a record of 5 bytes at byte 17 does not fit the 30 bytes of the file'
    )
    with pytest.raises(DataError, match=words):
        check_bag(path)


def test_a_chunk_that_claims_to_unpack_to_too_much_is_refused(tmp_path: Path) -> None:
    words = f'the chunk at byte 8 claims {TOO_MUCH} bytes, more than {MAX_CHUNK_BYTES}'
    with pytest.raises(DataError, match=words):
        check_bag(write(tmp_path, chunk(TOO_MUCH)))


# zstd: magic, a descriptor of one segment with 8 bytes of size. lz4: magic, flags with a size,
# block size, then 8 bytes of size.
ZSTD = b'\x28\xb5\x2f\xfd' + bytes([0b1110_0000])
LZ4 = b'\x04\x22\x4d\x18' + bytes([0b0110_1000, 0x70])


@pytest.mark.parametrize(('head', 'name'), [(ZSTD, b'zstd'), (LZ4, b'lz4')])
def test_a_frame_that_claims_more_than_its_chunk_says_is_refused(
    tmp_path: Path, head: bytes, name: bytes
) -> None:
    data = head + struct.pack('<Q', 2**40) + bytes(8)
    with pytest.raises(DataError, match=f'the chunk at byte 8 claims {2**40} bytes'):
        check_bag(write(tmp_path, chunk(100, data, compression=name)))


def test_a_chunk_index_is_held_against_the_bound_too(tmp_path: Path) -> None:
    index = struct.pack('<QQQQ', 0, 0, 100, TOO_MUCH)  # packed and unpacked size are its last
    with pytest.raises(DataError, match=f'the chunk at byte 8 claims {TOO_MUCH} bytes'):
        check_bag(write(tmp_path, record(CHUNK_INDEX, index)))


def test_a_chunk_too_short_for_its_own_head_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='the chunk at byte 8 is cut short'):
        check_bag(write(tmp_path, record(CHUNK, bytes(20))))


def test_nothing_is_read_behind_the_footer(tmp_path: Path) -> None:
    check_bag(write(tmp_path, record(FOOTER, bytes(20)), record(CHUNK, b'', length=2**60)))
