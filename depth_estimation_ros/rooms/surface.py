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
def _local(row: Array, px: float, py: float, pz: float) -> tuple[float, float, float]:
    x = px - row[0]
    y = py - row[1]
    z = pz - row[2]
    return (
        row[3] * x + row[4] * y + row[5] * z,
        row[6] * x + row[7] * y + row[8] * z,
        row[9] * x + row[10] * y + row[11] * z,
    )


@kernel
def _local_normal(
    row: Array, kind: int, x: float, y: float, z: float
) -> tuple[float, float, float, int]:
    """Return the outward normal (not yet of unit length) and the face number."""
    if kind == BOX:
        rx = abs(x) / row[12]
        ry = abs(y) / row[13]
        rz = abs(z) / row[14]
        if rx >= ry and rx >= rz:
            return (1.0, 0.0, 0.0, 0) if x > 0.0 else (-1.0, 0.0, 0.0, 1)
        if ry >= rz:
            return (0.0, 1.0, 0.0, 2) if y > 0.0 else (0.0, -1.0, 0.0, 3)
        return (0.0, 0.0, 1.0, 4) if z > 0.0 else (0.0, 0.0, -1.0, 5)
    x /= row[12] * row[12]
    y /= row[13] * row[13]
    if kind == CYLINDER:
        unit = z / row[14]
        radius = 0.5 * (1.0 + row[15]) + 0.5 * (row[15] - 1.0) * unit
        around = (x * row[12]) ** 2 + (y * row[13]) ** 2
        if abs(unit) > 0.9999 and around < radius * radius * 0.9998:
            return (0.0, 0.0, 1.0, 4) if unit > 0.0 else (0.0, 0.0, -1.0, 5)
        return x, y, -radius * 0.5 * (row[15] - 1.0) / row[14], 0
    return x, y, z / (row[14] * row[14]), 0


@kernel
def surface_normal(
    scene: SceneArrays, prim: int, px: float, py: float, pz: float
) -> tuple[float, float, float, int]:
    """Return the unit outward normal in the world and the face (0..5) of a point on a primitive."""
    row = scene.prims[prim]
    x, y, z = _local(row, px, py, pz)
    nx, ny, nz, face = _local_normal(row, scene.kinds[prim], x, y, z)
    wx = row[3] * nx + row[6] * ny + row[9] * nz
    wy = row[4] * nx + row[7] * ny + row[10] * nz
    wz = row[5] * nx + row[8] * ny + row[11] * nz
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
    material = scene.materials[scene.prim_material[prim]]
    row = scene.prims[prim]
    if material[18] > 0.5:
        if abs(nz) > 0.7:
            return albedo(material, px, py, footprint, 0)
        along = px if abs(ny) > abs(nx) else py
        return albedo(material, along, pz, footprint, 0)
    x, y, z = _local(row, px, py, pz)
    if scene.kinds[prim] == BOX:
        if face < 2:
            return albedo(material, y, z, footprint, prim)
        if face < 4:
            return albedo(material, x, z, footprint, prim)
        return albedo(material, x, y, footprint, prim)
    if scene.kinds[prim] == CYLINDER and face != 0:
        return albedo(material, x, y, footprint, prim)
    u = math.atan2(y, x) * row[12]
    return albedo(material, u, z, footprint, prim)
