"""Rectification: where a pixel comes from, by the lens equations worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.camera.rectification import Rectifier
from depth_estimation_ros.errors import ConfigError

CAMERA = CameraIntrinsics(width=201, height=101, fx=100.0, fy=100.0, cx=100.0, cy=50.0)
NO_ROTATION = (0.0,) * 9


def rectifier(model: str, *coefficients: float) -> Rectifier:
    return Rectifier(
        raw=CAMERA,
        rectified=CAMERA,
        distortion_model=model,
        coefficients=coefficients,
        rotation=NO_ROTATION,
    )


def column_image() -> np.ndarray:
    """Make an image whose red is its column."""
    image = np.zeros((101, 201, 3), np.uint8)
    image[..., 0] = np.arange(201)
    return image


@pytest.mark.parametrize('model', ['plumb_bob', 'rational_polynomial'])
def test_a_lens_without_distortion_changes_nothing(model: str) -> None:
    image = column_image()
    unbent = rectifier(model, 0.0, 0.0, 0.0, 0.0, 0.0)
    np.testing.assert_array_equal(unbent.apply(image), image)
    assert not unbent.outside.any()


def test_plumb_bob_pulls_pixels_from_where_the_lens_put_them() -> None:
    # At column 150 the slope is 0.5: with k1 = -0.2 the lens put it at 0.5 (1 - 0.2 x 0.25) =
    # 0.475, column 147.5.
    rectified = rectifier('plumb_bob', -0.2, 0.0, 0.0, 0.0, 0.0).apply(column_image())
    assert rectified[50, 150, 0] in (147, 148)
    assert rectified[50, 100, 0] == 100


def test_equidistant_pulls_pixels_from_their_angle() -> None:
    # At column 150 the slope is 0.5: the lens put it at atan(0.5) = 0.4636, column 146.4.
    rectified = rectifier('equidistant', 0.0, 0.0, 0.0, 0.0).apply(column_image())
    assert rectified[50, 150, 0] == round(100 + 100 * math.atan(0.5))


def test_the_rectified_camera_may_have_another_focal_length() -> None:
    wider = CameraIntrinsics(width=201, height=101, fx=50.0, fy=50.0, cx=100.0, cy=50.0)
    made = Rectifier(
        raw=CAMERA,
        rectified=wider,
        distortion_model='plumb_bob',
        coefficients=(0.0,) * 5,
        rotation=NO_ROTATION,
    )
    # Column 120 has slope 20 / 50 = 0.4, which is column 140 of the raw image.
    assert made.apply(column_image())[50, 120, 0] == 140
    # Column 30 has slope -1.4: column -40 is not in the raw image.
    assert made.outside[50, 30]
    assert not made.outside[50, 51]


def test_an_unknown_lens_is_refused_with_those_known() -> None:
    with pytest.raises(ConfigError, match=r"'mei' is not supported: must be one of plumb_bob"):
        rectifier('mei', 1.0)
