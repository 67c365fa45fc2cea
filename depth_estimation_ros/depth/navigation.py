"""Depth for planners: a sparse cloud and a laser scan, both limited to what they act on."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.depth.point_cloud import PointCloudBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics

    # Gives the depth of the pixels in these rows and columns, (rows, columns) float32 [m].
    Sampler = Callable[[slice, slice], NDArray[np.float32]]

__all__ = ['LaserRanges', 'SparseLimits', 'laser_ranges', 'sparse_points']


@dataclass(frozen=True, kw_only=True)
class SparseLimits:
    """What stays in a sparse cloud.

    Attributes:
        max_points: At most so many.
        max_range: Longest distance from the camera [m].
        min_height: Lowest height over the camera, along its up axis [m].
        max_height: Highest height over the camera [m].
    """

    max_points: int
    max_range: float
    min_height: float = -math.inf
    max_height: float = math.inf


def sparse_points(
    sampled: Sampler, intrinsics: CameraIntrinsics, limits: SparseLimits
) -> NDArray[np.float32]:
    """Unproject every n-th pixel of every n-th row, as few as the limits ask for.

    Args:
        sampled: Asked for the pixels of the image that are wanted; what is not a finite number
            above 0 makes no point.
        intrinsics: The camera's, for the size of that image.
        limits: What stays.

    Returns:
        (N, 3) float32 [m] in the optical frame, N <= max_points, all finite.
    """
    height, width = intrinsics.height, intrinsics.width
    step = max(1, math.floor(math.sqrt(height * width / limits.max_points)))
    while math.ceil(height / step) * math.ceil(width / step) > limits.max_points:
        step += 1
    builder = PointCloudBuilder(decimation_x=step, decimation_y=step)
    depth = sampled(builder.rows, builder.columns)
    points = builder.build_chosen(depth, intrinsics).reshape(-1, 3)
    up = -points[:, 1]
    with np.errstate(invalid='ignore'):
        kept = np.einsum('ij,ij->i', points, points) <= limits.max_range**2
        kept &= (up >= limits.min_height) & (up <= limits.max_height)
    return np.asarray(points[kept], dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class LaserRanges:
    """A scan, from right to left.

    Attributes:
        angle_min: Of the first range, from straight ahead to the left [rad].
        angle_increment: From one range to the next [rad].
        ranges: (N,) float32 [m]: NaN = unknown, +Inf = nothing within max_range.
    """

    angle_min: float
    angle_increment: float
    ranges: NDArray[np.float32]

    @property
    def angle_max(self) -> float:
        """Angle of the last range [rad]."""
        return self.angle_min + self.angle_increment * (self.ranges.size - 1)


def laser_ranges(
    sampled: Sampler,
    intrinsics: CameraIntrinsics,
    *,
    num_rows: int,
    max_range: float,
) -> LaserRanges:
    """Take the nearest depth of each column in a band of rows around the principal point.

    Args:
        sampled: Asked for the band; NaN = unknown, +Inf = far.
        intrinsics: The camera's, for the size of the image that the band is of.
        num_rows: Height of the band [px].
        max_range: Longer ranges become +Inf [m].

    Returns:
        Ranges at even angles, at most one a column.
    """
    height, width = intrinsics.height, intrinsics.width
    top = round(min(max(intrinsics.cy - num_rows / 2.0, 0.0), max(height - num_rows, 0)))
    # -Inf is too near to tell: as an obstacle it has no distance, so it is unknown.
    depth = sampled(slice(top, top + num_rows), slice(None))
    band = np.where(depth > 0.0, depth, np.nan)
    slopes = (np.arange(width) - intrinsics.cx) / intrinsics.fx
    angles = -np.arctan(slopes)
    nearest = np.fmin.reduce(band, axis=0) * np.hypot(1.0, slopes)
    nearest[nearest > max_range] = np.inf
    if width == 1:  # one angle has no step; a scan of one range may have any
        return LaserRanges(
            angle_min=float(angles[0]),
            angle_increment=1.0 / intrinsics.fx,
            ranges=nearest.astype(np.float32),
        )
    # As wide as a column in the middle, where columns are widest, so that no angle is left out.
    num_ranges = max(2, math.floor((angles[0] - angles[-1]) * intrinsics.fx) + 1)
    increment = float(angles[0] - angles[-1]) / (num_ranges - 1)
    places = np.rint((angles - angles[-1]) / increment).astype(np.intp)
    ranges = np.full(num_ranges, np.nan)
    np.fmin.at(ranges, places, nearest)
    return LaserRanges(
        angle_min=float(angles[-1]), angle_increment=increment, ranges=ranges.astype(np.float32)
    )
