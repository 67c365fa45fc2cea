"""Export: a model file that is right, or none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
import pytest

from depth_estimation_ros.errors import ConfigError, ModelFileError
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.model_file.model_spec import Precision, Target, read_model_spec

if TYPE_CHECKING:
    from pathlib import Path

torch = pytest.importorskip('torch')

from small_checkpoint import make_small_checkpoint  # noqa: E402

from depth_estimation_ros.export import check as export_check  # noqa: E402
from depth_estimation_ros.export import export_model as export  # noqa: E402
from depth_estimation_ros.export.export_model import ExportOptions, export_model  # noqa: E402
from depth_estimation_ros.export.graph import DepthDecoder, DepthGraph, trace_graph  # noqa: E402
from depth_estimation_ros.export.half_precision import to_half_precision  # noqa: E402
from depth_estimation_ros.export.tensorrt_operators import audit_for_tensorrt  # noqa: E402
from depth_estimation_ros.training.model.network import build_densedepth  # noqa: E402

HEIGHT, WIDTH = 64, 96


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('checkpoint') / 'small.pt'
    make_small_checkpoint(path, input_size=(HEIGHT, WIDTH))
    return path


def op_types(model: onnx.ModelProto) -> set[str]:
    return {node.op_type for node in model.graph.node}


def test_the_decoder_makes_everything_outside_the_range_invalid() -> None:
    decoder = DepthDecoder(min_depth=0.5, max_depth=10.0)
    raw = torch.tensor([[-1.0, 0.0, 0.999, 1.0], [2.5, 20.0, 20.01, float('nan')]])
    depth = decoder(raw[None, None])
    assert depth.shape == (1, 2, 4)
    expected = [[0.0, 0.0, 0.0, 10.0], [4.0, 0.5, 0.0, 0.0]]
    np.testing.assert_allclose(depth[0].numpy(), expected, rtol=1e-6)


def test_a_traced_graph_takes_pixels_and_gives_metres() -> None:
    network = build_densedepth('small')
    graph = DepthGraph(network, min_depth=0.2, max_depth=10.0)
    model = trace_graph(graph, batch_size=2, height=HEIGHT, width=WIDTH)
    image, depth = model.graph.input[0], model.graph.output[0]
    assert (image.name, depth.name) == ('image', 'depth')
    assert image.type.tensor_type.elem_type == TensorProto.UINT8
    assert depth.type.tensor_type.elem_type == TensorProto.FLOAT
    assert [dim.dim_value for dim in image.type.tensor_type.shape.dim] == [2, HEIGHT, WIDTH, 3]
    assert [dim.dim_value for dim in depth.type.tensor_type.shape.dim] == [2, 32, 48]
    assert model.opset_import[0].version == 17


def test_a_traced_graph_has_no_shape_arithmetic_and_casts_first() -> None:
    network = build_densedepth('small')
    graph = DepthGraph(network, min_depth=0.2, max_depth=10.0)
    model = trace_graph(graph, batch_size=1, height=HEIGHT, width=WIDTH)
    assert not op_types(model) & {'Shape', 'Slice', 'Constant', 'Identity', 'Sub', 'Gather'}
    assert model.graph.node[0].op_type == 'Cast'
    resize = next(node for node in model.graph.node if node.op_type == 'Resize')
    modes = {item.name: item.s for item in resize.attribute}
    assert modes['coordinate_transformation_mode'] == b'align_corners'
    assert modes['mode'] == b'linear'


def test_normalisation_stays_in_the_graph() -> None:
    network = build_densedepth('efficientnet_lite0', decoder_width=16, normalized=True)
    graph = DepthGraph(network, min_depth=0.2, max_depth=10.0)
    model = trace_graph(graph, batch_size=1, height=HEIGHT, width=WIDTH)
    assert 'Sub' in op_types(model)


@pytest.mark.parametrize('encoder', ['densenet121', 'resnet50', 'small', 'efficientnet_lite0'])
def test_every_encoder_exports_to_operators_that_tensorrt_takes(encoder: str) -> None:
    network = build_densedepth(encoder, decoder_width=16)  # its operators are those of any width
    graph = DepthGraph(network, min_depth=0.1, max_depth=10.0)
    model = trace_graph(graph, batch_size=1, height=64, width=96)
    assert audit_for_tensorrt(model) == []
    assert audit_for_tensorrt(to_half_precision(model)) == []


def test_fp32_equals_pytorch_and_says_what_it_is(checkpoint: Path, tmp_path: Path) -> None:
    output = tmp_path / 'model.onnx'
    report = export_model(checkpoint, output, ExportOptions(licence='MIT', metrics={'a1': 0.5}))
    assert report.error < 1e-4
    assert report.warnings == ()
    spec = read_model_spec(output)
    assert spec == report.spec
    assert (spec.encoder, spec.decoder_width) == ('small', 32)
    assert (spec.input_size, spec.output_size) == ((HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2))
    assert (spec.min_depth, spec.max_depth, spec.training_fx) == (0.2, 10.0, 80.0)
    assert (spec.licence, spec.training_data) == ('MIT', 'nothing: random weights')
    assert spec.metrics == {'a1': 0.5}


@pytest.mark.parametrize('backend', ['onnxruntime', 'openvino'])
@pytest.mark.parametrize('precision', [Precision.FP32, Precision.FP16])
def test_files_run_through_the_estimator_on_every_cpu_backend(
    checkpoint: Path, tmp_path: Path, backend: str, precision: Precision
) -> None:
    pytest.importorskip(backend)
    output = tmp_path / 'model.onnx'
    export_model(checkpoint, output, ExportOptions(precision=precision))
    image = np.zeros((120, 200, 3), dtype=np.uint8)
    with DepthEstimator.from_file(output, backend) as estimator:
        depth = estimator.estimate(image).depth
    assert depth.shape == (120, 200)
    assert np.isfinite(depth).mean() > 0.5


def test_fp16_halves_the_file_and_keeps_input_output_and_decoding(
    checkpoint: Path, tmp_path: Path
) -> None:
    full, half = tmp_path / 'full.onnx', tmp_path / 'half.onnx'
    export_model(checkpoint, full, ExportOptions())
    report = export_model(checkpoint, half, ExportOptions(precision=Precision.FP16))
    assert report.error < 1e-2
    # Metadata and names do not shrink.
    assert half.stat().st_size < 0.6 * full.stat().st_size
    model = onnx.load(half)
    assert model.graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT
    types = {value.name: value.type.tensor_type.elem_type for value in model.graph.value_info}
    for node in model.graph.node:
        if node.op_type == 'Conv':
            assert types[node.output[0]] == TensorProto.FLOAT16
        if node.op_type in ('Exp', 'Div') and node.output[0] in types:
            last = node.op_type == 'Exp' or 'depth_decoder' in node.name
            assert types[node.output[0]] == (TensorProto.FLOAT if last else TensorProto.FLOAT16)


def test_a_weight_beyond_float16_is_refused_by_name() -> None:
    network = build_densedepth('small', decoder_width=32)
    with torch.no_grad():
        network.conv2.weight[0, 0] = 1e5
    graph = DepthGraph(network, min_depth=0.2, max_depth=10.0)
    model = trace_graph(graph, batch_size=1, height=HEIGHT, width=WIDTH)
    with pytest.raises(ModelFileError, match=r'conv2.weight reaches 100000, float16 ends at'):
        to_half_precision(model)


def test_another_size_and_batch_can_be_asked_for(checkpoint: Path, tmp_path: Path) -> None:
    options = ExportOptions(height=32, width=64, batch_size=3)
    report = export_model(checkpoint, tmp_path / 'model.onnx', options)
    assert report.spec.input_shape == (3, 32, 64, 3)
    assert report.spec.output_shape == (3, 16, 32)
    assert report.spec.probes[32, 64].reference.shape[0] == 3


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'height': 200}, 'height 200: must be a multiple of 32; the nearest is 192'),
        ({'width': 250}, 'width 250: must be a multiple of 32; the nearest is 256'),
        ({'height': 5}, 'height 5: must be a multiple of 32; the nearest is 32'),
        ({'batch_size': 0}, 'batch 0: must be 1 or more'),
        ({'precision': Precision.INT8}, 'int8 needs a target'),
        ({'target': Target.CPU}, 'target cpu is for precision int8'),
    ],
)
def test_settings_that_cannot_be_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ExportOptions(**values)


def test_a_file_that_came_out_wrong_is_not_kept(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / 'model.onnx'
    output.write_bytes(b'the good one from before')

    def spoil(model: onnx.ModelProto) -> onnx.ModelProto:
        bias = next(item for item in model.graph.initializer if item.name.endswith('conv3.bias'))
        changed = numpy_helper.to_array(bias) + np.float32(0.005)
        bias.CopyFrom(numpy_helper.from_array(changed, bias.name))
        return model

    monkeypatch.setattr(export, 'to_half_precision', spoil)
    monkeypatch.setitem(export_check.TOLERANCE, Precision.FP16, 1e-3)
    with pytest.raises(ModelFileError, match='is not what the network is: relative RMS error'):
        export_model(checkpoint, output, ExportOptions(precision=Precision.FP16))
    assert output.read_bytes() == b'the good one from before'
    assert list(tmp_path.iterdir()) == [output]
