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
    """Return (H, W, 4) irradiance red, green, blue and highlight, one sample a pixel."""
    height, width = depth.shape
    light = np.zeros((height, width, 4))
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
            sample = ((x & 1) * 8 + (y & 1) * 4 + ((x >> 1) & 1) * 2 + ((y >> 1) & 1)) ^ (
                4 * (x & 1)
            )
            r, g, b, seen = direct_light(scene, sample, px, py, pz, nx, ny, nz)
            br, bg, bb = bounced_light(scene, sample, px, py, pz, nx, ny, nz)
            light[y, x, 0] = r + br
            light[y, x, 1] = g + bg
            light[y, x, 2] = b + bb
            if seen >= 0:
                material = scene.materials[scene.prim_material[keys[y, x] >> 3]]
                if material[14] > 0.0:
                    light[y, x, 3] = g * _highlight(
                        scene.lights[seen], px, py, pz, nx, ny, nz, dx, dy, dz, material[15]
                    )
    return light


@kernel
def _highlight(
    light: Array,
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
    lx = light[0] - px
    ly = light[1] - py
    lz = light[2] - pz
    to_light = 1.0 / math.sqrt(lx * lx + ly * ly + lz * lz + 1e-9)
    to_eye = 1.0 / math.sqrt(dx * dx + dy * dy + dz * dz)
    hx = lx * to_light - dx * to_eye
    hy = ly * to_light - dy * to_eye
    hz = lz * to_light - dz * to_eye
    cosine = (hx * nx + hy * ny + hz * nz) / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
    return max(0.0, cosine) ** shininess


@kernel
def smooth_light(light: Array, keys: Array, normals: Array, first: int) -> Array:
    """Average over 4x4 pixels of the same surface; the window starts `first` before the pixel."""
    height, width = keys.shape
    smooth = np.zeros((height, width, 4))
    for y in range(height):
        for x in range(width):
            key = keys[y, x]
            if key < 0:
                continue
            count = 0
            r = g = b = s = 0.0
            for j in range(max(0, y - first), min(height, y - first + 4)):
                for i in range(max(0, x - first), min(width, x - first + 4)):
                    if keys[j, i] != key:
                        continue
                    alike = (
                        normals[y, x, 0] * normals[j, i, 0]
                        + normals[y, x, 1] * normals[j, i, 1]
                        + normals[y, x, 2] * normals[j, i, 2]
                    )
                    if alike < 0.85:
                        continue
                    count += 1
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
        return scene.ambient[0], scene.ambient[1], scene.ambient[2]
    px += t * dx
    py += t * dy
    pz += t * dz
    mx, my, mz, face = surface_normal(scene, prim, px, py, pz)
    r, g, b = surface_color(scene, prim, face, px, py, pz, mx, my, mz, 0.01 * t)
    emission = scene.materials[scene.prim_material[prim], 16]
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
    material = scene.materials[scene.prim_material[prim]]
    if material[16] > 0.0:
        return r * material[16], g * material[16], b * material[16]
    shine = material[14] * light[3]
    r = r * light[0] + shine
    g = g * light[1] + shine
    b = b * light[2] + shine
    if material[13] > 0.0:
        share = material[13] + (1.0 - material[13]) * 0.6 * (1.0 - cosine) ** 5
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
def _light_near(keys: Array, light: Array, x: int, y: int, key: int) -> Array:
    """Return the light of the nearest of the 5x5 pixels around that see the same surface."""
    height, width = keys.shape
    if keys[y, x] == key:
        return light[y, x]
    for reach in range(1, 3):
        for j in range(max(0, y - reach), min(height, y + reach + 1)):
            for i in range(max(0, x - reach), min(width, x + reach + 1)):
                if keys[j, i] == key:
                    return light[j, i]
    return light[y, x]


@kernel
def color_pass(
    scene: SceneArrays, camera: Array, depth: Array, keys: Array, light: Array
) -> Array:
    """Return (H, W, 3) float32 linear radiance; four rays a pixel at the edges of surfaces."""
    height, width = depth.shape
    image = np.zeros((height, width, 3), np.float32)
    for y in range(height):
        for x in range(width):
            r = g = b = 0.0
            if not _is_edge(keys, x, y):
                key = keys[y, x]
                if key >= 0:
                    r, g, b = radiance(
                        scene, camera, x, y, depth[y, x], key >> 3, key & 7, light[y, x]
                    )
            else:
                for corner in range(4):
                    sx = x - 0.25 + 0.5 * (corner & 1)
                    sy = y - 0.25 + 0.5 * (corner >> 1)
                    dx, dy, dz = pixel_ray(camera, sx, sy)
                    t, prim = trace(scene, camera[0], camera[1], camera[2], dx, dy, dz, 1e4, False)
                    if prim < 0:
                        continue
                    _, _, _, face = surface_normal(
                        scene, prim, camera[0] + t * dx, camera[1] + t * dy, camera[2] + t * dz
                    )
                    near = _light_near(keys, light, x, y, 8 * prim + face)
                    sr, sg, sb = radiance(scene, camera, sx, sy, t, prim, face, near)
                    r += 0.25 * sr
                    g += 0.25 * sg
                    b += 0.25 * sb
            image[y, x, 0] = r
            image[y, x, 1] = g
            image[y, x, 2] = b
    return image
