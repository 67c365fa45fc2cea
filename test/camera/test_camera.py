"""Intrinsics: fields of view, ROS's scaling rule, crops, what counts as calibrated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.errors import ImageError

CAMERA = CameraIntrinsics(width=640, height=480, fx=500.0, fy=510.0, cx=320.0, cy=240.0)


def test_a_right_angle_field_of_view_has_half_the_width_as_focal_length() -> None:
    camera = CameraIntrinsics.from_hfov(width=640, height=480, hfov_deg=90.0)
    assert camera.fx == pytest.approx(320.0)
    assert camera.fy == camera.fx
    assert (camera.cx, camera.cy) == (319.5, 239.5)


@pytest.mark.parametrize('hfov_deg', [0.0, 180.0, -60.0, float('nan')])
def test_an_impossible_field_of_view_is_refused(hfov_deg: float) -> None:
    with pytest.raises(ImageError, match=str(hfov_deg)):
        CameraIntrinsics.from_hfov(width=640, height=480, hfov_deg=hfov_deg)


def test_a_field_of_view_of_an_empty_image_is_refused() -> None:
    with pytest.raises(ImageError, match='0x480'):
        CameraIntrinsics.from_hfov(width=0, height=480, hfov_deg=60.0)


def test_scaling_follows_the_ratio_of_each_side() -> None:
    scaled = CAMERA.scaled(height=120, width=320)
    assert (scaled.width, scaled.height) == (320, 120)
    assert (scaled.fx, scaled.cx) == (250.0, 160.0)
    assert (scaled.fy, scaled.cy) == (127.5, 60.0)


def test_scaling_a_camera_without_size_is_refused() -> None:
    with pytest.raises(ImageError, match='0x480'):
        replace(CAMERA, width=0).scaled(height=240, width=320)


def test_a_crop_moves_the_principal_point_only() -> None:
    cropped = CAMERA.cropped(top=40, left=-16, height=400, width=672)
    assert (cropped.width, cropped.height) == (672, 400)
    assert (cropped.fx, cropped.fy) == (500.0, 510.0)
    assert (cropped.cx, cropped.cy) == (336.0, 200.0)


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('fx', 0.0),
        ('fy', -1.0),
        ('fx', float('nan')),
        ('cx', float('inf')),
        ('cy', float('nan')),
        ('width', 0),
        ('height', 0),
    ],
)
def test_zeros_and_nan_are_not_a_calibration(field: str, value: float) -> None:
    assert CAMERA.is_calibrated
    changed: dict[str, float] = {field: value}
    assert not replace(CAMERA, **changed).is_calibrated  # type: ignore[arg-type]
