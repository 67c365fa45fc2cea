"""Help with rclpy's lifecycle nodes."""

from __future__ import annotations

from functools import wraps
import traceback
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rclpy.lifecycle import TransitionCallbackReturn

from depth_estimation_ros.errors import error_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.context import Context
    from rclpy.lifecycle import LifecycleState
    from rclpy.node import Node


class Troubled(Protocol):
    """A lifecycle node that remembers why it is not in the state it should be in."""

    trouble: str

    @property
    def context(self) -> Context:
        """What the node lives in."""

    def get_logger(self) -> Any:
        """Where the node says things."""


N = TypeVar('N', bound=Troubled)
_QUESTIONS = (
    'get_state',
    'get_available_states',
    'get_available_transitions',
    'get_transition_graph',
)


def reports_errors(
    callback: Callable[[N, LifecycleState], TransitionCallbackReturn],
) -> Callable[[N, LifecycleState], TransitionCallbackReturn]:
    """Log and keep what a transition callback raises, which rclpy swallows, and answer ERROR."""

    @wraps(callback)
    def reporting(node: N, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return callback(node, state)
        except Exception as err:  # noqa: BLE001 - whatever it is, rclpy would not tell
            node.trouble = f'{callback.__name__} failed: {error_text(err)}'
            if node.context.ok():  # else the node is shutting down, and that is why
                node.get_logger().error(f'{node.trouble}\n{traceback.format_exc()}')
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
