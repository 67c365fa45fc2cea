"""Frees height and width of a traced graph: any multiples of 32 will do afterwards.

The graph is traced at one size, so that all shape arithmetic is folded away and the other passes
see numbers. What a size is baked into then are the decoder's upsamplings only: sizes become
factors, which are 2 in every block of a network whose input is a multiple of 32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
from onnx import numpy_helper

from depth_estimation_ros.errors import ModelFileError
from depth_estimation_ros.export.onnx_graph import constant_arrays, replace_nodes
from depth_estimation_ros.model_file.model_spec import FREE_AXES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

OUTPUT_AXES: Final = ('depth_height', 'depth_width')
# Operators that hold a size as a constant and that no network here needs.
_SIZED_OPERATORS: Final = frozenset({'ConstantOfShape', 'Expand', 'Reshape', 'Slice', 'Tile'})
_SIZES_INPUT: Final = 3  # of Resize


def free_height_and_width(model: onnx.ModelProto) -> onnx.ModelProto:
    """Free the height and the width of the input, and so of the output.

    Args:
        model: Of static shapes, input (N, H, W, 3), output (N, h, w); left as it is.

    Returns:
        A new model that computes the same at the same size.

    Raises:
        ModelFileError: The graph holds something else that depends on the size.
    """
    shaped = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    shapes = _shapes(shaped.graph)
    free = onnx.ModelProto()
    free.CopyFrom(model)
    del free.graph.value_info[:]
    constants = constant_arrays(free.graph)
    for node in free.graph.node:
        if node.op_type in _SIZED_OPERATORS:
            raise ModelFileError(
                f'{node.name or node.output[0]}: {node.op_type} depends on the size of the input, '
                'which cannot be freed'
            )
        if node.op_type == 'Resize' and len(node.input) > _SIZES_INPUT:
            _sizes_to_factors(free.graph, node, shapes, constants)
    replace_nodes(free.graph, list(free.graph.node))  # forgets the sizes
    _name_axes(free.graph.input[0], FREE_AXES)
    _name_axes(free.graph.output[0], OUTPUT_AXES)
    free = onnx.shape_inference.infer_shapes(free, strict_mode=True)
    onnx.checker.check_model(free, full_check=True)
    return free


def _shapes(graph: onnx.GraphProto) -> dict[str, list[int]]:
    return {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.input, *graph.output)
    }


def _sizes_to_factors(
    graph: onnx.GraphProto,
    node: onnx.NodeProto,
    shapes: Mapping[str, list[int]],
    constants: Mapping[str, NDArray[np.int64]],
) -> None:
    """Replace the constant sizes of a Resize by factors, in place."""
    source, sizes = shapes.get(node.input[0], []), constants.get(node.input[_SIZES_INPUT])
    if sizes is None or len(source) != sizes.size or 0 in source or (sizes % source).any():
        raise ModelFileError(f'{node.name or node.output[0]}: Resize by no whole, constant factor')
    factors = (sizes // source).astype(np.float32)
    name = f'{node.output[0]}_factors'
    graph.initializer.append(numpy_helper.from_array(factors, name))
    inputs = [node.input[0], '', name]
    del node.input[:]
    node.input.extend(inputs)


def _name_axes(value: onnx.ValueInfoProto, names: tuple[str, str]) -> None:
    dims = value.type.tensor_type.shape.dim
    for axis, name in zip((1, 2), names, strict=True):
        dims[axis].dim_param = name
