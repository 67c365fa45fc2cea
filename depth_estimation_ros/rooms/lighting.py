"""Light that falls on surfaces: lamps, windows, sun, one bounce (numba kernels).

A light is a row of 16 numbers: position (3), two half axes of its area (3 + 3), normal (3; zero: it
shines all round), intensity (3), kind (0 lamp or window, 1 sun: the normal is where light goes).
Each pixel takes one of sixteen samples (a 4x4 pattern) of one light and of the hemisphere; the
filter in `shading` averages the sixteen, so light is soft and free of noise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .bvh import trace
from .jit import kernel
from .surface import surface_normal

if TYPE_CHECKING:
    from .arrays import Array, SceneArrays

SUN = 1
_FAR = 60.0


@kernel
def light_from(
    lights: Array,
    li: int,
    s: float,
    r: float,
    px: float,
    py: float,
    pz: float,
    nx: float,
    ny: float,
    nz: float,
) -> tuple[float, float, float, float]:
    """Return the way (not of unit length) to a point of a light and its irradiance factor here."""
    if lights[li, 15] == SUN:
        dx = -lights[li, 9] * _FAR
        dy = -lights[li, 10] * _FAR
        dz = -lights[li, 11] * _FAR
        return dx, dy, dz, max(0.0, (nx * dx + ny * dy + nz * dz) / _FAR)
    a = 2.0 * s - 1.0
    b = 2.0 * r - 1.0
    dx = lights[li, 0] + a * lights[li, 3] + b * lights[li, 6] - px
    dy = lights[li, 1] + a * lights[li, 4] + b * lights[li, 7] - py
    dz = lights[li, 2] + a * lights[li, 5] + b * lights[li, 8] - pz
    squared = dx * dx + dy * dy + dz * dz + 1e-9
    distance = math.sqrt(squared)
    cosine = (nx * dx + ny * dy + nz * dz) / distance
    if cosine <= 0.0:
        return dx, dy, dz, 0.0
    emitted = 1.0
    if lights[li, 9] != 0.0 or lights[li, 10] != 0.0 or lights[li, 11] != 0.0:
        emitted = -(lights[li, 9] * dx + lights[li, 10] * dy + lights[li, 11] * dz) / distance
        emitted = max(0.0, 0.1 + 0.9 * emitted)
    return dx, dy, dz, cosine * emitted / (squared + 0.15)


@kernel
def rough_irradiance(
    scene: SceneArrays, px: float, py: float, pz: float, nx: float, ny: float, nz: float
) -> tuple[float, float, float]:
    """Return irradiance without asking for shadows: good enough for what is seen at second hand."""
    red = scene.lights[0, 0]
    green = scene.lights[0, 1]
    blue = scene.lights[0, 2]
    for i in range(1, len(scene.lights)):
        lights, li = scene.lights, i
        if lights[li, 15] == SUN:
            continue
        _, _, _, factor = light_from(lights, li, 0.5, 0.5, px, py, pz, nx, ny, nz)
        factor = min(0.8 * factor, 0.2)  # a small bright patch would sparkle
        red += factor * lights[li, 12]
        green += factor * lights[li, 13]
        blue += factor * lights[li, 14]
    return red, green, blue


@kernel
def direct_light(
    scene: SceneArrays,
    sample: int,
    px: float,
    py: float,
    pz: float,
    nx: float,
    ny: float,
    nz: float,
) -> tuple[float, float, float, int]:
    """Sample one light with its shadow.

    Returns:
        Irradiance (red, green, blue) times the number of lights, and the light if it is seen or -1.
    """
    count = len(scene.lights) - 1
    if count == 0:
        return 0.0, 0.0, 0.0, -1
    chosen = sample % count
    lights, li = scene.lights, chosen + 1
    s = (0.5 + 0.7548776662466927 * sample + 0.31 * chosen) % 1.0
    r = (0.5 + 0.5698402909980532 * sample + 0.17 * chosen) % 1.0
    dx, dy, dz, factor = light_from(lights, li, s, r, px, py, pz, nx, ny, nz)
    if factor <= 0.0:
        return 0.0, 0.0, 0.0, -1
    x = px + 1e-5 * nx
    y = py + 1e-5 * ny
    z = pz + 1e-5 * nz
    _, blocker = trace(scene, x, y, z, dx, dy, dz, 0.999, True)
    if blocker >= 0:
        return 0.0, 0.0, 0.0, -1
    factor *= count
    return factor * lights[li, 12], factor * lights[li, 13], factor * lights[li, 14], chosen


@kernel
def bounced_light(
    scene: SceneArrays,
    sample: int,
    px: float,
    py: float,
    pz: float,
    nx: float,
    ny: float,
    nz: float,
) -> tuple[float, float, float]:
    """Sample the hemisphere once (cosine-weighted): colour of what is met there, or the ambient."""
    s = (0.5 + 0.7548776662466927 * sample) % 1.0
    angle = 6.283185307179586 * ((0.5 + 0.5698402909980532 * sample) % 1.0)
    radius = math.sqrt(s)
    a = radius * math.cos(angle)
    b = radius * math.sin(angle)
    c = math.sqrt(1.0 - s)
    sign = 1.0 if nz >= 0.0 else -1.0  # an orthonormal basis without branches
    h = -1.0 / (sign + nz)
    k = nx * ny * h
    dx = a * (1.0 + sign * nx * nx * h) + b * k + c * nx
    dy = a * sign * k + b * (sign + ny * ny * h) + c * ny
    dz = -a * sign * nx - b * ny + c * nz
    ox = px + 1e-5 * nx
    oy = py + 1e-5 * ny
    oz = pz + 1e-5 * nz
    t, prim = trace(scene, ox, oy, oz, dx, dy, dz, _FAR, False)
    if prim < 0:
        return scene.lights[0, 0], scene.lights[0, 1], scene.lights[0, 2]
    x = ox + t * dx
    y = oy + t * dy
    z = oz + t * dz
    mx, my, mz, _ = surface_normal(scene, prim, x, y, z)
    m = scene.materials
    mi = int(scene.prims[prim, 18])
    if m[mi, 16] > 0.0:
        # The lamp itself is a light already.
        return scene.lights[0, 0], scene.lights[0, 1], scene.lights[0, 2]
    red, green, blue = rough_irradiance(scene, x, y, z, mx, my, mz)
    return (
        red * 0.7 * (m[mi, 1] + m[mi, 4]),
        green * 0.7 * (m[mi, 2] + m[mi, 5]),
        blue * 0.7 * (m[mi, 3] + m[mi, 6]),
    )
