"""The recorder of the demo: subscribes to a camera and to what the node makes of it.

Subscriptions are raw: messages are neither decoded nor looked at until the run is over, because
the recorder shares the processor with what it measures.
"""

from __future__ import annotations

from functools import partial

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from depth_estimation_ros.msg import DepthStats
from depth_estimation_ros.ros.demo.recording import Recording, Topic
from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

# Large messages kept whole: enough for a bag that plays and for scores, at a tenth of the memory.
KEEP_RATE_HZ = 4.0
# Every camera_info counts as a frame sent, so none may be lost while the recorder is busy.
SMALL_QUEUE_DEPTH = 200
LARGE_QUEUE_DEPTH = 5
# Frames sent at the window's very end are still on their way through the network.
GRACE_SEC = 0.5

MESSAGE_TYPES: dict[Topic, type] = {
    Topic.IMAGE: Image,
    Topic.CAMERA_INFO: CameraInfo,
    Topic.TRUTH: Image,
    Topic.DEPTH: Image,
    Topic.DEPTH_INFO: CameraInfo,
    Topic.POINTS: PointCloud2,
    Topic.COLOR: Image,
    Topic.STATS: DepthStats,
}


class DemoRecorder(Node):
    """Fills a `Recording`."""

    def __init__(self) -> None:
        super().__init__('demo_recorder')
        self.recording = Recording(keep_period_sec=1.0 / KEEP_RATE_HZ)
        for topic, message_type in MESSAGE_TYPES.items():
            depth = SMALL_QUEUE_DEPTH if topic.is_small else LARGE_QUEUE_DEPTH
            self.create_subscription(
                message_type,
                topic.value,
                partial(self.recording.add, topic),
                newest_only(Reliability.RELIABLE, depth=depth),
                raw=True,
            )

    def is_complete(self, duration_sec: float) -> bool:
        """Tell whether the window and a little more have passed."""
        if not self.recording.has_started:
            return False
        window = self.recording.window(duration_sec)
        now_ns: int = self.get_clock().now().nanoseconds
        return now_ns >= window.end_ns + round(GRACE_SEC * 1e9)
