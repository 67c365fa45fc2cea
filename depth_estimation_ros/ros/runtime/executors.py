"""Executors for nodes that must not take the processor from what they watch or run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import traceback
from typing import TYPE_CHECKING, Any

from rclpy._rclpy_pybind11 import InvalidHandle
from rclpy.executors import (
    Executor,
    ShutdownException,
    SingleThreadedExecutor,
    TimeoutException,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.callback_groups import CallbackGroup
    from rclpy.node import Node
    from rclpy.task import Task

_LOG_PERIOD_SEC = 5.0  # a callback that always fails must not flood the log


class OneSlowGroupExecutor(Executor):
    """Runs callbacks on the spinning thread, those of one group on a thread beside it.

    rclpy's MultiThreadedExecutor moves every callback to another thread, which costs the main
    thread half a core for a camera of 30 Hz, and images that come meanwhile are lost.

    What a callback raises is logged, and the node goes on: one request or message must not end
    what the others rely on.

    Args:
        slow_group: its callbacks may take seconds and keep no other waiting.
    """

    def __init__(self, slow_group: CallbackGroup) -> None:
        super().__init__()
        self._slow_group = slow_group
        self._slow_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix='slow_callbacks')
        self._slow_tasks: list[tuple[Task, Node]] = []

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Wait for a callback and run it, or have it run beside this thread."""
        try:
            task, entity, node = self.wait_for_ready_callbacks(timeout_sec=timeout_sec)
        except (ShutdownException, TimeoutException):
            return
        except InvalidHandle:
            # A transition in the slow thread has destroyed a subscription that this thread was
            # about to wait for; the next call looks again at what there is.
            return
        if entity is not None and entity.callback_group is self._slow_group:
            self._slow_thread.submit(task)
            self._slow_tasks.append((task, node))
        else:
            task()
            _check(task, node)
        for slow in [item for item in self._slow_tasks if item[0].done()]:
            self._slow_tasks.remove(slow)
            _check(*slow)

    def _make_handler(self, entity: Any, node: Node, take: Callable[..., Any], *rest: Any) -> Any:
        """Make what takes a message and calls back; a take that fails counts as a callback.

        rclpy asks for no more of a subscription whose message could not be taken, for lack of
        memory for an image, and of none in its group.
        """

        def take_or_fail(entity: Any) -> Any:
            try:
                return take(entity)
            except Exception as err:  # noqa: BLE001 - raised where the callback would be
                failure = err

            async def fail() -> None:
                raise failure

            return fail

        # Humble calls back by another way (rest), which knows no such coroutine.
        return super()._make_handler(entity, node, take if rest else take_or_fail, *rest)


def _check(task: Task, node: Node) -> None:
    """Log what a callback raised; after a shutdown raise it, which ends the spinning."""
    try:
        task.result()
    except Exception:
        if node is None or not node.context.ok():
            raise
        node.get_logger().error(
            f'a callback failed, the node goes on:\n{traceback.format_exc()}',
            throttle_duration_sec=_LOG_PERIOD_SEC,
        )


def light_executor() -> Executor:
    """Return rclpy's event-driven executor where it has one (Jazzy and newer).

    It handles a message at half the cost of the others, which build a wait set for each.
    """
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:  # Humble
        return SingleThreadedExecutor()
    return EventsExecutor()
