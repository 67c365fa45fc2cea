"""A smooth walk of a camera through a room, for a player to film endlessly."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.rooms.dice import Dice
from depth_estimation_ros.rooms.layout import build_room
from depth_estimation_ros.rooms.render import RoomView, render_view
from depth_estimation_ros.rooms.tracer.photo import develop
from depth_estimation_ros.rooms.tracer.scene import CameraPose, camera_row
from depth_estimation_ros.rooms.tracer.shading import cast_depth

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.room import Room
    from depth_estimation_ros.rooms.tracer.arrays import SceneArrays

CLEARANCE = 0.25  # to furniture and walls [m]
SPEED = 0.35  # mean speed over the floor [m/s]
MIN_PERIOD_SEC = 12.0
_NUM_TRACKS = 300
_SWING = 0.45  # the camera looks this much to the left and to the right [rad]
_NOD = 0.02  # and up and down [rad]


@dataclass(frozen=True, kw_only=True)
class Track:
    """A straight way there and back, looking towards `yaw` [rad]; ends are x, y [m]."""

    start: tuple[float, float]
    end: tuple[float, float]
    yaw: float

    @property
    def length(self) -> float:
        """Distance between the ends [m]."""
        return math.dist(self.start, self.end)

    def point(self, share: float) -> tuple[float, float]:
        """Return x, y after a share (0..1) of the round, slow at the ends."""
        gone = 0.5 - 0.5 * math.cos(2.0 * math.pi * share)
        (x0, y0), (x1, y1) = self.start, self.end
        return x0 + gone * (x1 - x0), y0 + gone * (y1 - y0)


class RoomWalk:
    """A camera that goes to and fro in the room of a seed; times may be asked for in any order.

    The way keeps clear of furniture and walls, and the camera looks about. Calls from several
    threads run side by side.
    """

    def __init__(
        self,
        seed: int,
        size: tuple[int, int] = (480, 640),
        *,
        hfov_deg: float = 65.0,
        height: float = 0.9,
        pitch_deg: float = -6.0,
    ) -> None:
        """Find a way free of collisions.

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
        self._track = self._best_track(room, self._scene)
        self.period_sec = max(MIN_PERIOD_SEC, 2.0 * self._track.length / SPEED)

    def pose(self, t_sec: float) -> CameraPose:
        """Return the camera's pose at a time; it repeats after `period_sec`."""
        return self._pose_on(self._track, t_sec / self.period_sec)

    def frame(self, t_sec: float) -> RoomView:
        """Render the view at a time; the same time gives the same bytes."""
        pose = self.pose(t_sec)
        radiance, depth = render_view(self._scene, pose, self.intrinsics, coarse_light=True)
        seeds = (self.seed, round(abs(t_sec) * 1e6), 29)
        grain = np.random.Generator(np.random.PCG64(seeds))
        rgb = develop(radiance, Dice(self.seed, 23), grain=grain)
        return RoomView(rgb=rgb, depth=depth, intrinsics=self.intrinsics, pose=pose)

    def _pose_on(self, track: Track, share: float) -> CameraPose:
        x, y = track.point(share)
        return CameraPose(
            position=(x, y, self._height),
            yaw=track.yaw + _SWING * math.sin(2.0 * math.pi * share),
            pitch=self._pitch + _NOD * math.sin(4.0 * math.pi * share),
        )

    def _best_track(self, room: Room, scene: SceneArrays) -> Track:
        """Return the clear track with the widest views."""
        dice = Dice(self.seed, 17)
        tracks = [_draw_track(room, dice) for _ in range(_NUM_TRACKS)]
        clear = [track for track in tracks if _is_clear(room, track)]
        if not clear:  # a room full of furniture: look about from where there is most space
            spot = _widest_spot(room, dice)
            clear = [Track(start=spot, end=spot, yaw=0.25 * math.pi * k) for k in range(8)]
        return max(clear, key=lambda track: self._score(track, scene))

    def _score(self, track: Track, scene: SceneArrays) -> float:
        """Return how far one sees all the way [m], less when something comes near."""
        xs = np.linspace(0.0, self.intrinsics.width - 1.0, 16)
        ys = np.linspace(0.0, self.intrinsics.height - 1.0, 12)
        nearest, middle = math.inf, math.inf
        for k in range(8):
            camera = camera_row(self._pose_on(track, k / 8), self.intrinsics)
            depth = cast_depth(scene, camera, xs, ys)
            nearest = min(nearest, float(depth.min()))
            middle = min(middle, float(np.median(depth)))
        return min(nearest / 0.6, 1.0) * (min(middle, 3.5) + 0.5 * min(track.length, 2.5))


def _draw_track(room: Room, dice: Dice) -> Track:
    """Draw two places up to 3 m apart, and a view across the room's middle."""
    x, y = room.width * dice.unit(), room.depth * dice.unit()
    turn, reach = dice.uniform(0.0, 2.0 * math.pi), dice.uniform(0.6, 3.0)
    aim_x, aim_y = room.width * dice.uniform(0.3, 0.7), room.depth * dice.uniform(0.3, 0.7)
    end = (x + reach * math.cos(turn), y + reach * math.sin(turn))
    yaw = math.atan2(aim_y - 0.5 * (y + end[1]), aim_x - 0.5 * (x + end[0]))
    return Track(start=(x, y), end=end, yaw=yaw)


def _is_clear(room: Room, track: Track) -> bool:
    steps = 2 + int(track.length / 0.08)
    for k in range(steps + 1):
        x, y = track.point(0.5 * k / steps)
        if not room.is_free((x, y, x, y, 0.0), margin=CLEARANCE):
            return False
    return True


def _widest_spot(room: Room, dice: Dice) -> tuple[float, float]:
    """Return the place with most space around."""
    best, best_margin = (0.5 * room.width, 0.5 * room.depth), -1.0
    for _ in range(200):
        x, y = room.width * dice.unit(), room.depth * dice.unit()
        for margin in (0.1, 0.2, 0.3, 0.45):
            if margin > best_margin and room.is_free((x, y, x, y, 0.0), margin=margin):
                best, best_margin = (x, y), margin
    return best
