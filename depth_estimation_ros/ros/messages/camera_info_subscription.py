"""Hears the calibrations of a camera: those that keep coming and those published once."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from sensor_msgs.msg import CameraInfo

from depth_estimation_ros.ros.messages.qos import (
    Reliability,
    latched,
    newest_only,
    offers_latched,
    on_match,
    overridable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.callback_groups import CallbackGroup
    from rclpy.node import Node

# One calibration message a frame: a few are kept so that none is lost while a frame is taken.
_DEPTH = 10


class CameraInfoSubscription:
    """Subscribes to a camera_info topic, a second time while a publisher keeps its messages.

    A volatile subscription takes from every publisher, but not what was published before it
    came. One that asks for that takes from no volatile publisher, and each of these would warn of
    it: so it is there only beside a publisher that serves it.

    Args:
        node: the node that subscribes.
        topic: its name.
        callback: takes each message, some of them twice.
        callback_group: of the subscriptions.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        callback: Callable[[CameraInfo], None],
        callback_group: CallbackGroup,
    ) -> None:
        self._node = node
        self._topic = topic
        self._callback = callback
        self._group = callback_group
        self._volatile: Any = None
        self._latched: Any = None
        self._lock = Lock()  # transitions and events come from different threads

    def open(self) -> None:
        """Begin to receive."""
        with self._lock:
            self._volatile = self._node.create_subscription(
                CameraInfo,
                self._topic,
                self._callback,
                newest_only(Reliability.BEST_EFFORT, depth=_DEPTH),
                callback_group=self._group,
                event_callbacks=on_match(lambda _: self.follow_publishers()),
                qos_overriding_options=overridable(),
            )

    def follow_publishers(self) -> None:
        """Ask for what was published before, as long as a publisher keeps it."""
        with self._lock:
            if self._volatile is None:  # an event was on its way when the subscription ended
                return
            publishers = self._node.get_publishers_info_by_topic(self._volatile.topic_name)
            if not any(offers_latched(info.qos_profile) for info in publishers):
                self._destroy_latched()
            elif self._latched is None:
                self._latched = self._node.create_subscription(
                    CameraInfo,
                    self._topic,
                    self._callback,
                    latched(depth=_DEPTH),
                    callback_group=self._group,
                )

    def close(self) -> None:
        """Receive nothing any more."""
        with self._lock:
            self._destroy_latched()
            if self._volatile is not None:
                self._node.destroy_subscription(self._volatile)
                self._volatile = None

    def _destroy_latched(self) -> None:
        if self._latched is not None:
            self._node.destroy_subscription(self._latched)
            self._latched = None
