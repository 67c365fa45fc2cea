"""Point clouds: unprojection by hand, layout, decimation, invalid depth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.depth.point_cloud import PointCloudBuilder
from depth_estimation_ros.errors import ConfigError, ImageError
from depth_estimation_ros.files.ply import write_ply

# The pixel of column 2 and row 1 looks straight ahead.
CAMERA = CameraIntrinsics(width=4, height=3, fx=2.0, fy=4.0, cx=2.0, cy=1.0)


def test_points_are_where_the_pinhole_puts_them() -> None:
    points = PointCloudBuilder().build(np.full((3, 4), 8.0, dtype=np.float32), CAMERA)
    assert points.shape == (3, 4, 3)
    assert points.dtype == np.float32
    assert points.flags.c_contiguous
    assert points[1, 2].tolist() == [0.0, 0.0, 8.0]
    assert points[0, 0].tolist() == [-8.0, -2.0, 8.0]  # (0-2)*8/2, (0-1)*8/4
    assert points[2, 3].tolist() == [4.0, 2.0, 8.0]


def test_colour_is_packed_as_pcl_packs_it() -> None:
    rgb = np.zeros((3, 4, 3), dtype=np.uint8)
    rgb[1, 2] = (0x12, 0x34, 0x56)
    rgb[2, 3] = (255, 255, 255)
    points = PointCloudBuilder().build(np.ones((3, 4), dtype=np.float32), CAMERA, rgb)
    assert points.shape == (3, 4, 4)
    packed = points.view(np.uint32)[..., 3]
    assert packed[1, 2] == 0x00123456
    assert packed[2, 3] == 0x00FFFFFF
    assert packed[0, 0] == 0


@pytest.mark.parametrize('invalid', [math.nan, math.inf, -math.inf, 0.0, -2.0])
def test_invalid_depth_is_a_nan_point(invalid: float) -> None:
    depth = np.full((3, 4), 2.0, dtype=np.float32)
    depth[0, 1] = invalid
    before = depth.copy()
    points = PointCloudBuilder().build(depth, CAMERA)
    assert np.isnan(points[0, 1]).all()
    assert np.count_nonzero(np.isnan(points)) == 3
    np.testing.assert_array_equal(depth, before)


def test_decimation_keeps_pixels_0_n_2n() -> None:
    depth = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    points = PointCloudBuilder(decimation_x=3, decimation_y=2).build(depth, CAMERA)
    assert points.shape == (2, 2, 3)
    assert points[..., 2].tolist() == [[1.0, 4.0], [9.0, 12.0]]
    assert points[1, 1].tolist() == [6.0, 3.0, 12.0]  # column 3, row 2


def test_decimated_colours_belong_to_their_points() -> None:
    rgb = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    builder = PointCloudBuilder(decimation_x=3, decimation_y=2)
    points = builder.build(np.ones((3, 4), dtype=np.float32), CAMERA, rgb)
    packed = points.view(np.uint32)[..., 3]
    assert packed[1, 1] == 33 << 16 | 34 << 8 | 35


def test_a_single_column_and_a_single_pixel_are_clouds_too() -> None:
    depth = np.full((3, 4), 2.0, dtype=np.float32)
    rgb = np.full((3, 4, 3), 7, dtype=np.uint8)
    assert PointCloudBuilder(decimation_x=9).build(depth, CAMERA, rgb).shape == (3, 1, 4)
    points = PointCloudBuilder(decimation_x=9, decimation_y=9).build(depth, CAMERA, rgb)
    assert points.shape == (1, 1, 4)
    assert points[0, 0, :3].tolist() == [-2.0, -0.5, 2.0]


def test_one_builder_serves_images_of_changing_size_and_camera() -> None:
    builder = PointCloudBuilder()
    wide = CameraIntrinsics(width=5, height=2, fx=1.0, fy=1.0, cx=0.0, cy=0.0)
    assert builder.build(np.ones((3, 4), dtype=np.float32), CAMERA).shape == (3, 4, 3)
    points = builder.build(np.ones((2, 5), dtype=np.float32), wide)
    assert points[1, 4].tolist() == [4.0, 1.0, 1.0]


def test_an_uncalibrated_camera_is_refused() -> None:
    zeros = CameraIntrinsics(width=4, height=3, fx=0.0, fy=0.0, cx=0.0, cy=0.0)
    with pytest.raises(ImageError, match=r'calibrated.*fx=0\.0'):
        PointCloudBuilder().build(np.ones((3, 4), dtype=np.float32), zeros)


def test_sizes_that_differ_are_refused() -> None:
    with pytest.raises(ImageError, match=r'\(4, 3\) with intrinsics of a 4x3 image'):
        PointCloudBuilder().build(np.ones((4, 3), dtype=np.float32), CAMERA)
    with pytest.raises(ImageError, match=r'colours of shape \(3, 5, 3\)'):
        PointCloudBuilder().build(
            np.ones((3, 4), dtype=np.float32), CAMERA, np.zeros((3, 5, 3), dtype=np.uint8)
        )


@pytest.mark.parametrize('steps', [(0, 1), (1, -2)])
def test_a_decimation_below_one_is_refused(steps: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match=f'decimation_x {steps[0]}, decimation_y {steps[1]}'):
        PointCloudBuilder(decimation_x=steps[0], decimation_y=steps[1])


def test_a_ply_file_holds_the_valid_points_with_their_colours(tmp_path: object) -> None:
    from pathlib import Path

    depth = np.full((3, 4), np.nan, dtype=np.float32)
    depth[0, 0] = 8.0
    rgb = np.full((3, 4, 3), (1, 2, 3), dtype=np.uint8)
    path = Path(str(tmp_path)) / 'cloud.ply'
    assert write_ply(path, PointCloudBuilder().build(depth, CAMERA, rgb)) == 1
    header, _, body = path.read_bytes().partition(b'end_header\n')
    assert b'element vertex 1\n' in header
    assert body == np.array([-8.0, -2.0, 8.0], dtype='<f4').tobytes() + bytes([1, 2, 3])


@pytest.mark.parametrize('step_x', [1, 2, 3, 5])
def test_colours_of_chosen_columns_are_those_of_these_pixels(step_x: int) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (4, 7, 3), dtype=np.uint8)
    camera = CameraIntrinsics(width=7, height=4, fx=1.0, fy=1.0, cx=0.0, cy=0.0)
    builder = PointCloudBuilder(decimation_x=step_x, decimation_y=2)
    points = builder.build(np.ones((4, 7), np.float32), camera, rgb)
    packed = points[..., 3].view(np.uint32)
    red, green, blue = (rgb[::2, ::step_x, channel].astype(np.uint32) for channel in range(3))
    np.testing.assert_array_equal(packed, red << 16 | green << 8 | blue)


def test_colours_of_a_mirrored_image_are_taken_as_they_are() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (2, 4, 3), dtype=np.uint8)[:, ::-1]
    camera = CameraIntrinsics(width=4, height=2, fx=1.0, fy=1.0, cx=0.0, cy=0.0)
    points = PointCloudBuilder().build(np.ones((2, 4), np.float32), camera, rgb)
    assert points[0, 0, 3].view(np.uint32) == int.from_bytes(bytes(rgb[0, 0]), 'big')
