"""The node `depth_estimation`: a lifecycle node that activates itself unless told not to."""

from __future__ import annotations

import os
import signal
import sys
from threading import Lock
from traceback import format_exc
from typing import TYPE_CHECKING, Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNodeMixin, TransitionCallbackReturn
from rclpy.node import Node

from depth_estimation_ros.errors import DepthEstimationError, error_text
from depth_estimation_ros.ros.node.camera_stream import CameraStream
from depth_estimation_ros.ros.node.enable_service import EnableService
from depth_estimation_ros.ros.node.health.monitor import Monitor
from depth_estimation_ros.ros.node.mailbox import Mailbox
from depth_estimation_ros.ros.node.model_loader import ModelLoader
from depth_estimation_ros.ros.node.processor import FrameProcessor
from depth_estimation_ros.ros.node.worker import Worker
from depth_estimation_ros.ros.parameters.camera_names import check_scan_frames
from depth_estimation_ros.ros.parameters.help_text import Help, answers_help
from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters
from depth_estimation_ros.ros.parameters.store import ParameterStore
from depth_estimation_ros.ros.runtime.announcer import Announcer
from depth_estimation_ros.ros.runtime.executors import OneSlowGroupExecutor
from depth_estimation_ros.ros.runtime.lifecycle import answer_during_transitions, reports_errors
from depth_estimation_ros.ros.runtime.log_bridge import bridge_core_log
from depth_estimation_ros.ros.runtime.services import answer_failures
from depth_estimation_ros.ros.runtime.signals import ignore_further_signals, ros_until_signal
from depth_estimation_ros.ros.runtime.start import says_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rclpy.lifecycle import LifecycleState

    from depth_estimation_ros.ros.node.loaded_model import LoadedModel

NODE_NAME = 'depth_estimation'
LOADING = 'loading the model'
MONITOR_PERIOD_SEC = 1.0
WORKER_STOP_TIMEOUT_SEC = 1.5  # leaves a clean exit time within two seconds of the signal
LONGEST_FRAME_SEC = 60.0  # of a large network on a small board: a transition waits for it
HELP = Help(
    name=NODE_NAME,
    summary="Publishes the metric depth of a camera's images: a depth image, a point cloud, a "
    'picture in colours, a laser scan.',
    parameters=NodeParameters,
    example='-r image:=/camera/image_raw -r camera_info:=/camera/camera_info '
    '-p depth_size:=network',
)


class DepthEstimationNode(LifecycleNodeMixin, Node):
    """Subscribes to a camera and publishes its depth.

    configure loads the model and creates the publishers, activate subscribes and starts the
    worker thread, deactivate and cleanup take the same steps back.

    Raises:
        ConfigError: a parameter from the command line or a YAML file is not accepted.
    """

    def __init__(self) -> None:
        Node.__init__(self, NODE_NAME)
        # Loading a model takes seconds, building an engine minutes.
        self.slow_group = MutuallyExclusiveCallbackGroup()
        LifecycleNodeMixin.__init__(self, callback_group=self.slow_group)
        bridge_core_log(self.get_logger())
        self.state_label = 'unconfigured'
        self.trouble = ''
        self._is_autostarting = False
        self._model: LoadedModel | None = None
        self._streams: dict[str, CameraStream] = {}
        self._streams_lock = Lock()  # while the monitor looks, none may go
        self._mailbox: Mailbox[Any] = Mailbox([])
        self._worker: Worker[Any] | None = None
        self._announcer = Announcer(self.get_logger())
        self._settings = ParameterStore(self, lambda: self.state_label != 'unconfigured')
        self._input_group = MutuallyExclusiveCallbackGroup()
        self._monitor = Monitor(self, self._announcer)
        self._enable = EnableService(self)
        self.loader = ModelLoader(self)
        # Not the node's clock: both go on while simulated time stands still.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        answer_during_transitions(self)
        answer_failures(self)
        self.create_timer(MONITOR_PERIOD_SEC, self._on_monitor, clock=steady)
        self._autostart_timer = self.create_timer(
            0.0, self._on_autostart, callback_group=self.slow_group, clock=steady
        )

    @reports_errors
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and create the publishers; FAILURE when the model cannot be used."""
        self.state_label = LOADING
        self.trouble = ''
        try:
            self._set_up(self._settings.current)
        except Exception as err:  # noqa: BLE001 - a library may raise anything for a model
            self._release()
            self.trouble = error_text(err)
            details = '' if isinstance(err, DepthEstimationError) else f'\n{format_exc()}'
            self.get_logger().error(f'cannot configure: {self.trouble}{details}')
            return TransitionCallbackReturn.FAILURE
        self.state_label = 'inactive'
        return super().on_configure(state)

    def _set_up(self, parameters: NodeParameters) -> None:
        check_scan_frames(parameters.scan_frame, parameters.cameras)
        self._mailbox = Mailbox(list(parameters.cameras))
        # The topics before the model: while it loads, the nodes at their other ends find them, and
        # the newest image waits for it.
        for name in parameters.cameras:
            self._streams[name] = CameraStream(
                self,
                name=name,
                parameters=parameters,
                deliver=self._deliver,
                callback_group=self._input_group,
                announcer=self._announcer,
            )
            if self._is_autostarting:
                self._streams[name].subscribe()
        self._model = self.loader.load(parameters)

    @reports_errors
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and start the worker."""
        if self._model is None:  # activate comes after configure only
            return TransitionCallbackReturn.FAILURE
        self._announcer.forget()
        processor = FrameProcessor(
            self._model,
            parameters=lambda: self._settings.current,
            now_sec=lambda: float(self.get_clock().now().nanoseconds) * 1e-9,
            announcer=self._announcer,
        )
        self._worker = Worker(
            self._mailbox,
            lambda frames: self._process(processor, frames),
            lambda: max(self._settings.current.min_period_sec, processor.retry_delay_sec),
            self._model.estimator.spec.batch_size,
        )
        result = super().on_activate(state)
        for stream in self._streams.values():
            stream.start_counting(self._mailbox.count(stream.name))
        self._worker.start()
        for stream in self._streams.values():
            stream.subscribe()
            self.get_logger().info(f'subscribed to {stream.image_topic}')
        self.state_label = 'active'
        return result

    @reports_errors
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe, stop the worker, free what GPU memory the model can do without."""
        if self._stop(LONGEST_FRAME_SEC) and self._model is not None:
            self._model.estimator.release()
        return super().on_deactivate(state)

    @reports_errors
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model and take the topics back."""
        self._release()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Do what deactivate and cleanup do."""
        self.close()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to unconfigured, from where the node can be configured anew."""
        self.close()
        return super().on_error(state)

    def close(self) -> bool:
        """Free everything; False if the worker is still at a frame, which keeps the model."""
        if not self._stop():
            return False
        self._release()
        return True

    def _stop(self, timeout_sec: float = WORKER_STOP_TIMEOUT_SEC) -> bool:
        with self._streams_lock:
            self.state_label = 'inactive'
            for stream in self._streams.values():
                stream.unsubscribe()
        worker, self._worker = self._worker, None
        has_ended = worker is None or worker.stop(timeout_sec)
        self._mailbox = Mailbox(list(self._streams))
        return has_ended

    def _release(self) -> None:
        for stream in self._streams.values():
            stream.destroy()
        self._streams.clear()
        if self._model is not None:
            self._model.estimator.close()
            self._model = None
        self.state_label = 'unconfigured'

    def _process(self, processor: FrameProcessor, frames: Sequence[tuple[str, Any]]) -> None:
        """Process frames in the worker thread, which nothing may end."""
        try:
            if self._enable.is_enabled:  # a frame may have waited when the node was paused
                processor.process([(self._streams[name], message) for name, message in frames])
        except Exception as err:  # noqa: BLE001 - a fault with one frame must not end the rest
            for name, _ in frames:
                self._streams[name].state.fail(error_text(err))
            if self.context.ok():  # else the node is shutting down under the frame
                self._announcer.error(f'unexpected error:\n{format_exc()}')

    def _deliver(self, name: str, message: Any) -> bool:
        return self._enable.is_enabled and self._mailbox.put(name, message)

    def _on_autostart(self) -> None:
        self._autostart_timer.cancel()
        if not self._settings.current.autostart or self.state_label != 'unconfigured':
            return
        self._is_autostarting = True
        try:
            if self.trigger_configure() is TransitionCallbackReturn.SUCCESS:
                self.trigger_activate()
        finally:
            self._is_autostarting = False

    @property
    def _corrects_focal_length(self) -> bool:
        is_for_one_lens = self._model and self._model.estimator.spec.training_fx is not None
        return bool(is_for_one_lens) and self._settings.current.focal_normalization

    def _on_monitor(self) -> None:
        self.loader.report()
        settings = self._settings.current
        with self._streams_lock:
            self._monitor.look(
                list(self._streams.values()) if self.state_label == 'active' else [],
                is_enabled=self._enable.is_enabled,
                state_label=self.loader.status or self.state_label,
                trouble=self.trouble,
                model_values=self._model.facts if self._model else {},
                corrects_focal_length=self._corrects_focal_length,
                shortcoming=self._model.on_cpu_trouble(settings) if self._model else '',
                max_rate_hz=settings.max_rate_hz,
            )


@answers_help(HELP)
@says_errors(NODE_NAME)
def main(args: list[str] | None = None) -> int:
    """Run the node until it is interrupted.

    Returns:
        0 after SIGINT, SIGTERM or a shutdown of the context, 1 when a parameter or what ROS is
        started with is not accepted.
    """
    node: DepthEstimationNode | None = None
    with ros_until_signal(args):
        try:
            node = DepthEstimationNode()
            executor = OneSlowGroupExecutor(node.slow_group)
            executor.add_node(node)
            executor.spin()
        except DepthEstimationError as err:
            sys.stderr.write(f'{NODE_NAME}: error: {err}\n')
            return 1
        finally:
            ignore_further_signals(signal.SIGINT, signal.SIGTERM)
            if node is not None:
                _end(node)
    return 0


def _end(node: DepthEstimationNode) -> None:
    """Free the node, or leave at once if a thread is deep inside the network or its loading."""
    is_loading = node.state_label == LOADING
    node.loader.cancel(WORKER_STOP_TIMEOUT_SEC)
    if is_loading or not node.close():
        sys.stderr.flush()
        os._exit(0)  # Python would wait for that thread, for minutes if it builds an engine
    node.destroy_node()
