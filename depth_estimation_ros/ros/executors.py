"""Executors for nodes that must not take the processor from what they watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rclpy.executors import SingleThreadedExecutor

if TYPE_CHECKING:
    from rclpy.executors import Executor


def light_executor() -> Executor:
    """Return rclpy's event-driven executor where it has one (Jazzy and newer).

    It handles a message at half the cost of the others, which build a wait set for each.
    """
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:  # Humble
        return SingleThreadedExecutor()
    return EventsExecutor()
