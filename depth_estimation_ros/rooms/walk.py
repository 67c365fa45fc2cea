"""A smooth walk of a camera through a room, for a player to film endlessly."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import TYPE_CHECKING

import numpy as np

from ..camera import CameraIntrinsics
from .dice import Dice
from .layout import Room, build_room
from .photo import develop
from .render import RoomView, render_view
from .scene import CameraPose, camera_row
from .shading import cast_depth

if TYPE_CHECKING:
    from .arrays import SceneArrays

CLEARANCE = 0.3  # to furniture and walls [m]
SPEED = 0.35  # [m/s]
_NUM_LOOPS = 400
_NUM_CHECKED = 12
_INWARD = 0.5  # the camera looks this much to the inside of the loop [rad]


@dataclass(frozen=True, kw_only=True)
class Loop:
    """An ellipse on the floor, followed once in `period` seconds."""

    x: float
    y: float
    long: float  # half axes [m]
    short: float
    turn: float  # of the long axis [rad]

    @property
    def perimeter(self) -> float:
        """Length of the loop [m] (Ramanujan)."""
        a, b = self.long, self.short
        return math.pi * (3.0 * (a + b) - math.sqrt((3.0 * a + b) * (a + 3.0 * b)))

    def point(self, share: float) -> tuple[float, float]:
        """Return x, y after a share (0..1) of the round."""
        angle = 2.0 * math.pi * share
        a, b = self.long * math.cos(angle), self.short * math.sin(angle)
        c, s = math.cos(self.turn), math.sin(self.turn)
        return self.x + c * a - s * b, self.y + s * a + c * b

    def heading(self, share: float) -> float:
        """Return the direction of travel [rad]."""
        angle = 2.0 * math.pi * share
        a, b = -self.long * math.sin(angle), self.short * math.cos(angle)
        return self.turn + math.atan2(b, a)


class RoomWalk:
    """A robot's round through the room of a seed; any time may be asked for, in any order."""

    def __init__(
        self,
        seed: int,
        size: tuple[int, int] = (480, 640),
        *,
        hfov_deg: float = 65.0,
        height: float = 0.75,
        pitch_deg: float = -5.0,
    ) -> None:
        """Find a loop free of collisions.

        Args:
            seed: Which room, >= 0.
            size: (height, width) [px].
            hfov_deg: Horizontal field of view [deg].
            height: Of the camera above the floor [m].
            pitch_deg: Of the camera, up is positive [deg].
        """
        room = build_room(seed)
        self.seed = seed
        self.intrinsics = CameraIntrinsics.from_hfov(
            width=size[1], height=size[0], hfov_deg=hfov_deg
        )
        self._scene = room.scene.arrays()
        self._height = height
        self._pitch = math.radians(pitch_deg)
        self._loop = self._best_loop(room)
        self.period_sec = max(20.0, self._loop.perimeter / SPEED)

    def pose(self, t_sec: float) -> CameraPose:
        """Return the camera's pose at a time; it repeats after `period_sec`."""
        return self._pose_on(self._loop, t_sec / self.period_sec)

    def frame(self, t_sec: float) -> RoomView:
        """Render the view at a time; the same time gives the same bytes."""
        pose = self.pose(t_sec)
        radiance, depth = render_view(self._scene, pose, self.intrinsics)
        grain = np.random.Generator(np.random.PCG64((self.seed, round(abs(t_sec) * 1e6), 29)))
        rgb = develop(radiance, Dice(self.seed, 23), grain=grain)
        return RoomView(rgb=rgb, depth=depth, intrinsics=self.intrinsics, pose=pose)

    def _pose_on(self, loop: Loop, share: float) -> CameraPose:
        x, y = loop.point(share)
        sway = 0.25 * math.sin(6.0 * math.pi * share)
        return CameraPose(
            position=(x, y, self._height),
            yaw=loop.heading(share) + _INWARD + sway,
            pitch=self._pitch + 0.02 * math.sin(10.0 * math.pi * share),
        )

    def _best_loop(self, room: Room) -> Loop:
        """Return the free loop with the widest views; a turn on the spot if there is none."""
        dice = Dice(self.seed, 17)
        loops = [loop for loop in _draw_loops(room, dice) if _is_clear(room, loop)]
        loops.sort(key=lambda loop: -loop.perimeter)
        spot = _widest_spot(room, dice)
        candidates = [*loops[:_NUM_CHECKED], spot]
        return max(candidates, key=lambda loop: self._score(loop))

    def _score(self, loop: Loop) -> float:
        """Return how far one sees on the whole loop, less when something comes near [m]."""
        xs = np.linspace(0.0, self.intrinsics.width - 1.0, 16)
        ys = np.linspace(0.0, self.intrinsics.height - 1.0, 12)
        nearest, middle = math.inf, math.inf
        for k in range(16):
            camera = camera_row(self._pose_on(loop, k / 16), self.intrinsics)
            depth = cast_depth(self._scene, camera, xs, ys)
            nearest = min(nearest, float(depth.min()))
            middle = min(middle, float(np.median(depth)))
        return min(nearest / 0.4, 1.0) * (min(middle, 2.5) + 0.2 * min(loop.perimeter, 6.0))


def _draw_loops(room: Room, dice: Dice) -> list[Loop]:
    loops = []
    for _ in range(_NUM_LOOPS):
        long = dice.uniform(0.15, 0.45) * max(room.width, room.depth)
        loops.append(
            Loop(
                x=room.width * dice.unit(),
                y=room.depth * dice.unit(),
                long=long,
                short=long * dice.uniform(0.15, 1.0),
                turn=0.5 * math.pi * dice.integer(0, 1) + dice.uniform(-0.3, 0.3),
            )
        )
    return loops


def _is_clear(room: Room, loop: Loop) -> bool:
    for k in range(72):
        x, y = loop.point(k / 72)
        if not room.is_free((x, y, x, y, 0.0), margin=CLEARANCE):
            return False
    return True


def _widest_spot(room: Room, dice: Dice) -> Loop:
    """Return a tiny loop where there is most room around."""
    best, best_margin = (0.5 * room.width, 0.5 * room.depth), -1.0
    for _ in range(200):
        x, y = room.width * dice.unit(), room.depth * dice.unit()
        for margin in (0.2, 0.3, 0.45, 0.6, 0.8):
            if not room.is_free((x, y, x, y, 0.0), margin=margin):
                break
            if margin > best_margin:
                best, best_margin = (x, y), margin
    return Loop(x=best[0], y=best[1], long=0.05, short=0.05, turn=0.0)
