"""The ranges of a network's numbers, read off images so that no single odd image decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
from onnx import TensorProto, helper
import onnxruntime

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

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
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        watched.SerializeToString(), options, providers=['CPUExecutionProvider']
    )
