"""Points of a sensor in a camera's image, by numbers that can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.camera.rigid_transform import (
    RigidTransform,
    depth_of_points,
    points_of_scan,
)
from depth_estimation_ros.errors import ConfigError

HALF_PI = math.pi / 2.0


def test_a_body_frame_becomes_an_optical_one() -> None:
    transform = RigidTransform.from_numbers((0.0, 0.0, 0.0, HALF_PI, -HALF_PI, 0.0))
    forward, left, up = transform.apply(np.eye(3))
    np.testing.assert_allclose(forward, [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(left, [-1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(up, [0, -1, 0], atol=1e-12)


def test_a_quaternion_says_the_same_as_angles() -> None:
    by_angles = RigidTransform.from_numbers((1.0, 2.0, 3.0, HALF_PI, -HALF_PI, 0.0))
    by_quaternion = RigidTransform.from_numbers((1.0, 2.0, 3.0, 0.5, -0.5, 0.5, 0.5))
    points = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 4.0]])
    np.testing.assert_allclose(by_quaternion.apply(points), by_angles.apply(points), atol=1e-12)
    np.testing.assert_allclose(by_angles.apply(np.zeros((1, 3))), [[1.0, 2.0, 3.0]])


@pytest.mark.parametrize(
    ('numbers', 'message'),
    [
        ((1.0, 2.0, 3.0), r'transform 1 2 3: 3 numbers, expected X Y Z ROLL'),
        ((0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0), r'quaternion 0 0 0 2 \(x y z w\) has length 2'),
        ((0.0, 0.0, math.nan, 0.0, 0.0, 0.0), 'must be finite'),
    ],
)
def test_numbers_that_are_no_transform_are_refused(
    numbers: tuple[float, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        RigidTransform.from_numbers(numbers)


def test_the_nearest_of_two_points_on_a_pixel_is_seen() -> None:
    camera = CameraIntrinsics(width=4, height=3, fx=2.0, fy=2.0, cx=1.0, cy=1.0)
    points = np.array(
        [
            [1.0, 0.0, 2.0],  # u = 2 * 1 / 2 + 1 = 2, v = 1
            [2.0, 0.0, 4.0],  # the same pixel, behind
            [-1.0, 1.0, 2.0],  # u = 0, v = 2
            [9.0, 0.0, 2.0],  # out of the image
            [0.0, 0.0, -2.0],  # behind the camera
            [np.nan, 0.0, 2.0],
        ]
    )
    depth = depth_of_points(points, camera)
    expected = np.full((3, 4), np.nan)
    expected[1, 2] = expected[2, 0] = 2.0
    np.testing.assert_array_equal(depth, expected)


def test_a_scan_leaves_out_what_is_no_measurement() -> None:
    points = points_of_scan(
        np.array([1.0, 2.0, np.inf, np.nan, 0.01, 99.0, 3.0]),
        angle_min=-HALF_PI,
        angle_increment=HALF_PI,
        range_min=0.1,
        range_max=10.0,
    )
    np.testing.assert_allclose(points, [[0, -1, 0], [2, 0, 0], [0, 3, 0]], atol=1e-12)
