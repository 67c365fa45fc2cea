"""One camera of the node: its subscriptions, its calibration, its outputs, its counters."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depth_estimation_ros.ros.messages.camera_info_cache import CameraInfoCache
from depth_estimation_ros.ros.messages.outputs import Outputs
from depth_estimation_ros.ros.messages.qos import (
    Reliability,
    SubscriptionEventCallbacks,
    latched,
    newest_only,
    overridable,
)
from depth_estimation_ros.ros.node.camera_resolver import CameraResolver
from depth_estimation_ros.ros.node.stream_state import StreamState

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.callback_groups import CallbackGroup
    from rclpy.lifecycle import LifecycleNode

    from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters
    from depth_estimation_ros.ros.runtime.announcer import Announcer

# One calibration message a frame: a few are kept so that none is lost while a frame is taken.
_CAMERA_INFO_DEPTH = 10


class CameraStream:
    """Everything of the node that exists once a camera.

    Args:
        node: the node that subscribes and publishes.
        name: of the camera, goes before its topics; empty for the only camera.
        parameters: of the node, as it was configured.
        deliver: takes an image message; returns True if it replaced one not yet processed.
        callback_group: of the subscriptions.
        announcer: says what is wrong with a camera_info.
    """

    def __init__(
        self,
        node: LifecycleNode,
        *,
        name: str,
        parameters: NodeParameters,
        deliver: Callable[[str, Any], bool],
        callback_group: CallbackGroup,
        announcer: Announcer,
    ) -> None:
        self.name = name
        self.infos = CameraInfoCache()
        self.state = StreamState()
        self.incompatible_publishers = 0
        self._node = node
        self._deliver = deliver
        self._group = callback_group
        prefix = f'{name}/' if name else ''
        self.outputs = Outputs(node, prefix)
        self._is_compressed = parameters.image_transport == 'compressed'
        self._image_name = prefix + ('image/compressed' if self._is_compressed else 'image')
        self._info_name = prefix + 'camera_info'
        self._image_qos = newest_only(Reliability(parameters.image_reliability))
        self._subscriptions: list[Any] = []
        self.image_topic = str(node.resolve_topic_name(self._image_name))
        self.info_topic = str(node.resolve_topic_name(self._info_name))
        self.resolver = CameraResolver(
            self.infos,
            image_topic=self.image_topic,
            info_topic=self.info_topic,
            count_publishers=node.count_publishers,
            announcer=announcer,
        )

    @property
    def image_type(self) -> type[Any]:
        """Message class of the image topic."""
        message_type: type[Any] = CompressedImage if self._is_compressed else Image
        return message_type

    @property
    def image_type_name(self) -> str:
        """ROS name of that class."""
        return f'sensor_msgs/msg/{self.image_type.__name__}'

    def subscribe(self) -> None:
        """Begin to receive, with fresh counters."""
        self.state = StreamState()
        self.incompatible_publishers = 0
        events = SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible_qos)
        self._subscriptions = [
            self._node.create_subscription(
                self.image_type,
                self._image_name,
                self._on_image,
                self._image_qos,
                callback_group=self._group,
                event_callbacks=events,
                qos_overriding_options=overridable(),
            ),
            self._node.create_subscription(
                CameraInfo,
                self._info_name,
                self.infos.add,
                newest_only(Reliability.BEST_EFFORT, depth=_CAMERA_INFO_DEPTH),
                callback_group=self._group,
                qos_overriding_options=overridable(),
            ),
            # A calibration published once, before this node came, is heard by this one alone;
            # one that does not wait for late subscribers, by the one above.
            self._node.create_subscription(
                CameraInfo,
                self._info_name,
                self.infos.add,
                latched(depth=_CAMERA_INFO_DEPTH),
                callback_group=self._group,
                event_callbacks=SubscriptionEventCallbacks(incompatible_qos=lambda _: None),
            ),
        ]

    def unsubscribe(self) -> None:
        """Receive nothing any more."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()
        self.infos.clear()

    def destroy(self) -> None:
        """Take every topic back."""
        self.unsubscribe()
        self.outputs.destroy()

    def _on_image(self, message: Image | CompressedImage) -> None:
        self.state.received += 1
        self.state.received_at = time.monotonic()
        self.state.replaced += self._deliver(self.name, message)

    def _on_incompatible_qos(self, event: Any) -> None:
        self.incompatible_publishers = int(event.total_count)
