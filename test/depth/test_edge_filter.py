"""Flying pixels of an enlarged depth image."""

from __future__ import annotations

import numpy as np
import pytest

from depth_estimation_ros.depth.edges import flying_pixels
from depth_estimation_ros.depth.image_transform import ImageTransform
from depth_estimation_ros.errors import ConfigError


def enlarged(samples: np.ndarray, factor: int) -> np.ndarray:
    height, width = samples.shape
    transform = ImageTransform.resize(
        image_size=(height * factor, width * factor), network_size=(height, width)
    )
    return transform.restore_depth(samples)


def test_the_ramp_that_enlarging_makes_of_an_edge_is_all_marked() -> None:
    samples = np.full((4, 8), 2.0, np.float32)
    samples[:, 4:] = 6.0
    depth = enlarged(samples, 5)
    marked = flying_pixels(depth, grid_size=(4, 8), threshold=0.1)
    assert marked.shape == (20, 40)
    # The two samples beside the edge, columns 3 and 4, are the pixels 15 to 24.
    assert marked[:, 15:25].all()
    assert not marked[:, :15].any()
    assert not marked[:, 25:].any()
    is_blend = (depth > 2.001) & (depth < 5.999)
    assert is_blend.any()
    assert marked[is_blend].all()


def test_a_slope_below_the_threshold_is_no_edge() -> None:
    samples = np.tile(1.05 ** np.arange(8, dtype=np.float32), (4, 1))
    depth = enlarged(samples, 3)
    assert not flying_pixels(depth, grid_size=(4, 8), threshold=0.1).any()
    assert flying_pixels(depth, grid_size=(4, 8), threshold=0.04).any()


def test_invalid_pixels_make_no_edge() -> None:
    samples = np.full((4, 8), 2.0, np.float32)
    samples[:, 4:] = np.nan
    assert not flying_pixels(enlarged(samples, 4), grid_size=(4, 8), threshold=0.1).any()


def test_an_image_smaller_than_the_grid_is_its_own_grid() -> None:
    depth = np.array([[2.0, 2.0, 6.0]], np.float32)
    marked = flying_pixels(depth, grid_size=(96, 128), threshold=0.1)
    np.testing.assert_array_equal(marked, [[False, True, True]])


def test_a_threshold_of_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match='edge threshold 0'):
        flying_pixels(np.ones((2, 3), np.float32), grid_size=(2, 3), threshold=0.0)
