"""One model file at the sizes of several cameras: values, focal length, batches, what is kept.

The tiny model answers brightness. Its budget here is 192 x 256, so that a 16:9 image is seen at
160 x 288, an upright one at 288 x 160, and a square one at 224 x 224 (test_network_size.py).
"""

from __future__ import annotations

from dataclasses import replace
import logging
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tiny_model import make_tiny_model, tiny_probe

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.errors import BackendError, ConfigError
from depth_estimation_ros.estimator import DepthEstimator

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from depth_estimation_ros.model_file.model_spec import ModelSpec

BACKENDS = ('onnxruntime', 'openvino')


def make_free_model(path: Path, **changes: Any) -> ModelSpec:
    sizes: Any = {'input_size': (192, 256), 'output_size': (96, 128)}
    return make_tiny_model(path, free_size=True, **sizes, **changes)


@pytest.fixture
def free_path(tmp_path: Path) -> Path:
    path = tmp_path / 'free.onnx'
    make_free_model(path)
    return path


def grey(height: int, width: int, value: int = 51) -> NDArray[np.uint8]:
    """51 is 2 m."""
    return np.full((height, width, 3), value, dtype=np.uint8)


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize(
    ('image_size', 'network_size'),
    [((720, 1280), (160, 288)), ((1280, 720), (288, 160)), ((300, 300), (224, 224))],
)
def test_every_shape_is_seen_whole_to_its_borders(
    free_path: Path, backend: str, image_size: tuple[int, int], network_size: tuple[int, int]
) -> None:
    image = grey(*image_size)
    image[:, image_size[1] // 2 :] = 255
    with DepthEstimator.from_file(free_path, backend) as estimator:
        depth = estimator.estimate(image).depth
        assert estimator.network_sizes == (network_size,), 'the one tried out made room'
    assert depth.shape == image_size
    middle = image_size[1] // 2
    np.testing.assert_allclose(depth[:, : middle - 20], 2.0, rtol=1e-5)
    np.testing.assert_allclose(depth[:, middle + 20 :], 10.0, rtol=1e-5)


@pytest.mark.parametrize('backend', BACKENDS)
def test_a_size_can_be_given(free_path: Path, backend: str) -> None:
    with DepthEstimator.from_file(free_path, backend, network_size='96x160') as estimator:
        assert estimator.network_sizes == ((96, 160),)
        np.testing.assert_allclose(estimator.estimate(grey(720, 1280)).depth, 2.0, rtol=1e-5)
        estimator.estimate(grey(480, 640))
        assert estimator.network_sizes == ((96, 160),)


def test_a_size_that_is_not_possible_is_refused(free_path: Path, tiny_model_path: Path) -> None:
    with pytest.raises(ConfigError, match='network_size 100x160: .*nearest is 96x160'):
        DepthEstimator.from_file(free_path, 'onnxruntime', network_size='100x160')
    with pytest.raises(ConfigError, match='network_size 96x160: .* takes 96x128 only'):
        DepthEstimator.from_file(tiny_model_path, 'onnxruntime', network_size='96x160')


def test_the_focal_length_counts_in_pixels_of_the_network_at_every_size(tmp_path: Path) -> None:
    make_free_model(tmp_path / 'm.onnx', training_fx=150.0)
    camera = CameraIntrinsics(width=1280, height=720, fx=1000.0, fy=1000.0, cx=640.0, cy=360.0)
    image = grey(720, 1280)
    path = tmp_path / 'm.onnx'
    with DepthEstimator.from_file(path, 'onnxruntime') as auto:
        # 1280 x 720 -> 288 x 160: scales 0.225 and 0.2222, their geometric mean 0.223607;
        # fx = 223.607 px in the network; 2 m * 223.607 / 150 = 2.98142 m.
        np.testing.assert_allclose(auto.estimate(image, camera).depth, 2.981424, rtol=1e-5)
        # 4:3 at half the pixels, 640 -> 256: fx = 1000 * 0.4 = 400 px; 2 m * 400 / 150.
        half = replace(camera, width=640, height=480, cx=320.0, cy=240.0)
        found = auto.estimate(grey(480, 640), half).depth
        np.testing.assert_allclose(found, 2.0 * 400.0 / 150.0, rtol=1e-5)
        # Upright, 480 -> 192: the same scale, the same factor.
        upright = replace(camera, width=480, height=640, cx=240.0, cy=320.0)
        found = auto.estimate(grey(640, 480), upright).depth
        np.testing.assert_allclose(found, 2.0 * 400.0 / 150.0, rtol=1e-5)
    with DepthEstimator.from_file(path, 'onnxruntime', network_size='384x512') as large:
        # Twice the pixels a side: 640 -> 512, fx = 800 px, and training_fx is still 150 px.
        found = large.estimate(grey(480, 640), half).depth
        np.testing.assert_allclose(found, 2.0 * 800.0 / 150.0, rtol=1e-5)


def test_a_camera_may_change_its_size_and_come_back(free_path: Path) -> None:
    with DepthEstimator.from_file(free_path, 'onnxruntime') as estimator:
        for size in ((480, 640), (720, 1280), (240, 320), (360, 640), (480, 640)):
            depth = estimator.estimate(grey(*size)).depth
            assert depth.shape == size
            np.testing.assert_allclose(depth, 2.0, rtol=1e-5)
        assert estimator.network_sizes == ((160, 288), (192, 256))


def test_a_batch_of_different_shapes_takes_a_run_a_size_and_keeps_its_order(
    tmp_path: Path,
) -> None:
    make_free_model(tmp_path / 'm.onnx', batch_size=3)
    images = [grey(720, 1280, 51), grey(480, 640, 102), grey(360, 640, 255)]
    with DepthEstimator.from_file(tmp_path / 'm.onnx', 'onnxruntime') as estimator:
        predictions = estimator.estimate_batch(images)
        assert estimator.network_sizes == ((160, 288), (192, 256))
    for image, prediction, expected in zip(images, predictions, (2.0, 4.0, 10.0), strict=True):
        assert prediction.depth.shape == image.shape[:2]
        np.testing.assert_allclose(prediction.depth, expected, rtol=1e-5)


def test_the_networks_used_last_are_kept_and_the_loss_of_one_is_told(
    free_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shapes = [(480, 640), (720, 1280), (640, 480), (1280, 720), (300, 300)]
    with DepthEstimator.from_file(free_path, 'onnxruntime') as estimator:
        for size in shapes[:4]:
            estimator.estimate(grey(*size))
        assert not [line for line in caplog.messages if 'let go' in line]
        estimator.estimate(grey(*shapes[0]))
        estimator.estimate(grey(*shapes[4]))
        assert estimator.network_sizes == ((256, 192), (288, 160), (192, 256), (224, 224))
    assert 'the one for 160x288 is let go' in caplog.text
    assert 'set network_size' in caplog.text


def test_a_probe_that_fails_at_the_size_in_use_refuses_the_backend_each_time(
    tmp_path: Path,
) -> None:
    good = make_free_model(tmp_path / 'm.onnx')
    wide = tiny_probe((160, 288))
    wrong = replace(wide, reference=wide.reference * np.float32(1.01))
    make_free_model(tmp_path / 'm.onnx', probes={**good.probes, (160, 288): wrong})
    with DepthEstimator.from_file(tmp_path / 'm.onnx', 'onnxruntime') as estimator:
        estimator.estimate(grey(480, 640))
        for _ in range(2):
            with pytest.raises(BackendError, match='wrong numbers'):
                estimator.estimate(grey(720, 1280))
        np.testing.assert_allclose(estimator.estimate(grey(480, 640)).depth, 2.0, rtol=1e-5)


def test_a_size_without_a_probe_is_checked_at_that_of_the_export(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    good = make_free_model(tmp_path / 'm.onnx')
    path = tmp_path / 'm.onnx'
    DepthEstimator.from_file(path, 'onnxruntime', network_size='64x448').close()
    assert 'no probe for 64x448' in caplog.text
    probe = good.probes[192, 256]
    wrong = replace(probe, reference=probe.reference * np.float32(1.01))
    make_free_model(tmp_path / 'm.onnx', probes={(192, 256): wrong})
    with pytest.raises(BackendError, match='wrong numbers'):
        DepthEstimator.from_file(path, 'onnxruntime', network_size='64x448')
