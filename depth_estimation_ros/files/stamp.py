"""The stamp of a serialised ROS 2 message, without ROS."""

from __future__ import annotations

import struct

from depth_estimation_ros.errors import DataError

__all__ = ['header_stamp']

_OFFSET = 4  # behind the encapsulation header, whose second byte tells the byte order
_STAMPS = (struct.Struct('>iI'), struct.Struct('<iI'))


def header_stamp(data: bytes) -> int:
    """Return the stamp [ns] of a serialised message whose first field is a header.

    Raises:
        DataError: The message is too short for one.
    """
    if len(data) < _OFFSET + _STAMPS[0].size:
        raise DataError(f'a message of {len(data)} bytes has no header')
    seconds, nanoseconds = _STAMPS[data[1] & 1].unpack_from(data, _OFFSET)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)
