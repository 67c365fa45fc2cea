"""The node over DDS and what it cannot use: one clear line each, and it goes on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import NODE, DepthSession, camera_info, grey_image, image_of, pixels_of
from rcl_interfaces.msg import Log
from ros_session import RosSession
from sensor_msgs.msg import Image

from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sensor_msgs.msg import CameraInfo

pytestmark = pytest.mark.ros

DEPTH = ('depth/image_rect',)


@pytest.fixture(scope='module')
def session(
    tmp_path_factory: pytest.TempPathFactory, tiny_model_path: Path
) -> Iterator[DepthSession]:
    folder = tmp_path_factory.mktemp('node')
    topics = ('depth/image_rect', 'depth/points')
    with DepthSession(folder, *topics, model_path=tiny_model_path) as made:
        made.wait_ready()
        made.exchange(grey_image(51), camera_info())
        yield made


def bad_images() -> dict[str, tuple[Image, str]]:
    """List what -> (image, the words the node must find for it)."""
    unknown = image_of(np.zeros((48, 64), np.uint8), 'rgb565')
    short = grey_image(51)
    short.data = short.data[:100]
    narrow = grey_image(51)
    narrow.step = 10
    empty = grey_image(51)
    empty.height = 0
    return {
        'unknown encoding': (unknown, "image encoding 'rgb565' is not supported; supported: rgb8"),
        'short data': (short, 'image data has 100 bytes, but 48 rows of 192 bytes need 9216'),
        'narrow step': (narrow, 'image step is 10 bytes, but a row of 64 rgb8 pixels has 192'),
        'no pixels': (empty, 'image is 64x0 pixels: it is empty'),
    }


@pytest.mark.parametrize('what', bad_images())
def test_an_image_that_cannot_be_read_is_named_once_and_the_next_is_used(
    session: DepthSession, what: str
) -> None:
    image, words = bad_images()[what]
    while not session.logged(words):
        image.header = session.stamp()
        session.images.publish(image)
        session.executor.spin_once(timeout_sec=0.1)
    for _ in range(5):
        image.header = session.stamp()
        session.images.publish(image)
        session.exchange(grey_image(51), camera_info(), topics=DEPTH)
    assert len(session.logged(words)) == 1
    assert session.logged(words)[0].startswith('/image: ')


def bad_infos() -> dict[str, tuple[CameraInfo, str]]:
    """List what -> (camera_info, the words the node must find for it)."""
    zeros = camera_info()
    zeros.k, zeros.p = [0.0] * 9, [0.0] * 12
    nans = camera_info()
    nans.k, nans.p = [np.nan] * 9, [0.0] * 12
    portrait = camera_info(height=64, width=48)
    return {
        'zeros': (zeros, 'camera_info is not a calibration: fx = 0, fy = 0'),
        'NaN': (nans, 'camera_info is not a calibration: fx = nan, fy = nan'),
        'another size': (portrait, 'of 48x64 pixels, but the image is 64x48'),
    }


@pytest.mark.parametrize('what', bad_infos())
def test_a_camera_info_of_no_use_is_named_once_and_leaves_the_depth(
    session: DepthSession, what: str
) -> None:
    info, words = bad_infos()[what]
    depth = pixels_of(session.exchange(grey_image(51), info, topics=DEPTH)['depth/image_rect'])
    np.testing.assert_allclose(depth, 2.0, rtol=1e-5)
    while not session.logged(words):
        session.exchange(grey_image(51), info, topics=DEPTH)
    num_clouds = len(session.heard['depth/points'])
    for _ in range(3):
        session.exchange(grey_image(51), info, topics=DEPTH)
    assert len(session.heard['depth/points']) == num_clouds
    assert len(session.logged(words)) == 1


def test_a_field_of_view_stands_in_for_a_camera_info_of_no_use(session: DepthSession) -> None:
    assert session.set_parameter('fallback_hfov_deg', 90.0) == (True, '')
    cloud = session.exchange(grey_image(51), bad_infos()['zeros'][0])['depth/points']
    session.set_parameter('fallback_hfov_deg', 0.0)
    points = np.frombuffer(cloud.data, np.float32).reshape(24, 32, 4)
    # fx = 32 px, cx = 31.5: column 0 lies at x = -31.5 x 2 / 32.
    np.testing.assert_allclose(points[0, 0, 0], -1.96875, rtol=1e-4)


def test_a_bad_value_at_the_start_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    with RosSession(tmp_path) as ros:
        process = ros.start_node(NODE, max_depth=-3.0)
        output = ros.spin_until_ended(process)
    assert process.returncode == 1
    assert re.search(r'^depth_estimation: error: .*max_depth.*-3\.0', output, re.MULTILINE)
    assert 'Traceback' not in output


def test_a_publisher_that_cannot_be_heard_is_named_after_five_seconds(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    parameters = {'model_path': tiny_model_path, 'image_reliability': 'reliable'}
    with DepthSession(tmp_path, 'depth/image_rect', **parameters) as session:
        session.node.create_publisher(Image, 'image', newest_only(Reliability.BEST_EFFORT))
        line = session.wait_logged('quality of service')
        assert '/image' in line
        assert 'set image_reliability to best_effort' in line
        status = session.wait_status(': frames', lambda status: status.level == b'\x01')
        assert 'quality of service' in status.message


def test_a_topic_that_nobody_publishes_is_named_with_those_that_look_right(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    with RosSession(tmp_path) as ros:
        ros.node.create_publisher(Image, 'camera/color/image_raw', 1)
        lines: list[Log] = ros.listen(Log, '/rosout', depth=1000)
        ros.start_node(NODE, model_path=tiny_model_path)
        ros.spin_until(lambda: any('nobody publishes' in line.msg for line in lines))
    (text,) = [line.msg for line in lines if 'nobody publishes' in line.msg]
    assert text == (
        'no depth: nobody publishes /image; topics of type sensor_msgs/msg/Image are: '
        '/camera/color/image_raw'
    )
