"""Where a ray enters a primitive (numba kernels).

A primitive is a row of 16 numbers: centre (3), rotation world -> local (3x3, by rows), half extents
(3) and taper. All are convex and only entering hits count, so a ray that starts on a surface never
hits that surface again. Directions need no unit length: hits are parameters t of o + t d.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .jit import kernel

if TYPE_CHECKING:
    from .arrays import Array

BOX = 0
CYLINDER = 1  # along local z; taper = radius at the top / radius at the bottom
ELLIPSOID = 2
NO_HIT = 1e30
_TINY = 1e-12


@kernel
def _slab_entry(o: float, d: float, half: float) -> tuple[float, float]:
    if abs(d) < _TINY:
        d = _TINY
    inverse = 1.0 / d
    near = (-half - o) * inverse
    far = (half - o) * inverse
    if near > far:
        return far, near
    return near, far


@kernel
def _enter_box(
    ox: float,
    oy: float,
    oz: float,
    dx: float,
    dy: float,
    dz: float,
    hx: float,
    hy: float,
    hz: float,
) -> float:
    near, far = _slab_entry(ox, dx, hx)
    near_y, far_y = _slab_entry(oy, dy, hy)
    near = max(near, near_y)
    far = min(far, far_y)
    near_z, far_z = _slab_entry(oz, dz, hz)
    near = max(near, near_z)
    far = min(far, far_z)
    return near if near < far else NO_HIT


@kernel
def _enter_ellipsoid(ox: float, oy: float, oz: float, dx: float, dy: float, dz: float) -> float:
    a = dx * dx + dy * dy + dz * dz
    b = ox * dx + oy * dy + oz * dz
    c = ox * ox + oy * oy + oz * oz - 1.0
    discriminant = b * b - a * c
    if discriminant <= 0.0:
        return NO_HIT
    return (-b - math.sqrt(discriminant)) / a


@kernel
def _enter_cylinder(
    ox: float, oy: float, oz: float, dx: float, dy: float, dz: float, taper: float, t_min: float
) -> float:
    mean = 0.5 * (1.0 + taper)
    slope = 0.5 * (taper - 1.0)
    best = NO_HIT
    if abs(dz) > _TINY:  # the cap that faces the ray
        cap = -1.0 if dz > 0.0 else 1.0
        t = (cap - oz) / dz
        x = ox + t * dx
        y = oy + t * dy
        radius = mean + slope * cap
        if t > t_min and x * x + y * y <= radius * radius:
            best = t
    r = mean + slope * oz
    a = dx * dx + dy * dy - slope * slope * dz * dz
    b = ox * dx + oy * dy - r * slope * dz
    c = ox * ox + oy * oy - r * r
    discriminant = b * b - a * c
    if discriminant <= 0.0 or abs(a) < _TINY:
        return best
    t = (-b - math.sqrt(discriminant)) / a
    z = oz + t * dz
    if t > t_min and t < best and abs(z) <= 1.0:
        best = t
    return best


@kernel
def enter_primitive(
    prims: Array,
    i: int,
    kind: int,
    ox: float,
    oy: float,
    oz: float,
    dx: float,
    dy: float,
    dz: float,
    t_min: float,
) -> float:
    """Return t at which the ray enters the primitive, or a value <= t_min or NO_HIT."""
    px = ox - prims[i, 0]
    py = oy - prims[i, 1]
    pz = oz - prims[i, 2]
    lx = prims[i, 3] * px + prims[i, 4] * py + prims[i, 5] * pz
    ly = prims[i, 6] * px + prims[i, 7] * py + prims[i, 8] * pz
    lz = prims[i, 9] * px + prims[i, 10] * py + prims[i, 11] * pz
    ex = prims[i, 3] * dx + prims[i, 4] * dy + prims[i, 5] * dz
    ey = prims[i, 6] * dx + prims[i, 7] * dy + prims[i, 8] * dz
    ez = prims[i, 9] * dx + prims[i, 10] * dy + prims[i, 11] * dz
    hx = prims[i, 12]
    hy = prims[i, 13]
    hz = prims[i, 14]
    if kind == BOX:
        return _enter_box(lx, ly, lz, ex, ey, ez, hx, hy, hz)
    ix = 1.0 / hx
    iy = 1.0 / hy
    iz = 1.0 / hz
    if kind == CYLINDER:
        return _enter_cylinder(
            lx * ix, ly * iy, lz * iz, ex * ix, ey * iy, ez * iz, prims[i, 15], t_min
        )
    return _enter_ellipsoid(lx * ix, ly * iy, lz * iz, ex * ix, ey * iy, ez * iz)
