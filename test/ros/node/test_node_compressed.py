"""The node over DDS on image/compressed: the reason it tells is that of the newest frame."""

from __future__ import annotations

import array
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import DepthSession, camera_info
from sensor_msgs.msg import CompressedImage

from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.ros

OK, WARN = b'\x00', b'\x01'


@pytest.fixture(scope='module')
def session(
    tmp_path_factory: pytest.TempPathFactory, tiny_model_path: Path
) -> Iterator[DepthSession]:
    folder = tmp_path_factory.mktemp('node')
    topics = ('depth/image_rect', 'depth/points')
    with DepthSession(
        folder, *topics, model_path=tiny_model_path, image_transport='compressed'
    ) as made:
        made.node.destroy_publisher(made.images)
        made.images = made.node.create_publisher(
            CompressedImage, 'image/compressed', newest_only(Reliability.RELIABLE, depth=5)
        )
        made.wait_ready()
        yield made


def compressed(suffix: str, text: str, *, num_bytes: int | None = None) -> CompressedImage:
    """Encode a grey of 51, which is 2 m to the tiny model, and keep the first bytes."""
    pixels = np.full((48, 64, 3), 51, np.uint8)
    data = cv2.imencode(suffix, pixels)[1].tobytes()[:num_bytes]
    return CompressedImage(format=text, data=array.array('B', data))


def reason_for(session: DepthSession, message: CompressedImage, words: str) -> Any:
    """Send a message until diagnostics say the words; returns the status."""
    session.diagnostics.clear()

    def says(status: Any) -> bool:
        message.header = session.stamp()
        session.images.publish(message)
        return words in status.message

    session.images.publish(message)
    return session.wait_status(': frames', says)


def test_the_reason_is_that_of_the_newest_frame(session: DepthSession) -> None:
    whole = compressed('.png', 'png')
    status = reason_for(session, whole, 'no camera_info on /camera_info')
    assert status.level == WARN
    cut = compressed('.jpg', 'jpeg', num_bytes=100)
    assert reason_for(session, cut, "'jpeg' (100 bytes)").level == WARN
    short = compressed('.png', 'png', num_bytes=20)
    status = reason_for(session, short, "'png' (20 bytes)")
    assert 'jpeg' not in status.message
    deep = compressed('.png', '16UC1; compressedDepth png')
    status = reason_for(session, deep, 'is a depth image, not a camera image')
    assert '20 bytes' not in status.message
    rvl = CompressedImage(format='16UC1; compressedDepth rvl', data=array.array('B', b'RVL'))
    status = reason_for(session, rvl, "'16UC1; compressedDepth rvl'")
    assert 'png' not in status.message
    outputs = session.exchange(whole, camera_info())
    assert outputs['depth/points'].width == 32
    session.diagnostics.clear()

    def is_well(status: Any) -> bool:
        session.exchange(whole, camera_info())  # an idle camera is a warning of its own
        return bool(status.level == OK)

    assert session.wait_status(': frames', is_well)
