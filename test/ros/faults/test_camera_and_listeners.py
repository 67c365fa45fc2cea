"""Cameras that die, flood or live in the future, and a listener that no longer listens."""

from __future__ import annotations

import select
import signal
from statistics import median
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import DepthSession, camera_info, grey_image, pixels_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.ros

PLAYER = 'player.camera_player'
FLOOD_HZ = 500.0
HOUR_SEC = 3600
LISTENER = """
import sys
import rclpy
from sensor_msgs.msg import Image
rclpy.init()
node = rclpy.create_node('slow_listener')
node.create_subscription(Image, sys.argv[1], lambda _: print('depth', flush=True), 1)
rclpy.spin(node)
"""


@pytest.fixture(scope='module')
def session(
    tmp_path_factory: pytest.TempPathFactory, tiny_model_path: Path
) -> Iterator[DepthSession]:
    folder = tmp_path_factory.mktemp('faults')
    topics = ('depth/image_rect', 'depth/stats')
    with DepthSession(folder, *topics, model_path=tiny_model_path) as made:
        made.wait_ready()
        made.exchange(grey_image(51), camera_info())
        yield made


def test_a_stalled_listener_holds_nobody_up(session: DepthSession) -> None:
    topic = 'depth/image_rect'
    listener = subprocess.Popen(
        [sys.executable, '-c', LISTENER, topic],
        env=session.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    session.spin_until(lambda: session.node.count_subscribers(topic) == 2)
    listener.send_signal(signal.SIGSTOP)
    try:
        for _ in range(20):
            depth = session.exchange(grey_image(51), camera_info(), topics=(topic,))
            np.testing.assert_allclose(pixels_of(depth[topic]), 2.0, rtol=1e-5)
    finally:
        listener.send_signal(signal.SIGCONT)
    output = listener.stdout
    assert output is not None

    def hears() -> bool:
        session.exchange(grey_image(51), camera_info(), topics=(topic,))
        return bool(select.select([output], [], [], 0)[0])

    session.spin_until(hears)
    assert output.readline() == 'depth\n'
    listener.kill()
    listener.communicate()


def test_images_from_the_future_become_depth_with_their_stamp_and_are_named(
    session: DepthSession,
) -> None:
    session.diagnostics.clear()
    image, info = grey_image(51), camera_info()
    stamps = set()

    def came() -> bool:
        image.header = info.header = session.stamp()
        image.header.stamp.sec += HOUR_SEC
        stamps.add((image.header.stamp.sec, image.header.stamp.nanosec))
        session.infos.publish(info)
        session.images.publish(image)
        session.executor.spin_once(timeout_sec=0.1)
        return any(
            (item.header.stamp.sec, item.header.stamp.nanosec) in stamps
            for item in session.heard['depth/image_rect']
        )

    session.spin_until(came)

    def is_named(status: object) -> bool:
        came()
        return 's in the future' in status.message  # type: ignore[attr-defined]

    status = session.wait_status(': frames', is_named)
    assert status.level == b'\x01'
    assert np.isnan(session.heard['depth/stats'][-1].age)
    session.diagnostics.clear()
    session.exchange(grey_image(51), camera_info())
    session.wait_status(': frames', lambda status: 'future' not in status.message)


def start_flood(session: DepthSession, folder: Path) -> subprocess.Popen[str]:
    """Start a camera of 500 Hz in a process of its own, which sees a grey of 51: 2 m."""
    photo = folder / 'grey.png'
    cv2.imwrite(str(photo), np.full((48, 64, 3), 51, np.uint8))
    return session.start_node(PLAYER, source=photo, rate_hz=FLOOD_HZ)


def test_a_flood_is_thinned_out_and_a_driver_that_is_killed_may_come_back(
    session: DepthSession, tmp_path: Path
) -> None:
    stats = session.heard['depth/stats']
    for _ in range(2):
        stats.clear()
        player = start_flood(session, tmp_path)
        session.spin_until(lambda: len(stats) >= 100)
        last = stats[-1]
        assert last.frames_received > last.frames_processed
        # One may wait, and one be on its way to take its place.
        assert 0 <= last.frames_received - last.frames_processed - last.frames_dropped <= 2
        # A queue of ten seconds of such images would be ever older.
        assert median(item.age for item in stats) < 2.0
        player.kill()
        player.wait()
        session.diagnostics.clear()
        status = session.wait_status(': frames', lambda status: 'no image comes' in status.message)
        assert status.level == b'\x01'
    depth = session.exchange(grey_image(51), camera_info())['depth/image_rect']
    np.testing.assert_allclose(pixels_of(depth), 2.0, rtol=1e-5)
