"""The node over DDS with several cameras: one model, in turn or at once, nobody starves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')
pytest.importorskip('onnx')

from depth_session import DepthSession, grey_image, pixels_of
from sensor_msgs.msg import Image
from tiny_model import make_tiny_model

from depth_estimation_ros.msg import DepthStats
from depth_estimation_ros.ros.messages.conversions import seconds
from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rclpy.publisher import Publisher

pytestmark = pytest.mark.ros

FRONT_M, REAR_M = 2.0, 4.0
GREYS = {'front': 51, 'rear': 102}


class TwoCameras(DepthSession):
    """A node with the cameras front, which sees 2 m, and rear, which sees 4 m."""

    def __init__(self, folder: Path, **parameters: object) -> None:
        super().__init__(folder, cameras='[front, rear]', **parameters)

    def __enter__(self) -> TwoCameras:
        super().__enter__()
        self.senders: dict[str, Publisher] = {}
        self.depths: dict[str, list[Image]] = {}
        self.stats: dict[str, list[Any]] = {}
        for name in GREYS:
            self.senders[name] = self.node.create_publisher(
                Image, f'{name}/image', newest_only(Reliability.RELIABLE)
            )
            self.depths[name] = self.listen(Image, f'{name}/depth/image_rect', depth=1000)
            self.stats[name] = self.listen(DepthStats, f'{name}/depth/stats', depth=1000)
        topics = [f'{name}/depth/{part}' for name in GREYS for part in ('image_rect', 'stats')]
        self.spin_until(
            lambda: (
                all(sender.get_subscription_count() for sender in self.senders.values())
                and all(self.node.count_publishers(topic) for topic in topics)
            )
        )
        return self

    def send(self, *names: str) -> None:
        """Send an image of each of these cameras, one right after the other."""
        for name in names:
            image = grey_image(GREYS[name])
            image.header = self.stamp()
            image.header.frame_id = name
            self.senders[name].publish(image)
        self.executor.spin_once(timeout_sec=0.01)


@pytest.fixture(scope='module')
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoCameras]:
    """Two cameras and a model that takes two images at once."""
    folder = tmp_path_factory.mktemp('pair')
    make_tiny_model(folder / 'two.onnx', batch_size=2)
    with TwoCameras(folder, model_path='two.onnx') as made:
        yield made


def test_frames_that_wait_together_are_estimated_together(pair: TwoCameras) -> None:
    def runs(name: str) -> set[float]:
        """Times of the network's runs: frames of one run have the same to the last digit."""
        return {message.inference_time for message in pair.stats[name]}

    def came_together() -> set[float]:
        pair.send('front', 'rear')
        return runs('front') & runs('rear')

    pair.spin_until(came_together)
    for name, metres in (('front', FRONT_M), ('rear', REAR_M)):
        assert {depth.header.frame_id for depth in pair.depths[name]} == {name}
        for depth in pair.depths[name]:
            np.testing.assert_allclose(pixels_of(depth), metres, rtol=1e-5)


def test_a_camera_alone_does_not_wait_for_the_other(pair: TwoCameras) -> None:
    begun = seconds(pair.stamp().stamp)

    def new(name: str) -> list[Image]:
        return [depth for depth in pair.depths[name] if seconds(depth.header.stamp) > begun]

    def came() -> bool:
        pair.send('front')
        return len(new('front')) >= 3

    pair.spin_until(came)
    assert new('rear') == []
    np.testing.assert_allclose(pixels_of(new('front')[-1]), FRONT_M, rtol=1e-5)


def test_diagnostics_tell_the_cameras_apart(pair: TwoCameras) -> None:
    pair.node.destroy_publisher(pair.senders['rear'])

    looks = [0]

    def send_after_a_look() -> None:
        """Send an image for each diagnostics message: so few that no machine is too slow."""
        if len(pair.diagnostics) != looks[0]:
            looks[0] = len(pair.diagnostics)
            pair.send('front')

    def front_goes_on(status: Any) -> bool:
        send_after_a_look()
        return 'depth images a second' in status.message and status.level == b'\x00'

    def rear_is_missed(status: Any) -> bool:
        send_after_a_look()
        return 'nobody publishes /rear/image' in status.message

    assert pair.wait_status(': frames of rear', rear_is_missed).level == b'\x01'
    pair.diagnostics.clear()
    pair.wait_status(': frames of front', front_goes_on)


def test_a_camera_of_four_times_the_rate_does_not_starve_the_other(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    # Four frames a second of the 100 that are sent: both cameras always have one waiting.
    parameters = {'model_path': tiny_model_path, 'max_rate_hz': 4.0}
    with TwoCameras(tmp_path, **parameters) as session:

        def both_came() -> bool:
            for name in ('front', 'front', 'front', 'front', 'rear'):
                session.send(name)
            return min(len(depths) for depths in session.depths.values()) >= 6

        session.spin_until(both_came)
        counts = {name: len(depths) for name, depths in session.depths.items()}
        last = {name: messages[-1] for name, messages in session.stats.items()}
    assert max(counts.values()) <= 2 * min(counts.values()), counts
    assert last['front'].frames_received > last['rear'].frames_received
    assert last['front'].frames_dropped > last['rear'].frames_dropped
