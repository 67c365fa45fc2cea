"""Depth images, clouds and camera models out of ROS messages, for pictures and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField

from depth_estimation_ros.camera.encodings import DEPTH_UNITS, decode_depth
from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.depth.depth_image import colorize, from_16uc1, impossible_depth
from depth_estimation_ros.errors import ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sensor_msgs.msg import CameraInfo, Image


def depth_from_message(message: Image) -> NDArray[np.float32]:
    """Read a depth image, 32FC1 [m] or 16UC1 [mm].

    Returns:
        (H, W) float32 [m], NaN or Inf = no depth.

    Raises:
        ImageError: The encoding is another one, or the bytes are too few.
    """
    depth = _raw_depth(message)
    if message.encoding == '16UC1':
        return from_16uc1(depth)
    return np.asarray(depth, dtype=np.float32)


def sensor_depth_from_message(
    message: Image, *, depth_invalid: float | None = None
) -> tuple[NDArray[np.float32], int]:
    """Read a depth image of a sensor, which may have marks for none, 32FC1 [m] or 16UC1 [mm].

    Args:
        message: The depth image.
        depth_invalid: A value in it that means none; 65535 in 16 bits always does.

    Returns:
        (H, W) float32 [m], NaN or Inf = no depth, and how many pixels had a mark for none or more
        than any sensor measures.

    Raises:
        ImageError: The encoding is another one, or the bytes are too few.
    """
    metres_per_unit = DEPTH_UNITS.get(message.encoding, 1.0)
    impossible = impossible_depth(
        _raw_depth(message), metres_per_unit, depth_invalid=depth_invalid
    )
    depth = depth_from_message(message)
    impossible &= ~np.isinf(depth)
    return np.where(impossible, np.float32(np.nan), depth), int(np.count_nonzero(impossible))


def _raw_depth(message: Image) -> NDArray[Any]:
    return decode_depth(
        message.data,
        encoding=message.encoding,
        height=message.height,
        width=message.width,
        step=message.step,
        is_bigendian=bool(message.is_bigendian),
    )


def points_from_message(message: PointCloud2) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Read a cloud of XYZ or XYZRGB points.

    Returns:
        (N, 3) float32 [m], NaN = no point, and (N, 3) uint8 RGB; without colours of their own the
        points are coloured by their depth.

    Raises:
        ImageError: The cloud lacks x, y or z, or they are not float32.
    """
    offsets = {
        field.name: field.offset
        for field in message.fields
        if field.datatype in (PointField.FLOAT32, PointField.UINT32)
    }
    missing = [name for name in ('x', 'y', 'z') if name not in offsets]
    if missing:
        raise ImageError(f'point cloud has no float32 field {", ".join(missing)}')
    order = '>' if message.is_bigendian else '<'
    names = [name for name in ('x', 'y', 'z', 'rgb') if name in offsets]
    layout = np.dtype(
        {
            'names': names,
            'formats': [f'{order}u4' if name == 'rgb' else f'{order}f4' for name in names],
            'offsets': [offsets[name] for name in names],
            'itemsize': message.point_step,
        }
    )
    shape, strides = (message.height, message.width), (message.row_step, message.point_step)
    records: NDArray[Any] = np.ndarray(
        shape, dtype=layout, buffer=message.data, strides=strides
    ).ravel()
    points = np.stack([records[name] for name in ('x', 'y', 'z')], axis=1).astype(np.float32)
    if 'rgb' not in names:
        return points, _colors_by_depth(points[:, 2])
    packed = records['rgb']
    colors = np.stack([(packed >> shift) & 0xFF for shift in (16, 8, 0)], axis=1)
    return points, colors.astype(np.uint8)


def intrinsics_from_message(message: CameraInfo) -> CameraIntrinsics:
    """Read K as it stands; the values may be zeros."""
    return CameraIntrinsics(
        width=message.width,
        height=message.height,
        fx=float(message.k[0]),
        fy=float(message.k[4]),
        cx=float(message.k[2]),
        cy=float(message.k[5]),
    )


def _colors_by_depth(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    valid = depth[np.isfinite(depth)]
    if valid.size == 0:
        return np.zeros((depth.size, 3), dtype=np.uint8)
    low, high = np.percentile(valid, (1, 99))
    far = max(float(high), float(low) + 0.5)
    bgr = colorize(depth[np.newaxis], min_depth=float(low), max_depth=far)
    return np.ascontiguousarray(bgr[0, :, ::-1])
