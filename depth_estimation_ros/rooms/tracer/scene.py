"""Scenes built from primitives, and pinhole cameras in them.

World: metres, right-handed, z up. Camera: REP 103 optical frame (z forward, x right, y down).
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.rooms.tracer.arrays import (
    KIND_COLUMN,
    MATERIAL_COLUMN,
    SHADOW_COLUMN,
    Array,
    SceneArrays,
)
from depth_estimation_ros.rooms.tracer.bvh import build_bvh
from depth_estimation_ros.rooms.tracer.intersect import BOX, CYLINDER, ELLIPSOID
from depth_estimation_ros.rooms.tracer.textures import NUM_COLUMNS

if TYPE_CHECKING:
    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics

Vector = tuple[float, float, float]
Rotation = tuple[float, float, float, float, float, float, float, float, float]

UPRIGHT: Rotation = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Material:
    """How a surface looks; kinds and parameters are those of `textures`."""

    color: Vector  # linear reflectance 0..1
    color2: Vector = (0.0, 0.0, 0.0)
    kind: int = 0
    params: tuple[float, ...] = ()
    mirror: float = 0.0  # share of light reflected as by a mirror, 0..1
    specular: float = 0.0  # strength of the highlight
    shininess: float = 40.0
    emission: float = 0.0  # times the colour; 0 = does not glow
    seed: int = 0
    world: bool = False  # texture continues from one primitive to the next

    def row(self) -> list[float]:
        """Return the row of numbers the kernels read."""
        params = [*self.params, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0][:6]
        tail = [self.mirror, self.specular, self.shininess, self.emission, float(self.seed)]
        row = [float(self.kind), *self.color, *self.color2, *params, *tail, float(self.world)]
        return row + [0.0] * (NUM_COLUMNS - len(row))


GREY = Material(color=(0.5, 0.5, 0.5))


@dataclass(frozen=True, kw_only=True)
class Light:
    """A lamp, a bright area (half axes, normal) or, with `sun`, light along `normal`."""

    position: Vector = (0.0, 0.0, 0.0)
    intensity: Vector = (1.0, 1.0, 1.0)
    half_u: Vector = (0.0, 0.0, 0.0)
    half_v: Vector = (0.0, 0.0, 0.0)
    normal: Vector = (0.0, 0.0, 0.0)  # zero: shines all round
    sun: bool = False

    def row(self) -> list[float]:
        """Return the row of numbers the kernels read."""
        return [
            *self.position, *self.half_u, *self.half_v, *self.normal, *self.intensity,
            float(self.sun),
        ]  # fmt: skip


def yaw_rotation(yaw: float) -> Rotation:
    """Return world -> local rows for a primitive turned by yaw [rad] about z."""
    c, s = math.cos(yaw), math.sin(yaw)
    return (c, s, 0.0, -s, c, 0.0, 0.0, 0.0, 1.0)


class Scene:
    """Primitives, materials and lights; `arrays` makes them ready to be traced."""

    def __init__(self, *, ambient: Vector = (0.3, 0.3, 0.3)) -> None:
        """Start empty; ambient is irradiance that comes from everywhere."""
        self.ambient = ambient
        self.lights: list[Light] = []
        self._rows: list[tuple[float, ...]] = []
        self._kinds: list[int] = []
        self._shadows: list[bool] = []
        self._prim_material: list[int] = []
        self._materials: dict[Material, int] = {}

    def __len__(self) -> int:
        """Return the number of primitives."""
        return len(self._rows)

    def box(
        self, center: Vector, size: Vector, material: Material = GREY, *,
        rotation: Rotation = UPRIGHT, shadow: bool = True,
    ) -> None:  # fmt: skip
        """Add a box of full size [m] in its own axes."""
        self._add(BOX, center, size, material, rotation, 1.0, shadow)

    def cylinder(
        self, center: Vector, size: Vector, material: Material = GREY, *,
        rotation: Rotation = UPRIGHT, taper: float = 1.0, shadow: bool = True,
    ) -> None:  # fmt: skip
        """Add a cylinder along its z; size: diameters at the bottom, height [m]."""
        self._add(CYLINDER, center, size, material, rotation, taper, shadow)

    def ellipsoid(
        self, center: Vector, size: Vector, material: Material = GREY, *,
        rotation: Rotation = UPRIGHT, shadow: bool = True,
    ) -> None:  # fmt: skip
        """Add an ellipsoid of full size (diameters) [m]."""
        self._add(ELLIPSOID, center, size, material, rotation, 1.0, shadow)

    def _add(
        self, kind: int, center: Vector, size: Vector, material: Material, rotation: Rotation,
        taper: float, shadow: bool,
    ) -> None:  # fmt: skip
        half = (0.5 * size[0], 0.5 * size[1], 0.5 * size[2])
        self._rows.append((*center, *rotation, *half, taper))
        self._kinds.append(kind)
        self._shadows.append(shadow and material.emission == 0.0)
        self._prim_material.append(self._materials.setdefault(material, len(self._materials)))

    def arrays(self) -> SceneArrays:
        """Return the arrays the kernels take, with the hierarchy built."""
        prims = np.empty((len(self._rows), 19))
        prims[:, :16] = self._rows
        prims[:, KIND_COLUMN] = self._kinds
        prims[:, SHADOW_COLUMN] = self._shadows
        prims[:, MATERIAL_COLUMN] = self._prim_material
        lights = [[*self.ambient, *[0.0] * 13], *(light.row() for light in self.lights)]
        return SceneArrays(
            prims=prims,
            materials=np.array([material.row() for material in self._materials]),
            lights=np.array(lights),
            nodes=build_bvh(prims, np.array(self._kinds, dtype=np.int64)),
        )


@dataclass(frozen=True, kw_only=True)
class CameraPose:
    """Where a camera is and looks: yaw 0 looks along +x, pitch up is positive [rad]."""

    position: Vector
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    def axes(self) -> Array:
        """Return (3, 3) float64 rows: right, down, forward in the world."""
        cy, sy = math.cos(self.yaw), math.sin(self.yaw)
        cp, sp = math.cos(self.pitch), math.sin(self.pitch)
        forward = np.array([cy * cp, sy * cp, sp])
        right = np.array([sy, -cy, 0.0])
        down = np.cross(forward, right)
        cr, sr = math.cos(self.roll), math.sin(self.roll)
        return np.stack([cr * right + sr * down, cr * down - sr * right, forward])


def camera_row(pose: CameraPose, intrinsics: CameraIntrinsics) -> Array:
    """Return the (16,) float64 row the kernels take."""
    k = intrinsics
    tail = [k.fx, k.fy, k.cx, k.cy]
    return np.concatenate([np.array(pose.position), pose.axes().ravel(), np.array(tail)])
