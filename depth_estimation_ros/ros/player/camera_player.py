"""The node `camera_player`: a stand-in for a camera driver.

Publishes synthetic rooms with their true depth, a photo, a folder, a video file or a webcam as
`image` and `camera_info`. Everything that costs time (rendering, decoding, converting) is done
ahead, so that playing leaves the processor to the node under test.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.ros.messages.qos import Reliability, newest_only
from depth_estimation_ros.ros.parameters.help_text import Help, answers_help
from depth_estimation_ros.ros.parameters.store import declare_parameters
from depth_estimation_ros.ros.player.frame_stream import CLOSE_TIMEOUT_SEC
from depth_estimation_ros.ros.player.image_sources import SourceKind
from depth_estimation_ros.ros.player.parameters import PlayerParameters
from depth_estimation_ros.ros.player.stream import open_messages
from depth_estimation_ros.ros.runtime.log_bridge import bridge_core_log
from depth_estimation_ros.ros.runtime.services import answer_failures
from depth_estimation_ros.ros.runtime.signals import ignore_further_signals, ros_until_signal
from depth_estimation_ros.ros.runtime.start import says_errors
from depth_estimation_ros.startup import keep_freed_memory

if TYPE_CHECKING:
    from rclpy.publisher import Publisher

    from depth_estimation_ros.ros.player.camera_messages import CameraMessages
    from depth_estimation_ros.ros.player.frame_stream import FrameStream

NODE_NAME = 'camera_player'
PROGRESS_PERIOD_SEC = 2.0
# A reliable publisher may send these again; a subscriber that keeps up never needs them.
QUEUE_DEPTH = 5
ACK_TIMEOUT_SEC = 1
HELP = Help(
    name=NODE_NAME,
    summary='Stands in for a camera driver: plays synthetic rooms with their true depth, a photo, '
    'a folder, a video or a webcam as image and camera_info.',
    parameters=PlayerParameters,
    example='-p source:=walk.mp4 -p rate_hz:=30.0',
)


class CameraPlayer(Node):
    """Sends ready-made frames by a steady timer.

    Attributes:
        finished: Done when the last frame was sent, or failed with the error that ended it.
        num_sent: Frames sent.
    """

    def __init__(self) -> None:
        super().__init__(NODE_NAME)
        self._parameters = declare_parameters(self, PlayerParameters)
        answer_failures(self)
        self.finished: Future = Future()
        self.num_sent = 0
        qos = newest_only(Reliability.RELIABLE, depth=QUEUE_DEPTH)
        bridge_core_log(self.get_logger())
        self._image = self.create_publisher(Image, 'image', qos)
        self._camera_info = self.create_publisher(CameraInfo, 'camera_info', qos)
        self._compressed = (
            self.create_publisher(CompressedImage, 'image/compressed', qos)
            if self._parameters.publish_compressed
            else None
        )
        self._truth: Publisher | None = None
        self._truth_info: Publisher | None = None
        if self._parameters.source_options().kind is SourceKind.ROOMS:
            self._truth = self.create_publisher(Image, 'truth/depth/image_rect', qos)
            self._truth_info = self.create_publisher(CameraInfo, 'truth/depth/camera_info', qos)
        # Not the node's clock: frames keep coming while simulated time stands still.
        self._steady_clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._stream: FrameStream[CameraMessages] | None = None
        self._opening = threading.Thread(target=self._open, name='opening', daemon=True)
        self._num_late = 0
        self._opened_ns = 0
        self._started_ns: int | None = None

    def open(self) -> None:
        """Make the first frames ready beside this thread, which takes a while; then play them."""
        self._opening.start()

    def _open(self) -> None:
        try:
            self._play()
        except Exception as error:  # noqa: BLE001 - whatever it is, the main thread must know
            self.finished.set_exception(error)

    def _play(self) -> None:
        parameters, log = self._parameters, self.get_logger()
        if parameters.source_options().kind is SourceKind.ROOMS:
            log.info(
                f'rendering {parameters.num_frames_ahead} frames of room {parameters.seed} '
                '(the first time, the renderer is compiled, which takes a minute)'
            )
        self._stream = open_messages(
            parameters,
            say=lambda text: log.info(
                text, throttle_duration_sec=PROGRESS_PERIOD_SEC, skip_first=True
            ),
            goes_on=self.context.ok,
        )
        if not self.context.ok():
            return
        again = ', over and over' if parameters.loop else ''
        log.info(f"playing '{parameters.source}' at {parameters.rate_hz:g} Hz{again}")
        self._opened_ns = self._steady_clock.now().nanoseconds
        self.create_timer(1.0 / parameters.rate_hz, self._on_tick, clock=self._steady_clock)

    def close(self) -> bool:
        """Stop reading ahead and tell what was sent.

        Returns:
            False if a thread is deep in its source and cannot be waited for.
        """
        if self._opening.is_alive():
            self._opening.join(CLOSE_TIMEOUT_SEC)
        has_ended = not self._opening.is_alive()
        if self._stream is not None:
            has_ended = self._stream.close() and has_ended
            self._tell_what_was_sent()
        return has_ended

    def _tell_what_was_sent(self) -> None:
        late = f', {self._num_late} late' if self._num_late else ''
        text = f'{self.num_sent} frames sent{late}'
        if self.context.ok():
            # The last frame of a source played once is not lost with the process.
            for publisher in (self._image, self._camera_info):
                publisher.wait_for_all_acked(Duration(seconds=ACK_TIMEOUT_SEC))
            self.get_logger().info(text)
        else:  # after a signal there is no /rosout left to log to
            sys.stderr.write(f'[{NODE_NAME}] {text}\n')

    def _on_tick(self) -> None:
        if self.finished.done() or self._stream is None or self._is_waiting():
            return
        if self._is_over() or self._stream.is_finished:
            self.finished.set_result(None)
            return
        try:
            messages = self._stream.take()
        except DepthEstimationError as error:
            self.finished.set_exception(error)
            return
        if messages is None:
            self._num_late += 1
            return
        self._send(messages)

    def _is_waiting(self) -> bool:
        """True until the first frame may be sent."""
        if self._started_ns is not None:
            return False
        now_ns = self._steady_clock.now().nanoseconds
        waited_sec = (now_ns - self._opened_ns) * 1e-9
        num_subscribers = self._image.get_subscription_count()
        num_subscribers += self._compressed.get_subscription_count() if self._compressed else 0
        if num_subscribers == 0 and waited_sec < self._parameters.wait_for_subscribers_sec:
            return True
        self._started_ns = now_ns
        return False

    def _is_over(self) -> bool:
        parameters = self._parameters
        if parameters.num_frames and self.num_sent >= parameters.num_frames:
            return True
        played_ns = self._steady_clock.now().nanoseconds - (self._started_ns or 0)
        return bool(0.0 < parameters.duration_sec <= played_ns * 1e-9)

    def _send(self, messages: CameraMessages) -> None:
        """Stamp the header that all messages share and send them."""
        messages.camera_info.header.stamp = self.get_clock().now().to_msg()
        # camera_info is first: who pairs it with the image has it when the image comes.
        self._camera_info.publish(messages.camera_info)
        _publish(self._image, messages.image)
        _publish(self._compressed, messages.compressed)
        _publish(self._truth, messages.truth)
        _publish(self._truth_info, messages.camera_info)
        self.num_sent += 1


def _publish(publisher: Publisher | None, message: Any) -> None:
    """Publish if there is something to publish and somebody listens."""
    if publisher is not None and message is not None and publisher.get_subscription_count():
        publisher.publish(message)


@answers_help(HELP)
@says_errors(NODE_NAME)
def main(args: list[str] | None = None) -> int:
    """Run the node until its source ends or it is interrupted; 1 when the source fails."""
    keep_freed_memory()
    player: CameraPlayer | None = None
    with ros_until_signal(args):
        try:
            player = CameraPlayer()
            player.open()
            rclpy.spin_until_future_complete(player, player.finished)
            if player.finished.done():
                player.finished.result()
        except DepthEstimationError as error:
            sys.stderr.write(f'{NODE_NAME}: error: {error}\n')
            return 1
        finally:
            ignore_further_signals(signal.SIGINT)
            if player is not None:
                _end(player)
    return 0


def _end(player: CameraPlayer) -> None:
    """Free the node, or leave at once if its source would have to be waited for."""
    if not player.close():
        sys.stderr.flush()
        os._exit(0)  # Python would wait for the thread, or trip over what it still does
    player.destroy_node()


if __name__ == '__main__':
    sys.exit(main())
