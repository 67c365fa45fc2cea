"""The node over DDS: what goes in comes out as depth in metres, with the image's own header."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import (
    FRAME,
    OUTPUTS,
    DepthSession,
    camera_info,
    grey_image,
    image_of,
    pixels_of,
)
from sensor_msgs.msg import CompressedImage

from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def session(
    tmp_path_factory: pytest.TempPathFactory, tiny_model_path: Path
) -> Iterator[DepthSession]:
    folder = tmp_path_factory.mktemp('node')
    with DepthSession(folder, *OUTPUTS, model_path=tiny_model_path) as made:
        made.wait_ready()
        yield made


def test_every_output_has_the_images_header(session: DepthSession) -> None:
    outputs = session.exchange(grey_image(51), camera_info())
    headers = [message.header for message in outputs.values()]
    assert len(headers) == len(OUTPUTS)
    assert all(header == headers[0] for header in headers)
    assert headers[0].frame_id == FRAME


def test_depth_is_float_metres_of_the_images_size(session: DepthSession) -> None:
    message = session.exchange(grey_image(51), camera_info())['depth/image_rect']
    assert message.encoding == '32FC1'
    assert (message.height, message.width, message.step) == (48, 64, 256)
    np.testing.assert_allclose(pixels_of(message), 2.0, rtol=1e-5)


def test_pixels_without_depth_are_nan_and_never_zero(session: DepthSession) -> None:
    pixels = np.full((48, 64, 3), 51, np.uint8)
    pixels[:, :32] = 0
    outputs = session.exchange(image_of(pixels, 'rgb8'), camera_info())
    depth = pixels_of(outputs['depth/image_rect'])
    assert np.isnan(depth[:, :30]).all()
    np.testing.assert_allclose(depth[:, 34:], 2.0, rtol=1e-5)
    assert not (depth == 0.0).any()
    assert 0.4 < outputs['depth/stats'].valid_fraction < 0.6
    cloud = outputs['depth/points']
    points = np.frombuffer(cloud.data, np.float32).reshape(cloud.height, cloud.width, 4)
    assert np.isnan(points[:, :14, :3]).all()


def test_a_wide_image_in_letterbox_has_depth_from_border_to_border(session: DepthSession) -> None:
    info = camera_info(height=36, width=128)
    outputs = session.exchange(grey_image(51, height=36, width=128), info)
    np.testing.assert_allclose(pixels_of(outputs['depth/image_rect']), 2.0, rtol=1e-5)


def test_a_portrait_image_has_depth_of_its_own_shape(session: DepthSession) -> None:
    outputs = session.exchange(
        grey_image(51, height=64, width=48), camera_info(height=64, width=48)
    )
    depth = pixels_of(outputs['depth/image_rect'])
    assert depth.shape == (64, 48)
    np.testing.assert_allclose(depth, 2.0, rtol=1e-5)
    assert (outputs['depth/points'].height, outputs['depth/points'].width) == (32, 24)


def test_the_camera_info_of_the_depth_is_the_cameras(session: DepthSession) -> None:
    info = session.exchange(grey_image(51), camera_info())['depth/camera_info']
    assert (info.height, info.width) == (48, 64)
    np.testing.assert_array_equal(info.k, [50, 0, 32, 0, 50, 24, 0, 0, 1])
    np.testing.assert_array_equal(info.p, [50, 0, 32, 0, 0, 50, 24, 0, 0, 0, 1, 0])


def test_a_change_of_size_in_mid_stream_scales_the_camera_info(session: DepthSession) -> None:
    outputs = session.exchange(grey_image(51, height=24, width=32), camera_info())
    assert (outputs['depth/image_rect'].height, outputs['depth/image_rect'].width) == (24, 32)
    info = outputs['depth/camera_info']
    assert (info.height, info.width) == (24, 32)
    np.testing.assert_array_equal(info.k, [25, 0, 16, 0, 25, 12, 0, 0, 1])
    np.testing.assert_array_equal(info.p, [25, 0, 16, 0, 0, 25, 12, 0, 0, 0, 1, 0])
    assert (outputs['depth/points'].height, outputs['depth/points'].width) == (12, 16)


def test_the_cloud_is_organised_with_every_second_pixel_and_its_colour(
    session: DepthSession,
) -> None:
    pixels = np.full((48, 64, 3), (102, 0, 51), np.uint8)  # its mean is 51: 2 m
    cloud = session.exchange(image_of(pixels, 'rgb8'), camera_info())['depth/points']
    assert (cloud.height, cloud.width, cloud.point_step) == (24, 32, 16)
    assert not cloud.is_dense
    points = np.frombuffer(cloud.data, np.float32).reshape(24, 32, 4)
    # Row 0, column 16 x 2 = 32: x = 0, y = (0 - 24) x 2 / 50.
    np.testing.assert_allclose(points[0, 16, :3], (0.0, -0.96, 2.0), rtol=1e-4, atol=1e-6)
    # Row 12 x 2 = 24, column 0: x = (0 - 32) x 2 / 50.
    np.testing.assert_allclose(points[12, 0, :3], (-1.28, 0.0, 2.0), rtol=1e-4, atol=1e-6)
    assert points[0, 16, 3].view(np.uint32) == 102 << 16 | 51


def test_near_and_far_have_different_colours(session: DepthSession) -> None:
    near = session.exchange(grey_image(51), camera_info())['depth/image_color']
    far = session.exchange(grey_image(204), camera_info())['depth/image_color']
    assert near.encoding == 'bgr8'
    near_bgr = np.frombuffer(near.data, np.uint8).reshape(48, 64, 3)[24, 32]
    far_bgr = np.frombuffer(far.data, np.uint8).reshape(48, 64, 3)[24, 32]
    assert near_bgr[2] > near_bgr[0]
    assert far_bgr[0] > far_bgr[2]


def test_the_statistics_add_up(session: DepthSession) -> None:
    stats = session.exchange(grey_image(51), camera_info())['depth/stats']
    stages = (
        stats.decode_time,
        stats.preprocess_time,
        stats.inference_time,
        stats.postprocess_time,
        stats.publish_time,
    )
    assert all(stage >= 0.0 for stage in stages)
    assert 0.0 < sum(stages) <= stats.total_time + 1e-4
    assert stats.age >= stats.total_time
    assert stats.frames_processed + stats.frames_dropped <= stats.frames_received
    assert stats.valid_fraction == 1.0
    assert stats.model == 'tiny.onnx'
    assert stats.backend in ('openvino', 'onnxruntime')


@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8'])
def test_the_common_encodings_with_padded_rows_give_the_same_depth(
    session: DepthSession, encoding: str
) -> None:
    channels = {'mono8': 1, 'rgb8': 3, 'bgr8': 3}.get(encoding, 4)
    pixels = np.full((48, 64, channels), 51, np.uint8)
    image = image_of(pixels, encoding, padding=7)
    depth = pixels_of(session.exchange(image, camera_info())['depth/image_rect'])
    np.testing.assert_allclose(depth, 2.0, rtol=1e-5)


def test_parameters_that_are_live_apply_from_the_next_frame(session: DepthSession) -> None:
    assert session.set_parameter('depth_encoding', '16UC1') == (True, '')
    assert session.set_parameter('decimation_x', 4) == (True, '')
    assert session.set_parameter('point_cloud_color', value=False) == (True, '')
    outputs = session.exchange(grey_image(51), camera_info())
    session.set_parameter('depth_encoding', '32FC1')
    session.set_parameter('decimation_x', 2)
    session.set_parameter('point_cloud_color', value=True)
    assert outputs['depth/image_rect'].encoding == '16UC1'
    assert (pixels_of(outputs['depth/image_rect'], np.uint16) == 2000).all()
    assert (outputs['depth/points'].width, outputs['depth/points'].point_step) == (16, 12)


@pytest.mark.parametrize(
    ('policy', 'near', 'far'), [('rep117', -np.inf, np.inf), ('nan', np.nan, np.nan)]
)
def test_depth_out_of_range_is_what_the_policy_says(
    session: DepthSession, policy: str, near: float, far: float
) -> None:
    pixels = np.full((48, 64, 3), 128, np.uint8)  # 5 m
    pixels[:, :20] = 26  # 1 m
    pixels[:, 44:] = 230  # 9 m
    for name, value in (('range_policy', policy), ('min_depth', 2.0), ('max_depth', 8.0)):
        assert session.set_parameter(name, value) == (True, '')
    outputs = session.exchange(image_of(pixels, 'rgb8'), camera_info())
    for name, value in (('max_depth', 0.0), ('min_depth', 0.0), ('range_policy', 'rep117')):
        assert session.set_parameter(name, value) == (True, '')
    depth = pixels_of(outputs['depth/image_rect'])
    np.testing.assert_array_equal(depth[24, [8, 56]], (near, far))
    np.testing.assert_allclose(depth[24, 32], 128 / 25.5, rtol=1e-4)


def test_scale_and_offset_correct_the_depth(session: DepthSession) -> None:
    session.set_parameter('depth_scale', 1.5)
    session.set_parameter('depth_offset', -0.5)
    outputs = session.exchange(grey_image(51), camera_info())
    session.set_parameter('depth_scale', 1.0)
    session.set_parameter('depth_offset', 0.0)
    np.testing.assert_allclose(pixels_of(outputs['depth/image_rect']), 2.5, rtol=1e-5)


def test_diagnostics_tell_the_model_and_the_frames(session: DepthSession) -> None:
    session.exchange(grey_image(51), camera_info())
    model = session.wait_status(': model', lambda status: status.message == 'active')
    assert model.level == b'\x00'
    assert any(item.key == 'backend' for item in model.values)
    frames = session.wait_status(': frames', lambda status: len(status.values) > 8)
    assert {'depth rate [Hz]', 'age [ms]', 'images dropped'} <= {
        item.key for item in frames.values
    }


@pytest.mark.parametrize(('extension', 'text'), [('.jpg', 'jpeg'), ('.png', 'png')])
def test_compressed_images_give_depth(
    tmp_path: Path, tiny_model_path: Path, extension: str, text: str
) -> None:
    with DepthSession(
        tmp_path, 'depth/image_rect', model_path=tiny_model_path, image_transport='compressed'
    ) as session:
        images = session.node.create_publisher(
            CompressedImage, 'image/compressed', newest_only(Reliability.RELIABLE)
        )
        session.images = images
        session.spin_until(images.get_subscription_count)
        message = CompressedImage(format=text)
        encoded = cv2.imencode(extension, np.full((48, 64, 3), 51, np.uint8))[1]
        message.data.frombytes(encoded.tobytes())
        depth = pixels_of(session.exchange(message)['depth/image_rect'])
    np.testing.assert_allclose(depth, 2.0, rtol=0.02)
