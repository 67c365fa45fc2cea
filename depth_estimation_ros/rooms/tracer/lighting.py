"""Light that falls on surfaces: lamps, windows, sun, one bounce (numba kernels).

A light is a row of 16 numbers: position (3), two half axes of its area (3 + 3), normal (3; zero:
it shines all round), intensity (3), kind (0 lamp or window, 1 sun: light goes along the normal);
row 0 of the lights is the ambient irradiance. Each pixel takes one of eight samples of one light
or of the hemisphere, by its place in a 4x4 pattern; the filter in `light_passes` averages them, so
light is soft and free of noise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.rooms.tracer.bvh import trace
from depth_estimation_ros.rooms.tracer.jit import kernel
from depth_estimation_ros.rooms.tracer.surface import surface_normal
from depth_estimation_ros.rooms.tracer.vector import along, dot, minus, scaled, times

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.tracer.arrays import Array, SceneArrays
    from depth_estimation_ros.rooms.tracer.vector import Vec

NUM_SAMPLES = 8
SUN = 1
_FAR = 60.0
_BRIGHTEST = 0.2  # of a light at second hand: small bright patches would sparkle
_LATER_BOUNCES = 1.4
_LIFT = 1e-5  # of new rays above their surface [m]


def _square_samples() -> Array:
    """Return (8, 2) well-spread points of the unit square (the R2 sequence)."""
    k = np.arange(NUM_SAMPLES)
    return np.stack([0.5 + 0.7548776662466927 * k, 0.5 + 0.5698402909980532 * k], axis=1) % 1.0


def _hemisphere_samples() -> Array:
    """Return (8, 3) directions about z, spread by the cosine."""
    s, r = _square_samples().T
    x, y = np.sqrt(s) * np.cos(2.0 * np.pi * r), np.sqrt(s) * np.sin(2.0 * np.pi * r)
    return np.stack([x, y, np.sqrt(1.0 - s)], axis=1)


_SQUARE = _square_samples()
_HEMISPHERE = _hemisphere_samples()


@kernel
def light_from(
    lights: Array, i: int, s: float, r: float, point: Vec, normal: Vec
) -> tuple[Vec, float]:
    """Return the way (not of unit length) to a point of a light and its irradiance factor here."""
    shining = (lights[i, 9], lights[i, 10], lights[i, 11])
    if lights[i, 15] == SUN:
        return scaled(shining, -_FAR), max(0.0, -dot(normal, shining))
    a = 2.0 * s - 1.0
    b = 2.0 * r - 1.0
    way = (
        lights[i, 0] + a * lights[i, 3] + b * lights[i, 6] - point[0],
        lights[i, 1] + a * lights[i, 4] + b * lights[i, 7] - point[1],
        lights[i, 2] + a * lights[i, 5] + b * lights[i, 8] - point[2],
    )
    cosine = dot(normal, way)
    if cosine <= 0.0:
        return way, 0.0
    squared = dot(way, way) + 1e-9
    distance = math.sqrt(squared)
    emitted = 1.0
    if shining[0] != 0.0 or shining[1] != 0.0 or shining[2] != 0.0:
        emitted = max(0.0, 0.1 - 0.9 * dot(shining, way) / distance)
    return way, cosine * emitted / (distance * (squared + 0.15))


@kernel
def rough_irradiance(lights: Array, point: Vec, normal: Vec) -> Vec:
    """Return irradiance without shadows: good enough for what is seen at second hand."""
    red, green, blue = lights[0, 0], lights[0, 1], lights[0, 2]
    for i in range(1, len(lights)):
        if lights[i, 15] == SUN:
            continue
        _, factor = light_from(lights, i, 0.5, 0.5, point, normal)
        factor = min(0.8 * factor, _BRIGHTEST)
        red += factor * lights[i, 12]
        green += factor * lights[i, 13]
        blue += factor * lights[i, 14]
    return red, green, blue


@kernel
def direct_light(scene: SceneArrays, sample: int, point: Vec, normal: Vec) -> tuple[Vec, int]:
    """Sample one light with its shadow.

    Returns:
        Irradiance times the number of lights, and the row of the light if it is seen or 0.
    """
    lights = scene.lights
    count = len(lights) - 1
    dark = (0.0, 0.0, 0.0)
    if count == 0:
        return dark, 0
    i = 1 + sample % count
    way, factor = light_from(lights, i, _SQUARE[sample, 0], _SQUARE[sample, 1], point, normal)
    if factor <= 0.0:
        return dark, 0
    start = along(point, _LIFT, normal)
    _, blocker = trace(scene.nodes, scene.prims, start, way, 0.999, True)
    if blocker >= 0:
        return dark, 0
    return scaled((lights[i, 12], lights[i, 13], lights[i, 14]), factor * count), i


@kernel
def _about(normal: Vec, a: float, b: float, c: float) -> Vec:
    """Turn a direction about z into one about a unit normal (a basis without branches)."""
    nx, ny, nz = normal
    sign = 1.0 if nz >= 0.0 else -1.0
    h = -1.0 / (sign + nz)
    k = nx * ny * h
    return (
        a * (1.0 + sign * nx * nx * h) + b * k + c * nx,
        a * sign * k + b * (sign + ny * ny * h) + c * ny,
        -a * sign * nx - b * ny + c * nz,
    )


@kernel
def bounced_light(scene: SceneArrays, sample: int, point: Vec, normal: Vec) -> Vec:
    """Sample the hemisphere once (by the cosine): light from the surface met there."""
    lights, m = scene.lights, scene.materials
    ambient = (lights[0, 0], lights[0, 1], lights[0, 2])
    direction = _about(
        normal, _HEMISPHERE[sample, 0], _HEMISPHERE[sample, 1], _HEMISPHERE[sample, 2]
    )
    start = along(point, _LIFT, normal)
    t, prim = trace(scene.nodes, scene.prims, start, direction, _FAR, False)
    if prim < 0:
        return ambient
    mi = int(scene.prims[prim, 18])
    if m[mi, 16] > 0.0:  # what glows is a light already
        return ambient
    there = along(start, t, direction)
    other_normal, _ = surface_normal(scene.prims, prim, there)
    color = (m[mi, 1] + m[mi, 4], m[mi, 2] + m[mi, 5], m[mi, 3] + m[mi, 6])
    return times(
        rough_irradiance(lights, there, other_normal), scaled(color, 0.5 * _LATER_BOUNCES)
    )


@kernel
def highlight(lights: Array, i: int, point: Vec, normal: Vec, ray: Vec, shininess: float) -> float:
    """Return the strength of a light's reflection (Blinn-Phong)."""
    way = minus((lights[i, 0], lights[i, 1], lights[i, 2]), point)
    to_light = 1.0 / math.sqrt(dot(way, way) + 1e-9)
    to_eye = 1.0 / math.sqrt(dot(ray, ray))
    half = minus(scaled(way, to_light), scaled(ray, to_eye))
    cosine = dot(half, normal) / math.sqrt(dot(half, half) + 1e-9)
    return float(max(0.0, cosine) ** shininess)
