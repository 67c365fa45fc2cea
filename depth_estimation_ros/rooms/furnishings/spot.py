"""A place in the room where a piece of furniture is put together in its own coordinates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from depth_estimation_ros.rooms.tracer.scene import (
    GREY,
    Material,
    Rotation,
    Scene,
    Vector,
    yaw_rotation,
)

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.dice import Dice


class Spot:
    """Local axes in a scene: x to the right seen from the front's back, y to the front, z up.

    Furniture has its back at y = 0, its front at y = depth, and is centred on x = 0.
    """

    def __init__(
        self, scene: Scene, dice: Dice, *, x: float, y: float, z: float = 0.0, yaw: float = 0.0
    ) -> None:
        """Put the origin at (x, y, z) [m] and turn the axes by yaw [rad]."""
        self.scene = scene
        self.dice = dice
        self.x, self.y, self.z, self.yaw = x, y, z, yaw
        self._cos, self._sin = math.cos(yaw), math.sin(yaw)

    def at(self, x: float, y: float, z: float = 0.0, yaw: float = 0.0) -> Spot:
        """Return a spot at local coordinates of this one."""
        wx, wy, wz = self.world(x, y, z)
        return Spot(self.scene, self.dice, x=wx, y=wy, z=wz, yaw=self.yaw + yaw)

    def world(self, x: float, y: float, z: float) -> Vector:
        """Return the world coordinates of a local point."""
        return (
            self.x + self._cos * x - self._sin * y,
            self.y + self._sin * x + self._cos * y,
            self.z + z,
        )

    def box(
        self, x: float, y: float, z: float, size: Vector, material: Material = GREY, *,
        yaw: float = 0.0, tilt: float = 0.0, shadow: bool = True,
    ) -> None:  # fmt: skip
        """Add a box that stands at z, centred on x, y; tilt [rad] leans its top to the back."""
        rotation = yaw_rotation(self.yaw + yaw)
        if tilt:
            rotation = _tilted(rotation, tilt)
        center = self.world(x, y, z + 0.5 * size[2])
        self.scene.box(center, size, material, rotation=rotation, shadow=shadow)

    def rod(
        self, x: float, y: float, z: float, diameter: float, height: float,
        material: Material = GREY, *, taper: float = 1.0, depth: float | None = None,
        shadow: bool = True,
    ) -> None:  # fmt: skip
        """Add an upright cylinder that stands at z; depth: its other diameter."""
        size = (diameter, depth or diameter, height)
        self.scene.cylinder(
            self.world(x, y, z + 0.5 * height), size, material, rotation=yaw_rotation(self.yaw),
            taper=taper, shadow=shadow,
        )  # fmt: skip

    def bar(
        self, x: float, y: float, z: float, diameter: float, length: float,
        material: Material = GREY, *, yaw: float = 0.0,
    ) -> None:  # fmt: skip
        """Add a lying cylinder centred at x, y, z, along local x turned by yaw."""
        c, s = math.cos(self.yaw + yaw), math.sin(self.yaw + yaw)
        rotation = (s, -c, 0.0, 0.0, 0.0, -1.0, c, s, 0.0)
        size = (diameter, diameter, length)
        self.scene.cylinder(self.world(x, y, z), size, material, rotation=rotation)

    def ball(
        self, x: float, y: float, z: float, size: Vector, material: Material = GREY, *,
        shadow: bool = True,
    ) -> None:  # fmt: skip
        """Add an ellipsoid whose lowest point is at z."""
        center = self.world(x, y, z + 0.5 * size[2])
        self.scene.ellipsoid(
            center, size, material, rotation=yaw_rotation(self.yaw), shadow=shadow
        )


def _tilted(rotation: Rotation, tilt: float) -> Rotation:
    """Turn local y and z about local x."""
    c, s = math.cos(tilt), math.sin(tilt)
    x, y, z = rotation[0:3], rotation[3:6], rotation[6:9]
    new_y = tuple(c * b - s * a for a, b in zip(z, y, strict=True))
    new_z = tuple(s * b + c * a for a, b in zip(z, y, strict=True))
    return (*x, *new_y, *new_z)  # type: ignore[return-value]
