"""The node `depth_estimation`: a lifecycle node that activates itself unless told not to."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.lifecycle import LifecycleNodeMixin, TransitionCallbackReturn
from rclpy.node import Node
from std_srvs.srv import SetBool

from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.ros.announcer import Announcer
from depth_estimation_ros.ros.camera_stream import CameraStream
from depth_estimation_ros.ros.lifecycle import reports_errors
from depth_estimation_ros.ros.log_bridge import bridge_core_log
from depth_estimation_ros.ros.mailbox import Mailbox
from depth_estimation_ros.ros.model_loading import LoadedModel, load_model
from depth_estimation_ros.ros.monitor import Monitor
from depth_estimation_ros.ros.parameters import ParameterStore
from depth_estimation_ros.ros.processor import FrameProcessor
from depth_estimation_ros.ros.worker import Worker

if TYPE_CHECKING:
    from rclpy.lifecycle import LifecycleState

NODE_NAME = 'depth_estimation'
# The subscriptions, the lifecycle and everything else: one cannot keep another waiting.
NUM_EXECUTOR_THREADS = 3
MONITOR_PERIOD_SEC = 1.0
# Leaves a clean exit time within two seconds of the signal.
WORKER_STOP_TIMEOUT_SEC = 1.5


class DepthEstimationNode(LifecycleNodeMixin, Node):
    """Subscribes to a camera and publishes its depth.

    configure loads the model and creates the publishers, activate subscribes and starts the
    worker thread, deactivate and cleanup take the same steps back.

    Raises:
        ConfigError: a parameter from the command line or a YAML file is not accepted.
    """

    def __init__(self) -> None:
        Node.__init__(self, NODE_NAME)
        self._lifecycle_group = MutuallyExclusiveCallbackGroup()
        LifecycleNodeMixin.__init__(self, callback_group=self._lifecycle_group)
        bridge_core_log(self.get_logger())
        self._state_label = 'unconfigured'
        self._trouble = ''
        self._is_enabled = True
        self._model: LoadedModel | None = None
        self._streams: dict[str, CameraStream] = {}
        self._mailbox: Mailbox[Any] = Mailbox([])
        self._worker: Worker[Any] | None = None
        self._announcer = Announcer(self.get_logger())
        self._settings = ParameterStore(self, lambda: self._state_label != 'unconfigured')
        self._input_group = MutuallyExclusiveCallbackGroup()
        self._monitor = Monitor(self, self._announcer)
        self.create_service(SetBool, '~/enable', self._on_enable)
        # Not the node's clock: both go on while simulated time stands still.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(MONITOR_PERIOD_SEC, self._on_monitor, clock=steady)
        self._autostart_timer = self.create_timer(
            0.0, self._on_autostart, callback_group=self._lifecycle_group, clock=steady
        )

    @reports_errors
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and create the publishers; FAILURE when the model cannot be used."""
        parameters = self._settings.current
        self._state_label = 'loading the model'
        self._trouble = ''
        try:
            self._model = load_model(parameters)
        except DepthEstimationError as err:
            self._trouble = str(err)
            self._state_label = 'unconfigured'
            self.get_logger().error(f'cannot configure: {err}')
            return TransitionCallbackReturn.FAILURE
        self.get_logger().info(self._model.description)
        for name in ('',):
            self._streams[name] = CameraStream(
                self,
                name=name,
                parameters=parameters,
                deliver=self._deliver,
                callback_group=self._input_group,
                announcer=self._announcer,
            )
        self._state_label = 'inactive'
        return super().on_configure(state)

    @reports_errors
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and start the worker."""
        model = self._model
        if model is None:  # activate comes after configure only
            return TransitionCallbackReturn.FAILURE
        self._announcer.forget()
        processor = FrameProcessor(
            model.estimator,
            model_path=model.path,
            parameters=lambda: self._settings.current,
            now_sec=lambda: float(self.get_clock().now().nanoseconds) * 1e-9,
            announcer=self._announcer,
        )
        self._mailbox = Mailbox(list(self._streams))
        self._worker = Worker(
            self._mailbox,
            lambda name, message: self._process(processor, name, message),
            lambda: self._settings.current.min_period_sec,
        )
        result = super().on_activate(state)
        self._worker.start()
        for stream in self._streams.values():
            stream.subscribe()
            self.get_logger().info(f'subscribed to {stream.image_topic}')
        self._state_label = 'active'
        return result

    @reports_errors
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and stop the worker."""
        self._stop()
        self._state_label = 'inactive'
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
        """Stop the worker and free everything.

        Returns:
            False if the worker is still at its frame; the model is then left to it.
        """
        if not self._stop():
            return False
        self._release()
        return True

    def _stop(self) -> bool:
        for stream in self._streams.values():
            stream.unsubscribe()
        worker, self._worker = self._worker, None
        return worker is None or worker.stop(WORKER_STOP_TIMEOUT_SEC)

    def _release(self) -> None:
        for stream in self._streams.values():
            stream.destroy()
        self._streams.clear()
        if self._model is not None:
            self._model.estimator.close()
            self._model = None
        self._state_label = 'unconfigured'

    def _process(self, processor: FrameProcessor, name: str, message: Any) -> None:
        """Process a frame in the worker thread, which nothing may end."""
        try:
            processor.process(self._streams[name], message)
        except Exception:  # noqa: BLE001 - a fault with one frame must not end the rest
            if self.context.ok():  # else the node is shutting down under the frame
                self._announcer.error(f'unexpected error:\n{traceback.format_exc()}')

    def _deliver(self, name: str, message: Any) -> bool:
        return self._is_enabled and self._mailbox.put(name, message)

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._is_enabled = request.data
        if not self._is_enabled:
            self._mailbox.clear()
        response.success = True
        response.message = 'resumed' if self._is_enabled else 'paused'
        self.get_logger().info(f'{response.message} by ~/enable')
        return response

    def _on_autostart(self) -> None:
        self._autostart_timer.cancel()
        if not self._settings.current.autostart:
            return
        if self.trigger_configure() is TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def _on_monitor(self) -> None:
        model = self._model
        self._monitor.look(
            list(self._streams.values()),
            is_active=self._state_label == 'active',
            is_enabled=self._is_enabled,
            state_label=self._state_label,
            trouble=self._trouble,
            model_values={} if model is None else model.facts,
        )


def main(args: list[str] | None = None) -> int:
    """Run the node until it is interrupted.

    Returns:
        0 after SIGINT, SIGTERM or a shutdown of the context, 1 when a parameter is not accepted.
    """
    rclpy.init(args=args)
    node: DepthEstimationNode | None = None
    try:
        node = DepthEstimationNode()
        executor = MultiThreadedExecutor(num_threads=NUM_EXECUTOR_THREADS)
        executor.add_node(node)
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except DepthEstimationError as err:
        sys.stderr.write(f'{NODE_NAME}: error: {err}\n')
        return 1
    finally:
        if node is not None:
            node.close()
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
