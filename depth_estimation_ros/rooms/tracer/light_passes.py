"""From first hits to smooth light on every pixel (numba kernels)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.rooms.tracer.jit import entry_kernel, kernel
from depth_estimation_ros.rooms.tracer.lighting import bounced_light, direct_light, highlight
from depth_estimation_ros.rooms.tracer.vector import along

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.tracer.arrays import Array, SceneArrays
    from depth_estimation_ros.rooms.tracer.vector import Vec

_ALIKE = 0.85  # cosine between normals that may share light


@kernel
def camera_position(camera: Array) -> Vec:
    """Return the world position of a camera [m]."""
    return camera[0], camera[1], camera[2]


@kernel
def pixel_ray(camera: Array, x: float, y: float) -> Vec:
    """Return the direction through a pixel position; its part along forward is 1."""
    a = (x - camera[14]) / camera[12]
    b = (y - camera[15]) / camera[13]
    return (
        a * camera[3] + b * camera[6] + camera[9],
        a * camera[4] + b * camera[7] + camera[10],
        a * camera[5] + b * camera[8] + camera[11],
    )


@kernel
def is_edge(keys: Array, x: int, y: int) -> bool:
    """Tell whether one of the four neighbours sees another surface."""
    height, width = keys.shape
    key = keys[y, x]
    return bool(
        (x > 0 and keys[y, x - 1] != key)
        or (x + 1 < width and keys[y, x + 1] != key)
        or (y > 0 and keys[y - 1, x] != key)
        or (y + 1 < height and keys[y + 1, x] != key)
    )


@entry_kernel
def sample_light(
    scene: SceneArrays, camera: Array, depth: Array, keys: Array, normals: Array
) -> Array:
    """Sample direct and bounced light on a checkerboard, both at edges.

    Returns:
        (H, W, 9): direct red, green, blue, highlight, weight; bounced red, green, blue, weight.
    """
    height, width = depth.shape
    light = np.zeros((height, width, 9))
    eye = camera_position(camera)
    for y in range(height):
        for x in range(width):
            if keys[y, x] < 0:
                continue
            ray = pixel_ray(camera, x, y)
            point = along(eye, depth[y, x], ray)
            normal = (normals[y, x, 0], normals[y, x, 1], normals[y, x, 2])
            sample = (x & 1) * 4 + ((x >> 1) & 1) * 2 + ((y >> 1) & 1)
            edge = is_edge(keys, x, y)
            if (x + y) & 1 == 0 or edge:
                color, seen = direct_light(scene, sample, point, normal)
                light[y, x, 0], light[y, x, 1], light[y, x, 2] = color
                light[y, x, 4] = 1.0
                mi = int(scene.prims[keys[y, x] >> 3, 18])
                if seen > 0 and scene.materials[mi, 14] > 0.0:
                    shininess = scene.materials[mi, 15]
                    gloss = highlight(scene.lights, seen, point, normal, ray, shininess)
                    light[y, x, 3] = color[1] * gloss
            if (x + y) & 1 == 1 or edge:
                color = bounced_light(scene, sample, point, normal)
                light[y, x, 5], light[y, x, 6], light[y, x, 7] = color
                light[y, x, 8] = 1.0
    return light


@kernel
def _shares_light(keys: Array, normals: Array, y: int, x: int, j: int, i: int) -> bool:
    if keys[j, i] != keys[y, x]:
        return False
    cosine = (
        normals[y, x, 0] * normals[j, i, 0]
        + normals[y, x, 1] * normals[j, i, 1]
        + normals[y, x, 2] * normals[j, i, 2]
    )
    return bool(cosine > _ALIKE)


@entry_kernel
def gather_light(light: Array, keys: Array, normals: Array) -> Array:
    """Average the samples over 4x4 pixels of the same surface and add the two kinds of light.

    Returns:
        (H, W, 4) irradiance red, green, blue, and highlight.
    """
    height, width = keys.shape
    smooth = np.zeros((height, width, 4))
    for y in range(height):
        for x in range(width):
            if keys[y, x] < 0:
                continue
            r = g = b = s = n = br = bg = bb = m = 0.0
            for j in range(max(0, y - 1), min(height, y + 3)):
                for i in range(max(0, x - 1), min(width, x + 3)):
                    if not _shares_light(keys, normals, y, x, j, i):
                        continue
                    if light[j, i, 4] > 0.0:
                        r += light[j, i, 0]
                        g += light[j, i, 1]
                        b += light[j, i, 2]
                        s += light[j, i, 3]
                        n += 1.0
                    if light[j, i, 8] > 0.0:
                        br += light[j, i, 5]
                        bg += light[j, i, 6]
                        bb += light[j, i, 7]
                        m += 1.0
            n = 1.0 / max(n, 1.0)
            m = 1.0 / max(m, 1.0)
            smooth[y, x, 0] = r * n + br * m
            smooth[y, x, 1] = g * n + bg * m
            smooth[y, x, 2] = b * n + bb * m
            smooth[y, x, 3] = s * n
    return smooth


@entry_kernel
def smooth_light(light: Array, keys: Array, normals: Array) -> Array:
    """Average once more over the 4x4 pixels that mirror those of `gather_light`."""
    height, width = keys.shape
    smooth = np.zeros((height, width, 4))
    for y in range(height):
        for x in range(width):
            if keys[y, x] < 0:
                continue
            count = r = g = b = s = 0.0
            for j in range(max(0, y - 2), min(height, y + 2)):
                for i in range(max(0, x - 2), min(width, x + 2)):
                    if _shares_light(keys, normals, y, x, j, i):
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


@entry_kernel
def spread_light(light: Array, coarse_keys: Array, keys: Array) -> Array:
    """Enlarge light that was worked out at every second pixel of every second row.

    Args:
        light: (h, w, 4) at pixels (2 x, 2 y).
        coarse_keys: (h, w) surface keys there.
        keys: (H, W) surface keys of all pixels.

    Returns:
        (H, W, 4): the mean of the neighbours on the same surface, or of all when none is.
    """
    height, width = keys.shape
    last_row, last_column = light.shape[0] - 1, light.shape[1] - 1
    full = np.empty((height, width, 4))
    for y in range(height):
        for x in range(width):
            same = other = 0.0
            r = g = b = s = r2 = g2 = b2 = s2 = 0.0
            for j in range(y >> 1, min(last_row, (y + 1) >> 1) + 1):
                for i in range(x >> 1, min(last_column, (x + 1) >> 1) + 1):
                    if coarse_keys[j, i] == keys[y, x]:
                        same += 1.0
                        r += light[j, i, 0]
                        g += light[j, i, 1]
                        b += light[j, i, 2]
                        s += light[j, i, 3]
                    else:
                        other += 1.0
                        r2 += light[j, i, 0]
                        g2 += light[j, i, 1]
                        b2 += light[j, i, 2]
                        s2 += light[j, i, 3]
            if same == 0.0:
                same, r, g, b, s = other, r2, g2, b2, s2
            scale = 1.0 / same
            full[y, x, 0] = r * scale
            full[y, x, 1] = g * scale
            full[y, x, 2] = b * scale
            full[y, x, 3] = s * scale
    return full
