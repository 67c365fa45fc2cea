"""Services that always answer: what a callback raises is logged and does not end the node."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.impl.implementation_singleton import rclpy_implementation

from depth_estimation_ros.errors import error_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.node import Node


def answer_failures(node: Node) -> None:
    """Have every service that a node offers now answer a request that its callback fails at.

    rclpy lets such an error end the process and the caller wait for ever. A parameter of a value
    type that there is not, and a transition that does not fit the state, are requests like that.
    """
    for service in node.services:
        service.callback = _answering(node, service.srv_type, service.srv_name, service.callback)


def _answering(
    node: Node, kind: Any, name: str, callback: Callable[[Any, Any], Any]
) -> Callable[[Any, Any], Any]:
    @wraps(callback)
    def answering(request: Any, response: Any) -> Any:
        try:
            return callback(request, response)
        except Exception as err:  # whatever it is, the caller waits for an answer
            if not node.context.ok():  # the node is shutting down, and that is why
                raise
            reason = f'{name} refused: {_reason(request, err)}'
            node.get_logger().error(reason)
            return _refusal(kind, request, reason, lambda part: answering(part, kind.Response()))

    return answering


def _reason(request: Any, err: Exception) -> str:
    if isinstance(request, ChangeState.Request) and isinstance(err, rclpy_implementation.RCLError):
        transition = request.transition
        label = f' ({transition.label})' if transition.label else ''
        return (
            f'transition {transition.id}{label} does not fit the state that the node is in: '
            'see ros2 lifecycle list'
        )
    return error_text(err)


def _refusal(kind: Any, request: Any, reason: str, again: Callable[[Any], Any]) -> Any:
    """Make the answer that says no, with the reason where there is a place for it."""
    response = kind.Response()
    refused = SetParametersResult(successful=False, reason=reason)
    if kind is SetParameters and len(request.parameters) > 1:  # the others are good
        for item in request.parameters:
            response.results += again(SetParameters.Request(parameters=[item])).results
    elif kind is SetParameters:
        response.results = [refused]
    elif kind is SetParametersAtomically:
        response.result = refused
    elif hasattr(response, 'message'):
        response.message = reason
    return response
