"""The ranges of a network's numbers, read off images so that no single odd image decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper

from depth_estimation_ros.backends.telemetry import import_onnxruntime
from depth_estimation_ros.export.onnx_graph import constant_arrays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    import onnxruntime

# Share of the images whose whole range is kept. One blurred or black image in fifty can reach
# 60 times the usual values: with its range the others would have two or three levels left.
KEPT_SHARE: Final = 0.75


def activation_ranges(
    model: onnx.ModelProto,
    images: Sequence[NDArray[np.uint8]],
    tensors: Iterable[str],
    *,
    kept_share: float = KEPT_SHARE,
) -> dict[str, tuple[float, float]]:
    """Measure tensors of a float32 model.

    Args:
        model: A model from `export_graph.trace_graph`; left as it is.
        images: (H, W, 3) uint8 RGB at the size of the input, at least one.
        tensors: Names of float32 tensors inside the graph.
        kept_share: Quantile over images of their minima and maxima; 1 = widest range.

    Returns:
        Name -> (lowest, highest), which hold 0.
    """
    names = sorted(set(tensors))
    session = _session(model, names)
    batch_size = model.graph.input[0].type.tensor_type.shape.dim[0].dim_value
    lows, highs = [], []
    for image in images:
        batch = image[np.newaxis].repeat(batch_size, axis=0)
        values = session.run(names, {model.graph.input[0].name: batch})
        lows.append([float(value.min()) for value in values])
        highs.append([float(value.max()) for value in values])
    low = np.minimum(np.quantile(lows, 1.0 - kept_share, axis=0), 0.0)
    high = np.maximum(np.quantile(highs, kept_share, axis=0), 0.0)
    return {
        name: (float(first), float(last))
        for name, first, last in zip(names, low, high, strict=True)
    }


def clipped_ranges(
    model: onnx.ModelProto, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Leave out of a range what the only operator behind it clips away.

    A convolution before a ReLU6 may reach 100, of which 94 % is thrown away next: 8 bits over
    0 to 6 are 16 times finer, and an integer that saturates there is the ReLU6.

    Args:
        model: A model from `export_graph.trace_graph`; left as it is.
        ranges: Name of a tensor -> (lowest, highest), which hold 0.

    Returns:
        The same names -> ranges that hold 0.
    """
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    constants = constant_arrays(model.graph)
    return {
        name: _clipped(span, readers.get(name, []), constants) for name, span in ranges.items()
    }


def _clipped(
    span: tuple[float, float],
    readers: Sequence[onnx.NodeProto],
    constants: Mapping[str, NDArray[Any]],
) -> tuple[float, float]:
    if len(readers) != 1 or readers[0].op_type not in {'Relu', 'Clip'}:
        return span
    limits = [-np.inf, np.inf] if readers[0].op_type == 'Clip' else [0.0, np.inf]
    for index, name in enumerate(readers[0].input[1:]):
        if name:
            limits[index] = float(constants[name])
    return max(span[0], min(limits[0], 0.0)), min(span[1], max(limits[1], 0.0))


def _session(model: onnx.ModelProto, names: Sequence[str]) -> onnxruntime.InferenceSession:
    """Load a model with more outputs."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    known = {value.name for value in watched.graph.output}
    for name in names:
        if name not in known:
            watched.graph.output.append(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            )
    runtime = import_onnxruntime()
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session: onnxruntime.InferenceSession = runtime.InferenceSession(
        watched.SerializeToString(), options, providers=['CPUExecutionProvider']
    )
    return session
