"""Between the node and the page: subscribes while somebody looks, shows what comes, asks."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from rclpy.parameter import parameter_value_to_python

from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.ros.live.cloud import floor_below, thin_cloud
from depth_estimation_ros.ros.live.command_handling import CommandHandler
from depth_estimation_ros.ros.live.controls import controls_of
from depth_estimation_ros.ros.live.frame import Frame, FrameDrawing
from depth_estimation_ros.ros.live.node_client import NodeClient, NodeFacts
from depth_estimation_ros.ros.live.page_text import (
    FRESH_SEC,
    Rate,
    rows_of,
    state_html,
    why_no_depth,
)
from depth_estimation_ros.ros.live.topics import Topics, figures_of
from depth_estimation_ros.ros.messages.conversions import rgb_from_message
from depth_estimation_ros.ros.messages.message_reading import (
    depth_from_message,
    intrinsics_from_message,
    points_from_message,
)
from depth_estimation_ros.ros.messages.outputs import Output

if TYPE_CHECKING:
    from pathlib import Path

    from rclpy.node import Node

    from depth_estimation_ros.ros.live.page import Page
    from depth_estimation_ros.ros.live.page_text import Figures
    from depth_estimation_ros.ros.live.parameters import LiveParameters

FLOOR_STEP = 0.15  # [m], smaller changes do not move the floor
ASK_AGAIN_SEC = 2.0


class Viewer:
    """Call `tick` at the page's rate.

    Args:
        node: takes part in ROS.
        page: what people see.
        parameters: of live_view.
        folder: where `save` writes to.

    Attributes:
        frame: the newest of everything.
        facts: the node's parameters.
        camera: the one that is shown.
        topics: None while nobody looks.
    """

    def __init__(
        self, node: Node, page: Page, parameters: LiveParameters, *, folder: Path
    ) -> None:
        self.node = node
        self.page = page
        self.folder = folder
        self.node_name = _full_name(node, parameters.node)
        self.camera = parameters.camera
        self.is_cloud_wanted = True
        self.frame = Frame()
        self.facts = NodeFacts()
        self.topics: Topics | None = None
        self.client: NodeClient | None = None
        self._max_points = parameters.max_points
        self._image: Any = None  # the one that is shown
        self._figures: Figures | None = None
        self._rate = Rate()
        self._rate_hz = 0.0
        self._floor = math.inf
        self._asked_at = -math.inf
        self._trouble = ''
        self._drawing = FrameDrawing(self.camera)
        self._commands = CommandHandler(self)

    @property
    def is_watched(self) -> bool:
        """True while a browser is connected."""
        return self.client is not None

    def tick(self) -> None:
        """Follow the browsers, do what they ask for, show what came."""
        is_wanted = self.page.num_browsers > 0
        if is_wanted and self.client is None:
            self._open()
        elif not is_wanted and self.client is not None:
            self._close()
        if self.client is None:
            self.page.take_commands()
            return
        self.client.look()
        self._find_node()
        for command in self.page.take_commands():
            self._commands.do(command)
        if self.topics is not None:
            self._take(self.topics)
            self._show(self.topics)

    def open_topics(self) -> None:
        """Subscribe to the chosen camera, anew if need be."""
        if self.topics is not None:
            self.topics.close()
        self.frame = Frame()
        self._figures = None
        self._rate, self._rate_hz = Rate(), 0.0
        self._drawing = FrameDrawing(self.camera)
        self.page.show_pictures('')
        self.page.hide_cloud()
        self.topics = Topics(
            self.node,
            speaker=self.node_name,
            camera=self.camera,
            is_compressed=self.facts.values.get('image_transport') == 'compressed',
            with_cloud=self.is_cloud_wanted,
        )

    def learn(self, facts: NodeFacts) -> None:
        """Take the node's parameters over."""
        cameras = [str(name) for name in facts.values.get('cameras') or ['']]
        is_new = facts.values.get('image_transport') != self.facts.values.get('image_transport')
        self.facts = facts
        if self.camera not in cameras:
            if self.camera:
                self._trouble = (
                    f'camera {self.camera!r} is none of those of {self.node_name}: '
                    f'{", ".join(name or "(one without a name)" for name in cameras)}'
                )
                self.node.get_logger().error(self._trouble)
            else:
                self.camera = cameras[0]
                is_new = True
        self.page.show_cameras(cameras)
        self.page.show_controls(controls_of(facts.descriptors, facts.values))
        if is_new:
            self.open_topics()

    def choose_camera(self, name: str) -> None:
        """Show another camera."""
        self._trouble = ''
        self.camera = name
        self.open_topics()

    def _open(self) -> None:
        self.client = NodeClient(self.node, self.node_name)
        self._asked_at = -math.inf
        self.open_topics()

    def _close(self) -> None:
        if self.client is not None:
            self.client.close()
        if self.topics is not None:
            self.topics.close()
        self.client = self.topics = None
        self.facts = NodeFacts()
        self._commands = CommandHandler(self)

    def _find_node(self) -> None:
        """Read the node's parameters once it is there, and again when it was started anew."""
        now = time.monotonic()
        if self.facts.values or self.client is None or now - self._asked_at < ASK_AGAIN_SEC:
            return
        if self.client.is_there:
            self._asked_at = now
            self.client.read(self.learn, lambda: None)

    def _take(self, topics: Topics) -> None:
        """Read what came since the last tick."""
        newest, topics.newest = topics.newest, {}
        try:
            self._read(newest)
            self._read_image(topics, newest.get(Output.DEPTH.topic))
        except DepthEstimationError as err:
            self.page.say(f'a message cannot be shown: {err}', is_refusal=True)
        for event in topics.events:
            if event.node == self.node_name:
                self._follow(event)
        topics.events.clear()

    def _read_image(self, topics: Topics, depth: Any) -> None:
        """Read the image that a depth image was made of, the newest while no depth comes."""
        is_waiting = topics.depth_at is None or time.monotonic() - topics.depth_at > FRESH_SEC
        if depth is None and not is_waiting:
            return
        image = topics.newest_image() if depth is None else topics.image_at(depth.header.stamp)
        if image is not None and image is not self._image:
            self._image = image
            self.frame.rgb = rgb_from_message(image)

    def _read(self, newest: dict[str, Any]) -> None:
        frame = self.frame
        if Output.CAMERA_INFO.topic in newest:
            intrinsics = intrinsics_from_message(newest[Output.CAMERA_INFO.topic])
            frame.intrinsics = intrinsics if intrinsics.is_calibrated else None
        if Output.DEPTH.topic in newest:
            frame.depth = depth_from_message(newest[Output.DEPTH.topic])
            self._commands.see_depth(frame.depth)
        if Output.POINTS.topic in newest:
            points, colors = points_from_message(newest[Output.POINTS.topic])
            frame.points, frame.colors = thin_cloud(points, colors, self._max_points)
            self.page.show_cloud(frame.points, frame.colors)
            self._show_floor()
        if Output.STATS.topic in newest:
            stats = newest[Output.STATS.topic]
            self._figures = figures_of(stats)
            self._rate_hz = self._rate.update(time.monotonic(), stats.frames_processed)

    def _follow(self, event: Any) -> None:
        """Show what somebody else has set; a node that was started anew is read anew."""
        if event.new_parameters:
            self.facts = NodeFacts()
            return
        for parameter in event.changed_parameters:
            value = parameter_value_to_python(parameter.value)
            self.facts.values[parameter.name] = value
            self.page.show_value(parameter.name, value)

    def _show(self, topics: Topics) -> None:
        html = self._drawing.html_of(self.frame, self._commands.pixel)
        if html:
            self.page.show_pictures(html)
        if self.frame.intrinsics is not None:
            self.page.show_camera(self.frame.intrinsics)
        self._commands.show_mark()
        statuses, silence_sec = topics.statuses()
        depth_at = topics.depth_at
        why = self._trouble or why_no_depth(
            statuses,
            node=self.node_name,
            camera=self.camera,
            depth_age_sec=math.inf if depth_at is None else time.monotonic() - depth_at,
            silence_sec=silence_sec,
        )
        self.page.show_enabled(is_enabled=not why.startswith('paused'))
        self.page.show_state(state_html(rows_of(self._figures, self._rate_hz), why))

    def _show_floor(self) -> None:
        below = None if self.frame.points is None else floor_below(self.frame.points)
        if below is not None and not abs(below - self._floor) < FLOOR_STEP:
            self._floor = below
            self.page.show_floor(below)


def _full_name(node: Node, name: str) -> str:
    """Resolve a node's name in the namespace of another."""
    return name if name.startswith('/') else f'{node.get_namespace().rstrip("/")}/{name}'
