"""The passes that turn a scene and a camera into depth and radiance (numba kernels).

A camera is a row of 16 numbers: position (3), right (3), down (3), forward (3), fx, fy, cx, cy [px].
The direction of pixel (x, y) is right (x - cx) / fx + down (y - cy) / fy + forward, not normalised,
so the ray parameter of a hit is its depth along Z.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .bvh import trace
from .jit import kernel
from .lighting import bounced_light, direct_light, rough_irradiance
from .surface import surface_color, surface_normal

if TYPE_CHECKING:
    from .arrays import Array, SceneArrays


@kernel
def pixel_ray(camera: Array, x: float, y: float) -> tuple[float, float, float]:
    """Return the direction through a pixel position; its part along forward is 1."""
    a = (x - camera[14]) / camera[12]
    b = (y - camera[15]) / camera[13]
    return (
        a * camera[3] + b * camera[6] + camera[9],
        a * camera[4] + b * camera[7] + camera[10],
        a * camera[5] + b * camera[8] + camera[11],
    )


@kernel
def cast_depth(scene: SceneArrays, camera: Array, xs: Array, ys: Array) -> Array:
    """Return (len(ys), len(xs)) float64 depth [m] at pixel positions, 0 where nothing is hit."""
    depth = np.zeros((len(ys), len(xs)))
    for i in range(len(ys)):
        for j in range(len(xs)):
            dx, dy, dz = pixel_ray(camera, xs[j], ys[i])
            t, prim = trace(scene, camera[0], camera[1], camera[2], dx, dy, dz, 1e4, False)
            if prim >= 0:
                depth[i, j] = t
    return depth


@kernel
def geometry_pass(
    scene: SceneArrays, camera: Array, height: int, width: int
) -> tuple[Array, Array, Array]:
    """Cast one ray a pixel centre.

    Returns:
        (H, W) float64 depth [m], 0 = nothing; (H, W) int64 surface key (8 * primitive + face, -1);
        (H, W, 3) float64 normals.
    """
    depth = np.zeros((height, width))
    keys = np.full((height, width), -1)
    normals = np.zeros((height, width, 3))
    for y in range(height):
        for x in range(width):
            dx, dy, dz = pixel_ray(camera, x, y)
            t, prim = trace(scene, camera[0], camera[1], camera[2], dx, dy, dz, 1e4, False)
            if prim < 0:
                continue
            nx, ny, nz, face = surface_normal(
                scene, prim, camera[0] + t * dx, camera[1] + t * dy, camera[2] + t * dz
            )
            depth[y, x] = t
            keys[y, x] = 8 * prim + face
            normals[y, x, 0] = nx
            normals[y, x, 1] = ny
            normals[y, x, 2] = nz
    return depth, keys, normals


@kernel
def light_pass(
    scene: SceneArrays, camera: Array, depth: Array, keys: Array, normals: Array
) -> Array:
    """Return (H, W, 9): direct red, green, blue, highlight, weight; bounced red, green, blue, weight."""
    height, width = depth.shape
    light = np.zeros((height, width, 9))
    for y in range(height):
        for x in range(width):
            if keys[y, x] < 0:
                continue
            t = depth[y, x]
            dx, dy, dz = pixel_ray(camera, x, y)
            px = camera[0] + t * dx
            py = camera[1] + t * dy
            pz = camera[2] + t * dz
            nx = normals[y, x, 0]
            ny = normals[y, x, 1]
            nz = normals[y, x, 2]
            parity = (x + y) & 1
            sample = parity * 8 + (x & 1) * 4 + ((x >> 1) & 1) * 2 + ((y >> 1) & 1)
            edge = _is_edge(keys, x, y)
            if parity == 0 or edge:
                r, g, b, seen = direct_light(scene, sample & 7, px, py, pz, nx, ny, nz)
                light[y, x, 0] = r
                light[y, x, 1] = g
                light[y, x, 2] = b
                light[y, x, 4] = 1.0
                material = int(scene.prims[keys[y, x] >> 3, 18])
                if seen >= 0 and scene.materials[material, 14] > 0.0:
                    light[y, x, 3] = g * _highlight(
                        scene.lights, seen + 1, px, py, pz, nx, ny, nz, dx, dy, dz,
                        scene.materials[material, 15],
                    )
            if parity == 1 or edge:
                r, g, b = bounced_light(scene, sample & 7, px, py, pz, nx, ny, nz)
                light[y, x, 5] = r
                light[y, x, 6] = g
                light[y, x, 7] = b
                light[y, x, 8] = 1.0
    return light


@kernel
def _highlight(
    lights: Array,
    li: int,
    px: float,
    py: float,
    pz: float,
    nx: float,
    ny: float,
    nz: float,
    dx: float,
    dy: float,
    dz: float,
    shininess: float,
) -> float:
    lx = lights[li, 0] - px
    ly = lights[li, 1] - py
    lz = lights[li, 2] - pz
    to_light = 1.0 / math.sqrt(lx * lx + ly * ly + lz * lz + 1e-9)
    to_eye = 1.0 / math.sqrt(dx * dx + dy * dy + dz * dz)
    hx = lx * to_light - dx * to_eye
    hy = ly * to_light - dy * to_eye
    hz = lz * to_light - dz * to_eye
    cosine = (hx * nx + hy * ny + hz * nz) / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
    return max(0.0, cosine) ** shininess


@kernel
def gather_light(light: Array, keys: Array, normals: Array) -> Array:
    """Average the samples over 4x4 pixels of the same surface and add the two kinds of light.

    Returns:
        (H, W, 4) irradiance red, green, blue, and highlight.
    """
    height, width = keys.shape
    smooth = np.zeros((height, width, 4))
    for y in range(height):
        for x in range(width):
            key = keys[y, x]
            if key < 0:
                continue
            r = g = b = s = n = br = bg = bb = m = 0.0
            for j in range(max(0, y - 1), min(height, y + 3)):
                for i in range(max(0, x - 1), min(width, x + 3)):
                    if keys[j, i] != key or not _alike(normals, y, x, j, i):
                        continue
                    r += light[j, i, 0]
                    g += light[j, i, 1]
                    b += light[j, i, 2]
                    s += light[j, i, 3]
                    n += light[j, i, 4]
                    br += light[j, i, 5]
                    bg += light[j, i, 6]
                    bb += light[j, i, 7]
                    m += light[j, i, 8]
            n = 1.0 / max(n, 1.0)
            m = 1.0 / max(m, 1.0)
            smooth[y, x, 0] = r * n + br * m
            smooth[y, x, 1] = g * n + bg * m
            smooth[y, x, 2] = b * n + bb * m
            smooth[y, x, 3] = s * n
    return smooth


@kernel
def _alike(normals: Array, y: int, x: int, j: int, i: int) -> bool:
    cosine = (
        normals[y, x, 0] * normals[j, i, 0]
        + normals[y, x, 1] * normals[j, i, 1]
        + normals[y, x, 2] * normals[j, i, 2]
    )
    return bool(cosine > 0.85)


@kernel
def smooth_light(light: Array, keys: Array, normals: Array) -> Array:
    """Average once more over the 4x4 pixels that mirror those of `gather_light`."""
    height, width = keys.shape
    smooth = np.zeros((height, width, 4))
    for y in range(height):
        for x in range(width):
            key = keys[y, x]
            if key < 0:
                continue
            count = 0.0
            r = g = b = s = 0.0
            for j in range(max(0, y - 2), min(height, y + 2)):
                for i in range(max(0, x - 2), min(width, x + 2)):
                    if keys[j, i] != key or not _alike(normals, y, x, j, i):
                        continue
                    count += 1.0
                    r += light[j, i, 0]
                    g += light[j, i, 1]
                    b += light[j, i, 2]
                    s += light[j, i, 3]
            scale = 1.0 / count
            smooth[y, x, 0] = r * scale
            smooth[y, x, 1] = g * scale
            smooth[y, x, 2] = b * scale
            smooth[y, x, 3] = s * scale
    return smooth


@kernel
def _mirrored(
    scene: SceneArrays,
    px: float,
    py: float,
    pz: float,
    nx: float,
    ny: float,
    nz: float,
    dx: float,
    dy: float,
    dz: float,
) -> tuple[float, float, float]:
    """Return the radiance a perfect mirror would show."""
    along = 2.0 * (dx * nx + dy * ny + dz * nz)
    dx -= along * nx
    dy -= along * ny
    dz -= along * nz
    px += 1e-5 * nx
    py += 1e-5 * ny
    pz += 1e-5 * nz
    t, prim = trace(scene, px, py, pz, dx, dy, dz, 1e3, False)
    if prim < 0:
        return scene.lights[0, 0], scene.lights[0, 1], scene.lights[0, 2]
    px += t * dx
    py += t * dy
    pz += t * dz
    mx, my, mz, face = surface_normal(scene, prim, px, py, pz)
    r, g, b = surface_color(scene, prim, face, px, py, pz, mx, my, mz, 0.01 * t)
    emission = scene.materials[int(scene.prims[prim, 18]), 16]
    if emission > 0.0:
        return r * emission, g * emission, b * emission
    er, eg, eb = rough_irradiance(scene, px, py, pz, mx, my, mz)
    return r * er, g * eg, b * eb


@kernel
def radiance(
    scene: SceneArrays,
    camera: Array,
    x: float,
    y: float,
    t: float,
    prim: int,
    face: int,
    light: Array,
    ly: int,
    lx: int,
) -> tuple[float, float, float]:
    """Return the linear colour of a hit, given the light that falls on it."""
    dx, dy, dz = pixel_ray(camera, x, y)
    px = camera[0] + t * dx
    py = camera[1] + t * dy
    pz = camera[2] + t * dz
    nx, ny, nz, face = surface_normal(scene, prim, px, py, pz)
    length = math.sqrt(dx * dx + dy * dy + dz * dz)
    cosine = max(0.02, -(dx * nx + dy * ny + dz * nz) / length)
    footprint = t * length / camera[12] / math.sqrt(cosine)
    r, g, b = surface_color(scene, prim, face, px, py, pz, nx, ny, nz, footprint)
    m = scene.materials
    mi = int(scene.prims[prim, 18])
    if m[mi, 16] > 0.0:
        return r * m[mi, 16], g * m[mi, 16], b * m[mi, 16]
    shine = m[mi, 14] * light[ly, lx, 3]
    r = r * light[ly, lx, 0] + shine
    g = g * light[ly, lx, 1] + shine
    b = b * light[ly, lx, 2] + shine
    if m[mi, 13] > 0.0:
        share = m[mi, 13] + (1.0 - m[mi, 13]) * 0.6 * (1.0 - cosine) ** 5
        mr, mg, mb = _mirrored(scene, px, py, pz, nx, ny, nz, dx, dy, dz)
        r += share * (mr - r)
        g += share * (mg - g)
        b += share * (mb - b)
    return r, g, b


@kernel
def _is_edge(keys: Array, x: int, y: int) -> bool:
    height, width = keys.shape
    key = keys[y, x]
    return bool(
        (x > 0 and keys[y, x - 1] != key)
        or (x + 1 < width and keys[y, x + 1] != key)
        or (y > 0 and keys[y - 1, x] != key)
        or (y + 1 < height and keys[y + 1, x] != key)
    )


@kernel
def _light_near(keys: Array, x: int, y: int, key: int) -> tuple[int, int]:
    """Return row and column of a pixel near by (5x5) that sees the same surface."""
    height, width = keys.shape
    if keys[y, x] == key:
        return y, x
    for reach in range(1, 3):
        for j in range(max(0, y - reach), min(height, y + reach + 1)):
            for i in range(max(0, x - reach), min(width, x + reach + 1)):
                if keys[j, i] == key:
                    return j, i
    return y, x


@kernel
def _probe(scene: SceneArrays, camera: Array, x: float, y: float) -> tuple[float, int]:
    """Return depth [m] and surface key at a pixel position."""
    dx, dy, dz = pixel_ray(camera, x, y)
    t, prim = trace(scene, camera[0], camera[1], camera[2], dx, dy, dz, 1e4, False)
    if prim < 0:
        return 0.0, -1
    _, _, _, face = surface_normal(
        scene, prim, camera[0] + t * dx, camera[1] + t * dy, camera[2] + t * dz
    )
    return t, 8 * prim + face


@kernel
def color_pass(
    scene: SceneArrays, camera: Array, depth: Array, keys: Array, light: Array
) -> Array:
    """Return (H, W, 3) float32 linear radiance; three rays a pixel at the edges of surfaces."""
    height, width = depth.shape
    image = np.zeros((height, width, 3), np.float32)
    for y in range(height):
        for x in range(width):
            r = g = b = 0.0
            if not _is_edge(keys, x, y):
                key = keys[y, x]
                if key >= 0:
                    r, g, b = radiance(
                        scene, camera, x, y, depth[y, x], key >> 3, key & 7, light, y, x
                    )
            else:
                for corner in range(3):
                    sx = x + 0.33 * (corner - 1)
                    sy = y + 0.33 * (corner - 1) * (1 - 2 * ((x ^ y) & 1))
                    t, key = depth[y, x], keys[y, x]
                    if corner != 1:
                        t, key = _probe(scene, camera, sx, sy)
                    if key < 0:
                        continue
                    j, i = _light_near(keys, x, y, key)
                    sr, sg, sb = radiance(scene, camera, sx, sy, t, key >> 3, key & 7, light, j, i)
                    r += sr / 3.0
                    g += sg / 3.0
                    b += sb / 3.0
            image[y, x, 0] = r
            image[y, x, 1] = g
            image[y, x, 2] = b
    return image
