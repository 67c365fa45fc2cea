"""Small steps that the passes over an ONNX graph share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnx
from onnx import numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def constant_arrays(graph: onnx.GraphProto) -> dict[str, NDArray[Any]]:
    """Return name -> value of every constant."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}


def nodes_up_to_last_conv(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the convolutions and all that they need, in graph order: the network.

    What is left out decodes the network's output.
    """
    needed: set[str] = set()
    kept = []
    for node in reversed(graph.node):
        if node.op_type == 'Conv' or needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    return kept[::-1]


def replace_nodes(graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto]) -> None:
    """Set the nodes of a graph and forget the constants that none of them uses."""
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    used = {name for node in copies for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def keep_standard_operators(model: onnx.ModelProto) -> None:
    """Forget the operator domains that onnxruntime names in every model it writes."""
    standard = [opset for opset in model.opset_import if opset.domain in ('', 'ai.onnx')]
    del model.opset_import[:]
    model.opset_import.extend(standard)
