"""What TensorRT's ONNX parser takes, as far as model files are concerned.

Source: docs/operators.md of github.com/onnx/onnx-tensorrt, the lists "TensorRT 10.0" (tag
10.1-GA, opsets 9 to 20) and "TensorRT 10.15" (opsets 9 to 24), which agree on every line below;
TensorRT 11's opset guide names 9 to 25. Operators that a DenseDepth graph never holds are left
out on purpose: one that appears must be looked up there first, then added here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MIN_OPSET: Final = 9
MAX_OPSET: Final = 20

_FLOATS = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16})
_NUMBERS = _FLOATS | {TensorProto.INT32, TensorProto.INT64}
_NUMBERS_AND_BOOL = _NUMBERS | {TensorProto.BOOL}

# Operator -> element types of its first input.
OPERATORS: Final[Mapping[str, frozenset[int]]] = {
    'Add': _NUMBERS,
    'And': frozenset({TensorProto.BOOL}),
    'AveragePool': _FLOATS,
    'BatchNormalization': _FLOATS,
    'Cast': _NUMBERS_AND_BOOL | {TensorProto.UINT8},
    'Clip': _FLOATS,
    'Concat': _NUMBERS_AND_BOOL,
    'Conv': _FLOATS,
    'DequantizeLinear': frozenset({TensorProto.INT8}),
    'Div': _NUMBERS,
    'Exp': _FLOATS,
    'GreaterOrEqual': _NUMBERS,
    'LeakyRelu': _FLOATS,
    'LessOrEqual': _NUMBERS,
    'MaxPool': _FLOATS,
    'Mul': _NUMBERS,
    'QuantizeLinear': _FLOATS,
    'Relu': _NUMBERS,
    'Resize': _FLOATS,
    'Squeeze': _NUMBERS_AND_BOOL,
    'Sub': _NUMBERS,
    'Transpose': _NUMBERS_AND_BOOL,
    'Where': _NUMBERS_AND_BOOL,
}
RESIZE_MODES: Final = (b'nearest', b'linear')
RESIZE_COORDINATES: Final = (
    b'half_pixel',
    b'pytorch_half_pixel',
    b'tf_half_pixel_for_nn',
    b'asymmetric',
    b'align_corners',
)


def audit_for_tensorrt(model: onnx.ModelProto) -> list[str]:
    """List what TensorRT 10 and 11 would refuse in a model.

    Args:
        model: Any ONNX model; element types are inferred where it does not state them.

    Returns:
        One sentence a problem, naming the node; empty when there is none.
    """
    model = onnx.shape_inference.infer_shapes(model)
    types = _element_types(model.graph)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    problems = _opset_problems(model)
    for node in model.graph.node:
        problems += [f'{node.name or node.output[0]}: {text}' for text in _check(node, types)]
        check = _RESTRICTIONS.get(node.op_type)
        if check is not None:
            text = check(node, constants)
            problems += [f'{node.name or node.output[0]}: {text}'] if text else []
    return problems


def _opset_problems(model: onnx.ModelProto) -> list[str]:
    """Name opsets and operator domains outside the parser's range."""
    problems = []
    for opset in model.opset_import:
        if opset.domain not in ('', 'ai.onnx'):
            problems.append(f'operator domain {opset.domain!r} is not ONNX')
        elif not MIN_OPSET <= opset.version <= MAX_OPSET:
            problems.append(f'opset {opset.version} is outside {MIN_OPSET} to {MAX_OPSET}')
    return problems


def _element_types(graph: onnx.GraphProto) -> dict[str, int]:
    """Return tensor name -> element type."""
    types = {tensor.name: int(tensor.data_type) for tensor in graph.initializer}
    for value in (*graph.input, *graph.output, *graph.value_info):
        types[value.name] = int(value.type.tensor_type.elem_type)
    return types


def _check(node: onnx.NodeProto, types: Mapping[str, int]) -> list[str]:
    """Compare one node's operator and first input with the list."""
    allowed = OPERATORS.get(node.op_type)
    if allowed is None:
        return [f'operator {node.op_type} is not in the list of this package']
    index = 1 if node.op_type == 'Where' else 0
    element = types.get(node.input[index])
    if element is None or element in allowed:
        return []
    return [f'{node.op_type} does not take {TensorProto.DataType.Name(element)}']


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def _resize(node: onnx.NodeProto, _constants: Mapping[str, onnx.TensorProto]) -> str:
    values = _attributes(node)
    if values.get('mode', b'nearest') not in RESIZE_MODES:
        return f'Resize mode {values["mode"].decode()}'
    coordinates = values.get('coordinate_transformation_mode', b'half_pixel')
    if coordinates not in RESIZE_COORDINATES:
        return f'Resize coordinates {coordinates.decode()}'
    if values.get('antialias', 0):
        return 'Resize with antialias'
    policy = values.get('keep_aspect_ratio_policy', b'stretch')
    return '' if policy == b'stretch' else f'Resize policy {policy.decode()}'


def _pool(node: onnx.NodeProto, _constants: Mapping[str, onnx.TensorProto]) -> str:
    dilations = _attributes(node).get('dilations', [])
    if any(value != 1 for value in dilations):
        return f'{node.op_type} with dilations {list(dilations)}'
    return f'{node.op_type} with an Indices output' if len(node.output) > 1 else ''


def _zero_point(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]) -> str:
    if len(node.input) < 3:
        return f'{node.op_type} without a zero point is uint8'
    zero_point = constants.get(node.input[2])
    if zero_point is None:
        return f'{node.op_type} zero point is not constant'
    if zero_point.data_type != TensorProto.INT8:
        return f'{node.op_type} to {TensorProto.DataType.Name(zero_point.data_type)}'
    is_zero = not numpy_helper.to_array(zero_point).any()
    return '' if is_zero else f'{node.op_type} zero point is not 0'


_RESTRICTIONS: Final[
    Mapping[str, Callable[[onnx.NodeProto, Mapping[str, onnx.TensorProto]], str]]
] = {
    'AveragePool': _pool,
    'DequantizeLinear': _zero_point,
    'MaxPool': _pool,
    'QuantizeLinear': _zero_point,
    'Resize': _resize,
}
