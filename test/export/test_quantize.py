"""int8 files: explicit Q/DQ, in the flavour of the backends that run them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import pytest

from depth_estimation_ros.errors import BackendError, ConfigError, ImageError
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.model_file.model_spec import Precision, Target, read_model_spec

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytest.importorskip('torch')

import cv2
from small_checkpoint import make_small_checkpoint

from depth_estimation_ros.export.activation_ranges import activation_ranges, clipped_ranges
from depth_estimation_ros.export.calibration import calibration_images
from depth_estimation_ros.export.export_model import ExportOptions, export_model
from depth_estimation_ros.export.onnx_graph import constant_arrays
from depth_estimation_ros.export.quantize import quantize_model
from depth_estimation_ros.export.tensorrt_operators import audit_for_tensorrt

HEIGHT, WIDTH = 64, 96


def smooth_images(count: int) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, size=(count, 6, 9, 3), dtype=np.uint8)
    return [np.asarray(cv2.resize(image, (WIDTH, HEIGHT)), np.uint8) for image in coarse]


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('checkpoint') / 'small.pt'
    make_small_checkpoint(path, input_size=(HEIGHT, WIDTH))
    return path


@pytest.fixture(scope='module', params=[Target.CPU, Target.TENSORRT])
def int8_file(
    request: pytest.FixtureRequest, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp('int8') / f'{request.param}.onnx'
    options = ExportOptions(precision=Precision.INT8, target=request.param)
    report = export_model(checkpoint, path, options, calibration=smooth_images(8))
    assert report.error < 0.1
    return path


def quantized_types(model: onnx.ModelProto, op_type: str) -> set[int]:
    constants = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    return {constants[node.input[2]] for node in model.graph.node if node.op_type == op_type}


def test_the_file_says_its_flavour_and_keeps_input_and_output(int8_file: Path) -> None:
    spec = read_model_spec(int8_file)
    assert spec.precision is Precision.INT8
    assert spec.target.value == int8_file.stem
    graph = onnx.load(int8_file).graph
    assert graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8
    assert graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT


def test_activations_are_unsigned_for_cpus_and_symmetric_for_tensorrt(int8_file: Path) -> None:
    model = onnx.load(int8_file)
    is_cpu = read_model_spec(int8_file).target is Target.CPU
    wanted = TensorProto.UINT8 if is_cpu else TensorProto.INT8
    assert quantized_types(model, 'QuantizeLinear') == {wanted}
    if not is_cpu:
        assert quantized_types(model, 'DequantizeLinear') == {TensorProto.INT8}


def test_weights_are_symmetric_int8_with_a_scale_for_every_channel(int8_file: Path) -> None:
    model = onnx.load(int8_file)
    limit = 64 if read_model_spec(int8_file).target is Target.CPU else 127
    constants = constant_arrays(model.graph)
    num_weights = 0
    for node in model.graph.node:
        weights = constants.get(node.input[0]) if node.op_type == 'DequantizeLinear' else None
        if weights is None or weights.ndim != 4:
            continue
        num_weights += 1
        assert weights.dtype == np.int8
        assert np.abs(weights.astype(int)).max() <= limit
        assert constants[node.input[1]].shape == (weights.shape[0],)
        assert not constants[node.input[2]].any()
    num_convolutions = sum(node.op_type == 'Conv' for node in model.graph.node)
    assert num_weights == num_convolutions - 2  # all but the first and the last


def test_only_the_tensorrt_flavour_passes_tensorrts_list(int8_file: Path) -> None:
    problems = audit_for_tensorrt(onnx.load(int8_file))
    if read_model_spec(int8_file).target is Target.TENSORRT:
        assert problems == []
    else:
        assert any('QuantizeLinear to UINT8' in problem for problem in problems)


@pytest.mark.parametrize('backend', ['onnxruntime', 'openvino'])
def test_cpu_backends_run_the_cpu_flavour_and_refuse_the_other(
    int8_file: Path, backend: str
) -> None:
    pytest.importorskip(backend)
    if read_model_spec(int8_file).target is Target.TENSORRT:
        with pytest.raises(BackendError, match='made for target tensorrt'):
            DepthEstimator.from_file(int8_file, backend)
        return
    with DepthEstimator.from_file(int8_file, backend) as estimator:
        depth = estimator.estimate(smooth_images(1)[0]).depth
    assert depth.shape == (HEIGHT, WIDTH)
    assert np.isfinite(depth).all()


def test_the_import_of_the_quantizer_leaves_onnxruntime_and_its_telemetry_alone() -> None:
    code = 'import sys, depth_estimation_ros.export.quantize; print("onnxruntime" in sys.modules)'
    result = subprocess.run(
        [sys.executable, '-c', code], check=True, stdout=subprocess.PIPE, text=True
    )
    assert result.stdout == 'False\n'


def test_int8_without_images_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    options = ExportOptions(precision=Precision.INT8, target=Target.CPU)
    with pytest.raises(ConfigError, match='int8 needs calibration images'):
        export_model(checkpoint, tmp_path / 'model.onnx', options)
    assert list(tmp_path.iterdir()) == []


def test_one_odd_image_does_not_decide_the_range() -> None:
    image = helper.make_tensor_value_info('image', TensorProto.UINT8, [2, 1, 2, 3])
    value = helper.make_tensor_value_info('value', TensorProto.FLOAT, [2, 1, 2, 3])
    nodes = [
        helper.make_node('Cast', ['image'], ['cast'], to=TensorProto.FLOAT),
        helper.make_node('Sub', ['cast', 'five'], ['value']),
    ]
    five = numpy_helper.from_array(np.array(5.0, np.float32), 'five')
    model = helper.make_model(
        helper.make_graph(nodes, 'minus_five', [image], [value], [five]),
        opset_imports=[helper.make_opsetid('', 17)],
        ir_version=8,
    )
    images = [np.full((1, 2, 3), level, np.uint8) for level in (1, 2, 3, 4, 205)]
    ranges = activation_ranges(model, images, ['cast', 'value'], kept_share=0.75)
    # Values -4, -3, -2, -1 and 200: three quarters of them are at or below -1, so 0 is kept.
    assert ranges == {'cast': (0.0, 4.0), 'value': (-3.0, 0.0)}
    widest = activation_ranges(model, images, ['value'], kept_share=1.0)
    assert widest == {'value': (-4.0, 200.0)}


def test_a_range_ends_where_the_only_reader_clips_it() -> None:
    limits = {'zero': 0.0, 'six': 6.0, 'one': 1.0}
    nodes = [
        helper.make_node('Clip', ['relu6', 'zero', 'six'], ['a']),
        helper.make_node('Clip', ['from_one', 'one'], ['b']),
        helper.make_node('Relu', ['relu'], ['c']),
        helper.make_node('Relu', ['twice'], ['d']),
        helper.make_node('Relu', ['twice'], ['e']),
        helper.make_node('Exp', ['other'], ['f']),
    ]
    constants = [numpy_helper.from_array(np.float32(x), name) for name, x in limits.items()]
    model = helper.make_model(helper.make_graph(nodes, 'clips', [], [], constants))
    names = ('relu6', 'from_one', 'relu', 'twice', 'other')
    found = clipped_ranges(model, dict.fromkeys(names, (-8.0, 102.0)))
    assert found == {
        'relu6': (0.0, 6.0),
        'from_one': (0.0, 102.0),  # a range holds 0, which padding needs
        'relu': (0.0, 102.0),
        'twice': (-8.0, 102.0),
        'other': (-8.0, 102.0),
    }


def test_convolutions_by_channel_stay_float() -> None:
    image = helper.make_tensor_value_info('image', TensorProto.UINT8, [1, 4, 4, 2])
    value = helper.make_tensor_value_info('value', TensorProto.FLOAT, [1, 2, 4, 4])
    nodes = [
        helper.make_node('Cast', ['image'], ['cast'], to=TensorProto.FLOAT),
        helper.make_node('Transpose', ['cast'], ['x0'], perm=[0, 3, 1, 2]),
        helper.make_node('Conv', ['x0', 'full0'], ['x1'], name='first'),
        helper.make_node('Conv', ['x1', 'single'], ['x2'], name='depthwise', group=2),
        helper.make_node('Conv', ['x2', 'full1'], ['x3'], name='pointwise'),
        helper.make_node('Conv', ['x3', 'full2'], ['value'], name='last'),
    ]
    half = np.full((2, 2, 1, 1), 0.5, np.float32)
    full = [numpy_helper.from_array(half, f'full{index}') for index in range(3)]
    single = numpy_helper.from_array(np.ones((2, 1, 1, 1), np.float32), 'single')
    model = helper.make_model(
        helper.make_graph(nodes, 'convolutions', [image], [value], [*full, single]),
        opset_imports=[helper.make_opsetid('', 17)],
        ir_version=8,
    )
    images = [np.full((4, 4, 2), level, np.uint8) for level in (1, 100, 200)]
    quantized = quantize_model(model, images, target=Target.CPU)
    dequantized = {
        node.output[0] for node in quantized.graph.node if node.op_type == 'DequantizeLinear'
    }
    weights = {node.name: node.input[1] for node in quantized.graph.node if node.op_type == 'Conv'}
    assert {name for name, weight in weights.items() if weight in dequantized} == {'pointwise'}


# --- where the images come from -----------------------------------------------------------------


def test_a_folder_of_images_is_letterboxed_and_thinned_evenly(tmp_path: Path) -> None:
    for index in range(10):
        image = np.full((40, 120, 3), 10 * index, np.uint8)
        cv2.imwrite(str(tmp_path / f'{index}.png'), image)
    images = calibration_images(str(tmp_path), height=64, width=96, num_images=4)
    assert [image.shape for image in images] == [(64, 96, 3)] * 4
    assert [int(image[32, 48, 0]) for image in images] == [0, 30, 60, 90]


def test_a_video_counts_by_its_frames_and_what_is_not_taken_is_not_read(tmp_path: Path) -> None:
    for index in range(3):
        cv2.imwrite(str(tmp_path / f'{index}.png'), np.full((64, 96, 3), 10 * index, np.uint8))
    (tmp_path / '1.png').write_text('not an image')
    fourcc = cv2.VideoWriter.fourcc(*'MJPG')
    video = cv2.VideoWriter(str(tmp_path / '3.avi'), fourcc, 10.0, (96, 64))
    for index in range(3, 10):
        video.write(np.full((64, 96, 3), 10 * index, np.uint8))
    video.release()
    images = calibration_images(str(tmp_path), height=64, width=96, num_images=4)
    assert [int(image[32, 48, 0]) for image in images] == pytest.approx([0, 30, 60, 90], abs=2)
    with pytest.raises(ImageError, match=r'1\.png: not an image'):
        calibration_images(str(tmp_path), height=64, width=96, num_images=10)


def test_synthetic_rooms_calibrate_too() -> None:
    pytest.importorskip('numba')
    images = calibration_images('rooms', height=64, width=96, num_images=2)
    assert [image.shape for image in images] == [(64, 96, 3)] * 2
    assert images[0].dtype == np.uint8
    assert (images[0] != images[1]).any()


def test_a_source_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='nowhere: neither rooms, nor an image'):
        calibration_images('nowhere', height=64, width=96)
    with pytest.raises(ImageError, match='no image or video in this folder'):
        calibration_images(str(tmp_path), height=64, width=96)
