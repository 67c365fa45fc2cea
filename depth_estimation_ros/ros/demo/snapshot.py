"""The executable `snapshot`: what RViz would show, as one PNG, for machines without a screen.

Takes one frame from live topics: the camera image, its depth and its cloud, matched by stamp.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
import sys
import time
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage, Image, PointCloud2

from depth_estimation_ros.errors import DataError, DepthEstimationError
from depth_estimation_ros.files.atomic import atomic_path
from depth_estimation_ros.ros.demo.pictures import Scene, draw_snapshot
from depth_estimation_ros.ros.messages.conversions import rgb_from_message
from depth_estimation_ros.ros.messages.message_reading import (
    depth_from_message,
    points_from_message,
)
from depth_estimation_ros.ros.messages.qos import Reliability, newest_only
from depth_estimation_ros.ros.parameters.help_text import Help, answers_help
from depth_estimation_ros.ros.parameters.spec import Change, parameter
from depth_estimation_ros.ros.parameters.store import declare_parameters
from depth_estimation_ros.ros.runtime.services import answer_failures
from depth_estimation_ros.ros.runtime.signals import ros_until_signal
from depth_estimation_ros.ros.runtime.start import says_errors

NODE_NAME = 'snapshot'
DEPTH, POINTS = 'depth/image_rect', 'depth/points'
# Stamps under way: an image waits here for the depth that is made of it.
NUM_STAMPS = 60
INTERRUPTED = 130  # the exit code that shells expect


@dataclass(frozen=True, kw_only=True)
class SnapshotParameters:
    """What is written and how long it is waited for."""

    output: str = parameter('snapshot.png', 'PNG to write.', change=Change.START)
    timeout_sec: float = parameter(
        20.0,
        'Give up when no complete frame came in this time.',
        unit='[s]',
        limits=(0.1, 3600.0),
        change=Change.START,
    )
    image_transport: str = parameter(
        'raw',
        'raw subscribes to image, compressed to image/compressed.',
        choices=('raw', 'compressed'),
        change=Change.START,
    )


HELP = Help(
    name=NODE_NAME,
    summary='Writes one frame of live topics as a PNG: the camera image, its depth, its cloud.',
    parameters=SnapshotParameters,
    example='-r image:=/camera/image_raw -p output:=snapshot.png',
)


class Snapshot(Node):
    """Waits for an image, a depth image and a cloud of one stamp.

    Attributes:
        frame: Done with the three messages by topic.
    """

    def __init__(self) -> None:
        super().__init__(NODE_NAME)
        self.parameters = declare_parameters(self, SnapshotParameters)
        answer_failures(self)
        self.frame: Future = Future()
        is_raw = self.parameters.image_transport == 'raw'
        self._image_topic = 'image' if is_raw else 'image/compressed'
        self._counts = dict.fromkeys((self._image_topic, DEPTH, POINTS), 0)
        self._frames: OrderedDict[tuple[int, int], dict[str, Any]] = OrderedDict()
        types = {
            self._image_topic: Image if is_raw else CompressedImage,
            DEPTH: Image,
            POINTS: PointCloud2,
        }
        # Best effort receives from every publisher; so does the node that made the depth.
        qos = newest_only(Reliability.BEST_EFFORT, depth=5)
        self._own = [
            self.create_subscription(message_type, topic, partial(self._take, topic), qos)
            for topic, message_type in types.items()
        ]

    def scene(self) -> Scene:
        """Return the frame that came.

        Raises:
            ImageError: One of its messages cannot be read.
        """
        messages = self.frame.result()
        points, colors = points_from_message(messages[POINTS])
        return Scene(
            rgb=rgb_from_message(messages[self._image_topic]),
            depth=depth_from_message(messages[DEPTH]),
            points=points,
            colors=colors,
        )

    def why_not(self) -> str:
        """Say for every topic whether somebody publishes and what came."""
        parts = []
        for topic, count in self._counts.items():
            name = self.resolve_topic_name(topic)
            num_publishers = self.count_publishers(name)
            came = f'{count} messages' if count else 'no message'
            parts.append(f'{name}: {came}, {num_publishers} publishers')
        text = '; '.join(parts)
        if all(self._counts.values()):
            text += '; but no image, depth and cloud with the same stamp'
        return text

    def _take(self, topic: str, message: Any) -> None:
        self._counts[topic] += 1
        stamp = message.header.stamp
        frame = self._frames.setdefault((stamp.sec, stamp.nanosec), {})
        frame[topic] = message
        if len(self._frames) > NUM_STAMPS:
            self._frames.popitem(last=False)
        if len(frame) == len(self._counts) and not self.frame.done():
            self.frame.set_result(frame)


def _spin(snapshot: Snapshot, timeout_sec: float) -> None:
    """Spin until there is a frame, the time is over or a signal came.

    In slices: a signal that comes while the executor is being made does not wake it.
    """
    end = time.monotonic() + timeout_sec
    while rclpy.ok() and not snapshot.frame.done() and (left := end - time.monotonic()) > 0.0:
        rclpy.spin_until_future_complete(snapshot, snapshot.frame, timeout_sec=min(left, 0.5))


def write_snapshot(snapshot: Snapshot) -> Path:
    """Wait for a frame and write it.

    Raises:
        DataError: None came in time; the text says what did come.
        ImageError: A message cannot be read.
    """
    parameters = snapshot.parameters
    _spin(snapshot, parameters.timeout_sec)
    if not snapshot.frame.done():
        raise DataError(f'no frame within {parameters.timeout_sec:g} s: {snapshot.why_not()}')
    scene = snapshot.scene()
    messages = snapshot.frame.result()
    header = messages[DEPTH].header
    path = Path(parameters.output).expanduser()
    with atomic_path(path) as unfinished:
        draw_snapshot(
            unfinished,
            scene,
            title='Depth from one camera image',
            notes=(
                f'{snapshot.resolve_topic_name(DEPTH)}, frame {header.frame_id}, '
                f'stamp {header.stamp.sec}.{header.stamp.nanosec:09d}\n'
                f'{len(scene.points)} points'
            ),
        )
    return path


@answers_help(HELP)
@says_errors(NODE_NAME)
def main(args: list[str] | None = None) -> int:
    """Write one picture; 1 when no frame came, 130 when a signal did."""
    code = INTERRUPTED
    with ros_until_signal(args):
        try:
            snapshot = Snapshot()
            path = write_snapshot(snapshot)
            sys.stdout.write(f'wrote {path}\n')
            code = 0
        except (DepthEstimationError, OSError) as error:
            if rclpy.ok():  # else a signal ended the wait
                sys.stderr.write(f'{NODE_NAME}: error: {error}\n')
                code = 1
    return code


if __name__ == '__main__':
    sys.exit(main())
