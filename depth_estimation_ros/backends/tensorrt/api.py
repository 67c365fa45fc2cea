"""TensorRT's Python module: whether it can be used here, its log, its names for types.

One way through the API serves TensorRT 10.3 to 11.x: networks are strongly typed, so that the
model file alone decides the precision, and tensors are known by name.
"""

from __future__ import annotations

from collections import deque
import importlib
import importlib.util
import logging
import re
from typing import TYPE_CHECKING, cast

from depth_estimation_ros.errors import BackendError

if TYPE_CHECKING:
    import tensorrt as trt

    class TensorRtLog(trt.ILogger):
        """What make_log gives: the last error lines are kept."""

        errors: deque[str]

        def gist(self) -> str:
            """Tell the first of the errors kept, which is the cause of the others."""

else:
    TensorRtLog = object

__all__ = [
    'MIN_VERSION',
    'TensorRtLog',
    'make_log',
    'is_installed',
    'tensorrt_unavailable_reason',
    'tensorrt_version',
]

MIN_VERSION = (10, 3)
_INSTALL = "pip install 'depth-estimation-ros[tensorrt]'"
_NUM_ERRORS_KEPT = 20
_logger = logging.getLogger(__name__)


def is_installed() -> bool:
    """Whether a package tensorrt is there, working or not."""
    spec = importlib.util.find_spec('tensorrt')
    return spec is not None and spec.origin is not None  # a folder without a module is none


def tensorrt_unavailable_reason() -> str | None:
    """Why TensorRT cannot be imported, or is not one that can be used; None if it can."""
    if not is_installed():
        return f'tensorrt is not installed ({_INSTALL}; on a Jetson it comes with JetPack)'
    try:
        version = str(importlib.import_module('tensorrt').__version__)
    except (ImportError, OSError, AttributeError) as err:
        return f'tensorrt cannot be imported ({_one_line(err)}): install it again ({_INSTALL})'
    numbers = tuple(int(number) for number in re.findall(r'\d+', version)[:2])
    if numbers < MIN_VERSION:
        least = '.'.join(map(str, MIN_VERSION))
        return (
            f'TensorRT {version} is too old: {least} is the oldest that works '
            f'(JetPack 6.1 has it; elsewhere {_INSTALL})'
        )
    return None


def tensorrt_version() -> str:
    """Version of TensorRT, in full.

    Raises:
        BackendError: It cannot be used here.
    """
    reason = tensorrt_unavailable_reason()
    if reason is not None:
        raise BackendError(reason)
    return str(importlib.import_module('tensorrt').__version__)


def make_log() -> TensorRtLog:
    """Make the object that TensorRT logs to.

    All goes to Python's log at DEBUG: what went wrong is raised, in one line, by who called.
    """
    import tensorrt as trt

    is_error = (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR)

    class Log(trt.ILogger):
        """Collects what TensorRT says; several threads of TensorRT may call it."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: deque[str] = deque(maxlen=_NUM_ERRORS_KEPT)

        def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
            """Take one message."""
            if severity in is_error:
                self.errors.append(msg)
            _logger.debug('TensorRT: %s', msg)

        def gist(self) -> str:
            """Tell the first of the errors kept, which is the cause of the others."""
            return _one_line(self.errors[0]) if self.errors else 'it gave no reason'

    return cast('TensorRtLog', Log())


def _one_line(what: object) -> str:
    return ' '.join(str(what).split())
