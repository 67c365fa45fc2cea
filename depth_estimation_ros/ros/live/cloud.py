"""Clouds for a page: few enough points, the floor under them, the point that was clicked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics

LOWEST_SHARE = 98.0  # per cent of the points lie above the floor
PICK_ANGLE_DEG = 1.0  # between the ray of a click and the point it means


def thin_cloud(
    points: NDArray[np.float32], colors: NDArray[np.uint8], max_points: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Drop points without a place, then keep at most `max_points` evenly spread ones.

    Args:
        points: (N, 3) float32 [m], NaN = no point.
        colors: (N, 3) uint8 RGB.
        max_points: Most points kept.

    Returns:
        (n, 3) float32 [m] and (n, 3) uint8.
    """
    kept = np.flatnonzero(np.isfinite(points).all(axis=1))
    if kept.size > max_points:
        kept = kept[(np.arange(max_points) * kept.size) // max_points]
    return points[kept], colors[kept]


def floor_below(points: NDArray[np.float32]) -> float | None:
    """Estimate how far the floor is under the camera: nearly all points are above it.

    Args:
        points: (N, 3) float32 [m] in the optical frame, y down, all finite.

    Returns:
        [m], along y; None without points.
    """
    if len(points) == 0:
        return None
    return float(np.percentile(points[:, 1], LOWEST_SHARE))


def nearest_to_ray(
    points: NDArray[np.float32],
    origin: tuple[float, float, float],
    direction: tuple[float, float, float],
    max_angle_deg: float = PICK_ANGLE_DEG,
) -> NDArray[np.float32] | None:
    """Find the point that a click means: the first one along the ray, or close beside it.

    Args:
        points: (N, 3) float32 [m], all finite.
        origin: Of the ray, the eye [m].
        direction: Of the ray, of any length above 0.
        max_angle_deg: Largest angle at the eye between the ray and the point.

    Returns:
        (3,) float32 [m], or None if there is none.
    """
    along = np.asarray(direction, np.float64)
    along = along / np.linalg.norm(along)
    offsets = points.astype(np.float64) - np.asarray(origin, np.float64)
    distances = offsets @ along
    beside = np.linalg.norm(offsets - distances[:, None] * along, axis=1)
    limit = math.tan(math.radians(max_angle_deg))
    hit = np.flatnonzero((distances > 0.0) & (beside <= limit * distances))
    if hit.size == 0:
        return None
    found: NDArray[np.float32] = points[hit[np.argmin(distances[hit])]]
    return found


def pixel_of(point: NDArray[np.float32], intrinsics: CameraIntrinsics) -> tuple[int, int]:
    """Project a point before the camera to its nearest pixel (column, row)."""
    x, y, z = (float(value) for value in point)
    return (
        round(intrinsics.fx * x / z + intrinsics.cx),
        round(intrinsics.fy * y / z + intrinsics.cy),
    )


def point_of(
    pixel: tuple[int, int], depth: float, intrinsics: CameraIntrinsics
) -> tuple[float, float, float]:
    """Unproject a pixel (column, row) with its depth [m]; returns x, y, z [m]."""
    return (
        (pixel[0] - intrinsics.cx) * depth / intrinsics.fx,
        (pixel[1] - intrinsics.cy) * depth / intrinsics.fy,
        depth,
    )
