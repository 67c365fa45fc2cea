"""What a ray finds where it hits: normal, face, texture coordinates, colour (numba kernels)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from depth_estimation_ros.rooms.tracer.intersect import BOX, CYLINDER, from_center, to_world
from depth_estimation_ros.rooms.tracer.jit import kernel
from depth_estimation_ros.rooms.tracer.textures import albedo

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.tracer.arrays import Array
    from depth_estimation_ros.rooms.tracer.vector import Vec


@kernel
def _box_normal(prims: Array, i: int, p: Vec) -> tuple[Vec, int]:
    rx = abs(p[0]) / prims[i, 12]
    ry = abs(p[1]) / prims[i, 13]
    rz = abs(p[2]) / prims[i, 14]
    if rx >= ry and rx >= rz:
        return ((1.0, 0.0, 0.0), 0) if p[0] > 0.0 else ((-1.0, 0.0, 0.0), 1)
    if ry >= rz:
        return ((0.0, 1.0, 0.0), 2) if p[1] > 0.0 else ((0.0, -1.0, 0.0), 3)
    return ((0.0, 0.0, 1.0), 4) if p[2] > 0.0 else ((0.0, 0.0, -1.0), 5)


@kernel
def _round_normal(prims: Array, i: int, kind: int, p: Vec) -> tuple[Vec, int]:
    """Return the gradient of a cylinder's or ellipsoid's surface and the face number."""
    x = p[0] / (prims[i, 12] * prims[i, 12])
    y = p[1] / (prims[i, 13] * prims[i, 13])
    if kind != CYLINDER:
        return (x, y, p[2] / (prims[i, 14] * prims[i, 14])), 0
    unit = p[2] / prims[i, 14]
    slope = 0.5 * (prims[i, 15] - 1.0)
    radius = 0.5 * (1.0 + prims[i, 15]) + slope * unit
    around = x * p[0] + y * p[1]
    if abs(unit) > 0.9999 and around < radius * radius * 0.9998:
        return ((0.0, 0.0, 1.0), 4) if unit > 0.0 else ((0.0, 0.0, -1.0), 5)
    return (x, y, -radius * slope / prims[i, 14]), 0


@kernel
def surface_normal(prims: Array, i: int, point: Vec) -> tuple[Vec, int]:
    """Return the unit outward normal in the world and the face (0..5) of a surface point."""
    local = from_center(prims, i, point)
    kind = int(prims[i, 16])
    if kind == BOX:
        normal, face = _box_normal(prims, i, local)
        return to_world(prims, i, normal), face
    normal, face = _round_normal(prims, i, kind, local)
    x, y, z = to_world(prims, i, normal)
    scale = 1.0 / math.sqrt(x * x + y * y + z * z)
    return (x * scale, y * scale, z * scale), face


@kernel
def surface_color(
    prims: Array, materials: Array, i: int, face: int, point: Vec, normal: Vec, footprint: float
) -> Vec:
    """Return the linear reflectance of a point on a primitive.

    Args:
        prims: (P, 19) float64.
        materials: (M, 20) float64.
        i: The primitive.
        face: Which of its faces.
        point: In the world [m].
        normal: Unit outward normal in the world.
        footprint: Width of a pixel on the surface [m].
    """
    mi = int(prims[i, 18])
    u, v, offset = point[0], point[1], 0
    if materials[mi, 18] > 0.5:  # a texture of the world
        if abs(normal[2]) <= 0.7:
            u, v = (point[0] if abs(normal[1]) > abs(normal[0]) else point[1]), point[2]
        return albedo(materials, mi, u, v, footprint, offset)
    x, y, z = from_center(prims, i, point)
    if prims[i, 16] == BOX:
        if face < 2:
            u, v = y, z
        elif face < 4:
            u, v = x, z
        else:
            u, v = x, y
    elif face != 0:
        u, v = x, y
    else:
        u, v = math.atan2(y, x) * prims[i, 12], z
    return albedo(materials, mi, u, v, footprint, i)
