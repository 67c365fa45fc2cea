"""Graphs whose height and width are free compute what PyTorch does at every size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import onnxruntime
import pytest

from depth_estimation_ros.errors import ModelFileError
from depth_estimation_ros.model_file.probe import Probe, probe_error, probe_image

if TYPE_CHECKING:
    from pathlib import Path

torch = pytest.importorskip('torch')

from small_checkpoint import make_small_checkpoint  # noqa: E402

from depth_estimation_ros.backends.base import (  # noqa: E402
    BackendName,
    BackendOptions,
    load_backend,
)
from depth_estimation_ros.backends.selection import self_check  # noqa: E402
from depth_estimation_ros.export.check import run_network  # noqa: E402
from depth_estimation_ros.export.export_model import ExportOptions, export_model  # noqa: E402
from depth_estimation_ros.export.free_size import free_height_and_width  # noqa: E402
from depth_estimation_ros.export.graph import DepthGraph, trace_graph  # noqa: E402
from depth_estimation_ros.export.half_precision import to_half_precision  # noqa: E402
from depth_estimation_ros.model_file.model_spec import read_model_spec  # noqa: E402
from depth_estimation_ros.training.model.network import build_densedepth  # noqa: E402

LIMITS = {'min_depth': 0.2, 'max_depth': 10.0}


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=['CPUExecutionProvider']
    )


@pytest.mark.parametrize('align_corners', [True, False])
def test_a_freed_graph_is_the_network_at_every_size(align_corners: bool) -> None:
    network = build_densedepth('small', align_corners=align_corners)
    graph = DepthGraph(network, **LIMITS)
    static = trace_graph(graph, batch_size=2, height=64, width=96)
    free = free_height_and_width(static)
    assert [
        dim.dim_param or dim.dim_value for dim in free.graph.input[0].type.tensor_type.shape.dim
    ] == [2, 'height', 'width', 3]
    assert not {node.op_type for node in free.graph.node} & {'Shape', 'Slice', 'Gather'}
    one, half = session(free), session(free_height_and_width(to_half_precision(static)))
    same = probe_image(0, batch_size=2, height=64, width=96)
    (before,) = session(static).run(None, {'image': same})
    np.testing.assert_array_equal(one.run(None, {'image': same})[0], before)
    for height, width in ((64, 96), (96, 64), (32, 160), (128, 128)):
        image = probe_image(0, batch_size=2, height=height, width=width)
        (found,) = one.run(None, {'image': image})
        assert found.shape == (2, height // 2, width // 2)
        expected = Probe.from_output(run_network(graph, image), seed=0, grid_step=1)
        assert probe_error(found, expected, **LIMITS) < 1e-4
        assert probe_error(half.run(None, {'image': image})[0], expected, **LIMITS) < 1e-2


@pytest.mark.parametrize('backend', [BackendName.ONNXRUNTIME, BackendName.OPENVINO])
def test_an_exported_file_passes_its_probe_at_the_sizes_of_usual_cameras(
    tmp_path: Path, backend: BackendName
) -> None:
    checkpoint, path = tmp_path / 'small.pt', tmp_path / 'model.onnx'
    make_small_checkpoint(checkpoint, input_size=(64, 96))
    export_model(checkpoint, path, ExportOptions())
    spec = read_model_spec(path)
    # 2 x 3 blocks of 32; 16:9 takes 2 x 3 too, upright 3 x 2, a square 2 x 2.
    assert spec.free_size
    assert next(iter(spec.probes)) == (64, 96)
    assert {(96, 64), (64, 64)} <= set(spec.probes)
    for size in spec.probes:
        at_size = spec.resized(size)
        loaded = load_backend(backend, path, at_size, options=BackendOptions())
        assert self_check(loaded, at_size) < 1e-3
        loaded.close()


def graph_of(node: onnx.NodeProto, *constants: onnx.TensorProto) -> onnx.ModelProto:
    image = helper.make_tensor_value_info('image', TensorProto.FLOAT, [1, 64, 96, 3])
    depth = helper.make_tensor_value_info('depth', TensorProto.FLOAT, None)
    graph = helper.make_graph([node], 'g', [image], [depth], list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)


def test_what_else_holds_a_size_is_refused_by_name() -> None:
    shape = numpy_helper.from_array(np.array([1, 64, 288]), 'shape')
    node = helper.make_node('Reshape', ['image', 'shape'], ['depth'], 'flatten')
    with pytest.raises(ModelFileError, match='flatten: Reshape depends on the size'):
        free_height_and_width(graph_of(node, shape))


def test_an_upsampling_by_no_whole_factor_is_refused_by_name() -> None:
    sizes = numpy_helper.from_array(np.array([1, 96, 96, 3]), 'sizes')
    node = helper.make_node('Resize', ['image', '', '', 'sizes'], ['depth'], 'up')
    with pytest.raises(ModelFileError, match='up: Resize by no whole, constant factor'):
        free_height_and_width(graph_of(node, sizes))
