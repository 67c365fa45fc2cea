"""The command calibrate-scale in a process of its own, and a stand-in for the node it asks."""

from __future__ import annotations

import math
import signal
from typing import TYPE_CHECKING, Any

from ros_session import RosSession
from sensor_msgs.msg import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    import subprocess

TIMEOUT_SEC = 240.0
QUICK = ('--num-frames', '3', '--timeout-sec', '30')
# Of a body frame (x forward, y left, z up) in the optical frame of the same camera.
BODY_IN_OPTICAL = ('0', '0', '0', f'{math.pi / 2}', f'-{math.pi / 2}', '0')


class Calibration:
    """The command and what its topics carry meanwhile."""

    def __init__(self, session: RosSession, *arguments: str) -> None:
        self._session = session
        self._is_interrupted = False
        self._process: subprocess.Popen[str] = session.start(
            'depth_estimation_ros.cli', 'calibrate-scale', *arguments
        )

    def interrupt(self) -> None:
        """Press Ctrl-C, once."""
        if not self._is_interrupted:
            self._process.send_signal(signal.SIGINT)
        self._is_interrupted = True

    def run(self, send: Callable[[], None]) -> tuple[int, str]:
        """Send, again and again, until the command ends; returns its exit code and output."""

        def ended() -> bool:
            send()
            return self._process.poll() is not None

        self._session.spin_until(ended, TIMEOUT_SEC)
        assert self._process.stdout is not None
        return self._process.returncode, self._process.stdout.read()


class StandIn(RosSession):
    """A node with the parameters of the real one, whose depth is what the test sends."""

    def __enter__(self) -> StandIn:
        super().__enter__()
        self.depths = self.node.create_publisher(Image, 'depth/image_rect', 5)
        self.others: dict[str, Any] = {}
        for name, value in (('depth_scale', 1.0), ('depth_offset', 0.0)):
            self.node.declare_parameter(name, value)
        return self

    def send(self, depth: Image, *others: tuple[str, Any], late_sec: int = 0) -> None:
        """Send depth, and messages of other topics with its header."""
        depth.header.stamp = self.node.get_clock().now().to_msg()
        depth.header.frame_id = 'camera'
        for topic, message in others:
            if topic not in self.others:
                self.others[topic] = self.node.create_publisher(type(message), topic, 5)
            message.header.stamp.sec = depth.header.stamp.sec + late_sec
            message.header.stamp.nanosec = depth.header.stamp.nanosec
            message.header.frame_id = message.header.frame_id or 'camera'
            self.others[topic].publish(message)
        self.depths.publish(depth)
