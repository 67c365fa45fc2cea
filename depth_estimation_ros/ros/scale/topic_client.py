"""A node of a command: finds topics by what publishes them, listens to them, calls services."""

from __future__ import annotations

from contextlib import contextmanager
import time
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSReliabilityPolicy

from depth_estimation_ros.errors import ConfigError, DataError
from depth_estimation_ros.ros.messages.qos import Reliability, latched, newest_only
from depth_estimation_ros.ros.runtime.start import init_ros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SPIN_SEC = 0.1
_QUEUE_DEPTH = 10
_NOT_YET_KNOWN = '_NODE_NAME_UNKNOWN_'  # rmw's word


@contextmanager
def open_client(name: str, timeout_sec: float) -> Iterator[TopicClient]:
    """Take part in ROS, in the environment's domain, until the block ends.

    Args:
        name: Of the node.
        timeout_sec: Longest time to wait for a publisher or a service.

    Raises:
        ConfigError: ROS cannot start in this environment.
    """
    context = Context()
    init_ros([], context=context)
    node = Node(name, context=context, use_global_arguments=False)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        yield TopicClient(node, executor, timeout_sec)
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown(context=context)


class TopicClient:
    """See `open_client`. Callbacks run inside its methods, on the calling thread.

    Attributes:
        timeout_sec: Longest time to wait for a publisher or a service.
    """

    def __init__(self, node: Node, executor: SingleThreadedExecutor, timeout_sec: float) -> None:
        self._node = node
        self._executor = executor
        self.timeout_sec = timeout_sec

    def spin_once(self) -> None:
        """Handle a message, or wait a moment for one."""
        self._executor.spin_once(timeout_sec=_SPIN_SEC)

    def publisher(self, topic: str, types: tuple[str, ...]) -> Any:
        """Wait for a publisher.

        Args:
            topic: Its name.
            types: Accepted message types, as 'sensor_msgs/msg/Image'.

        Returns:
            rclpy's TopicEndpointInfo.

        Raises:
            DataError: There is none in time; the text names topics of these types.
            ConfigError: It publishes another type.
        """
        name = self._node.resolve_topic_name(topic)
        found = self._spin_until(lambda: self._known_publishers(name))
        if not found:
            raise DataError(
                f'nobody publishes {name} within {self.timeout_sec:g} s; topics of its kind: '
                f'{", ".join(self._topics_of(types)) or "none"} (is ROS_DOMAIN_ID the same?)'
            )
        info = found[0]
        if info.topic_type not in types:
            raise ConfigError(
                f'{name} is of type {info.topic_type}, but must be {" or ".join(types)}'
            )
        return info

    def listen(self, kind: type, topic: str, callback: Callable[[Any], None]) -> None:
        """Subscribe; reliably where all publishers are, or large images would be lost.

        What was published before comes too, where all publishers keep it.
        """
        name = self._node.resolve_topic_name(topic)
        offers = [item.qos_profile for item in self._node.get_publishers_info_by_topic(name)]
        is_reliable = {item.reliability for item in offers} == {QoSReliabilityPolicy.RELIABLE}
        is_kept = {item.durability for item in offers} == {QoSDurabilityPolicy.TRANSIENT_LOCAL}
        reliability = Reliability.RELIABLE if is_reliable else Reliability.BEST_EFFORT
        qos = newest_only(reliability, depth=_QUEUE_DEPTH)
        if is_reliable and is_kept:
            qos = latched(depth=_QUEUE_DEPTH)
        self._node.create_subscription(kind, name, callback, qos)

    def call(self, kind: Any, service: str, **fields: Any) -> Any:
        """Call a service.

        Raises:
            DataError: It does not answer in time.
        """
        client = self._node.create_client(kind, service)
        try:
            if self._spin_until(client.service_is_ready):
                future = client.call_async(kind.Request(**fields))
                if self._spin_until(future.done):
                    return future.result()
        finally:
            self._node.destroy_client(client)
        raise DataError(f'{service} does not answer within {self.timeout_sec:g} s')

    def _known_publishers(self, name: str) -> list[Any]:
        """List those whose node is known: its name is discovered after the topic."""
        infos = self._node.get_publishers_info_by_topic(name)
        return [info for info in infos if info.node_name != _NOT_YET_KNOWN]

    def _topics_of(self, types: tuple[str, ...]) -> list[str]:
        topics = self._node.get_topic_names_and_types()
        names = [name for name, kinds in topics if set(kinds) & set(types)]
        return sorted(name for name in names if self._node.count_publishers(name))

    def _spin_until(self, is_true: Callable[[], Any]) -> Any:
        """Handle messages until something is true, or for timeout_sec; returns it."""
        deadline = time.monotonic() + self.timeout_sec
        while not (value := is_true()) and time.monotonic() < deadline:
            self.spin_once()
        return value
