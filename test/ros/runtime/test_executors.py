"""The executor of the node: one slow group keeps no other callback waiting."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

pytest.importorskip('rclpy')

import rclpy
from rclpy._rclpy_pybind11 import InvalidHandle
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.waitable import NumberOfEntities, Waitable

from depth_estimation_ros.ros.runtime.executors import OneSlowGroupExecutor, light_executor

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.ros

TIMEOUT_SEC = 20.0


@pytest.fixture
def node() -> Iterator[Node]:
    rclpy.init(args=[])
    running = Node('executor_test')
    yield running
    running.destroy_node()
    rclpy.try_shutdown()


def test_other_callbacks_go_on_while_a_slow_one_runs(node: Node) -> None:
    slow_group = MutuallyExclusiveCallbackGroup()
    may_end = threading.Event()
    threads: dict[str, threading.Thread] = {}
    quick_calls: list[bool] = []

    def run_slowly() -> None:
        slow_timer.cancel()
        threads['slow'] = threading.current_thread()
        assert may_end.wait(TIMEOUT_SEC)

    def run_quickly() -> None:
        threads['quick'] = threading.current_thread()
        if 'slow' in threads:
            quick_calls.append(may_end.is_set())

    slow_timer = node.create_timer(0.0, run_slowly, callback_group=slow_group)
    node.create_timer(0.01, run_quickly)
    executor = OneSlowGroupExecutor(slow_group)
    executor.add_node(node)
    while len(quick_calls) < 3:
        executor.spin_once(timeout_sec=1.0)
    may_end.set()
    executor.shutdown()

    assert quick_calls == [False] * 3  # all of them while the slow one ran
    assert threads['quick'] is threading.current_thread()
    assert threads['slow'] is not threading.current_thread()


@pytest.mark.parametrize('is_slow', [True, False])
def test_what_a_callback_raises_is_logged_and_the_next_is_called(
    node: Node, capfd: pytest.CaptureFixture[str], *, is_slow: bool
) -> None:
    group = MutuallyExclusiveCallbackGroup()
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        raise ValueError('broken on purpose')

    node.create_timer(0.01, fail, callback_group=group)
    executor = OneSlowGroupExecutor(group if is_slow else MutuallyExclusiveCallbackGroup())
    executor.add_node(node)
    while len(calls) < 3:
        executor.spin_once(timeout_sec=1.0)
    executor.shutdown()

    assert capfd.readouterr().err.count('ValueError: broken on purpose') == 1


class DestroyedMeanwhile(Waitable):  # type: ignore[misc]  # untyped
    """What rclpy waits for when another thread has just destroyed it."""

    num_asked = 0

    def __enter__(self) -> None:
        raise InvalidHandle('destruction was requested')

    def __exit__(self, *_: object) -> None:
        pass

    def is_ready(self, _wait_set: object) -> bool:
        return False

    def get_num_entities(self) -> NumberOfEntities:
        return NumberOfEntities()

    def add_to_wait_set(self, _wait_set: object) -> None:
        self.num_asked += 1
        raise InvalidHandle('destruction was requested')


def test_what_is_destroyed_while_the_executor_begins_to_wait_ends_nothing(node: Node) -> None:
    destroyed = DestroyedMeanwhile(MutuallyExclusiveCallbackGroup())
    node.add_waitable(destroyed)
    calls: list[int] = []
    node.create_timer(0.01, lambda: calls.append(1))
    executor = OneSlowGroupExecutor(MutuallyExclusiveCallbackGroup())
    executor.add_node(node)
    executor.spin_once(timeout_sec=1.0)
    assert destroyed.num_asked == 1
    node.remove_waitable(destroyed)
    while not calls:
        executor.spin_once(timeout_sec=1.0)
    executor.shutdown()


class FailsToTake(Waitable):  # type: ignore[misc]  # untyped
    """A source whose first message finds no memory."""

    num_taken = 0
    num_called = 0

    def is_ready(self, _wait_set: object) -> bool:
        return True

    def take_data(self) -> int:
        self.num_taken += 1
        if self.num_taken == 1:
            raise MemoryError('no room on purpose')
        return self.num_taken

    async def execute(self, _taken: int) -> None:
        self.num_called += 1

    def get_num_entities(self) -> NumberOfEntities:
        return NumberOfEntities()

    def add_to_wait_set(self, _wait_set: object) -> None:
        pass


def test_after_a_message_that_could_not_be_taken_the_next_is(
    node: Node, capfd: pytest.CaptureFixture[str]
) -> None:
    source = FailsToTake(MutuallyExclusiveCallbackGroup())
    node.add_waitable(source)
    node.create_timer(0.01, lambda: None)
    executor = OneSlowGroupExecutor(MutuallyExclusiveCallbackGroup())
    executor.add_node(node)
    for _ in range(1000):
        executor.spin_once(timeout_sec=1.0)
        if source.num_called > 1:
            break
    node.remove_waitable(source)
    executor.shutdown()
    assert source.num_called > 1
    assert 'MemoryError: no room on purpose' in capfd.readouterr().err


def test_the_light_executor_calls_back(node: Node) -> None:
    calls: list[int] = []
    node.create_timer(0.01, lambda: calls.append(1))
    executor = light_executor()
    executor.add_node(node)
    for _ in range(1000):
        executor.spin_once(timeout_sec=0.1)
        if len(calls) >= 2:
            break
    executor.shutdown()
    assert len(calls) >= 2
