"""From any image to metres: sizes, validity, focal length, batches, bad input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tiny_model import make_tiny_model

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.errors import BackendError, ConfigError, ImageError, ModelFileError
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.model_file.default_model import default_model_path, find_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREY_OF_TWO_METRES = 51  # 10 m * 51 / 255


def _grey(height: int, width: int, value: int = GREY_OF_TWO_METRES) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, dtype=np.uint8)


@pytest.fixture
def estimator(tiny_model_path: Path) -> DepthEstimator:
    return DepthEstimator.from_file(tiny_model_path, 'onnxruntime')


@pytest.mark.parametrize('backend', ['auto', 'onnxruntime', 'openvino'])
def test_brightness_comes_back_as_metres_at_the_size_of_the_image(
    tiny_model_path: Path, backend: str
) -> None:
    image = _grey(480, 640)
    image[:, 320:] = 255
    with DepthEstimator.from_file(tiny_model_path, backend) as estimator:
        prediction = estimator.estimate(image)
    assert prediction.depth.shape == (480, 640)
    assert prediction.depth.dtype == np.float32
    np.testing.assert_allclose(prediction.depth[:, :310], 2.0, rtol=1e-5)
    np.testing.assert_allclose(prediction.depth[:, 330:], 10.0, rtol=1e-5)


@pytest.mark.parametrize('size', [(120, 160), (640, 480), (2160, 3840), (97, 1), (1, 1)])
def test_any_size_and_aspect_keeps_its_size(
    estimator: DepthEstimator, size: tuple[int, int]
) -> None:
    depth = estimator.estimate(_grey(*size)).depth
    assert depth.shape == size
    np.testing.assert_allclose(depth, 2.0, rtol=1e-5)


@pytest.mark.parametrize('mode', ['letterbox', 'resize'])
def test_the_letterbox_border_never_shows(tiny_model_path: Path, mode: str) -> None:
    estimator = DepthEstimator.from_file(tiny_model_path, 'onnxruntime', resize_mode=mode)
    image = _grey(100, 400)
    image[50:] = 0
    depth = estimator.estimate(image).depth
    np.testing.assert_allclose(depth[:45], 2.0, rtol=1e-5)
    assert np.isnan(depth[55:]).all()


def test_invalid_is_nan_and_never_zero(estimator: DepthEstimator) -> None:
    image = _grey(96, 128)
    image[40:60, 40:60] = 0
    depth = estimator.estimate(image).depth
    assert np.isnan(depth[42:58, 42:58]).all()
    assert np.nanmin(depth) > 0.2


def test_depth_outside_the_trained_range_is_nan_not_the_limit(tmp_path: Path) -> None:
    spec = make_tiny_model(tmp_path / 'model.onnx')
    estimator = DepthEstimator.from_file(tmp_path / 'model.onnx', 'onnxruntime')
    estimator.spec = replace(spec, min_depth=1.0, max_depth=4.0)
    image = np.concatenate([_grey(96, 64, grey) for grey in (20, 51, 150)], axis=1)
    depth = estimator.estimate(image).depth  # 0.78 m, 2 m, 5.9 m
    assert np.isnan(depth[:, :60]).all()
    np.testing.assert_allclose(depth[:, 70:120], 2.0, rtol=1e-5)
    assert np.isnan(depth[:, 140:]).all()


def test_the_focal_length_scales_depth(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / 'model.onnx', training_fx=100.0)
    estimator = DepthEstimator.from_file(tmp_path / 'model.onnx', 'onnxruntime')
    # 640 px wide with fx = 750 px is fx = 150 px at the network's 128 px.
    camera = CameraIntrinsics(width=640, height=480, fx=750.0, fy=700.0, cx=320.0, cy=240.0)
    scaled = estimator.estimate(_grey(480, 640), camera).depth
    np.testing.assert_allclose(scaled, 3.0, rtol=1e-5)
    # A wide image is letterboxed at the same scale.
    wide = replace(camera, height=200, cy=100.0)
    np.testing.assert_allclose(estimator.estimate(_grey(200, 640), wide).depth, 3.0, rtol=1e-5)
    # A tall one is shrunk by its height: 128 * 0.1 = 12.8 -> 96 px of 960, fx = 75 px.
    tall = replace(camera, height=960, cy=480.0)
    np.testing.assert_allclose(estimator.estimate(_grey(960, 640), tall).depth, 1.5, rtol=1e-5)


def test_depth_is_not_scaled_without_a_known_focal_length(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / 'model.onnx', training_fx=100.0)
    camera = CameraIntrinsics(width=640, height=480, fx=750.0, fy=750.0, cx=320.0, cy=240.0)
    image = _grey(480, 640)
    estimator = DepthEstimator.from_file(tmp_path / 'model.onnx', 'onnxruntime')
    np.testing.assert_allclose(estimator.estimate(image).depth, 2.0, rtol=1e-5)
    zeros = replace(camera, fx=0.0, fy=0.0)
    np.testing.assert_allclose(estimator.estimate(image, zeros).depth, 2.0, rtol=1e-5)
    off = DepthEstimator.from_file(
        tmp_path / 'model.onnx', 'onnxruntime', focal_normalization=False
    )
    np.testing.assert_allclose(off.estimate(image, camera).depth, 2.0, rtol=1e-5)


def test_the_limits_hold_before_the_focal_length_scales(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / 'model.onnx', training_fx=100.0)  # limits 0.2..10 m
    estimator = DepthEstimator.from_file(tmp_path / 'model.onnx', 'onnxruntime')
    camera = CameraIntrinsics.from_hfov(width=640, height=480, hfov_deg=10.0)
    depth = estimator.estimate(_grey(480, 640, 255), camera).depth
    np.testing.assert_allclose(depth, 10.0 * camera.fx / 5.0 / 100.0, rtol=1e-5)
    assert depth[0, 0] > 50.0


def test_intrinsics_of_another_size_are_refused(estimator: DepthEstimator) -> None:
    camera = CameraIntrinsics.from_hfov(width=320, height=240, hfov_deg=60.0)
    with pytest.raises(ImageError, match='320x240 image for one of 640x480'):
        estimator.estimate(_grey(480, 640), camera)


def test_a_prediction_is_not_changed_by_the_next_one(estimator: DepthEstimator) -> None:
    first = estimator.estimate(_grey(96, 128)).depth
    estimator.estimate(_grey(96, 128, 255))
    np.testing.assert_allclose(first, 2.0, rtol=1e-5)


def test_a_strided_view_is_accepted_and_not_changed(estimator: DepthEstimator) -> None:
    bgr = np.random.default_rng(0).integers(0, 256, (96, 256, 3), dtype=np.uint8)
    before = bgr.copy()
    view = bgr[:, ::2, ::-1]
    expected = estimator.estimate(np.ascontiguousarray(view)).depth
    np.testing.assert_array_equal(estimator.estimate(view).depth, expected)
    np.testing.assert_array_equal(bgr, before)


def test_timings_add_up(estimator: DepthEstimator) -> None:
    timings = estimator.estimate(_grey(96, 128)).timings
    stages = (timings.preprocess_ms, timings.inference_ms, timings.postprocess_ms)
    assert min(stages) > 0.0
    assert timings.total_ms == pytest.approx(sum(stages))


def test_a_batch_holds_images_of_different_sizes_and_cameras(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / 'model.onnx', batch_size=2, training_fx=100.0)
    estimator = DepthEstimator.from_file(tmp_path / 'model.onnx', 'onnxruntime')
    images = [_grey(480, 640), _grey(300, 100, 255)]
    camera = CameraIntrinsics(width=640, height=480, fx=750.0, fy=750.0, cx=320.0, cy=240.0)
    first, second = estimator.estimate_batch(images, [camera, None])
    np.testing.assert_allclose(first.depth, 3.0, rtol=1e-5)
    np.testing.assert_allclose(second.depth, 10.0, rtol=1e-5)
    assert second.depth.shape == (300, 100)
    np.testing.assert_allclose(estimator.estimate(images[1]).depth, 10.0, rtol=1e-5)


def test_more_images_than_the_model_takes_are_refused(estimator: DepthEstimator) -> None:
    with pytest.raises(ImageError, match=r'2 images for a model that takes 1.*--batch 2'):
        estimator.estimate_batch([_grey(4, 6), _grey(4, 6)])
    with pytest.raises(ImageError, match='0 images'):
        estimator.estimate_batch([])
    with pytest.raises(ImageError, match='2 intrinsics for 1 images'):
        estimator.estimate_batch([_grey(4, 6)], [None, None])


@pytest.mark.parametrize(
    ('image', 'message'),
    [
        (np.zeros((48, 64), dtype=np.uint8), r'shape \(48, 64\) and type uint8'),
        (np.zeros((48, 64, 4), dtype=np.uint8), r'\(48, 64, 4\)'),
        (np.zeros((48, 64, 1), dtype=np.uint8), r'\(48, 64, 1\)'),
        (np.zeros((1, 48, 64, 3), dtype=np.uint8), r'\(1, 48, 64, 3\)'),
        (np.zeros((48, 64, 3), dtype=np.float32), 'float32'),
        (np.zeros((48, 64, 3), dtype=np.uint16), 'uint16'),
        (np.zeros((0, 64, 3), dtype=np.uint8), r'\(0, 64, 3\)'),
        (np.zeros((48, 0, 3), dtype=np.uint8), r'\(48, 0, 3\)'),
        ([[1, 2, 3]], 'list'),
        (None, 'NoneType'),
    ],
)
def test_what_is_no_rgb_image_is_refused_with_its_shape_and_type(
    estimator: DepthEstimator, image: Any, message: str
) -> None:
    with pytest.raises(ImageError, match=message):
        estimator.estimate(image)


def test_an_estimator_survives_a_bad_image(estimator: DepthEstimator) -> None:
    with pytest.raises(ImageError):
        estimator.estimate(np.zeros((0, 0, 3), dtype=np.uint8))
    np.testing.assert_allclose(estimator.estimate(_grey(48, 64)).depth, 2.0, rtol=1e-5)


def test_settings_that_are_not_accepted_are_named(tiny_model_path: Path) -> None:
    with pytest.raises(ConfigError, match="resize_mode 'crop'"):
        DepthEstimator.from_file(tiny_model_path, 'onnxruntime', resize_mode='crop')
    with pytest.raises(ConfigError, match='num_threads -2'):
        DepthEstimator.from_file(tiny_model_path, num_threads=-2)


def test_a_missing_model_or_backend_is_named(tiny_model_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r'none\.onnx'):
        DepthEstimator.from_file('none.onnx')
    with pytest.raises(BackendError, match="'abacus'"):
        DepthEstimator.from_file(tiny_model_path, 'abacus')


def test_the_backend_in_use_is_told(estimator: DepthEstimator) -> None:
    assert estimator.backend_name.value == 'onnxruntime'
    assert 'CPU' in estimator.backend_description


def test_without_a_default_model_the_message_says_how_to_make_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = str(tmp_path / 'model_file' / 'default_model.py')
    monkeypatch.setattr('depth_estimation_ros.model_file.default_model.__file__', module)
    with pytest.raises(ModelFileError, match=r'default\.onnx.*depth-estimation export'):
        default_model_path()
    (tmp_path / 'models').mkdir()
    (tmp_path / 'models' / 'default.onnx').touch()
    assert default_model_path() == tmp_path / 'models' / 'default.onnx'
    assert find_model('') == tmp_path / 'models' / 'default.onnx'


def test_a_shipped_model_is_found_by_its_name_and_others_by_their_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        'depth_estimation_ros.model_file.default_model.__file__',
        str(tmp_path / 'model_file' / 'default_model.py'),
    )
    shipped = tmp_path / 'models' / 'default-int8.onnx'
    shipped.parent.mkdir()
    shipped.touch()
    assert find_model('default-int8') == shipped
    assert find_model('./default-int8') == Path('default-int8')
    assert find_model('mine.onnx') == Path('mine.onnx')
    assert find_model('~/mine.onnx') == Path.home() / 'mine.onnx'
