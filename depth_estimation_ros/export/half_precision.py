"""A model in 16-bit floats: half the bytes, and the arithmetic that GPUs are fast at.

onnxruntime.transformers.float16 does the same for any graph, with an operator list; this graph
needs less, and two things more: batch norms become a multiplication and an addition whose
constants are computed in float64 (a variance of 1e-8 has no bits left in float16), and what
follows the last convolution stays in float32, because that is where one rounding would be seen
in every depth: max_depth / raw magnifies it, and a raw value just above 1 must not round to 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from depth_estimation_ros.errors import ModelFileError
from depth_estimation_ros.export.onnx_graph import (
    constant_arrays,
    nodes_up_to_last_conv,
    replace_nodes,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LARGEST = 65504.0
# Inputs that stay float32 or int64 whatever the data's type is.
_SHAPE_INPUTS = {'Resize': (1, 2, 3)}


def to_half_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """Convert the network of a float32 model, not its input, its output or its depth decoding.

    Args:
        model: A model from `export_graph.trace_graph`; left as it is.

    Returns:
        A new model: weights and arithmetic in float16 up to and including the last convolution.

    Raises:
        ModelFileError: A weight is too large for float16.
    """
    half = onnx.ModelProto()
    half.CopyFrom(model)
    graph = half.graph
    del graph.value_info[:]
    split_batch_norms(graph)
    network = nodes_up_to_last_conv(graph)
    for node in network:
        if node.op_type == 'Cast':
            node.attribute[0].i = TensorProto.FLOAT16
    _convert_constants(graph, network)
    _cast_back(graph, network)
    half = onnx.shape_inference.infer_shapes(half, strict_mode=True)
    onnx.checker.check_model(half, full_check=True)
    return half


def split_batch_norms(graph: onnx.GraphProto) -> None:
    """Replace every batch norm by a multiplication and an addition per channel, in place."""
    constants = constant_arrays(graph)
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type != 'BatchNormalization':
            nodes.append(node)
            continue
        epsilon = next((item.f for item in node.attribute if item.name == 'epsilon'), 1e-5)
        scale, shift = _fold([constants[name] for name in node.input[1:5]], epsilon)
        output = node.output[0]
        names = [f'{output}_scale', f'{output}_shift', f'{output}_scaled']
        graph.initializer.append(numpy_helper.from_array(scale, names[0]))
        graph.initializer.append(numpy_helper.from_array(shift, names[1]))
        nodes.append(
            helper.make_node('Mul', [node.input[0], names[0]], [names[2]], f'{node.name}_scale')
        )
        nodes.append(helper.make_node('Add', [names[2], names[1]], [output], f'{node.name}_shift'))
    replace_nodes(graph, nodes)


def _fold(
    parameters: Sequence[NDArray[np.float32]], epsilon: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return scale and shift, (1, C, 1, 1) float32, for gamma, beta, mean and variance."""
    gamma, beta, mean, variance = (value.astype(np.float64) for value in parameters)
    scale = gamma / np.sqrt(variance + epsilon)
    shift = beta - mean * scale
    shape = (1, -1, 1, 1)
    return scale.reshape(shape).astype(np.float32), shift.reshape(shape).astype(np.float32)


def _convert_constants(graph: onnx.GraphProto, network: Sequence[onnx.NodeProto]) -> None:
    """Round the float constants of the network; others may share one, so they keep theirs."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    made: set[str] = set()
    for node in network:
        for index, name in enumerate(node.input):
            tensor = constants.get(name)
            if tensor is None or tensor.data_type != TensorProto.FLOAT:
                continue
            if index in _SHAPE_INPUTS.get(node.op_type, ()):
                continue
            half_name = f'{name}_half'
            if half_name not in made:
                made.add(half_name)
                graph.initializer.append(_rounded(tensor, half_name))
            node.input[index] = half_name


def _rounded(tensor: onnx.TensorProto, name: str) -> onnx.TensorProto:
    values = numpy_helper.to_array(tensor)
    largest = float(np.abs(values).max(initial=0.0))
    if largest > _LARGEST:
        raise ModelFileError(
            f'weight {tensor.name} reaches {largest:g}, float16 ends at {_LARGEST:g}: '
            'export with --precision fp32'
        )
    return numpy_helper.from_array(values.astype(np.float16), name)


def _cast_back(graph: onnx.GraphProto, network: Sequence[onnx.NodeProto]) -> None:
    """Put a cast to float32 where a value leaves the network."""
    inside = {name for node in network for name in node.output}
    nodes: list[onnx.NodeProto] = []
    casts: dict[str, str] = {}
    for node in graph.node:
        if node.output[0] not in inside:
            for index, name in enumerate(node.input):
                if name not in inside:
                    continue
                if name not in casts:
                    casts[name] = f'{name}_float'
                    nodes.append(
                        helper.make_node(
                            'Cast', [name], [casts[name]], f'{name}_cast', to=TensorProto.FLOAT
                        )
                    )
                node.input[index] = casts[name]
        nodes.append(node)
    replace_nodes(graph, nodes)
