"""The node under test in a process of its own, a camera to feed it and ears for its outputs."""

from __future__ import annotations

import array
from typing import TYPE_CHECKING, Any

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.parameter import Parameter
from ros_session import RosSession
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2
from std_msgs.msg import Header

from depth_estimation_ros.msg import DepthStats
from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from rclpy.qos import QoSProfile

OUTPUTS: dict[str, type] = {
    'depth/image_rect': Image,
    'depth/camera_info': CameraInfo,
    'depth/points': PointCloud2,
    'depth/image_color': Image,
    'depth/stats': DepthStats,
}
EXTRAS: dict[str, type] = {
    'depth/points_nav': PointCloud2,
    'depth/scan': LaserScan,
    'depth/confidence': Image,
}
NUM_TRIES = 15
RESEND_SEC = 4.0  # a best effort image may be lost
FRAME = 'camera_optical_frame'
NODE = 'depth_estimation_ros.ros.node'


class DepthSession(RosSession):
    """A domain with the node and one camera of known intrinsics.

    Args:
        folder: working folder of the process.
        outputs: topics to subscribe to from the start.
        module: what is run as the node.
        parameters: of the node.
    """

    module = NODE

    def __init__(self, folder: Path, *outputs: str, **parameters: object) -> None:
        super().__init__(folder)
        self._wanted = outputs
        self._parameters = parameters
        self._num_sent = 0
        self.heard: dict[str, list[Any]] = {}
        self.unserved_infos: list[Any] = []

    def __enter__(self) -> DepthSession:
        super().__enter__()
        # Large enough images go through shared memory: what waits is the newest of each topic.
        self.images = self.node.create_publisher(
            Image, 'image', newest_only(Reliability.RELIABLE, depth=5)
        )
        self.infos = self.publish_infos(newest_only(Reliability.RELIABLE, depth=5))
        self.log = self.listen_to_log()
        self.diagnostics: list[DiagnosticArray] = self.listen(DiagnosticArray, '/diagnostics')
        for topic in self._wanted:
            self.hear(topic)
        self.process = self.start_node(self.module, **self._parameters)
        return self

    def publish_infos(self, qos: QoSProfile) -> Any:
        """Make a publisher of the camera_info; subscriptions it cannot serve are noted."""
        events = PublisherEventCallbacks(incompatible_qos=self.unserved_infos.append)
        return self.node.create_publisher(CameraInfo, 'camera_info', qos, event_callbacks=events)

    def hear(self, topic: str) -> None:
        """Subscribe to an output."""
        self.heard[topic] = self.listen((OUTPUTS | EXTRAS)[topic], topic)

    def wait_ready(self) -> None:
        """Wait until the node subscribes to the camera and its outputs are heard."""
        self.spin_until(
            lambda: (
                self._is_running()
                and self.images.get_subscription_count()
                and self.infos.get_subscription_count()
                and all(self.node.count_publishers(topic) for topic in self.heard)
            )
        )

    def _is_running(self) -> bool:
        assert self.process.poll() is None, self.process.stdout and self.process.stdout.read()
        return True

    def stamp(self) -> Header:
        """Make a header with the time of now, which no other has."""
        header = Header(frame_id=FRAME)
        header.stamp = self.node.get_clock().now().to_msg()
        self._num_sent += 1
        return header

    def exchange(
        self, image: Image, info: CameraInfo | None = None, *, topics: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Send an image, again and again if need be, until its outputs are there.

        Args:
            image: its header is made anew for each try.
            info: sent with it.
            topics: outputs to wait for, empty: all that are heard.

        Returns:
            Topic -> message that carries the stamp of one of the tries.
        """
        wanted = topics or tuple(self.heard)
        stamps: list[Any] = []
        for _ in range(NUM_TRIES):
            header = self.stamp()
            stamps.append(header.stamp)
            image.header = header
            if info is not None:
                info.header = header
                self.infos.publish(info)
            self.images.publish(image)
            found: list[dict[str, Any]] = []

            def is_complete(found: list[dict[str, Any]] = found) -> bool:
                found[:] = self._outputs_of(stamps, wanted)
                return bool(found)

            try:
                self.spin_until(is_complete, RESEND_SEC)
            except TimeoutError:
                continue
            return found[-1]
        raise TimeoutError(f'no outputs on {wanted} for {len(stamps)} images')

    def _outputs_of(self, stamps: list[Any], topics: tuple[str, ...]) -> list[dict[str, Any]]:
        """Find the complete sets of outputs, in the order of the stamps."""
        sets = [
            {
                topic: message
                for topic in topics
                for message in self.heard[topic]
                if message.header.stamp == stamp
            }
            for stamp in stamps
        ]
        return [outputs for outputs in sets if len(outputs) == len(topics)]

    def wait_logged(self, words: str) -> str:
        """Wait for a log line with these words; returns it."""
        self.spin_until(lambda: self.logged(words))
        return self.logged(words)[0]

    def logged(self, words: str) -> list[str]:
        """List the log lines with these words."""
        return [line.msg for line in self.log if words in line.msg]

    def wait_status(self, part: str, is_it: Callable[[Any], bool]) -> Any:
        """Wait for a diagnostic status whose name ends in `part` and that passes a check."""

        def matching() -> list[Any]:
            return [
                status
                for message in self.diagnostics
                for status in message.status
                if status.name.endswith(part) and is_it(status)
            ]

        self.spin_until(matching)
        return matching()[-1]

    def call(self, service_type: Any, name: str, request: Any) -> Any:
        """Call a service of the node."""
        client = self.node.create_client(service_type, name)
        try:
            self.spin_until(client.service_is_ready)
            future = client.call_async(request)
            self.spin_until(future.done)
            return future.result()
        finally:
            self.node.destroy_client(client)

    def set_parameter(self, name: str, value: object) -> tuple[bool, str]:
        """Set a parameter of the node; returns success and reason."""
        request = SetParametersAtomically.Request()
        request.parameters = [Parameter(name, value=value).to_parameter_msg()]
        service = 'depth_estimation/set_parameters_atomically'
        result = self.call(SetParametersAtomically, service, request).result
        return result.successful, result.reason


def grey_image(grey: int, *, height: int = 48, width: int = 64, padding: int = 0) -> Image:
    """Make an image of one grey: 51 is 2 m to the tiny model, 0 is no depth."""
    step = 3 * width + padding
    message = Image(height=height, width=width, encoding='rgb8', step=step)
    rows: NDArray[np.uint8] = np.full((height, step), 255, np.uint8)
    rows[:, : 3 * width] = grey
    message.data = array.array('B', rows.tobytes())
    return message


def image_of(pixels: NDArray[Any], encoding: str, *, padding: int = 0) -> Image:
    """Wrap (H, W) or (H, W, C) pixels, with padding of bytes that are no pixels."""
    rows = pixels.reshape(pixels.shape[0], -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding)
    message.step = rows.shape[1] * rows.itemsize
    message.data = array.array('B', rows.tobytes())
    return message


def camera_info(*, height: int = 48, width: int = 64) -> CameraInfo:
    """Make a camera with fx = fy = 50 px and its centre at column 32, row 24."""
    message = CameraInfo(height=height, width=width, distortion_model='plumb_bob', d=[0.0] * 5)
    message.k = [50.0, 0.0, 32.0, 0.0, 50.0, 24.0, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [50.0, 0.0, 32.0, 0.0, 0.0, 50.0, 24.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


def pixels_of(message: Image, dtype: type = np.float32) -> NDArray[Any]:
    """Read a one-channel image without padding."""
    samples: NDArray[Any] = np.frombuffer(message.data, dtype)
    return samples.reshape(message.height, message.width)
