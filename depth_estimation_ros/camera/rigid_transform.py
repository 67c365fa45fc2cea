"""Where a sensor sits on a camera, and where its points come to lie in the camera's image."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics

__all__ = ['RigidTransform', 'depth_of_points', 'points_of_scan']

_NUM_EULER, _NUM_QUATERNION = 6, 7
_UNIT_TOLERANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class RigidTransform:
    """point in the camera's frame = rotation @ point in the sensor's frame + translation.

    Attributes:
        rotation: Three rows of three.
        translation: [m].
    """

    rotation: tuple[tuple[float, ...], ...]
    translation: tuple[float, ...]

    @classmethod
    def from_numbers(cls, numbers: Sequence[float]) -> RigidTransform:
        """Read what `tf2_echo CAMERA_OPTICAL_FRAME SENSOR_FRAME` prints.

        Args:
            numbers: x y z [m], then roll pitch yaw [rad] about fixed axes, or the quaternion
                x y z w.

        Raises:
            ConfigError: They are neither 6 nor 7 finite numbers, or the quaternion is none.
        """
        if not all(math.isfinite(value) for value in numbers):
            raise ConfigError(f'transform {_listed(numbers)}: the numbers must be finite')
        if len(numbers) == _NUM_EULER:
            rotation = _from_euler(*numbers[3:])
        elif len(numbers) == _NUM_QUATERNION:
            rotation = _from_quaternion(*numbers[3:])
        else:
            raise ConfigError(
                f'transform {_listed(numbers)}: {len(numbers)} numbers, expected X Y Z ROLL PITCH '
                'YAW or X Y Z QX QY QZ QW'
            )
        return cls(
            rotation=tuple(tuple(map(float, row)) for row in rotation),
            translation=tuple(map(float, numbers[:3])),
        )

    def apply(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Transform (N, 3) points [m]."""
        return np.asarray(points @ np.transpose(self.rotation) + self.translation, np.float64)


def depth_of_points(
    points: NDArray[np.floating], intrinsics: CameraIntrinsics
) -> NDArray[np.float32]:
    """Draw points into a camera's image; the nearest one covers those behind it.

    Args:
        points: (N, 3) [m] in the camera's optical frame; NaN = no point.
        intrinsics: The camera's.

    Returns:
        (H, W) float32 depth [m], NaN where no point lies.
    """
    shape = (intrinsics.height, intrinsics.width)
    depth = np.full(shape, np.inf, dtype=np.float32)
    ahead = points[np.isfinite(points).all(axis=1) & (points[:, 2] > 0.0)]
    u = np.rint(intrinsics.fx * ahead[:, 0] / ahead[:, 2] + intrinsics.cx)
    v = np.rint(intrinsics.fy * ahead[:, 1] / ahead[:, 2] + intrinsics.cy)
    inside = (u >= 0) & (u < shape[1]) & (v >= 0) & (v < shape[0])
    pixels = (v[inside].astype(np.intp), u[inside].astype(np.intp))
    np.minimum.at(depth, pixels, ahead[inside, 2].astype(np.float32))
    depth[np.isinf(depth)] = np.nan
    return depth


def points_of_scan(
    ranges: NDArray[np.floating],
    *,
    angle_min: float,
    angle_increment: float,
    range_min: float,
    range_max: float,
) -> NDArray[np.float64]:
    """Turn a laser scan into points of its own frame: x forward, y left.

    Args:
        ranges: (N,) [m].
        angle_min: Of the first range [rad].
        angle_increment: From one to the next [rad].
        range_min: Shorter ones are no measurement [m].
        range_max: Nor are longer ones [m].

    Returns:
        (M, 3) float64 [m].
    """
    distances = np.asarray(ranges, dtype=np.float64)
    angles = angle_min + angle_increment * np.arange(distances.size)
    good = np.isfinite(distances) & (distances >= range_min) & (distances <= range_max)
    x, y = distances * np.cos(angles), distances * np.sin(angles)
    return np.stack([x, y, np.zeros_like(x)], axis=1)[good]


def _from_euler(roll: float, pitch: float, yaw: float) -> NDArray[np.float64]:
    (sr, cr), (sp, cp), (sy, cy) = ((math.sin(a), math.cos(a)) for a in (roll, pitch, yaw))
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cr, -sr], [0.0, sr, cr]])
    about_y = np.array([[cp, 0.0, sp], [0.0, 1.0, 0.0], [-sp, 0.0, cp]])
    about_z = np.array([[cy, -sy, 0.0], [sy, cy, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(about_z @ about_y @ about_x)


def _from_quaternion(x: float, y: float, z: float, w: float) -> NDArray[np.float64]:
    length = math.hypot(x, y, z, w)
    if abs(length - 1.0) > _UNIT_TOLERANCE:
        raise ConfigError(
            f'quaternion {_listed((x, y, z, w))} (x y z w) has length {length:.3g}, it must be 1'
        )
    x, y, z, w = x / length, y / length, z / length, w / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _listed(numbers: Sequence[float]) -> str:
    return ' '.join(f'{value:g}' for value in numbers)
