"""What a ray finds where it hits: normal, face, texture coordinates, colour (numba kernels)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .intersect import BOX, CYLINDER
from .jit import kernel
from .textures import albedo

if TYPE_CHECKING:
    from .arrays import Array, SceneArrays


@kernel
def _local(prims: Array, prim: int, px: float, py: float, pz: float) -> tuple[float, float, float]:
    x = px - prims[prim, 0]
    y = py - prims[prim, 1]
    z = pz - prims[prim, 2]
    return (
        prims[prim, 3] * x + prims[prim, 4] * y + prims[prim, 5] * z,
        prims[prim, 6] * x + prims[prim, 7] * y + prims[prim, 8] * z,
        prims[prim, 9] * x + prims[prim, 10] * y + prims[prim, 11] * z,
    )


@kernel
def _local_normal(
    prims: Array, prim: int, kind: int, x: float, y: float, z: float
) -> tuple[float, float, float, int]:
    """Return the outward normal (not yet of unit length) and the face number."""
    if kind == BOX:
        rx = abs(x) / prims[prim, 12]
        ry = abs(y) / prims[prim, 13]
        rz = abs(z) / prims[prim, 14]
        if rx >= ry and rx >= rz:
            return (1.0, 0.0, 0.0, 0) if x > 0.0 else (-1.0, 0.0, 0.0, 1)
        if ry >= rz:
            return (0.0, 1.0, 0.0, 2) if y > 0.0 else (0.0, -1.0, 0.0, 3)
        return (0.0, 0.0, 1.0, 4) if z > 0.0 else (0.0, 0.0, -1.0, 5)
    x /= prims[prim, 12] * prims[prim, 12]
    y /= prims[prim, 13] * prims[prim, 13]
    if kind == CYLINDER:
        unit = z / prims[prim, 14]
        radius = 0.5 * (1.0 + prims[prim, 15]) + 0.5 * (prims[prim, 15] - 1.0) * unit
        around = (x * prims[prim, 12]) ** 2 + (y * prims[prim, 13]) ** 2
        if abs(unit) > 0.9999 and around < radius * radius * 0.9998:
            return (0.0, 0.0, 1.0, 4) if unit > 0.0 else (0.0, 0.0, -1.0, 5)
        return x, y, -radius * 0.5 * (prims[prim, 15] - 1.0) / prims[prim, 14], 0
    return x, y, z / (prims[prim, 14] * prims[prim, 14]), 0


@kernel
def surface_normal(
    scene: SceneArrays, prim: int, px: float, py: float, pz: float
) -> tuple[float, float, float, int]:
    """Return the unit outward normal in the world and the face (0..5) of a point on a primitive."""
    prims = scene.prims
    x, y, z = _local(prims, prim, px, py, pz)
    nx, ny, nz, face = _local_normal(prims, prim, int(scene.prims[prim, 16]), x, y, z)
    wx = prims[prim, 3] * nx + prims[prim, 6] * ny + prims[prim, 9] * nz
    wy = prims[prim, 4] * nx + prims[prim, 7] * ny + prims[prim, 10] * nz
    wz = prims[prim, 5] * nx + prims[prim, 8] * ny + prims[prim, 11] * nz
    scale = 1.0 / math.sqrt(wx * wx + wy * wy + wz * wz)
    return wx * scale, wy * scale, wz * scale, face


@kernel
def surface_color(
    scene: SceneArrays,
    prim: int,
    face: int,
    px: float,
    py: float,
    pz: float,
    nx: float,
    ny: float,
    nz: float,
    footprint: float,
) -> tuple[float, float, float]:
    """Return the linear reflectance (red, green, blue) of a point on a primitive."""
    m = scene.materials
    mi = int(scene.prims[prim, 18])
    prims = scene.prims
    if m[mi, 18] > 0.5:
        if abs(nz) > 0.7:
            return albedo(m, mi, px, py, footprint, 0)
        along = px if abs(ny) > abs(nx) else py
        return albedo(m, mi, along, pz, footprint, 0)
    x, y, z = _local(prims, prim, px, py, pz)
    if int(scene.prims[prim, 16]) == BOX:
        if face < 2:
            return albedo(m, mi, y, z, footprint, prim)
        if face < 4:
            return albedo(m, mi, x, z, footprint, prim)
        return albedo(m, mi, x, y, footprint, prim)
    if int(scene.prims[prim, 16]) == CYLINDER and face != 0:
        return albedo(m, mi, x, y, footprint, prim)
    u = math.atan2(y, x) * prims[prim, 12]
    return albedo(m, mi, u, z, footprint, prim)
