"""The passes that turn a scene and a camera into depth and radiance (numba kernels).

A camera is a row of 16 numbers: position (3), right (3), down (3), forward (3), fx, fy, cx, cy.
The direction of pixel (x, y) is right (x - cx) / fx + down (y - cy) / fy + forward. It is not
normalised, so the ray parameter of a hit is its depth along Z.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.rooms.tracer.bvh import trace
from depth_estimation_ros.rooms.tracer.jit import entry_kernel, kernel
from depth_estimation_ros.rooms.tracer.light_passes import camera_position, is_edge, pixel_ray
from depth_estimation_ros.rooms.tracer.lighting import rough_irradiance
from depth_estimation_ros.rooms.tracer.surface import surface_color, surface_normal
from depth_estimation_ros.rooms.tracer.vector import along, dot, length, scaled, times

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.tracer.arrays import Array, SceneArrays
    from depth_estimation_ros.rooms.tracer.vector import Vec

_FAR = 1e4


@entry_kernel
def cast_depth(scene: SceneArrays, camera: Array, xs: Array, ys: Array) -> Array:
    """Return (len(ys), len(xs)) float64 depth [m] at pixel positions, 0 where nothing is hit."""
    depth = np.zeros((len(ys), len(xs)))
    eye = camera_position(camera)
    for i in range(len(ys)):
        for j in range(len(xs)):
            ray = pixel_ray(camera, xs[j], ys[i])
            t, prim = trace(scene.nodes, scene.prims, eye, ray, _FAR, False)
            if prim >= 0:
                depth[i, j] = t
    return depth


@entry_kernel
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
    eye = camera_position(camera)
    for y in range(height):
        for x in range(width):
            ray = pixel_ray(camera, x, y)
            t, prim = trace(scene.nodes, scene.prims, eye, ray, _FAR, False)
            if prim < 0:
                continue
            normal, face = surface_normal(scene.prims, prim, along(eye, t, ray))
            depth[y, x] = t
            keys[y, x] = 8 * prim + face
            normals[y, x, 0], normals[y, x, 1], normals[y, x, 2] = normal
    return depth, keys, normals


@kernel
def _mirrored(scene: SceneArrays, point: Vec, normal: Vec, ray: Vec) -> Vec:
    """Return the radiance a perfect mirror would show."""
    out = along(ray, -2.0 * dot(ray, normal), normal)
    start = along(point, 1e-5, normal)
    t, prim = trace(scene.nodes, scene.prims, start, out, _FAR, False)
    if prim < 0:
        return scene.lights[0, 0], scene.lights[0, 1], scene.lights[0, 2]
    there = along(start, t, out)
    other, face = surface_normal(scene.prims, prim, there)
    color = surface_color(scene.prims, scene.materials, prim, face, there, other, 0.01 * t)
    emission = scene.materials[int(scene.prims[prim, 18]), 16]
    if emission > 0.0:
        return scaled(color, emission)
    return times(color, rough_irradiance(scene.lights, there, other))


@kernel
def radiance(
    scene: SceneArrays, camera: Array, ray: Vec, t: float, prim: int, light: tuple[Vec, float]
) -> Vec:
    """Return the linear colour of a hit, given irradiance and highlight there."""
    point = along(camera_position(camera), t, ray)
    normal, face = surface_normal(scene.prims, prim, point)
    size = length(ray)
    cosine = max(0.02, -dot(ray, normal) / size)
    footprint = t * size / camera[12] / math.sqrt(cosine)
    m = scene.materials
    color = surface_color(scene.prims, m, prim, face, point, normal, footprint)
    mi = int(scene.prims[prim, 18])
    if m[mi, 16] > 0.0:
        return scaled(color, m[mi, 16])
    irradiance, gloss = light
    shine = m[mi, 14] * gloss
    r, g, b = times(color, irradiance)
    r += shine
    g += shine
    b += shine
    if m[mi, 13] > 0.0:
        grazing = (1.0 - cosine) * (1.0 - cosine)
        share = m[mi, 13] + (1.0 - m[mi, 13]) * 0.6 * grazing * grazing * (1.0 - cosine)
        mr, mg, mb = _mirrored(scene, point, normal, ray)
        r += share * (mr - r)
        g += share * (mg - g)
        b += share * (mb - b)
    return r, g, b


@kernel
def _pixel_light(light: Array, y: int, x: int) -> tuple[Vec, float]:
    return (light[y, x, 0], light[y, x, 1], light[y, x, 2]), light[y, x, 3]


@kernel
def _light_near(keys: Array, light: Array, x: int, y: int, key: int) -> tuple[Vec, float]:
    """Return the light of a pixel near by (5x5) that sees the same surface."""
    if keys[y, x] == key:
        return _pixel_light(light, y, x)
    height, width = keys.shape
    for reach in range(1, 3):
        for j in range(max(0, y - reach), min(height, y + reach + 1)):
            for i in range(max(0, x - reach), min(width, x + reach + 1)):
                if keys[j, i] == key:
                    return _pixel_light(light, j, i)
    return _pixel_light(light, y, x)


@kernel
def _corner(
    scene: SceneArrays, camera: Array, keys: Array, light: Array, x: int, y: int, side: float
) -> Vec:
    """Return the radiance beside a pixel's centre, lit as its surface is lit near by."""
    slant = side * (1 - 2 * ((x ^ y) & 1))
    ray = pixel_ray(camera, x + side, y + slant)
    eye = camera_position(camera)
    t, prim = trace(scene.nodes, scene.prims, eye, ray, _FAR, False)
    if prim < 0:
        return 0.0, 0.0, 0.0
    _, face = surface_normal(scene.prims, prim, along(eye, t, ray))
    return radiance(scene, camera, ray, t, prim, _light_near(keys, light, x, y, 8 * prim + face))


@entry_kernel
def color_pass(
    scene: SceneArrays, camera: Array, depth: Array, keys: Array, light: Array
) -> Array:
    """Return (H, W, 3) float32 linear radiance; three rays a pixel at the edges of surfaces."""
    height, width = depth.shape
    image = np.zeros((height, width, 3), np.float32)
    for y in range(height):
        for x in range(width):
            r = g = b = 0.0
            key = keys[y, x]
            if key >= 0:
                ray = pixel_ray(camera, x, y)
                lit = _pixel_light(light, y, x)
                r, g, b = radiance(scene, camera, ray, depth[y, x], key >> 3, lit)
            if is_edge(keys, x, y):
                r1, g1, b1 = _corner(scene, camera, keys, light, x, y, -0.33)
                r2, g2, b2 = _corner(scene, camera, keys, light, x, y, 0.33)
                r = (r + r1 + r2) / 3.0
                g = (g + g1 + g2) / 3.0
                b = (b + b1 + b2) / 3.0
            image[y, x, 0] = r
            image[y, x, 1] = g
            image[y, x, 2] = b
    return image
