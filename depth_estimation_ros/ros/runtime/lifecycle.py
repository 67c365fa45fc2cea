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
_QUESTIONS = (
    'get_state',
    'get_available_states',
    'get_available_transitions',
    'get_transition_graph',
)


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


def answer_during_transitions(node: Node) -> None:
    """Let a node tell its state while a transition callback runs.

    rclpy puts all lifecycle services into one callback group: where that waits for the end of a
    transition, `ros2 lifecycle get` does too. Only the service that changes the state must.

    Args:
        node: a lifecycle node with a callback group of its own for these services.
    """
    group = node.default_callback_group
    for service in node.services:
        if service.srv_name.rpartition('/')[2] in _QUESTIONS:
            service.callback_group = group
            group.add_entity(service)
