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


def join_padding(graph: onnx.GraphProto) -> None:
    """Give each border of zeros to the convolution behind it, which has an attribute for it.

    A convolution may pad one side more than the other: no operator is needed for that.
    """
    constants = constant_arrays(graph)
    uses: dict[str, int] = {}
    for node in graph.node:
        for name in node.input:
            uses[name] = uses.get(name, 0) + 1
    borders = {node.output[0]: node for node in graph.node if _pads_zeros(node, constants)}
    joined = set()
    for conv in graph.node:
        border = borders.get(conv.input[0]) if conv.op_type == 'Conv' else None
        if border is None or uses[border.output[0]] != 1:
            continue
        top, left, bottom, right = (int(constants[border.input[1]][axis]) for axis in (2, 3, 6, 7))
        own = next((item for item in conv.attribute if item.name == 'pads'), None)
        if own is None:
            own = conv.attribute.add(name='pads', type=onnx.AttributeProto.INTS, ints=[0] * 4)
        own.ints[:] = [a + b for a, b in zip(own.ints, (top, left, bottom, right), strict=True)]
        conv.input[0] = border.input[0]
        joined.add(border.output[0])
    replace_nodes(graph, [node for node in graph.node if node.output[0] not in joined])


def _pads_zeros(node: onnx.NodeProto, constants: dict[str, NDArray[Any]]) -> bool:
    """Tell whether a node puts zeros around the rows and columns of its input, and no more."""
    if node.op_type != 'Pad' or len(node.input) < 2 or node.input[1] not in constants:
        return False
    mode = [item.s for item in node.attribute if item.name == 'mode']
    value = node.input[2] if len(node.input) > 2 else ''
    axes = node.input[3] if len(node.input) > 3 else ''
    pads = constants[node.input[1]]
    return (
        mode in ([], [b'constant'])
        and not axes
        and (not value or (value in constants and not constants[value].any()))
        and pads.shape == (8,)
        and bool((pads >= 0).all())
        and not pads[[0, 1, 4, 5]].any()
    )
