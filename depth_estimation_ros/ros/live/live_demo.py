"""`make live`: a camera stand-in, the node and the page, until Ctrl-C."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
import os
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
import threading
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.ros.demo.demo import (
    absolute_source,
    checked_model_path,
    find_dds_profile,
)
from depth_estimation_ros.ros.demo.processes import NodeProcess, demo_environment
from depth_estimation_ros.ros.demo.session import NODE_MODULE, PLAYER_MODULE
from depth_estimation_ros.ros.live.server import check_viser
from depth_estimation_ros.ros.runtime.signals import DeferredInterrupt

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOK_SEC = 0.5  # from one look at the processes to the next


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='live_demo',
        description='Play camera images and show their depth in the browser.',
        epilog='example: ros2 run depth_estimation_ros live_demo --input webcam:0',
    )
    add = parser.add_argument
    add('--input', default='rooms', help='rooms, a photo, a folder, a video or webcam:0 (rooms)')
    add('--model', default='', help='model file (the one shipped)')
    add('--rate-hz', type=float, default=15.0, help='of the camera (15)')
    add('--num-frames-ahead', type=int, default=60, help='made before playing (60)')
    add('--host', default='127.0.0.1', help='address of the page (127.0.0.1)')
    add('--port', type=int, default=8080, help='port of the page (8080)')
    add('--read-only', action='store_true', help='the page only shows')
    add('--domain-id', type=int, default=None, help='ROS domain (one of its own)')
    return parser.parse_args(argv)


def run_live(arguments: argparse.Namespace) -> int:
    """Run everything until a signal comes or a process fails; returns the exit code.

    Raises:
        DepthEstimationError: Input or model cannot be used, or viser is not installed.
        KeyboardInterrupt: A signal came before the page was there.
    """
    check_viser()
    source = absolute_source(arguments.input)
    model_path = checked_model_path(arguments.model, 'auto')
    environment = demo_environment(arguments.domain_id, find_dds_profile())
    os.environ.update(environment)
    domain_id = environment['ROS_DOMAIN_ID']
    _say(f"camera_player plays '{arguments.input}' in ROS domain {domain_id}; Ctrl-C ends all")
    with ExitStack() as stack:
        # First, so that it is the last to go: no signal leaves a process behind.
        interrupt = stack.enter_context(DeferredInterrupt())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix='depth_live_')))
        player = {
            'source': source,
            'rate_hz': arguments.rate_hz,
            'num_frames_ahead': arguments.num_frames_ahead,
        }
        node = {'model_path': str(model_path)}
        processes = [
            stack.enter_context(
                NodeProcess(module, parameters, folder=folder, environment=environment)
            )
            for module, parameters in ((NODE_MODULE, node), (PLAYER_MODULE, player))
        ]
        return _show(processes, arguments, interrupt)


def _show(
    processes: Sequence[NodeProcess], arguments: argparse.Namespace, interrupt: DeferredInterrupt
) -> int:
    # Imported late: rclpy reads the environment that was set just now.
    import rclpy

    from depth_estimation_ros.ros.live import live_view

    interrupt.check()

    failures: list[str] = []
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(LOOK_SEC):
            try:
                for process in processes:
                    process.check()
            except DepthEstimationError as err:
                failures.append(str(err))
                rclpy.try_shutdown()
                return

    watcher = threading.Thread(target=watch, name='watcher')
    watcher.start()
    parameters = {
        'host': arguments.host,
        'port': arguments.port,
        'read_only': str(arguments.read_only).lower(),
    }
    given = [part for key, value in parameters.items() for part in ('-p', f'{key}:={value}')]
    try:
        code = live_view.main(['--ros-args', *given])
    finally:
        is_over.set()
        watcher.join()
    for failure in failures:
        sys.stderr.write(f'live_demo: error: {failure}\n')
    return 1 if failures else code


def _say(text: str) -> None:
    sys.stdout.write(f'[live] {text}\n')
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C; 1 when something cannot be used."""
    arguments = parse_arguments(argv)
    try:
        return run_live(arguments)
    except DepthEstimationError as error:
        sys.stderr.write(f'live_demo: error: {error}\n')
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
