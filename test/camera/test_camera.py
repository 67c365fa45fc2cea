"""Intrinsics: fields of view, ROS's scaling rule, crops, what counts as calibrated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from depth_estimation_ros.camera.camera_info_file import read_camera_info
from depth_estimation_ros.camera.distortion import DistortionModel, distortion_model
from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.camera.plausibility import implausible_camera
from depth_estimation_ros.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from pathlib import Path

CAMERA = CameraIntrinsics(width=640, height=480, fx=500.0, fy=510.0, cx=320.0, cy=240.0)


def test_a_right_angle_field_of_view_has_half_the_width_as_focal_length() -> None:
    camera = CameraIntrinsics.from_hfov(width=640, height=480, hfov_deg=90.0)
    assert camera.fx == pytest.approx(320.0)
    assert camera.fy == camera.fx
    assert (camera.cx, camera.cy) == (319.5, 239.5)


@pytest.mark.parametrize('hfov_deg', [0.0, 180.0, -60.0, float('nan'), 1e-06, 176.0])
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


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({}, ''),
        ({'fx': 2200.0, 'fy': 2200.0}, ''),  # a long lens
        ({'fx': 6.3}, 'fx = 6.3 px, must be from 6.4 to 64000 px'),
        ({'fy': 64001.0}, 'fy = 64001 px'),
        ({'fx': float('inf')}, 'fx = inf px'),
        ({'fx': 50.0}, 'fx = 50 px and fy = 510 px differ by more than 10 times'),
        ({'cx': -641.0}, 'cx = -641 px, must be from -640 to 1280 px'),
        ({'cy': 961.0}, 'cy = 961 px, must be from -480 to 960 px'),
        ({'width': 1}, 'image size 1x480: a camera has at least 2x2 pixels'),
    ],
)
def test_numbers_of_no_camera_are_told_with_the_value(
    changes: dict[str, float], words: str
) -> None:
    found = implausible_camera(replace(CAMERA, **changes))  # type: ignore[arg-type]
    assert found.startswith(words)
    assert bool(found) == bool(words)


@pytest.mark.parametrize('name', ['equi', 'fisheye', 'kannala_brandt4', 'equidistant'])
def test_fisheye_lenses_have_many_names(name: str) -> None:
    assert distortion_model(name, (0.1, 0.2, 0.3, 0.4)) is DistortionModel.EQUIDISTANT


def test_a_calibration_file_of_no_camera_is_refused_with_the_value(tmp_path: Path) -> None:
    pytest.importorskip('yaml')
    path = tmp_path / 'camera.yaml'
    path.write_text(
        'image_width: 640\nimage_height: 480\n'
        'camera_matrix: {data: [1e-30, 0, 320, 0, 1e-30, 240, 0, 0, 1]}\n'
    )
    with pytest.raises(ConfigError, match=r'camera.yaml: .*fx = 1e-30 px, must be from 6.4'):
        read_camera_info(path)
