"""The sparse cloud and the laser scan, at pixels worked out by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.depth.navigation import SparseLimits, laser_ranges, sparse_points

if TYPE_CHECKING:
    from collections.abc import Callable

CAMERA = CameraIntrinsics(width=5, height=3, fx=2.0, fy=2.0, cx=2.0, cy=1.0)


def depth_of(value: float) -> np.ndarray:
    return np.full((3, 5), value, np.float32)


def at(depth: np.ndarray) -> Callable[[slice, slice], np.ndarray]:
    return lambda rows, columns: depth[rows, columns]


def test_few_enough_pixels_all_make_a_point() -> None:
    points = sparse_points(at(depth_of(4.0)), CAMERA, SparseLimits(max_points=15, max_range=100.0))
    assert points.shape == (15, 3)
    np.testing.assert_allclose(points[0], (-4.0, -2.0, 4.0))


@pytest.mark.parametrize('max_points', [1, 7, 100, 5000])
def test_there_are_never_more_points_than_asked_for(max_points: int) -> None:
    camera = CameraIntrinsics(width=640, height=480, fx=500.0, fy=500.0, cx=320.0, cy=240.0)
    depth = np.full((480, 640), 2.0, np.float32)
    points = sparse_points(at(depth), camera, SparseLimits(max_points=max_points, max_range=100.0))
    assert max_points * 0.5 < len(points) <= max_points


def test_points_beyond_the_range_are_left_out() -> None:
    # The pixel straight ahead is 4 m away, its neighbours sqrt(4^2 + 2^2) = 4.47 m.
    points = sparse_points(at(depth_of(4.0)), CAMERA, SparseLimits(max_points=15, max_range=4.4))
    np.testing.assert_allclose(points, [(0.0, 0.0, 4.0)])


def test_height_is_over_the_camera() -> None:
    limits = SparseLimits(max_points=15, max_range=100.0, min_height=1.0, max_height=3.0)
    points = sparse_points(at(depth_of(4.0)), CAMERA, limits)
    assert len(points) == 5
    np.testing.assert_allclose(points[:, 1], -2.0)


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf, 0.0])
def test_what_is_no_depth_makes_no_point(value: float) -> None:
    limits = SparseLimits(max_points=15, max_range=100.0)
    assert sparse_points(at(depth_of(value)), CAMERA, limits).shape == (0, 3)


def test_a_wall_is_further_away_at_the_sides() -> None:
    scan = laser_ranges(at(depth_of(4.0)), CAMERA, num_rows=1, max_range=10.0)
    # Column 4 lies at slope 1, 45 degrees to the right, 4 x sqrt(2) m away.
    assert scan.angle_min == pytest.approx(-math.pi / 4)
    assert scan.angle_max == pytest.approx(math.pi / 4)
    assert scan.ranges[0] == pytest.approx(4.0 * math.sqrt(2.0))
    assert scan.ranges[-1] == pytest.approx(4.0 * math.sqrt(2.0))
    assert np.isfinite(scan.ranges).all()


def test_the_scan_goes_from_right_to_left() -> None:
    depth = depth_of(4.0)
    depth[:, 4] = 1.0
    scan = laser_ranges(at(depth), CAMERA, num_rows=1, max_range=10.0)
    assert scan.ranges[0] == pytest.approx(math.sqrt(2.0))


def test_of_a_band_of_rows_the_nearest_counts_and_rows_outside_do_not() -> None:
    depth = np.full((9, 5), 4.0, np.float32)
    depth[3, 2], depth[0, :] = 2.0, 0.5
    camera = CameraIntrinsics(width=5, height=9, fx=2.0, fy=2.0, cx=2.0, cy=4.0)
    scan = laser_ranges(at(depth), camera, num_rows=3, max_range=10.0)
    assert np.nanmin(scan.ranges) == pytest.approx(2.0)


def test_far_is_infinite_and_unknown_is_not_a_number() -> None:
    depth = depth_of(20.0)
    depth[:, 4] = np.nan
    depth[:, 0] = np.inf
    scan = laser_ranges(at(depth), CAMERA, num_rows=3, max_range=10.0)
    assert math.isnan(scan.ranges[0])
    assert (scan.ranges[1:] == np.inf).all()


def test_no_angle_is_left_out_of_a_wide_camera() -> None:
    camera = CameraIntrinsics.from_hfov(width=640, height=480, hfov_deg=120.0)
    depth = np.full((480, 640), 1.0, np.float32)
    scan = laser_ranges(at(depth), camera, num_rows=10, max_range=10.0)
    assert np.isfinite(scan.ranges).all()
    assert scan.ranges.size > 300
