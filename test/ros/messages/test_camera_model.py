"""From a CameraInfo to the intrinsics of an image and the CameraInfo of its depth."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip('rclpy')

from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from depth_estimation_ros.ros.messages.camera_info_cache import CameraInfoCache
from depth_estimation_ros.ros.messages.camera_model import (
    CameraInfoError,
    camera_from_hfov,
    camera_from_info,
    depth_camera_info,
)

pytestmark = pytest.mark.ros


def info(**changes: object) -> CameraInfo:
    """A 640x480 camera whose rectified focal length differs from its own."""
    made = CameraInfo(height=480, width=640, distortion_model='plumb_bob')
    made.k = [500.0, 0.0, 320.0, 0.0, 510.0, 240.0, 0.0, 0.0, 1.0]
    made.p = [400.0, 0.0, 300.0, -40.0, 0.0, 410.0, 200.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    made.d = [0.1, 0.0, 0.0, 0.0, 0.0]
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def values(
    message: CameraInfo, height: int, width: int, *, rect: bool = False
) -> tuple[float, ...]:
    camera = camera_from_info(message, height=height, width=width, is_rectified=rect).intrinsics
    assert (camera.height, camera.width) == (height, width)
    return camera.fx, camera.fy, camera.cx, camera.cy


def test_an_image_of_the_sensors_size_has_the_sensors_intrinsics() -> None:
    assert values(info(), 480, 640) == (500.0, 510.0, 320.0, 240.0)


def test_a_rectified_image_has_those_of_the_projection_matrix() -> None:
    assert values(info(), 480, 640, rect=True) == (400.0, 410.0, 300.0, 200.0)


def test_an_empty_projection_matrix_leaves_the_camera_matrix() -> None:
    assert values(info(p=[0.0] * 12), 480, 640, rect=True) == (500.0, 510.0, 320.0, 240.0)


def test_half_the_size_halves_everything() -> None:
    assert values(info(), 240, 320) == (250.0, 255.0, 160.0, 120.0)


def test_a_region_of_interest_is_cut_before_pixels_are_binned() -> None:
    message = info(binning_x=2, binning_y=2)
    message.roi.x_offset, message.roi.y_offset = 100, 50
    message.roi.width, message.roi.height = 400, 300
    # (320 - 100) / 2 and (240 - 50) / 2.
    assert values(message, 150, 200) == (250.0, 255.0, 110.0, 95.0)


def test_a_driver_that_scaled_its_calibration_already_is_believed() -> None:
    assert values(info(binning_x=2, binning_y=2), 480, 640) == (500.0, 510.0, 320.0, 240.0)


def test_a_camera_info_without_a_size_is_of_the_image() -> None:
    assert values(info(height=0, width=0), 480, 640) == (500.0, 510.0, 320.0, 240.0)


def test_a_portrait_image_of_a_landscape_calibration_is_refused_with_both_sizes() -> None:
    with pytest.raises(CameraInfoError, match=r'of 640x480 pixels, but the image is 480x640'):
        values(info(), 640, 480)


@pytest.mark.parametrize('focal', [0.0, math.nan, -1.0])
def test_what_is_no_calibration_is_said_plainly(focal: float) -> None:
    message = info(k=[focal, 0.0, 320.0, 0.0, focal, 240.0, 0.0, 0.0, 1.0])
    with pytest.raises(CameraInfoError, match=f'not a calibration: fx = {focal:g}'):
        values(message, 480, 640)


def test_the_depth_of_a_rectified_image_has_no_distortion_and_keeps_the_baseline() -> None:
    header = Header(frame_id='left')
    model = camera_from_info(info(), height=240, width=320, is_rectified=True)
    out = depth_camera_info(model, header)
    assert out.header == header
    assert (out.height, out.width) == (240, 320)
    np.testing.assert_array_equal(out.k, [200, 0, 150, 0, 205, 100, 0, 0, 1])
    # The baseline is 40 / 400 = 0.1 m, so half the focal length makes half the product.
    np.testing.assert_allclose(out.p, [200, 0, 150, -20, 0, 205, 100, 0, 0, 0, 1, 0])
    np.testing.assert_array_equal(out.r, np.eye(3).ravel())
    assert list(out.d) == [0.0] * 5


def test_the_depth_of_a_raw_image_can_still_be_rectified() -> None:
    model = camera_from_info(info(), height=240, width=320, is_rectified=False)
    out = depth_camera_info(model, Header())
    np.testing.assert_array_equal(out.k, [250, 0, 160, 0, 255, 120, 0, 0, 1])
    np.testing.assert_allclose(out.p, [200, 0, 150, -20, 0, 205, 100, 0, 0, 0, 1, 0])
    assert list(out.d) == [0.1, 0.0, 0.0, 0.0, 0.0]


def test_binning_and_region_are_done_with_in_the_depths_camera_info() -> None:
    message = info(binning_x=2, binning_y=2)
    out = depth_camera_info(
        camera_from_info(message, height=240, width=320, is_rectified=False), Header()
    )
    assert (out.binning_x, out.binning_y, out.roi.width) == (0, 0, 0)


def test_a_field_of_view_of_90_degrees_is_a_focal_length_of_half_the_width() -> None:
    model = camera_from_hfov(height=480, width=640, hfov_deg=90.0)
    out = depth_camera_info(model, Header())
    np.testing.assert_allclose(out.k, [320, 0, 319.5, 0, 320, 239.5, 0, 0, 1])


def stamped(sec: int, **changes: object) -> CameraInfo:
    made = info(**changes)
    made.header.stamp.sec = sec
    return made


def test_without_any_camera_info_there_is_none() -> None:
    assert CameraInfoCache().match(stamped(1).header.stamp, timeout_sec=0.0) is None


def test_a_static_camera_info_serves_every_image() -> None:
    cache = CameraInfoCache()
    cache.add(stamped(1))
    cache.add(stamped(2))
    matched = cache.match(stamped(9).header.stamp, timeout_sec=60.0)
    assert matched is not None
    assert matched.header.stamp.sec == 2


def test_a_zooming_camera_gets_the_camera_info_of_the_images_stamp() -> None:
    cache = CameraInfoCache()
    for sec in (1, 2, 3):
        cache.add(stamped(sec, k=[500.0 + sec, 0.0, 320.0, 0.0, 510.0, 240.0, 0.0, 0.0, 1.0]))
    matched = cache.match(stamped(2).header.stamp, timeout_sec=60.0)
    assert matched is not None
    assert matched.k[0] == 502.0


def test_a_zooming_camera_whose_camera_info_is_late_gets_the_last_one() -> None:
    cache = CameraInfoCache()
    cache.add(stamped(1))
    cache.add(stamped(2, height=240))
    matched = cache.match(stamped(9).header.stamp, timeout_sec=0.0)
    assert matched is not None
    assert matched.header.stamp.sec == 2


def test_a_cleared_cache_has_nothing() -> None:
    cache = CameraInfoCache()
    cache.add(stamped(1))
    cache.clear()
    assert not cache.wait_first(0.0)
