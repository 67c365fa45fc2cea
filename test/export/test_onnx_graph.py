from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import onnxruntime
import pytest

from depth_estimation_ros.export.onnx_graph import join_padding

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _padded_convolution(
    *, pads: list[int], value: float = 0.0, mode: str = 'constant', own: list[int] | None = None
) -> onnx.ModelProto:
    """A border around x (1, 1, 4, 4) and a 3x3 convolution of ones with stride 2."""
    constants: dict[str, NDArray[Any]] = {
        'pads': np.array(pads, np.int64),
        'value': np.array(value, np.float32),
        'ones': np.ones((1, 1, 3, 3), np.float32),
    }
    nodes = [
        helper.make_node('Pad', ['x', 'pads', 'value'], ['padded'], mode=mode),
        helper.make_node('Conv', ['padded', 'ones'], ['y'], strides=[2, 2], pads=own),
    ]
    graph = helper.make_graph(
        nodes,
        'padded',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, 1, 4, 4])],
        [helper.make_tensor_value_info('y', TensorProto.FLOAT, [1, 1, None, None])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opset = helper.make_opsetid('', 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8)


def _run(model: onnx.ModelProto) -> list[list[float]]:
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=['CPUExecutionProvider']
    )
    x = np.arange(1, 17, dtype=np.float32).reshape(1, 1, 4, 4)
    found: list[list[float]] = session.run(None, {'x': x})[0][0, 0].tolist()
    return found


@pytest.mark.parametrize(
    ('own', 'expected'),
    [
        # 1..16 in rows of four and a zero row and column after them: 54 = 1+2+3 + 5+6+7 + 9+10+11
        (None, [[54.0, 45.0], [72.0, 54.0]]),
        # and one more all around: rows and columns -1 to 1, 1 to 3 and 3 to 5: 14 = 1+2 + 5+6
        ([1, 1, 1, 1], [[14.0, 30.0, 12.0], [57.0, 99.0, 36.0], [27.0, 45.0, 16.0]]),
    ],
)
def test_a_border_of_zeros_becomes_the_convolutions_own(
    own: list[int] | None, expected: list[list[float]]
) -> None:
    model = _padded_convolution(pads=[0, 0, 0, 0, 0, 0, 1, 1], own=own)
    assert _run(model) == expected
    join_padding(model.graph)
    assert [node.op_type for node in model.graph.node] == ['Conv']
    assert [tensor.name for tensor in model.graph.initializer] == ['ones']
    assert _run(model) == expected


@pytest.mark.parametrize(
    'model',
    [
        _padded_convolution(pads=[0, 0, 0, 0, 0, 0, 1, 1], value=2.0),
        _padded_convolution(pads=[0, 0, 0, 0, 0, 0, 1, 1], mode='edge'),
        _padded_convolution(pads=[0, 0, -1, 0, 0, 0, 1, 1]),
    ],
    ids=['of twos', 'of the edge', 'that cuts'],
)
def test_any_other_border_stays(model: onnx.ModelProto) -> None:
    before = _run(model)
    join_padding(model.graph)
    assert [node.op_type for node in model.graph.node] == ['Pad', 'Conv']
    assert _run(model) == before


def test_a_border_that_others_use_too_stays() -> None:
    model = _padded_convolution(pads=[0, 0, 0, 0, 0, 0, 1, 1])
    model.graph.node.append(helper.make_node('Relu', ['padded'], ['z']))
    model.graph.output.append(
        helper.make_tensor_value_info('z', TensorProto.FLOAT, [1, 1, None, None])
    )
    join_padding(model.graph)
    assert [node.op_type for node in model.graph.node] == ['Pad', 'Conv', 'Relu']
