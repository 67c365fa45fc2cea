"""The audit of operators and types against what TensorRT's parser takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import pytest

from depth_estimation_ros.export.tensorrt_operators import audit_for_tensorrt


def one_node_model(
    op_type: str, element: int, *, opset: int = 17, **attributes: Any
) -> onnx.ModelProto:
    value = helper.make_tensor_value_info('x', element, [1, 2, 4, 6])
    output = helper.make_tensor_value_info('y', element, None)
    sizes = numpy_helper.from_array(np.array([1, 2, 8, 12], dtype=np.int64), 'sizes')
    inputs = ['x', '', '', 'sizes'] if op_type == 'Resize' else ['x']
    node = helper.make_node(op_type, inputs, ['y'], name='it', **attributes)
    graph = helper.make_graph([node], 'graph', [value], [output], [sizes])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)])


@pytest.mark.parametrize(
    ('model', 'problem'),
    [
        (one_node_model('Relu', TensorProto.UINT8), 'it: Relu does not take UINT8'),
        (one_node_model('Relu', TensorProto.DOUBLE), 'it: Relu does not take DOUBLE'),
        (one_node_model('Det', TensorProto.FLOAT), 'it: operator Det is not in the list'),
        (one_node_model('Relu', TensorProto.FLOAT, opset=23), 'opset 23 is outside 9 to 20'),
        (one_node_model('Resize', TensorProto.FLOAT, mode='cubic'), 'it: Resize mode cubic'),
        (
            one_node_model('Resize', TensorProto.FLOAT, opset=18, mode='linear', antialias=1),
            'it: Resize with antialias',
        ),
        (
            one_node_model(
                'Resize',
                TensorProto.FLOAT,
                mode='linear',
                coordinate_transformation_mode='tf_crop_and_resize',
            ),
            'it: Resize coordinates tf_crop_and_resize',
        ),
        (
            one_node_model('MaxPool', TensorProto.FLOAT, kernel_shape=[2, 2], dilations=[2, 2]),
            'it: MaxPool with dilations [2, 2]',
        ),
    ],
)
def test_what_tensorrt_refuses_is_named(model: onnx.ModelProto, problem: str) -> None:
    problems = audit_for_tensorrt(model)
    assert len(problems) == 1
    assert problems[0].startswith(problem)
