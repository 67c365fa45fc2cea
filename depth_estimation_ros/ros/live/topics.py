"""Subscriptions of the page: there while somebody looks, the newest message of each topic."""

from __future__ import annotations

from collections import deque
from functools import partial
import time
from typing import TYPE_CHECKING, Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import ParameterEvent
from rclpy.qos import QoSReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image, PointCloud2

from depth_estimation_ros.ros.live.page_text import Figures, Status
from depth_estimation_ros.ros.messages.conversions import seconds
from depth_estimation_ros.ros.messages.outputs import Output
from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

if TYPE_CHECKING:
    from builtin_interfaces.msg import Time
    from rclpy.node import Node
    from rclpy.subscription import Subscription

    from depth_estimation_ros.msg import DepthStats

IMAGE = 'image'
COMPRESSED = 'image/compressed'
DIAGNOSTICS = '/diagnostics'
PARAMETER_EVENTS = '/parameter_events'
_EVENTS_DEPTH = 20
_IMAGES_DEPTH = 5
MAX_WAITING_BYTES = 64 * 1024 * 1024  # of images that wait for their depth


class Topics:
    """What comes of one camera.

    Args:
        node: subscribes.
        speaker: full name of the node that is shown; of /diagnostics only its words count.
        camera: its name, empty for the only one.
        is_compressed: the camera's images are.
        with_cloud: ask for the cloud too.

    Attributes:
        newest: topic without the camera's name -> its last message that was not taken.
        events: changes of parameters of any node, in their order.
        depth_at: when the last depth image came, monotonic [s]; None: none has.
    """

    def __init__(
        self, node: Node, *, speaker: str, camera: str, is_compressed: bool, with_cloud: bool
    ) -> None:
        self._node = node
        self._speaker = f'{speaker.lstrip("/")}: '
        self._statuses: list[Status] = []
        self._heard_at = time.monotonic()
        self._prefix = f'{camera}/' if camera else ''
        self._subscriptions: dict[str, Subscription] = {}
        self.newest: dict[str, Any] = {}
        self.events: list[ParameterEvent] = []
        self.depth_at: float | None = None
        self._images: deque[Any] = deque()
        self._image_topic = COMPRESSED if is_compressed else IMAGE
        self._subscribe(
            self._image_topic, CompressedImage if is_compressed else Image, depth=_IMAGES_DEPTH
        )
        for output in (Output.DEPTH, Output.CAMERA_INFO, Output.STATS):
            self._subscribe(output.topic, output.message_type)
        self.show_cloud(is_wanted=with_cloud)
        # Both speak for all nodes; rclpy's own topics offer reliable.
        node_topics = {DIAGNOSTICS: DiagnosticArray, PARAMETER_EVENTS: ParameterEvent}
        for topic, kind in node_topics.items():
            qos = newest_only(Reliability.RELIABLE, depth=_EVENTS_DEPTH)
            self._subscriptions[topic] = node.create_subscription(
                kind, topic, partial(self._take, topic), qos
            )

    def show_cloud(self, *, is_wanted: bool) -> None:
        """Subscribe to the cloud or not."""
        topic = Output.POINTS.topic
        if is_wanted and topic not in self._subscriptions:
            self._subscribe(topic, PointCloud2)
        elif not is_wanted and topic in self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.pop(topic))
            self.newest.pop(topic, None)

    def image_at(self, stamp: Time) -> Any:
        """Return the image whose stamp is nearest to that of a depth image; None if none came."""
        wanted = seconds(stamp)
        return min(
            self._images,
            key=lambda image: abs(seconds(image.header.stamp) - wanted),
            default=None,
        )

    def newest_image(self) -> Any:
        """Return the image that came last; None if none came."""
        return self._images[-1] if self._images else None

    def close(self) -> None:
        """Receive nothing any more."""
        for subscription in self._subscriptions.values():
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def statuses(self) -> tuple[list[Status], float]:
        """Return what the node said last on /diagnostics, and how long ago [s]."""
        return self._statuses, time.monotonic() - self._heard_at

    def _subscribe(self, topic: str, kind: type, *, depth: int = 1) -> None:
        name = self._node.resolve_topic_name(self._prefix + topic)
        offers = {
            info.qos_profile.reliability for info in self._node.get_publishers_info_by_topic(name)
        }
        # Reliably where all publishers are: large images are lost otherwise.
        is_reliable = offers == {QoSReliabilityPolicy.RELIABLE}
        reliability = Reliability.RELIABLE if is_reliable else Reliability.BEST_EFFORT
        self._subscriptions[topic] = self._node.create_subscription(
            kind,
            self._prefix + topic,
            partial(self._take, topic),
            newest_only(reliability, depth=depth),
        )

    def _take(self, topic: str, message: Any) -> None:
        if topic == PARAMETER_EVENTS:
            self.events.append(message)
        elif topic == DIAGNOSTICS:
            self._hear(message)
        elif topic == self._image_topic:
            self._keep(message)
        else:
            self.newest[topic] = message
            if topic == Output.DEPTH.topic:
                self.depth_at = time.monotonic()

    def _keep(self, image: Any) -> None:
        """Keep the newest images, whose depth may still come."""
        self._images.append(image)
        while len(self._images) > max(1, MAX_WAITING_BYTES // max(1, len(image.data))):
            self._images.popleft()

    def _hear(self, message: DiagnosticArray) -> None:
        own = [item for item in message.status if item.name.startswith(self._speaker)]
        if not own:
            return
        self._heard_at = time.monotonic()
        self._statuses = [
            Status(
                name=item.name, level=int.from_bytes(item.level, 'little'), message=item.message
            )
            for item in own
        ]


def figures_of(message: DepthStats) -> Figures:
    """Read a depth/stats message."""
    return Figures(
        latency_ms=1e3 * message.total_time,
        age_ms=1e3 * message.age,
        num_received=message.frames_received,
        num_dropped=message.frames_dropped,
        valid_fraction=message.valid_fraction,
        backend=message.backend,
        model=message.model,
    )
