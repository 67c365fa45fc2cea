"""Point clouds as binary PLY files, which MeshLab, CloudCompare and Blender open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.files.atomic import atomic_write

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ['write_ply']

_VERTEX = np.dtype([('xyz', '<f4', 3), ('rgb', 'u1', 3)])


def write_ply(
    path: str | os.PathLike[str],
    points: NDArray[np.float32],
    colors: NDArray[np.uint8] | None = None,
) -> int:
    """Write the points of a coloured cloud that are finite, complete or not at all.

    Args:
        path: File to create or replace.
        points: (..., 3) float32 x, y, z [m]; or (..., 4) with packed rgb, from PointCloudBuilder.
        colors: (..., 3) uint8 RGB; None = those packed in the points.

    Returns:
        The number of points written.

    Raises:
        OSError: The file cannot be written.
    """
    flat = points.reshape(-1, points.shape[-1])
    is_point = np.isfinite(flat[:, :3]).all(axis=1)
    vertices = np.empty(int(is_point.sum()), dtype=_VERTEX)
    vertices['xyz'] = flat[is_point, :3]
    if colors is not None:
        vertices['rgb'] = colors.reshape(-1, 3)[is_point]
    else:
        packed = np.ascontiguousarray(flat[is_point, 3]).view('<u4')
        for channel, shift in enumerate((16, 8, 0)):
            vertices['rgb'][:, channel] = (packed >> np.uint32(shift)) & np.uint32(0xFF)
    with atomic_write(path) as file:
        file.write(_header(len(vertices)))
        file.write(vertices.tobytes())
    return len(vertices)


def _header(num_points: int) -> bytes:
    properties = [f'property float {axis}' for axis in 'xyz']
    properties += [f'property uchar {color}' for color in ('red', 'green', 'blue')]
    lines = [
        'ply',
        'format binary_little_endian 1.0',
        'comment x right, y down, z forward [m]',
        f'element vertex {num_points}',
        *properties,
        'end_header',
    ]
    return ('\n'.join(lines) + '\n').encode('ascii')
