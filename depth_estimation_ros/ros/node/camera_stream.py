"""One camera of the node: its subscriptions, its calibration, its outputs, its counters."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sensor_msgs.msg import CompressedImage, Image

from depth_estimation_ros.ros.messages.camera_info_cache import CameraInfoCache
from depth_estimation_ros.ros.messages.camera_info_subscription import CameraInfoSubscription
from depth_estimation_ros.ros.messages.outputs import Outputs
from depth_estimation_ros.ros.messages.qos import (
    Reliability,
    SubscriptionEventCallbacks,
    newest_only,
    overridable,
)
from depth_estimation_ros.ros.node.camera_resolver import CameraResolver
from depth_estimation_ros.ros.node.health.stream_state import StreamState

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.callback_groups import CallbackGroup
    from rclpy.lifecycle import LifecycleNode

    from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters
    from depth_estimation_ros.ros.runtime.announcer import Announcer


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
        info_name = prefix + 'camera_info'
        self._info_subscription = CameraInfoSubscription(
            node, info_name, self.infos.add, callback_group
        )
        self._image_qos = newest_only(Reliability(parameters.image_reliability))
        self._image_subscription: Any = None
        self.image_topic = str(node.resolve_topic_name(self._image_name))
        self.info_topic = str(node.resolve_topic_name(info_name))
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
        """Begin to receive, if that has not begun."""
        if self._image_subscription is not None:
            return
        self.incompatible_publishers = 0
        events = SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible_qos)
        self._image_subscription = self._node.create_subscription(
            self.image_type,
            self._image_name,
            self._on_image,
            self._image_qos,
            callback_group=self._group,
            event_callbacks=events,
            qos_overriding_options=overridable(),
        )
        self._info_subscription.open()

    def start_counting(self, num_waiting: int) -> None:
        """Begin with fresh counters.

        Args:
            num_waiting: images that came before and have not been processed.
        """
        self.state = StreamState(received=num_waiting)

    def follow_publishers(self) -> None:
        """Adapt to the publishers that are there now."""
        self._info_subscription.follow_publishers()

    def unsubscribe(self) -> None:
        """Receive nothing any more."""
        if self._image_subscription is not None:
            self._node.destroy_subscription(self._image_subscription)
            self._image_subscription = None
        self._info_subscription.close()
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
