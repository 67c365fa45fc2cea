"""Where cameras look from: free places, heights of robots and people, views into the room."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.rooms.tracer.scene import CameraPose, camera_row
from depth_estimation_ros.rooms.tracer.shading import cast_depth

if TYPE_CHECKING:
    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.rooms.dice import Dice
    from depth_estimation_ros.rooms.room import Room
    from depth_estimation_ros.rooms.tracer.arrays import SceneArrays

MIN_DEPTH = 0.35


def draw_height(dice: Dice) -> float:
    """Return a camera height [m]: low robots, taller robots, people."""
    kind = dice.unit()
    if kind < 0.3:
        return dice.uniform(0.25, 0.6)
    if kind < 0.55:
        return dice.uniform(0.6, 1.2)
    return dice.uniform(1.2, 1.75)


def _draw_pose(room: Room, dice: Dice) -> CameraPose:
    height = draw_height(dice)
    lean = -0.02 - 0.13 * (height - 0.6)  # higher cameras look further down
    pitch = min(0.35, max(-0.44, dice.bell(lean, 0.1)))
    roll = dice.bell(0.0, 0.012) if dice.chance(0.8) else dice.bell(0.0, 0.05)
    for _ in range(30):
        x, y = dice.uniform(0.3, room.width - 0.3), dice.uniform(0.3, room.depth - 0.3)
        if room.is_free((x, y, x, y, height), margin=0.25):
            break
    aim_x, aim_y = room.width * dice.uniform(0.2, 0.8), room.depth * dice.uniform(0.2, 0.8)
    yaw = math.atan2(aim_y - y, aim_x - x) + dice.bell(0.0, 0.35)
    return CameraPose(position=(x, y, height), yaw=yaw, pitch=pitch, roll=roll)


def draw_view(
    room: Room, scene: SceneArrays, intrinsics: CameraIntrinsics, dice: Dice
) -> CameraPose:
    """Return a pose that sees into the room with nothing nearer than MIN_DEPTH."""
    xs = np.linspace(0.0, intrinsics.width - 1.0, 24)
    ys = np.linspace(0.0, intrinsics.height - 1.0, 18)
    best, best_score = None, -1.0
    wanted = 1.0 if dice.chance(0.12) else dice.uniform(1.7, 2.4)
    for _ in range(12):
        pose = _draw_pose(room, dice)
        depth = cast_depth(scene, camera_row(pose, intrinsics), xs, ys)
        nearest, middle = float(depth.min()), float(np.median(depth))
        if nearest >= MIN_DEPTH and middle >= wanted:
            return pose
        score = min(nearest / MIN_DEPTH, 1.0) * min(middle, wanted)
        if score > best_score:
            best, best_score = pose, score
    return best or _draw_pose(room, dice)
