"""Images and depth out of serialised ROS 2 messages, without ROS.

Follows REP 118: depth is 16UC1 in millimetres, 0 = missing, or 32FC1 in metres.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from depth_estimation_ros.training.data.rgbd_decoding import decode_depth_png
from depth_estimation_ros.training.data.rgbd_sample import SampleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMAGE_TYPE: Final = 'sensor_msgs/msg/Image'
COMPRESSED_TYPE: Final = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO_TYPE: Final = 'sensor_msgs/msg/CameraInfo'

# Encoding -> channels, and which of them are red, green and blue.
_COLOUR: Final[dict[str, tuple[int, tuple[int, ...]]]] = {
    'rgb8': (3, (0, 1, 2)),
    'bgr8': (3, (2, 1, 0)),
    'rgba8': (4, (0, 1, 2)),
    'bgra8': (4, (2, 1, 0)),
    'mono8': (1, (0, 0, 0)),
}
# Encoding -> type, and what 1 stands for [m].
_DEPTH: Final = {'16UC1': ('u2', 0.001), '32FC1': ('f4', 1.0)}
_COMPRESSED_DEPTH_HEADER: Final = struct.Struct('<iff')


def header_stamp(data: bytes) -> int:
    """Return the stamp [ns] of a serialised message that starts with a header."""
    if len(data) < 12:
        raise SampleError(f'a message of {len(data)} bytes has no header')
    order = '<' if data[1] & 1 else '>'
    seconds, nanoseconds = struct.unpack_from(f'{order}iI', data, 4)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def colour_image(message: Any, name: str) -> NDArray[np.uint8]:
    """Return a sensor_msgs/Image as (H, W, 3) uint8 RGB.

    Raises:
        SampleError: Another encoding, or less data than it says.
    """
    if message.encoding not in _COLOUR:
        raise SampleError(
            f'{name}: encoding {message.encoding!r}, expected one of {", ".join(_COLOUR)}'
        )
    num_channels, order = _COLOUR[message.encoding]
    pixels = _rows(message, np.dtype('u1'), num_channels, name)
    if order == (0, 1, 2) and num_channels == 3:
        return np.ascontiguousarray(pixels)
    return np.ascontiguousarray(pixels[:, :, list(order)])


def raw_depth(message: Any, name: str) -> tuple[NDArray[Any], float]:
    """Return a sensor_msgs/Image as (H, W) depth, and what 1 in it stands for [m].

    Raises:
        SampleError: Another encoding, or less data than it says.
    """
    if message.encoding not in _DEPTH:
        raise SampleError(
            f'{name}: encoding {message.encoding!r}, expected depth as {" or ".join(_DEPTH)}'
        )
    kind, metres_per_unit = _DEPTH[message.encoding]
    dtype = np.dtype(kind).newbyteorder('>' if message.is_bigendian else '<')
    values = _rows(message, dtype, 1, name)[:, :, 0]
    return np.ascontiguousarray(values, dtype=dtype.newbyteorder('=')), metres_per_unit


def compressed_depth(message: Any, name: str) -> tuple[NDArray[Any], float]:
    """Return a sensor_msgs/CompressedImage of depth, and what 1 in it stands for [m].

    Reads what compressed_depth_image_transport writes (16UC1 and 32FC1 as PNG) and 16UC1 as a
    plain PNG.

    Raises:
        SampleError: Another format, or damaged.
    """
    encoding = message.format.split(';')[0].strip()
    data = bytes(message.data)
    if encoding not in _DEPTH:
        raise SampleError(f'{name}: format {message.format!r}, expected 16UC1 or 32FC1 depth')
    if 'compressedDepth' not in message.format:
        if encoding != '16UC1':
            raise SampleError(f'{name}: format {message.format!r} cannot hold depth')
        return decode_depth_png(data, dtype=np.uint16, name=name), 0.001
    if len(data) < _COMPRESSED_DEPTH_HEADER.size:
        raise SampleError(f'{name}: {len(data)} bytes, too few for compressed depth')
    _, scale, offset = _COMPRESSED_DEPTH_HEADER.unpack_from(data)
    levels = decode_depth_png(data[_COMPRESSED_DEPTH_HEADER.size :], dtype=np.uint16, name=name)
    if encoding == '16UC1':
        return levels, 0.001
    known = levels > 0  # inverse depth in levels
    inverse = np.where(known, levels, 1).astype(np.float32) - np.float32(offset)
    return np.where(known, np.float32(scale) / inverse, np.float32(0)), 1.0


def _rows(message: Any, dtype: np.dtype[Any], num_channels: int, name: str) -> NDArray[Any]:
    """Return (H, W, channels) of an image whose rows may be padded."""
    height, width, step = int(message.height), int(message.width), int(message.step)
    row_bytes = width * num_channels * dtype.itemsize
    data = np.frombuffer(message.data, np.uint8)
    if height < 1 or width < 1 or step < row_bytes or data.size < step * height:
        raise SampleError(
            f'{name}: {width}x{height} {message.encoding} with step {step} and {data.size} bytes: '
            f'needs a step of {row_bytes} and {step * height} bytes'
        )
    rows = data[: step * height].reshape(height, step)[:, :row_bytes]
    return np.ascontiguousarray(rows).view(dtype).reshape(height, width, num_channels)
