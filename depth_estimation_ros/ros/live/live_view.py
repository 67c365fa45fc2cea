"""The executable `live_view`: a page in the browser with what the depth node sees and says."""

from __future__ import annotations

from pathlib import Path
import signal
import sys
import time
from typing import TYPE_CHECKING

import rclpy
from rclpy.executors import (
    ExternalShutdownException,
    ShutdownException,
    SingleThreadedExecutor,
    TimeoutException,
)
from rclpy.node import Node

from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.ros.live.page import Page
from depth_estimation_ros.ros.live.parameters import LiveParameters
from depth_estimation_ros.ros.live.server import (
    EVERYWHERE,
    address_of,
    check_viser,
    close_server,
    open_server,
)
from depth_estimation_ros.ros.live.viewer import Viewer
from depth_estimation_ros.ros.parameters.help_text import Help, answers_help
from depth_estimation_ros.ros.parameters.store import declare_parameters
from depth_estimation_ros.ros.runtime.signals import ignore_further_signals, ros_until_signal
from depth_estimation_ros.startup import keep_freed_memory

if TYPE_CHECKING:
    from rclpy.executors import Executor

NODE_NAME = 'live_view'
IDLE_SEC = 0.2  # from one look for browsers to the next, while there is none
MAX_CALLBACKS = 100  # of one tick, so that the page is drawn whatever comes
HELP = Help(
    name=NODE_NAME,
    summary='Shows what a running depth node sees and says on a page in the browser.',
    parameters=LiveParameters,
    example='-p port:=8080 -p read_only:=true',
)


def handle_waiting(executor: Executor) -> None:
    """Run the callbacks that are ready; messages that came before the newest are gone by then."""
    for _ in range(MAX_CALLBACKS):
        try:
            task, _, _ = executor.wait_for_ready_callbacks(timeout_sec=0.0)
        except (TimeoutException, ShutdownException):
            return
        task()
        task.result()  # raises what the callback raised


def run(executor: Executor, viewer: Viewer, period_sec: float) -> None:
    """Show frames at the page's own rate until ROS is shut down."""
    try:
        while rclpy.ok():
            started = time.monotonic()
            handle_waiting(executor)
            viewer.tick()
            if not viewer.is_watched:
                executor.spin_once(timeout_sec=IDLE_SEC)
            left = period_sec - (time.monotonic() - started)
            if viewer.is_watched and left > 0.0:
                time.sleep(left)
    except ExternalShutdownException:
        pass
    finally:
        executor.shutdown()


def say_address(node: Node, parameters: LiveParameters, address: str) -> None:
    """Log where the page is, and who may change what."""
    logger = node.get_logger()
    if parameters.host in EVERYWHERE and not parameters.read_only:
        logger.warning(
            f'host is {parameters.host}: everybody who reaches this machine can change the '
            "node's parameters; read_only:=true shows only"
        )
    logger.info(f'the page is at {address}')


@answers_help(HELP)
def main(args: list[str] | None = None) -> int:
    """Serve the page until interrupted; 1 when one cannot listen there."""
    keep_freed_memory()
    with ros_until_signal(args):
        try:
            node = Node(NODE_NAME)
            parameters = declare_parameters(node, LiveParameters)
            check_viser()
            server = open_server(parameters.host, parameters.port)
        except DepthEstimationError as error:
            sys.stderr.write(f'{NODE_NAME}: error: {error}\n')
            return 1
        try:
            page = Page(server, is_read_only=parameters.read_only)
            viewer = Viewer(node, page, parameters, folder=Path.cwd())
            executor = SingleThreadedExecutor(context=node.context)
            executor.add_node(node)
            say_address(node, parameters, address_of(server))
            run(executor, viewer, 1.0 / parameters.max_rate_hz)
        finally:
            # Closing takes seconds on a busy machine; launch sends SIGTERM meanwhile.
            ignore_further_signals(signal.SIGINT, signal.SIGTERM)
            close_server(server)
    return 0


if __name__ == '__main__':
    sys.exit(main())
