"""Runs the node with a fault put into one of its parts, as a broken library would have it.

FAULT says which: PART:ERROR[:COUNT], the part fails COUNT times (0: always). ERROR is a builtin.
"""

from __future__ import annotations

import builtins
from itertools import count
import os
import sys
from typing import Any

from depth_estimation_ros.backends.onnxruntime import OnnxRuntimeBackend
from depth_estimation_ros.ros.messages import depth_messages
from depth_estimation_ros.ros.messages.outputs import Output
from depth_estimation_ros.ros.node import camera_stream, loaded_model, model_loader, node


def _failing(works: Any) -> Any:
    """Return a function that raises before it works."""
    _, name, *times = os.environ['FAULT'].split(':')
    limit, calls = int(times[0]) if times else 0, count(1)

    def fail(*args: Any, **kwargs: Any) -> Any:
        number = next(calls)
        if limit == 0 or number <= limit:
            raise getattr(builtins, name)(f'fault {number} made on purpose')
        return works(*args, **kwargs)

    return fail


def main() -> int:
    """Put the fault in and run."""
    part = os.environ['FAULT'].partition(':')[0]
    if part == 'infer':
        OnnxRuntimeBackend.infer = _failing(OnnxRuntimeBackend.infer)  # type: ignore[method-assign]
    elif part == 'load':
        vars(model_loader)['load_model'] = _failing(loaded_model.load_model)
    elif part == 'activate':
        subscribe = camera_stream.CameraStream.subscribe
        camera_stream.CameraStream.subscribe = _failing(subscribe)  # type: ignore[method-assign]
    else:
        builders = depth_messages._CAMERA_BUILDERS
        builders[Output[part]] = _failing(builders[Output[part]])
    return node.main()


if __name__ == '__main__':
    sys.exit(main())
