"""TensorRT's many words about a failed build, as one line that names the cause and the fix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import BackendError

if TYPE_CHECKING:
    import tensorrt as trt

    from depth_estimation_ros.backends.options import BackendOptions
    from depth_estimation_ros.backends.tensorrt.api import TensorRtLog

__all__ = ['build_error', 'parser_error']

_OUT_OF_MEMORY = re.compile(
    r'out of memory|OutOfMemory|bad_alloc|could not be allocated|Cannot allocate', re.IGNORECASE
)
_NO_WORKSPACE = re.compile(r'insufficient workspace|workspace (size|limit)', re.IGNORECASE)
_NO_PLUGIN = re.compile(r'plugin not found|No importer registered|as plugin', re.IGNORECASE)


def parser_error(
    parser: trt.OnnxParser, log: TensorRtLog, model_name: str, version: str
) -> BackendError:
    """Explain why the ONNX parser refused a model."""
    if not parser.num_errors:
        return BackendError(f'TensorRT {version} cannot read {model_name}: {log.gist()}')
    error = parser.get_error(0)
    text = ' '.join(str(error.desc()).split())
    operator, node = str(error.node_operator()), str(error.node_name())
    where = f'{operator} (node {node or "without a name"})' if operator else 'the graph'
    if _NO_PLUGIN.search(text):
        return BackendError(
            f'TensorRT {version} has no operator and no plugin {operator or "for a node"} '
            f'({node or "without a name"}) of {model_name}: update TensorRT, or make the file '
            'with `depth-estimation export`, which uses none that need a plugin'
        )
    return BackendError(f'TensorRT {version} cannot read {where} of {model_name}: {text}')


def build_error(log: TensorRtLog, model_name: str, options: BackendOptions) -> BackendError:
    """Explain why no engine came out, from what TensorRT logged."""
    lines = [' '.join(line.split()) for line in log.errors]
    limit = options.max_workspace_mb
    memory = next((line for line in lines if _OUT_OF_MEMORY.search(line)), '')
    if memory:
        now = f'now {limit}' if limit else 'now no limit; try 512'
        return BackendError(
            f'out of memory while building the engine of {model_name} ({memory}): lower '
            f'max_workspace_mb ({now}), close other programs, add swap'
        )
    workspace = next((line for line in lines if _NO_WORKSPACE.search(line)), '')
    if workspace and limit:
        return BackendError(
            f'max_workspace_mb {limit} is too little for {model_name} ({workspace}): raise it'
        )
    return BackendError(f'TensorRT cannot build the engine of {model_name}: {log.gist()}')
