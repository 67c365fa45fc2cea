"""The node over DDS in simulated time, and with a camera that stops and returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from builtin_interfaces.msg import Time
from depth_session import DepthSession, camera_info, grey_image, pixels_of
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.msg import DepthStats

pytestmark = pytest.mark.ros

MAX_AGE_SEC = 5.0
STEP_SEC = 0.05  # of the simulated clock, an image each


class SimulatedSession(DepthSession):
    """A domain whose time is that of a bag: /clock and stamps, far from the time of day."""

    def __enter__(self) -> SimulatedSession:
        super().__enter__()
        self._clock = self.node.create_publisher(Clock, '/clock', 10)
        self.now_ns = 0
        return self

    def tick(self) -> None:
        """Let the clock go on by a step and send an image of that time."""
        self.now_ns += round(STEP_SEC * 1e9)
        now = Time(sec=self.now_ns // 10**9, nanosec=self.now_ns % 10**9)
        self._clock.publish(Clock(clock=now))
        image, info = grey_image(51), camera_info()
        image.header = info.header = Header(stamp=now, frame_id='bag')
        self.infos.publish(info)
        self.images.publish(image)
        self.executor.spin_once(timeout_sec=0.02)

    def play_from(self, seconds: int) -> list[DepthStats]:
        """Begin a bag and play it until it has given five frames of depth; returns their stats."""
        self.now_ns = seconds * 10**9
        self.heard['depth/stats'].clear()

        def fresh() -> list[DepthStats]:
            return [
                message
                for message in self.heard['depth/stats']
                if seconds <= message.header.stamp.sec <= self.now_ns // 10**9
            ]

        def came() -> bool:
            self.tick()
            return len(fresh()) >= 5

        self.spin_until(came)
        return fresh()


def test_in_simulated_time_ages_are_those_of_the_bag_and_a_loop_goes_on(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    parameters = {
        'model_path': tiny_model_path,
        'use_sim_time': True,
        'max_age_sec': MAX_AGE_SEC,
        'temporal_filter': 0.5,
    }
    with SimulatedSession(tmp_path, 'depth/stats', 'depth/image_rect', **parameters) as session:
        session.wait_ready()

        def said_so() -> list[str]:
            image = grey_image(51)
            image.header = session.stamp()
            session.images.publish(image)
            return session.logged('no time comes on /clock')

        session.spin_until(said_so)
        first = session.play_from(1000)
        # By the time of day each would be decades old; by the clock it stays below max_age_sec.
        assert all(-MAX_AGE_SEC < message.age < MAX_AGE_SEC for message in first)
        second = session.play_from(100)  # the bag begins anew
        assert all(-MAX_AGE_SEC < message.age < MAX_AGE_SEC for message in second)
        assert second[-1].frames_received > first[-1].frames_received
        np.testing.assert_allclose(
            pixels_of(session.heard['depth/image_rect'][-1]), 2.0, rtol=1e-5
        )
        status = session.wait_status(': frames', lambda status: 'a second' in status.message)
    assert status.level == b'\x00'


def test_a_camera_that_returns_is_taken_up_again_with_its_new_calibration(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    topics = ('depth/image_rect', 'depth/camera_info', 'depth/points')
    with DepthSession(tmp_path, *topics, model_path=tiny_model_path) as session:
        session.wait_ready()
        session.exchange(grey_image(51), camera_info())
        session.node.destroy_publisher(session.images)
        session.node.destroy_publisher(session.infos)
        session.wait_status(': frames', lambda status: 'nobody publishes' in status.message)
        qos = newest_only(Reliability.RELIABLE, depth=5)
        session.images = session.node.create_publisher(Image, 'image', qos)
        session.infos = session.node.create_publisher(CameraInfo, 'camera_info', qos)
        session.wait_ready()
        info = camera_info()
        info.k[0] = info.p[0] = 60.0
        # An image that overtakes its camera_info gets the one before it: so look at the second.
        session.exchange(grey_image(51), info)
        session.diagnostics.clear()
        outputs = session.exchange(grey_image(51), info)
        status = session.wait_status(': frames', lambda status: 'a second' in status.message)
        session.node.destroy_publisher(session.images)
        # It is said once, however long it lasts, and once more when it comes up again.
        session.spin_until(lambda: len(session.logged('no depth: nobody publishes')) == 2)
    stamps = {(item.header.stamp.sec, item.header.stamp.nanosec) for item in outputs.values()}
    assert len(stamps) == 1
    assert outputs['depth/camera_info'].k[0] == 60.0
    assert outputs['depth/camera_info'].p[0] == 60.0
    assert status.level == b'\x00'
