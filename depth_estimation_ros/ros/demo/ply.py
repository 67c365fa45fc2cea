"""Point clouds as PLY files, which MeshLab, CloudCompare, Blender and Open3D open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_VERTEX = np.dtype(
    [
        ('x', '<f4'),
        ('y', '<f4'),
        ('z', '<f4'),
        ('red', 'u1'),
        ('green', 'u1'),
        ('blue', 'u1'),
    ]
)
_TYPE_NAMES = {'<f4': 'float', '|u1': 'uchar'}


def write_ply(path: Path, points: NDArray[np.float32], colors: NDArray[np.uint8]) -> int:
    """Write a binary PLY file.

    Args:
        path: File to write.
        points: (N, 3) float32 [m]; points with a NaN or Inf are left out.
        colors: (N, 3) uint8 RGB.

    Returns:
        How many points were written.
    """
    is_point = np.isfinite(points).all(axis=1)
    vertices = np.empty(int(is_point.sum()), dtype=_VERTEX)
    for axis, name in enumerate(('x', 'y', 'z')):
        vertices[name] = points[is_point, axis]
    for channel, name in enumerate(('red', 'green', 'blue')):
        vertices[name] = colors[is_point, channel]
    properties = [
        f'property {_TYPE_NAMES[_VERTEX[name].str]} {name}' for name in _VERTEX.names or ()
    ]
    header = [
        'ply',
        'format binary_little_endian 1.0',
        'comment optical frame: x right, y down, z forward, metres',
        f'element vertex {len(vertices)}',
        *properties,
        'end_header',
    ]
    with path.open('wb') as file:
        file.write(('\n'.join(header) + '\n').encode('ascii'))
        file.write(vertices.tobytes())
    return len(vertices)
