"""The node over DDS: calibrations published once, frames of scans, topics of another type."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import DepthSession, camera_info, grey_image
from rclpy.qos import QoSDurabilityPolicy
from sensor_msgs.msg import CompressedImage

from depth_estimation_ros.ros.messages.qos import Reliability, latched, newest_only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.ros

VOLATILE = QoSDurabilityPolicy.VOLATILE
TOPICS = ('depth/camera_info', 'depth/points', 'depth/scan', 'depth/stats')


@pytest.fixture(scope='module')
def session(
    tmp_path_factory: pytest.TempPathFactory, tiny_model_path: Path
) -> Iterator[DepthSession]:
    """A node whose camera published its calibration once, before the node was there."""
    folder = tmp_path_factory.mktemp('node')
    parameters = {'model_path': tiny_model_path, 'rectify': 'off'}
    with DepthSession(folder, *TOPICS, **parameters) as made:
        made.node.destroy_publisher(made.infos)
        made.infos = made.publish_infos(latched())
        made.infos.publish(camera_info())
        made.wait_ready()
        yield made


def durabilities(session: DepthSession) -> set[QoSDurabilityPolicy]:
    """What the node's subscriptions to the camera_info ask for."""
    found = session.node.get_subscriptions_info_by_topic('/camera_info')
    return {info.qos_profile.durability for info in found}


def test_a_camera_info_published_once_is_used(session: DepthSession) -> None:
    outputs = session.exchange(grey_image(51))
    assert outputs['depth/camera_info'].k[0] == 50.0
    assert outputs['depth/points'].width == 32
    assert outputs['depth/scan'].header.frame_id == 'camera_link'


def test_a_camera_info_that_keeps_coming_is_used_and_its_publisher_has_nothing_to_warn_of(
    session: DepthSession,
) -> None:
    session.node.destroy_publisher(session.infos)
    session.spin_until(lambda: durabilities(session) == {VOLATILE})
    session.infos = session.publish_infos(newest_only(Reliability.RELIABLE, depth=5))
    session.spin_until(session.infos.get_subscription_count)
    info = camera_info()
    info.k[0] = info.p[0] = 25.0
    outputs = session.exchange(grey_image(51), info, topics=('depth/camera_info',))
    assert outputs['depth/camera_info'].k[0] == 25.0
    assert durabilities(session) == {VOLATILE}
    assert session.unserved_infos == []


def test_an_unstamped_image_has_no_age_and_is_said_once(session: DepthSession) -> None:
    session.heard['depth/stats'].clear()
    image = grey_image(51)
    image.header.frame_id = '/camera'

    def came() -> list[Any]:
        session.images.publish(image)
        stats = session.heard['depth/stats']
        return [item for item in stats if item.header.stamp.sec == 0][2:]

    session.spin_until(came)
    assert math.isnan(came()[-1].age)
    status = session.wait_status(': frames', lambda status: 'not stamped' in status.message)
    assert status.level == b'\x01'
    assert "frame_id '/camera'" in status.message
    assert len(session.logged('/image: images are not stamped (stamp 0)')) == 1
    assert len(session.logged("images have frame_id '/camera'")) == 1


def test_a_topic_of_another_type_is_named_with_the_parameter(session: DepthSession) -> None:
    session.node.destroy_publisher(session.images)
    session.node.create_publisher(CompressedImage, 'image', 1)
    words = '/image carries sensor_msgs/msg/CompressedImage'
    status = session.wait_status(': frames', lambda status: words in status.message)
    assert 'set image_transport to compressed and remap image/compressed' in status.message
    assert status.level == b'\x01'
