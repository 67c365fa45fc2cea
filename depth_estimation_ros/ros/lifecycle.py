"""Help with rclpy's lifecycle nodes."""

from __future__ import annotations

from functools import wraps
import traceback
from typing import TYPE_CHECKING, TypeVar

from rclpy.lifecycle import TransitionCallbackReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.lifecycle import LifecycleState
    from rclpy.node import Node

N = TypeVar('N', bound='Node')


def reports_errors(
    callback: Callable[[N, LifecycleState], TransitionCallbackReturn],
) -> Callable[[N, LifecycleState], TransitionCallbackReturn]:
    """Log what a transition callback raises, which rclpy swallows, and answer ERROR."""

    @wraps(callback)
    def reporting(node: N, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return callback(node, state)
        except Exception:  # noqa: BLE001 - whatever it is, rclpy would not tell
            if node.context.ok():  # else the node is shutting down, and that is why
                node.get_logger().error(f'{callback.__name__} failed:\n{traceback.format_exc()}')
            return TransitionCallbackReturn.ERROR

    return reporting
