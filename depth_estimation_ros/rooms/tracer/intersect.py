"""Where a ray enters a primitive (numba kernels).

A primitive is a row of numbers: centre (3), rotation world -> local (3x3, by rows), half extents
(3), taper, then those named in `arrays`. All are convex and only entering hits count, so a ray
that starts on a surface never hits that surface again. Directions need no unit length: hits are
parameters t of o + t d.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from depth_estimation_ros.rooms.tracer.jit import kernel

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.tracer.arrays import Array
    from depth_estimation_ros.rooms.tracer.vector import Vec

BOX = 0
CYLINDER = 1  # along local z; taper = radius at the top / radius at the bottom
ELLIPSOID = 2
NO_HIT = 1e30
_TINY = 1e-12


@kernel
def to_local(prims: Array, i: int, v: Vec) -> Vec:
    """Turn a world vector into a primitive's axes."""
    return (
        prims[i, 3] * v[0] + prims[i, 4] * v[1] + prims[i, 5] * v[2],
        prims[i, 6] * v[0] + prims[i, 7] * v[1] + prims[i, 8] * v[2],
        prims[i, 9] * v[0] + prims[i, 10] * v[1] + prims[i, 11] * v[2],
    )


@kernel
def to_world(prims: Array, i: int, v: Vec) -> Vec:
    """Turn a vector in a primitive's axes into the world's."""
    return (
        prims[i, 3] * v[0] + prims[i, 6] * v[1] + prims[i, 9] * v[2],
        prims[i, 4] * v[0] + prims[i, 7] * v[1] + prims[i, 10] * v[2],
        prims[i, 5] * v[0] + prims[i, 8] * v[1] + prims[i, 11] * v[2],
    )


@kernel
def from_center(prims: Array, i: int, p: Vec) -> Vec:
    """Return a world point in a primitive's coordinates."""
    return to_local(prims, i, (p[0] - prims[i, 0], p[1] - prims[i, 1], p[2] - prims[i, 2]))


@kernel
def _slab_entry(o: float, d: float, half: float) -> tuple[float, float]:
    if abs(d) < _TINY:
        d = _TINY
    inverse = 1.0 / d
    reach = abs(half * inverse)
    middle = -o * inverse
    return middle - reach, middle + reach


@kernel
def _enter_box(o: Vec, d: Vec, half: Vec) -> float:
    near_x, far_x = _slab_entry(o[0], d[0], half[0])
    near_y, far_y = _slab_entry(o[1], d[1], half[1])
    near_z, far_z = _slab_entry(o[2], d[2], half[2])
    near = max(near_x, max(near_y, near_z))
    far = min(far_x, min(far_y, far_z))
    return near if near < far else NO_HIT


@kernel
def _enter_ellipsoid(o: Vec, d: Vec) -> float:
    a = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    b = o[0] * d[0] + o[1] * d[1] + o[2] * d[2]
    c = o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - 1.0
    discriminant = b * b - a * c
    if discriminant <= 0.0:
        return NO_HIT
    return (-b - math.sqrt(discriminant)) / a


@kernel
def _enter_cylinder(o: Vec, d: Vec, taper: float, t_min: float) -> float:
    mean = 0.5 * (1.0 + taper)
    slope = 0.5 * (taper - 1.0)
    best = NO_HIT
    if abs(d[2]) > _TINY:  # the cap that faces the ray
        cap = -1.0 if d[2] > 0.0 else 1.0
        t = (cap - o[2]) / d[2]
        x = o[0] + t * d[0]
        y = o[1] + t * d[1]
        radius = mean + slope * cap
        if t > t_min and x * x + y * y <= radius * radius:
            best = t
    r = mean + slope * o[2]
    a = d[0] * d[0] + d[1] * d[1] - slope * slope * d[2] * d[2]
    b = o[0] * d[0] + o[1] * d[1] - r * slope * d[2]
    c = o[0] * o[0] + o[1] * o[1] - r * r
    discriminant = b * b - a * c
    if discriminant <= 0.0 or abs(a) < _TINY:
        return best
    t = (-b - math.sqrt(discriminant)) / a
    z = o[2] + t * d[2]
    if t_min < t < best and abs(z) <= 1.0:
        best = t
    return best


@kernel
def enter_primitive(prims: Array, i: int, origin: Vec, direction: Vec, t_min: float) -> float:
    """Return t at which the ray enters the primitive, or a value <= t_min or NO_HIT."""
    o = from_center(prims, i, origin)
    d = to_local(prims, i, direction)
    half = (prims[i, 12], prims[i, 13], prims[i, 14])
    kind = int(prims[i, 16])
    if kind == BOX:
        return _enter_box(o, d, half)
    o = (o[0] / half[0], o[1] / half[1], o[2] / half[2])
    d = (d[0] / half[0], d[1] / half[1], d[2] / half[2])
    if kind == CYLINDER:
        return _enter_cylinder(o, d, prims[i, 15], t_min)
    return _enter_ellipsoid(o, d)
