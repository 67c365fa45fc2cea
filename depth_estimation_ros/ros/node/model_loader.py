"""Loads the model on one thread, while others ask how far it is or tell it to stop."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from std_srvs.srv import Trigger

from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
from depth_estimation_ros.ros.node.health.doctor import why_not_yet
from depth_estimation_ros.ros.node.loaded_model import load_model

if TYPE_CHECKING:
    from rclpy.node import Node

    from depth_estimation_ros.ros.node.loaded_model import LoadedModel
    from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters

LOG_PERIOD_SEC = 5.0


class ModelLoader:
    """Loads models for a node, one at a time, and offers the service ~/cancel_loading.

    Args:
        node: the node that offers it.
    """

    def __init__(self, node: Node) -> None:
        self._logger = node.get_logger()
        self._progress = BuildProgress()
        self._idle = threading.Event()
        self._idle.set()
        self._logged_at = 0.0
        node.create_service(Trigger, '~/cancel_loading', self._on_cancel)

    def load(self, parameters: NodeParameters) -> LoadedModel:
        """Load what the parameters name.

        Raises:
            BuildCancelledError: it was cancelled.
            DepthEstimationError: the file or the backend cannot be used; the text says why.
        """
        self._progress = BuildProgress()
        self._logged_at = time.monotonic()
        self._idle.clear()
        try:
            return load_model(parameters, self._progress)
        finally:
            self._idle.set()

    @property
    def is_loading(self) -> bool:
        """Whether a model is being loaded, or an engine built for a new size of images."""
        return not self._idle.is_set() or bool(self.status)

    @property
    def status(self) -> str:
        """What takes long, with the time that it has taken; empty if nothing does."""
        return self._progress.description

    def report(self) -> None:
        """Log the status, if the last line about it is a while ago."""
        status, now = self.status, time.monotonic()
        if status and now - self._logged_at >= LOG_PERIOD_SEC:
            self._logged_at = now
            self._logger.info(why_not_yet(status))

    def cancel(self, timeout_sec: float) -> bool:
        """Stop loading.

        Returns:
            False if it has not stopped in time.
        """
        self._progress.cancel()
        return self._idle.wait(timeout_sec)

    def _on_cancel(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self.is_loading
        if response.success:
            self._progress.cancel()
        response.message = 'stopping' if response.success else 'no model is being loaded'
        return response
