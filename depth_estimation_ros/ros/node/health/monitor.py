"""Once a second: diagnostics, and a word in the log when no depth comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray

from depth_estimation_ros.ros.messages.outputs import NEED_CAMERA
from depth_estimation_ros.ros.node.health.degradation import degradations, kind_of
from depth_estimation_ros.ros.node.health.diagnostics import (
    RateMeter,
    diagnostic_array,
    model_status,
    stream_status,
)
from depth_estimation_ros.ros.node.health.doctor import StreamFacts, diagnose
from depth_estimation_ros.ros.node.health.stream_history import StreamHistory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rclpy.node import Node

    from depth_estimation_ros.ros.node.camera_stream import CameraStream
    from depth_estimation_ros.ros.node.health.doctor import Diagnosis
    from depth_estimation_ros.ros.runtime.announcer import Announcer

_DIAGNOSTICS_DEPTH = 10


class Monitor:
    """Watches the streams of a node.

    Args:
        node: the node that publishes the diagnostics.
        announcer: says why there is no depth.
    """

    def __init__(self, node: Node, announcer: Announcer) -> None:
        self._node = node
        self._announcer = announcer
        self._publisher = node.create_publisher(
            DiagnosticArray, '/diagnostics', _DIAGNOSTICS_DEPTH
        )
        self._meters: dict[str, RateMeter] = {}
        self._histories: dict[str, StreamHistory] = {}
        self._reasons: dict[str, tuple[str, ...]] = {}  # camera -> what was wrong at the last look
        self._degraded: dict[str, frozenset[str]] = {}  # camera -> kinds, likewise

    def look(
        self,
        streams: Sequence[CameraStream],
        *,
        is_enabled: bool,
        state_label: str,
        trouble: str,
        model_values: Mapping[str, str],
        corrects_focal_length: bool,
        shortcoming: str,
        max_rate_hz: float,
    ) -> None:
        """Publish the diagnostics and say what keeps depth from coming.

        Args:
            streams: the cameras whose frames are processed now.
            is_enabled: the node is not paused.
            state_label: of the lifecycle.
            trouble: why the model could not be loaded, empty if it could.
            model_values: facts of the model.
            corrects_focal_length: depth is not right without knowing the camera.
            shortcoming: what the model lacks though it runs, empty if nothing.
            max_rate_hz: parameter of the node, 0: as fast as it can.
        """
        name = self._node.get_fully_qualified_name().lstrip('/')
        shortcomings = (shortcoming, self._namesakes())
        statuses = [
            model_status(
                name,
                state_label=state_label,
                trouble=trouble,
                values=model_values,
                shortcoming='; '.join(filter(None, shortcomings)),
            )
        ]
        for text in filter(None, shortcomings):
            self._announcer.warning(text)
        for stream in streams:
            stream.follow_publishers()
            diagnosis = diagnose(
                self._facts(stream, is_enabled=is_enabled, needs_camera=corrects_focal_length)
            )
            self._announce(stream.name, diagnosis)
            degraded = self._degradations(stream, max_rate_hz)
            meter = self._meters.setdefault(stream.name, RateMeter())
            statuses.append(
                stream_status(
                    name,
                    camera=stream.name,
                    state=stream.state,
                    rates_hz=meter.rates_hz(time.monotonic(), stream.state),
                    diagnosis=diagnosis,
                    degraded=degraded,
                )
            )
        stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(diagnostic_array(stamp, statuses))

    def _namesakes(self) -> str:
        """Say that other nodes have this node's name, so that requests may reach any of them."""
        own = (self._node.get_name(), self._node.get_namespace())
        count = self._node.get_node_names_and_namespaces().count(own)
        if count < 2:
            return ''
        return (
            f'{count} nodes of the name {self._node.get_fully_qualified_name()}: depths mix '
            'and a request may reach any; end all but one (one that was killed counts for 20 s '
            'more), or start each with a name of its own, --ros-args -r __node:=NAME'
        )

    def _degradations(self, stream: CameraStream, max_rate_hz: float) -> tuple[str, ...]:
        """List in what way depth is degraded; log each kind when it comes up."""
        history = self._histories.setdefault(stream.name, StreamHistory())
        window = history.look(time.monotonic(), stream.state)
        found = degradations(window, max_rate_hz=max_rate_hz) if window else ()
        last = self._degraded.get(stream.name, frozenset())
        self._degraded[stream.name] = frozenset(map(kind_of, found))
        for text in found:
            if kind_of(text) not in last:
                self._node.get_logger().warning(f'{stream.image_topic}: {text}')
        return found

    def _announce(self, camera: str, diagnosis: Diagnosis | None) -> None:
        """Say a reason when it comes up, and again when it comes up again."""
        texts: tuple[str, ...] = ()
        if diagnosis is not None:
            # What is partial was said in the same words when it was found.
            words = diagnosis.parts or (diagnosis.reason,)
            texts = words if diagnosis.is_partial else (f'no depth: {diagnosis.reason}',)
        last = self._reasons.get(camera, ())
        self._reasons[camera] = texts
        for text in set(last) - set(texts):
            self._announcer.forget(text)
        for text in texts:
            if diagnosis is not None and diagnosis.is_idle:
                self._announcer.info(text)
            else:
                self._announcer.warning(text)

    def _facts(self, stream: CameraStream, *, is_enabled: bool, needs_camera: bool) -> StreamFacts:
        state = stream.state
        num_publishers = self._node.count_publishers(stream.image_topic)
        type_name = stream.image_type_name
        received_at = state.received_at
        wanted = stream.outputs.wanted()
        return StreamFacts(
            image_topic=stream.image_topic,
            image_type=type_name,
            num_publishers=num_publishers,
            similar_topics=() if num_publishers else self._topics_of(type_name, stream),
            incompatible_publishers=stream.incompatible_publishers,
            is_enabled=is_enabled,
            num_listeners=len(wanted),
            received_age_sec=None if received_at is None else time.monotonic() - received_at,
            silence_sec=state.seconds_without_output(),
            trouble=state.trouble,
            published_types=self._types_on(stream.image_topic) if num_publishers else (),
            shortcomings=_shortcomings(
                stream, is_camera_needed=needs_camera or bool(wanted & NEED_CAMERA)
            ),
            num_processed=state.processed,
            has_time=self._node.get_clock().now().nanoseconds > 0,
        )

    def _types_on(self, topic: str) -> tuple[str, ...]:
        infos = self._node.get_publishers_info_by_topic(topic)
        return tuple(info.topic_type for info in infos)

    def _topics_of(self, type_name: str, stream: CameraStream) -> tuple[str, ...]:
        """List topics of a type that another node publishes."""
        own = stream.outputs.topics()
        return tuple(
            topic
            for topic, types in self._node.get_topic_names_and_types()
            if type_name in types and topic not in own and self._node.count_publishers(topic)
        )


def _shortcomings(stream: CameraStream, *, is_camera_needed: bool) -> tuple[str, ...]:
    """List what depth lacks though it comes."""
    camera, state = stream.resolver, stream.state
    found = [
        camera.trouble if is_camera_needed else '',
        camera.lens_trouble,
        *(
            f'{stream.image_topic}: {trouble}'
            for trouble in (state.stamp_trouble, state.frame_trouble)
            if trouble
        ),
    ]
    return tuple(filter(None, found))
