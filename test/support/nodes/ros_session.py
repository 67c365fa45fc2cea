"""A ROS domain of a test's own: a listening node in this process, nodes under test in others."""

from __future__ import annotations

from contextlib import ExitStack
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from domain_coordinator import domain_id
from rcl_interfaces.msg import Log
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, QoSReliabilityPolicy

from depth_estimation_ros.ros.messages.qos import latched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

# Ten times what a busy machine of two cores takes; beside a training run even that is not enough.
TIMEOUT_SEC = float(os.environ.get('DEPTH_TEST_TIMEOUT_SEC', '60'))


class RosSession:
    """Nodes find each other in a domain that nobody else has, and end with the session.

    Attributes:
        folder: working folder of the processes.
        before: what the command of a process begins with.
    """

    before: Sequence[str] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self.domain_id = 0

    def __enter__(self) -> RosSession:
        self.domain_id = self._stack.enter_context(domain_id())
        context = Context()
        rclpy.init(context=context, domain_id=self.domain_id)
        self._stack.callback(rclpy.try_shutdown, context=context)
        self.node = Node('listener', context=context)
        self._stack.callback(self.node.destroy_node)
        self.executor = SingleThreadedExecutor(context=context)
        self._stack.callback(self.executor.shutdown)
        self.executor.add_node(self.node)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """Of processes that take part."""
        return {**os.environ, 'ROS_DOMAIN_ID': str(self.domain_id)}

    def start(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        """Run `python -m module`; it is killed with the session if it still runs."""
        process = subprocess.Popen(
            [*self.before, sys.executable, '-m', module, *arguments],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._stack.callback(_end, process)
        return process

    def start_node(self, name: str, **parameters: object) -> subprocess.Popen[str]:
        """Run a module with ROS parameters; a name without its package is one of our ros/."""
        given = [part for key, value in parameters.items() for part in ('-p', f'{key}:={value}')]
        module = f'depth_estimation_ros.ros.{name}' if name.count('.') == 1 else name
        return self.start(module, '--ros-args', *given)

    def listen(self, message_type: type, topic: str, *, depth: int = 100) -> list[Any]:
        """Return a list that fills with the topic's messages while the session spins."""
        received: list[Any] = []
        qos = QoSProfile(depth=depth, reliability=QoSReliabilityPolicy.RELIABLE)
        self.node.create_subscription(message_type, topic, received.append, qos)
        return received

    def listen_to_log(self) -> list[Log]:
        """Return a list that fills with log lines, those of before it was made too."""
        received: list[Log] = []
        self.node.create_subscription(Log, '/rosout', received.append, latched(depth=1000))
        return received

    def spin_until(self, is_true: Callable[[], object], timeout_sec: float = TIMEOUT_SEC) -> None:
        """Handle messages until a condition holds.

        Raises:
            TimeoutError: It does not.
        """
        deadline = time.monotonic() + timeout_sec
        while not is_true():
            if time.monotonic() > deadline:
                raise TimeoutError(f'nothing came within {timeout_sec} s')
            self.executor.spin_once(timeout_sec=0.1)

    def spin_until_ended(self, process: subprocess.Popen[str]) -> str:
        """Handle messages until the process has ended, then those still on their way."""
        self.spin_until(lambda: process.poll() is not None)
        self.executor.spin_once(timeout_sec=0.5)
        assert process.stdout is not None
        return process.stdout.read()


def stamps_of(messages: Sequence[Any]) -> list[tuple[int, int]]:
    """Stamps of messages with a header."""
    return [(item.header.stamp.sec, item.header.stamp.nanosec) for item in messages]


def _end(process: subprocess.Popen[str]) -> None:
    """Let the process end what it started itself; kill it if it does not."""
    process.terminate()
    try:
        process.communicate(timeout=TIMEOUT_SEC)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
