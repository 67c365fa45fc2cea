"""The topics a camera's depth is published on, and which of them anybody listens to."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2

from depth_estimation_ros.msg import DepthStats
from depth_estimation_ros.ros.messages.qos import Reliability, newest_only, overridable

if TYPE_CHECKING:
    from rclpy.lifecycle import LifecycleNode


class Output(Enum):
    """What can be published; the values are topic name and message type."""

    DEPTH = ('depth/image_rect', Image)
    CAMERA_INFO = ('depth/camera_info', CameraInfo)
    POINTS = ('depth/points', PointCloud2)
    COLOR = ('depth/image_color', Image)
    CONFIDENCE = ('depth/confidence', Image)
    POINTS_NAV = ('depth/points_nav', PointCloud2)
    SCAN = ('depth/scan', LaserScan)
    STATS = ('depth/stats', DepthStats)

    @property
    def topic(self) -> str:
        """Relative name."""
        return self.value[0]

    @property
    def message_type(self) -> type[Any]:
        """Class of its messages."""
        message_type: type[Any] = self.value[1]
        return message_type


# What cannot be made without knowing the camera.
NEED_CAMERA = frozenset({Output.CAMERA_INFO, Output.POINTS, Output.POINTS_NAV, Output.SCAN})
# What is made of the depth without flying pixels.
NEED_CLOUD_DEPTH = frozenset({Output.POINTS, Output.POINTS_NAV, Output.SCAN})


class Outputs:
    """The publishers of one camera.

    Args:
        node: the node that publishes, managed by its lifecycle.
        prefix: goes before every topic, empty or ending in a slash.
    """

    def __init__(self, node: LifecycleNode, prefix: str) -> None:
        self._node = node
        self._publishers = {
            output: node.create_lifecycle_publisher(
                output.message_type,
                prefix + output.topic,
                newest_only(Reliability.RELIABLE),
                qos_overriding_options=overridable(),
            )
            for output in Output
        }

    def wanted(self) -> frozenset[Output]:
        """List the outputs that have a subscriber now."""
        return frozenset(
            output
            for output, publisher in self._publishers.items()
            if publisher.get_subscription_count() > 0
        )

    def topics(self) -> frozenset[str]:
        """List the full names, after remapping."""
        return frozenset(str(publisher.topic_name) for publisher in self._publishers.values())

    def publish(self, output: Output, message: Any) -> None:
        """Send a message, if the node is active and ROS has not been shut down meanwhile."""
        try:
            self._publishers[output].publish(message)
        except Exception:
            if self._node.context.ok():
                raise

    def destroy(self) -> None:
        """Take the topics back."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()
