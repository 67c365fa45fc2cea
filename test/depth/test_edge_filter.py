"""Depth edges on the network's grid, and the pixels of the image that they are."""

from __future__ import annotations

import numpy as np
import pytest

from depth_estimation_ros.depth.depth_grid import DepthGrid, enlarge_mask
from depth_estimation_ros.depth.filters import edge_mask
from depth_estimation_ros.errors import ConfigError


def test_the_ramp_that_enlarging_makes_of_an_edge_is_all_marked() -> None:
    samples = np.full((4, 8), 2.0, np.float32)
    samples[:, 4:] = 6.0
    depth = DepthGrid(samples=samples).enlarged((20, 40))
    marked = enlarge_mask(edge_mask(samples, 0.1), (20, 40))
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
    assert not edge_mask(samples, 0.1).any()
    assert edge_mask(samples, 0.04).any()


def test_invalid_pixels_make_no_edge() -> None:
    samples = np.full((4, 8), 2.0, np.float32)
    samples[:, 4:] = np.nan
    assert not edge_mask(samples, 0.1).any()


def test_a_step_in_an_image_of_three_pixels_marks_two() -> None:
    marked = edge_mask(np.array([[2.0, 2.0, 6.0]], np.float32), 0.1)
    np.testing.assert_array_equal(marked, [[False, True, True]])


def test_a_threshold_of_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match='edge threshold 0'):
        edge_mask(np.ones((2, 3), np.float32), 0.0)
