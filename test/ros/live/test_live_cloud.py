"""Clouds of the page: thinning, the floor, what a click means, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.ros.live.cloud import (
    floor_below,
    nearest_to_ray,
    pixel_of,
    point_of,
    thin_cloud,
)

CAMERA = CameraIntrinsics(width=64, height=48, fx=50.0, fy=40.0, cx=32.0, cy=24.0)


def test_points_without_a_place_are_left_out_and_the_rest_is_spread_evenly() -> None:
    points = np.arange(30, dtype=np.float32).reshape(10, 3)
    points[0] = np.nan
    points[5, 2] = np.inf
    colors = np.arange(30, dtype=np.uint8).reshape(10, 3)
    # Points 1 2 3 4 6 7 8 9 are left; of eight every second is kept.
    thinned, their_colors = thin_cloud(points, colors, 4)
    assert thinned[:, 0].tolist() == [3.0, 9.0, 18.0, 24.0]
    assert their_colors[:, 0].tolist() == [3, 9, 18, 24]


def test_a_small_cloud_is_kept_whole() -> None:
    points = np.ones((7, 3), np.float32)
    thinned, colors = thin_cloud(points, np.zeros((7, 3), np.uint8), 7)
    assert (len(thinned), len(colors)) == (7, 7)


def test_the_floor_is_under_nearly_all_points() -> None:
    points = np.zeros((101, 3), np.float32)
    points[:, 1] = np.arange(101) / 100.0  # down to 1 m
    assert floor_below(points) == pytest.approx(0.98)
    assert floor_below(np.empty((0, 3), np.float32)) is None


def test_a_click_means_the_first_point_along_its_ray() -> None:
    points = np.array([[0.0, 0.0, 4.0], [0.01, 0.0, 2.0], [1.0, 0.0, 1.0]], np.float32)
    found = nearest_to_ray(points, (0.0, 0.0, 0.0), (0.0, 0.0, 3.0))
    assert found is not None
    assert found.tolist() == pytest.approx([0.01, 0.0, 2.0])


def test_a_click_into_the_void_or_behind_the_eye_means_nothing() -> None:
    points = np.array([[0.0, 0.0, -4.0], [1.0, 0.0, 1.0]], np.float32)
    assert nearest_to_ray(points, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)) is None
    assert nearest_to_ray(points[:0], (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)) is None


def test_a_pixel_and_its_depth_are_a_point_and_back() -> None:
    # (42 - 32) * 2 / 50 and (4 - 24) * 2 / 40
    assert point_of((42, 4), 2.0, CAMERA) == pytest.approx((0.4, -1.0, 2.0))
    assert pixel_of(np.array([0.4, -1.0, 2.0], np.float32), CAMERA) == (42, 4)
