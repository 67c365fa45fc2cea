"""ROS messages to arrays and back."""

from __future__ import annotations

import importlib.util
import tracemalloc
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import simplejpeg

pytest.importorskip('rclpy')

from sensor_msgs.msg import CompressedImage, Image, PointField
from std_msgs.msg import Header

from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.ros.messages.camera_image import CameraImage
from depth_estimation_ros.ros.messages.conversions import (
    cloud_message,
    compressed_message,
    image_message,
    rgb_from_message,
    seconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.ros

DEPTH = np.array([[1.0, np.nan, 2.5], [0.5, 3.0, 4.0]], dtype=np.float32)


def header() -> Header:
    made = Header(frame_id='camera_optical_frame')
    made.stamp.sec, made.stamp.nanosec = 12, 500_000_000
    return made


def test_a_float_image_goes_out_with_rows_of_four_bytes_a_pixel() -> None:
    message = image_message(header(), DEPTH, '32FC1')
    assert (message.height, message.width, message.step) == (2, 3, 12)
    assert message.encoding == '32FC1'
    assert message.header == header()
    read = np.frombuffer(message.data, np.float32).reshape(2, 3)
    np.testing.assert_array_equal(read, DEPTH)


def test_a_colour_image_comes_back_as_it_went_out() -> None:
    bgr = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    rgb = rgb_from_message(image_message(header(), bgr, 'bgr8'))
    np.testing.assert_array_equal(rgb, bgr[..., ::-1])


@pytest.mark.parametrize(
    ('make', 'values'),
    [
        (lambda values: image_message(Header(), values, '32FC1'), np.ones((500, 500), np.float32)),
        (
            lambda values: cloud_message(Header(), values, is_dense=True),
            np.ones((250, 250, 4), np.float32),
        ),
        (
            lambda values: compressed_message(Header(), values, 'jpeg'),
            np.ones(1_000_000, np.uint8),
        ),
    ],
    ids=['image', 'cloud', 'compressed'],
)
def test_a_million_bytes_are_copied_once(
    make: Callable[[np.ndarray], Any], values: np.ndarray
) -> None:
    make(values[:1])  # imports what it needs
    tracemalloc.start()
    try:
        message = make(values)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(message.data) == 1_000_000
    assert 1_000_000 <= peak < 1_500_000  # a second copy makes it two million


def test_a_compressed_image_is_told_by_its_class() -> None:
    bgr = np.full((4, 6, 3), (0, 128, 255), np.uint8)
    message = CompressedImage(format='png')
    message.data.frombytes(cv2.imencode('.png', bgr)[1].tobytes())
    np.testing.assert_array_equal(rgb_from_message(message)[0, 0], (255, 128, 0))


@pytest.mark.skipif(importlib.util.find_spec('cv_bridge') is not None, reason='cv_bridge is here')
def test_an_unknown_encoding_says_that_cv_bridge_is_not_there_either() -> None:
    message = Image(height=2, width=3, step=12, encoding='jibberish')
    with pytest.raises(ImageError, match=r"'jibberish' is not supported.*No module.*cv_bridge"):
        rgb_from_message(message)


@pytest.mark.parametrize(('num_fields', 'names'), [(3, 'x y z'), (4, 'x y z rgb')])
def test_a_cloud_names_its_fields(num_fields: int, names: str) -> None:
    points = np.arange(2 * 3 * num_fields, dtype=np.float32).reshape(2, 3, num_fields)
    message = cloud_message(header(), points, is_dense=False)
    assert (message.height, message.width) == (2, 3)
    assert (message.point_step, message.row_step) == (4 * num_fields, 12 * num_fields)
    assert [field.name for field in message.fields] == names.split()
    assert [field.offset for field in message.fields] == [4 * i for i in range(num_fields)]
    assert {field.datatype for field in message.fields} == {PointField.FLOAT32}
    assert not message.is_dense
    np.testing.assert_array_equal(np.frombuffer(message.data, np.float32), points.ravel())


def test_an_independent_reader_finds_the_points_where_they_were_put() -> None:
    reader = pytest.importorskip('sensor_msgs_py.point_cloud2')
    points = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
    read = reader.read_points(cloud_message(header(), points, is_dense=False))
    np.testing.assert_array_equal(read['z'].reshape(2, 3), points[..., 2])


def test_stamps_are_seconds() -> None:
    assert seconds(header().stamp) == 12.5


def nv12(height: int, width: int) -> Image:
    samples = np.full((height * 3 // 2, width), 128, np.uint8)
    message = image_message(header(), samples, 'nv12')
    message.height = height
    return message


def jpeg(height: int, width: int) -> CompressedImage:
    data = simplejpeg.encode_jpeg(np.full((height, width, 3), 128, np.uint8))
    return CompressedImage(format='jpeg', data=data)


@pytest.mark.parametrize('make', [nv12, jpeg])
def test_an_image_is_read_smaller_and_knows_its_size(
    make: Callable[[int, int], Image | CompressedImage],
) -> None:
    image = CameraImage.read(make(48, 64), max_pixels=10_000, reduction_for=lambda _size: 4)
    assert (image.rgb_hwc.shape, image.size, image.is_reduced) == ((12, 16, 3), (48, 64), True)
    image = CameraImage.read(make(48, 64), max_pixels=10_000)
    assert (image.rgb_hwc.shape, image.size, image.is_reduced) == ((48, 64, 3), (48, 64), False)


def test_an_image_that_is_not_cheaper_to_read_smaller_comes_in_full() -> None:
    message = image_message(header(), np.zeros((48, 64, 3), np.uint8), 'bgr8')
    image = CameraImage.read(message, max_pixels=10_000, reduction_for=lambda _size: 4)
    assert (image.size, image.is_reduced) == ((48, 64), False)


def test_the_limit_of_pixels_holds_for_what_is_read_smaller() -> None:
    with pytest.raises(ImageError, match=r'64x48 pixels, more than max_image_pixels = 100'):
        CameraImage.read(jpeg(48, 64), max_pixels=100, reduction_for=lambda _size: 4)
