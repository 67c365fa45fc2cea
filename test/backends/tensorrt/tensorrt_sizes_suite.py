"""One engine a size of the network; test_tensorrt.py runs this for each version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tensorrt_machine import changed
from tiny_model import make_tiny_model

from depth_estimation_ros.backends.base import BackendName
from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
from depth_estimation_ros.errors import BackendError, BuildCancelledError
from depth_estimation_ros.estimator import DepthEstimator

if TYPE_CHECKING:
    from pathlib import Path

    from fake_tensorrt import FakeTensorRt
    from numpy.typing import NDArray

    from depth_estimation_ros.backends.base import BackendOptions


@pytest.fixture
def free_model(tmp_path: Path) -> Path:
    path = tmp_path / 'free.onnx'
    make_tiny_model(path, input_size=(192, 256), output_size=(96, 128), free_size=True)
    return path


def grey(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 51, dtype=np.uint8)  # 2 m


def test_the_first_image_tells_the_size_and_each_size_has_an_engine(
    free_model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    folder = options.engine_cache_dir
    assert folder is not None
    for _ in range(2):  # the second time from the cache
        with DepthEstimator.from_file(free_model, options=options) as estimator:
            assert (estimator.backend_name, estimator.network_sizes) == (BackendName.TENSORRT, ())
            assert 'waits for the size of the first image' in estimator.backend_description
            np.testing.assert_allclose(estimator.estimate(grey(720, 1280)).depth, 2.0, rtol=1e-5)
            assert estimator.backend_description.startswith(f'tensorrt {trt.__version__} on Orin')
            np.testing.assert_allclose(estimator.estimate(grey(640, 480)).depth, 2.0, rtol=1e-5)
            assert estimator.network_sizes == ((160, 288), (256, 192))
    assert trt.num_builds == 2
    keys = sorted(path.read_text(encoding='utf-8') for path in folder.glob('*.json'))
    assert len(keys) == 2
    assert '"height": 160,\n    "width": 288' in keys[0]
    assert '"height": 256,\n    "width": 192' in keys[1]


def test_a_size_that_is_given_is_built_at_once(
    free_model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    with DepthEstimator.from_file(
        free_model, 'tensorrt', network_size='160x288', options=options
    ) as estimator:
        assert (trt.num_builds, estimator.network_sizes) == (1, ((160, 288),))
    # The file has no probe for a size that no camera has: it is run at that of its export too.
    with DepthEstimator.from_file(
        free_model, 'tensorrt', network_size='96x160', options=options
    ) as estimator:
        assert (trt.num_builds, estimator.network_sizes) == (3, ((96, 160),))
        np.testing.assert_allclose(estimator.estimate(grey(480, 640)).depth, 2.0, rtol=1e-5)


def test_an_engine_that_cannot_be_built_is_not_tried_again_for_every_image(
    free_model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    trt.faults.build = ['no tactic']
    with DepthEstimator.from_file(free_model, 'tensorrt', options=options) as estimator:
        for _ in range(3):
            with pytest.raises(BackendError, match='no tactic'):
                estimator.estimate(grey(720, 1280))
    assert trt.num_builds == 1


def test_a_build_for_the_first_image_can_be_cancelled(
    free_model: Path, options: BackendOptions, trt: FakeTensorRt
) -> None:
    progress = BuildProgress()
    with DepthEstimator.from_file(
        free_model, options=changed(options, progress=progress)
    ) as estimator:
        progress.cancel()
        with pytest.raises(BuildCancelledError):
            estimator.estimate(grey(720, 1280))
    assert trt.num_builds == 0
