"""The service ~/enable: pause and resume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from std_srvs.srv import SetBool

if TYPE_CHECKING:
    from rclpy.node import Node


class EnableService:
    """Offers the service and remembers what was asked for.

    Args:
        node: the node that offers it.
    """

    def __init__(self, node: Node) -> None:
        self.is_enabled = True
        self._logger = node.get_logger()
        node.create_service(SetBool, '~/enable', self._on_request)

    def _on_request(
        self, request: SetBool.Request, response: SetBool.Response
    ) -> SetBool.Response:
        self.is_enabled = request.data
        response.success = True
        response.message = 'resumed' if self.is_enabled else 'paused'
        self._logger.info(f'{response.message} by ~/enable')
        return response
