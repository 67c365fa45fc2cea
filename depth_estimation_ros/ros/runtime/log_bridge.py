"""Log lines of the core, which knows no ROS, in the node's log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from depth_estimation_ros.ros.runtime.announcer import Logger

_CORE = logging.getLogger('depth_estimation_ros')


class _NodeHandler(logging.Handler):
    def __init__(self, logger: Logger) -> None:
        super().__init__(logging.INFO)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        else:
            self._logger.info(text)


def bridge_core_log(logger: Logger) -> None:
    """Send what the core logs, from INFO up, to a node's logger and nowhere else."""
    _CORE.handlers = [_NodeHandler(logger)]
    _CORE.setLevel(logging.INFO)
    _CORE.propagate = False
