"""`render_room`: a seed in, a photograph of a room with its exact depth out."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.rooms.dice import Dice
from depth_estimation_ros.rooms.layout import build_room
from depth_estimation_ros.rooms.pose import draw_view
from depth_estimation_ros.rooms.tracer.light_passes import (
    gather_light,
    sample_light,
    smooth_light,
    spread_light,
)
from depth_estimation_ros.rooms.tracer.photo import develop
from depth_estimation_ros.rooms.tracer.scene import CameraPose, camera_row
from depth_estimation_ros.rooms.tracer.shading import color_pass, geometry_pass

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.tracer.arrays import Array, SceneArrays

HELD_OUT_SEED = 1_000_000_000
HFOV_DEG = (50.0, 80.0)
_HALF_SIZE = np.array([1.0] * 12 + [0.5] * 4)  # fx, fy, cx, cy of every second pixel


@dataclass(frozen=True, kw_only=True)
class RoomView:
    """One view of a room.

    Attributes:
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32, along Z at pixel centres [m]; always > 0.
        intrinsics: The pinhole camera; pixel centres are at integer coordinates.
        pose: Where the camera is in the room (z up).
    """

    rgb: Array
    depth: Array
    intrinsics: CameraIntrinsics
    pose: CameraPose


def is_held_out(seed: int) -> bool:
    """Tell whether a seed is kept for testing; training must use none of these."""
    return seed >= HELD_OUT_SEED


def held_out_seeds(count: int) -> range:
    """Return the first `count` seeds that training never uses."""
    return range(HELD_OUT_SEED, HELD_OUT_SEED + count)


def render_view(
    scene: SceneArrays,
    pose: CameraPose,
    intrinsics: CameraIntrinsics,
    *,
    coarse_light: bool = False,
) -> tuple[Array, Array]:
    """Render what a camera in a scene sees.

    Args:
        scene: The scene.
        pose: Of the camera.
        intrinsics: Of the camera.
        coarse_light: Work out light at a quarter of the pixels: faster, good for large pictures.

    Returns:
        (H, W, 3) float32 linear radiance and (H, W) float32 depth [m], 0 = nothing there.
    """
    camera = camera_row(pose, intrinsics)
    depth, keys, normals = geometry_pass(scene, camera, intrinsics.height, intrinsics.width)
    if coarse_light:
        few = np.ascontiguousarray(keys[::2, ::2])
        half = camera * _HALF_SIZE
        light = _light(scene, half, depth[::2, ::2].copy(), few, normals[::2, ::2].copy())
        light = spread_light(light, few, keys)
    else:
        light = _light(scene, camera, depth, keys, normals)
    radiance = color_pass(scene, camera, depth, keys, light)
    return radiance, depth.astype(np.float32)


def _light(scene: SceneArrays, camera: Array, depth: Array, keys: Array, normals: Array) -> Array:
    samples = sample_light(scene, camera, depth, keys, normals)
    smooth: Array = smooth_light(gather_light(samples, keys, normals), keys, normals)
    return smooth


def draw_intrinsics(dice: Dice, *, height: int, width: int) -> CameraIntrinsics:
    """Return a camera of 50 to 80 degrees with square pixels and a nearly centred axis."""
    hfov = math.radians(dice.uniform(*HFOV_DEG))
    focal = 0.5 * width / math.tan(0.5 * hfov)
    cx = 0.5 * (width - 1) + dice.bell(0.0, 0.006) * width
    cy = 0.5 * (height - 1) + dice.bell(0.0, 0.006) * height
    return CameraIntrinsics(width=width, height=height, fx=focal, fy=focal, cx=cx, cy=cy)


def render_room(
    seed: int,
    *,
    view: int = 0,
    size: tuple[int, int] = (192, 256),
    image_size: tuple[int, int] | None = None,
) -> RoomView:
    """Render one view of the room of a seed; the same arguments give the same bytes.

    Args:
        seed: Which room, >= 0; seeds from HELD_OUT_SEED on are kept for testing.
        view: Which camera in that room, >= 0.
        size: (height, width) that the camera is drawn for [px].
        image_size: (height, width) of an image of another shape [px], from the same place with
            the same focal length in pixels, the axis in its middle; None = `size`, as drawn.

    Returns:
        The view: rgb (H, W, 3) uint8, depth (H, W) float32 [m], intrinsics.
    """
    height, width = size
    room = build_room(seed)
    scene = room.scene.arrays()
    dice = Dice(seed, view, 11)
    intrinsics = draw_intrinsics(dice, height=height, width=width)
    pose = draw_view(room, scene, intrinsics, dice)
    if image_size is not None:
        height, width = image_size
        intrinsics = replace(
            intrinsics, width=width, height=height, cx=0.5 * (width - 1), cy=0.5 * (height - 1)
        )
    radiance, depth = render_view(scene, pose, intrinsics)
    return RoomView(rgb=develop(radiance, dice), depth=depth, intrinsics=intrinsics, pose=pose)
