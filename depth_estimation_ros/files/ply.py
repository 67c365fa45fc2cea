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


def write_ply(path: str | os.PathLike[str], points: NDArray[np.float32]) -> int:
    """Write the valid points of a coloured cloud, complete or not at all.

    Args:
        path: File to create or replace.
        points: (h, w, 4) float32 x, y, z [m] and rgb, from PointCloudBuilder. NaN points are
            left out.

    Returns:
        The number of points written.

    Raises:
        OSError: The file cannot be written.
    """
    kept = points[np.isfinite(points[..., 2])]
    vertices = np.empty(len(kept), dtype=_VERTEX)
    vertices['xyz'] = kept[:, :3]
    colors = np.ascontiguousarray(kept[:, 3]).view('<u4')
    for channel, shift in enumerate((16, 8, 0)):
        vertices['rgb'][:, channel] = (colors >> np.uint32(shift)) & np.uint32(0xFF)
    with atomic_write(path) as file:
        file.write(_header(len(kept)))
        file.write(vertices.tobytes())
    return len(kept)


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
