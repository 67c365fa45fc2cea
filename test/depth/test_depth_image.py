"""Depth images: validity, REP 117 limits, edges, millimetres, colours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from depth_estimation_ros.depth.depth_image import (
    RangePolicy,
    colorize,
    from_16uc1,
    limit_range,
    to_16uc1,
    valid_fraction,
    valid_mask,
)
from depth_estimation_ros.depth.filters import edge_mask
from depth_estimation_ros.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAN, INF = math.nan, math.inf


def _depth(values: list[list[float]]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def test_only_finite_positive_numbers_are_valid() -> None:
    depth = _depth([[1.0, 0.0, -1.0, NAN, INF, -INF]])
    assert valid_mask(depth).tolist() == [[True, False, False, False, False, False]]
    assert valid_fraction(depth) == pytest.approx(1 / 6)


def test_an_empty_image_has_no_valid_share() -> None:
    assert valid_fraction(np.empty((0, 4), dtype=np.float32)) == 0.0


def test_rep_117_says_too_near_and_too_far() -> None:
    depth = _depth([[0.4, 0.5, 5.0], [5.1, NAN, INF]])
    limited = limit_range(depth, min_depth=0.5, max_depth=5.0)
    np.testing.assert_array_equal(limited, _depth([[-INF, 0.5, 5.0], [INF, NAN, INF]]))
    assert limited.dtype == np.float32


def test_the_nan_policy_says_unknown() -> None:
    depth = _depth([[0.4, 0.5, 5.0, 5.1, -INF]])
    limited = limit_range(depth, min_depth=0.5, max_depth=5.0, policy=RangePolicy.NAN)
    np.testing.assert_array_equal(limited, _depth([[NAN, 0.5, 5.0, NAN, NAN]]))


def test_limiting_leaves_the_input_alone() -> None:
    depth = _depth([[0.1, 9.0]])
    limit_range(depth, min_depth=0.5, max_depth=5.0)
    assert depth.tolist() == _depth([[0.1, 9.0]]).tolist()


@pytest.mark.parametrize(('low', 'high'), [(5.0, 5.0), (-1.0, 5.0), (NAN, 5.0)])
def test_impossible_limits_are_refused(low: float, high: float) -> None:
    with pytest.raises(ConfigError, match=f'{low}..{high}'):
        limit_range(_depth([[1.0]]), min_depth=low, max_depth=high)


def test_a_step_marks_the_pixels_on_both_sides() -> None:
    depth = _depth([[1.0, 1.2, 2.0, 2.0], [1.0, 1.2, 2.0, 2.0], [1.0, 1.2, 2.0, 0.9]])
    expected = [
        [False, True, True, False],
        [False, True, True, True],
        [False, True, True, True],
    ]
    assert edge_mask(depth, 0.3).tolist() == expected


def test_the_step_is_relative_to_the_nearer_pixel() -> None:
    assert edge_mask(_depth([[4.0, 5.0]]), 0.26).tolist() == [[False, False]]
    assert edge_mask(_depth([[5.0, 4.0]]), 0.24).tolist() == [[True, True]]


def test_invalid_pixels_make_no_edge() -> None:
    assert not edge_mask(_depth([[1.0, NAN, 9.0]]), 0.1).any()


def test_a_threshold_of_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match=r'threshold 0\.0'):
        edge_mask(_depth([[1.0]]), 0.0)


def test_millimetres_are_rounded_and_invalid_is_zero() -> None:
    depth = _depth([[1.0004, 1.0006, 65.534, 65.535, 0.0], [NAN, INF, -INF, -1.0, 0.0004]])
    encoded = to_16uc1(depth)
    assert encoded.dtype == np.uint16
    assert encoded.tolist() == [[1000, 1001, 65534, 0, 0], [0, 0, 0, 0, 0]]


def test_millimetres_come_back_as_metres() -> None:
    decoded = from_16uc1(np.array([[0, 1, 1500, 65534]], dtype=np.uint16))
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, [[NAN, 0.001, 1.5, 65.534]], rtol=1e-6)


def test_all_ones_are_no_depth_as_many_drivers_write_it() -> None:
    np.testing.assert_array_equal(from_16uc1(np.array([[65535]], dtype=np.uint16)), [[NAN]])


def test_every_millimetre_survives_the_round_trip() -> None:
    encoded = np.arange(65535, dtype=np.uint16).reshape(255, 257)
    np.testing.assert_array_equal(to_16uc1(from_16uc1(encoded)), encoded)


def test_eight_bit_depth_is_refused() -> None:
    with pytest.raises(ImageError, match='uint8'):
        from_16uc1(np.zeros((2, 3), dtype=np.uint8))


def test_near_is_red_far_is_blue_and_invalid_is_black() -> None:
    colors = colorize(_depth([[1.0, 9.0, NAN, INF, -INF, 0.0]]), min_depth=1.0, max_depth=9.0)
    assert colors.shape == (1, 6, 3)
    assert colors.dtype == np.uint8
    near_blue, near_green, near_red = colors[0, 0].tolist()
    far_blue, far_green, far_red = colors[0, 1].tolist()
    assert near_red > 100 > max(near_blue, near_green)
    assert far_blue > max(far_red, far_green) > 0
    assert (colors[0, 2:] == 0).all()


def test_depth_beyond_the_colour_limits_takes_the_colour_of_the_limit() -> None:
    colors = colorize(_depth([[0.5, 1.0, 9.0, 20.0]]), min_depth=1.0, max_depth=9.0)
    assert colors[0, 0].tolist() == colors[0, 1].tolist()
    assert colors[0, 3].tolist() == colors[0, 2].tolist()


def test_impossible_colour_limits_are_refused() -> None:
    with pytest.raises(ConfigError, match=r'2\.0\.\.inf'):
        colorize(_depth([[1.0]]), min_depth=2.0, max_depth=INF)
