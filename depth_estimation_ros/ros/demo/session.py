"""One run of the demo: the camera stand-in and the node as processes, recorded over DDS."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
import time
from typing import TYPE_CHECKING

import rclpy
from rclpy.signals import SignalHandlerOptions

from depth_estimation_ros.ros.demo.processes import DemoError, NodeProcess
from depth_estimation_ros.ros.demo.recorder import DemoRecorder
from depth_estimation_ros.ros.runtime.executors import light_executor
from depth_estimation_ros.ros.runtime.signals import DeferredInterrupt
from depth_estimation_ros.ros.runtime.start import init_ros
from depth_estimation_ros.startup import keep_freed_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rclpy.executors import Executor

    from depth_estimation_ros.ros.demo.recording import Recording

PLAYER_MODULE = 'depth_estimation_ros.ros.player.camera_player'
NODE_MODULE = 'depth_estimation_ros.ros.node'
SPIN_SEC = 0.1
# A node that cannot load its model says this and waits to be given another.
CANNOT_CONFIGURE = 'cannot configure'


@dataclass(frozen=True, kw_only=True)
class SessionOptions:
    """What is run and for how long."""

    player_parameters: Mapping[str, object]
    node_parameters: Mapping[str, object]
    duration_sec: float  # of the span that is measured
    timeout_sec: float  # from the start to the first depth


def record_session(
    options: SessionOptions, environment: Mapping[str, str], say: Callable[[str], None]
) -> Recording:
    """Run the processes until the span is over.

    Args:
        options: What is run.
        environment: Of the processes; this process must have it already.
        say: Tells people how far it is.

    Raises:
        ConfigError: ROS cannot start in this environment.
        DemoError: A process ended, or no depth came in time; with what the process said last.
        KeyboardInterrupt: SIGINT or SIGTERM came.
    """
    with ExitStack() as stack:
        interrupt = stack.enter_context(DeferredInterrupt())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix='depth_demo_')))
        recorder, executor = stack.enter_context(_recorder())
        node, player = (
            stack.enter_context(
                NodeProcess(module, parameters, folder=folder, environment=environment)
            )
            for module, parameters in (
                (NODE_MODULE, options.node_parameters),
                (PLAYER_MODULE, options.player_parameters),
            )
        )
        spin = partial(_spin, executor, interrupt)
        _wait_for_depth(recorder, spin, (node, player), options.timeout_sec, say)
        say(f'depth arrives; recording for {options.duration_sec:g} s')
        while not recorder.is_complete(options.duration_sec):
            spin()
            for process in (node, player):
                process.check()
        return recorder.recording


@contextmanager
def _recorder() -> Iterator[tuple[DemoRecorder, Executor]]:
    keep_freed_memory()
    init_ros([], signal_handler_options=SignalHandlerOptions.NO)
    try:
        recorder = DemoRecorder()
        executor = light_executor()
        executor.add_node(recorder)
        yield recorder, executor
        executor.shutdown()
        recorder.destroy_node()
    finally:
        rclpy.try_shutdown()


def _spin(executor: Executor, interrupt: DeferredInterrupt) -> None:
    executor.spin_once(timeout_sec=SPIN_SEC)
    interrupt.check()


def _wait_for_depth(
    recorder: DemoRecorder,
    spin: Callable[[], None],
    processes: Sequence[NodeProcess],
    timeout_sec: float,
    say: Callable[[str], None],
) -> None:
    deadline = time.monotonic() + timeout_sec
    said_lines: set[str] = set()
    while not recorder.recording.has_started:
        spin()
        for process in processes:
            process.check()
            if CANNOT_CONFIGURE in process.last_error():
                raise DemoError(f'{process.name} {process.last_error()}')
            line = process.progress()
            if line not in said_lines:
                said_lines.add(line)
                say(f'{process.name}: {line}')
        if time.monotonic() > deadline:
            said = '\n'.join(
                f'{process.name} said last:\n{process.tail()}' for process in processes
            )
            raise DemoError(f'no depth image came within {timeout_sec:g} s\n{said}')
