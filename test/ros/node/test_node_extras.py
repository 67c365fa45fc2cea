"""The node over DDS: navigation outputs, rectification, confidence, several cameras."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import DepthSession, camera_info, grey_image, image_of, pixels_of
from sensor_msgs.msg import Image

from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.ros

TOPICS = (
    'depth/image_rect',
    'depth/camera_info',
    'depth/points',
    'depth/points_nav',
    'depth/scan',
    'depth/confidence',
)


@pytest.fixture(scope='module')
def session(
    tmp_path_factory: pytest.TempPathFactory, tiny_model_path: Path
) -> Iterator[DepthSession]:
    folder = tmp_path_factory.mktemp('node')
    parameters = {
        'model_path': tiny_model_path,
        'confidence': True,
        'nav_max_points': 200,
        'qos_overrides./depth/image_color.publisher.reliability': 'best_effort',
    }
    with DepthSession(folder, *TOPICS, **parameters) as made:
        made.wait_ready()
        yield made


def test_the_sparse_cloud_is_small_and_has_nothing_but_points(session: DepthSession) -> None:
    pixels = np.full((48, 64, 3), 51, np.uint8)
    pixels[:, :32] = 0
    cloud = session.exchange(image_of(pixels, 'rgb8'), camera_info())['depth/points_nav']
    assert (cloud.height, cloud.point_step) == (1, 12)
    assert 50 < cloud.width <= 100
    assert cloud.is_dense
    points = np.frombuffer(cloud.data, np.float32).reshape(-1, 3)
    np.testing.assert_allclose(points[:, 2], 2.0, rtol=1e-4)
    assert points[:, 0].min() > -0.1


def test_qos_overrides_change_one_topic_and_leave_the_others(session: DepthSession) -> None:
    def reliability(topic: str) -> str:
        session.spin_until(lambda: session.node.count_publishers(topic))
        (publisher,) = session.node.get_publishers_info_by_topic(topic)
        return str(publisher.qos_profile.reliability.name)

    assert reliability('depth/image_color') == 'BEST_EFFORT'
    assert reliability('depth/image_rect') == 'RELIABLE'


def test_the_scan_looks_forward_from_right_to_left(session: DepthSession) -> None:
    outputs = session.exchange(grey_image(51), camera_info())
    scan = outputs['depth/scan']
    assert scan.header.frame_id == 'camera_link'
    assert scan.header.stamp == outputs['depth/image_rect'].header.stamp
    # fx = 50: column 63 lies at slope (63 - 32) / 50, column 0 at -32 / 50.
    assert scan.angle_min == pytest.approx(-np.arctan(0.62), abs=1e-6)
    assert scan.angle_max == pytest.approx(np.arctan(0.64), abs=1e-5)
    assert scan.ranges[0] == pytest.approx(2.0 * np.hypot(1.0, 0.62), rel=1e-3)
    assert np.isfinite(scan.ranges).all()


def test_a_symmetric_scene_is_seen_alike_in_the_mirror(session: DepthSession) -> None:
    image = session.exchange(grey_image(51), camera_info())['depth/confidence']
    assert image.encoding == '32FC1'
    np.testing.assert_allclose(pixels_of(image), 1.0, atol=1e-3)


def test_flying_pixels_are_left_out_of_the_cloud_but_not_of_the_image(
    session: DepthSession,
) -> None:
    pixels = np.full((48, 64, 3), 51, np.uint8)
    pixels[:, 32:] = 153
    outputs = session.exchange(image_of(pixels, 'rgb8'), camera_info())
    assert not np.isnan(pixels_of(outputs['depth/image_rect'])).any()
    cloud = outputs['depth/points']
    points = np.frombuffer(cloud.data, np.float32).reshape(cloud.height, cloud.width, 4)
    assert np.isnan(points[:, 15:17, 2]).any()
    assert not np.isnan(points[:, :13, 2]).any()
    assert not np.isnan(points[:, 19:, 2]).any()


def test_a_raw_image_is_rectified_and_its_depth_says_so(session: DepthSession) -> None:
    info = camera_info()
    info.d = [-0.2, 0.0, 0.0, 0.0, 0.0]
    info.p = [40.0, 0.0, 31.0, 0.0, 0.0, 40.0, 23.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    outputs = session.exchange(grey_image(51), info)
    out = outputs['depth/camera_info']
    np.testing.assert_allclose(out.k, [40, 0, 31, 0, 40, 23, 0, 0, 1])
    assert list(out.d) == [0.0] * 5
    session.wait_logged('taking the plumb_bob distortion out')
    assert session.set_parameter('rectify', 'off') == (True, '')
    out = session.exchange(grey_image(51), info)['depth/camera_info']
    session.set_parameter('rectify', 'auto')
    np.testing.assert_allclose(out.k, [50, 0, 32, 0, 50, 24, 0, 0, 1])
    assert list(out.d) == [-0.2, 0.0, 0.0, 0.0, 0.0]
    session.wait_logged('rectify is off')


def test_points_without_invalid_ones_are_a_single_row(session: DepthSession) -> None:
    assert session.set_parameter('point_cloud_organized', value=False) == (True, '')
    pixels = np.full((48, 64, 3), 51, np.uint8)
    pixels[:, :32] = 0
    cloud = session.exchange(image_of(pixels, 'rgb8'), camera_info())['depth/points']
    session.set_parameter('point_cloud_organized', value=True)
    assert cloud.height == 1
    assert cloud.is_dense
    points = np.frombuffer(cloud.data, np.float32).reshape(-1, 4)
    assert np.isfinite(points[:, :3]).all()


def test_two_cameras_share_the_model_and_keep_their_headers(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    cameras = {'front': 51, 'rear': 102}
    with DepthSession(tmp_path, model_path=tiny_model_path, cameras='[front, rear]') as session:
        publishers, heard = {}, {}
        for name in cameras:
            publishers[name] = session.node.create_publisher(
                Image, f'{name}/image', newest_only(Reliability.RELIABLE)
            )
            heard[name] = session.listen(Image, f'{name}/depth/image_rect')
        session.spin_until(
            lambda: all(item.get_subscription_count() for item in publishers.values())
        )
        images = {name: grey_image(grey) for name, grey in cameras.items()}

        def both_came() -> bool:
            for name, image in images.items():
                image.header = session.stamp()
                image.header.frame_id = name
                publishers[name].publish(image)
            return all(len(depths) >= 3 for depths in heard.values())

        session.spin_until(both_came)
        for name, metres in (('front', 2.0), ('rear', 4.0)):
            assert {depth.header.frame_id for depth in heard[name]} == {name}
            np.testing.assert_allclose(pixels_of(heard[name][-1]), metres, rtol=1e-5)
        session.wait_status(': frames of rear', lambda _: True)


def test_a_bag_that_begins_anew_is_gone_on_with(session: DepthSession) -> None:
    assert session.set_parameter('temporal_filter', 0.9) == (True, '')
    session.exchange(grey_image(51), camera_info())
    image = grey_image(52)
    depths = session.heard['depth/image_rect']

    def came() -> list[Image]:
        image.header = session.stamp()
        image.header.stamp.sec -= 1000
        session.images.publish(image)
        return [depth for depth in depths if depth.header.stamp.sec == image.header.stamp.sec]

    session.spin_until(came)
    first = next(d for d in depths if d.header.stamp.sec < image.header.stamp.sec + 500)
    session.set_parameter('temporal_filter', 0.0)
    # Blended with the frame before, it would be 0.9 x 2.000 + 0.1 x 2.039 = 2.004 m.
    np.testing.assert_allclose(pixels_of(first), 52 / 25.5, rtol=1e-4)
