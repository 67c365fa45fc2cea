"""Executors for nodes that must not take the processor from what they watch or run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from rclpy.executors import (
    Executor,
    ShutdownException,
    SingleThreadedExecutor,
    TimeoutException,
)

if TYPE_CHECKING:
    from rclpy.callback_groups import CallbackGroup
    from rclpy.task import Task


class OneSlowGroupExecutor(Executor):
    """Runs callbacks on the spinning thread, those of one group on a thread beside it.

    rclpy's MultiThreadedExecutor moves every callback to another thread, which costs the main
    thread half a core for a camera of 30 Hz, and images that come meanwhile are lost.

    Args:
        slow_group: its callbacks may take seconds and keep no other waiting.
    """

    def __init__(self, slow_group: CallbackGroup) -> None:
        super().__init__()
        self._slow_group = slow_group
        self._slow_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix='slow_callbacks')
        self._slow_tasks: list[Task] = []

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Wait for a callback and run it, or have it run beside this thread."""
        try:
            task, entity, _ = self.wait_for_ready_callbacks(timeout_sec=timeout_sec)
        except (ShutdownException, TimeoutException):
            return
        if entity is not None and entity.callback_group is self._slow_group:
            self._slow_thread.submit(task)
            self._slow_tasks.append(task)
        else:
            task()
            task.result()  # raises what the callback raised
        for slow_task in [task for task in self._slow_tasks if task.done()]:
            self._slow_tasks.remove(slow_task)
            slow_task.result()


def light_executor() -> Executor:
    """Return rclpy's event-driven executor where it has one (Jazzy and newer).

    It handles a message at half the cost of the others, which build a wait set for each.
    """
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:  # Humble
        return SingleThreadedExecutor()
    return EventsExecutor()
