"""Depth measures against numbers worked out by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from depth_estimation_ros.depth.metrics import (
    depth_metrics,
    fill_missing,
    mean_metrics,
    median_scale,
)
from depth_estimation_ros.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _row(*values: float) -> NDArray[np.float32]:
    return np.array([values], dtype=np.float32)


def test_a_perfect_prediction_has_no_error() -> None:
    metrics = depth_metrics(_row(1, 2, 3), _row(1, 2, 3))
    assert (metrics.a1, metrics.a2, metrics.a3, metrics.valid_fraction) == (1, 1, 1, 1)
    errors = (metrics.abs_rel, metrics.sq_rel, metrics.rmse, metrics.rmse_log, metrics.log10)
    assert errors == (0, 0, 0, 0, 0)


def test_every_measure_equals_the_hand_computed_one() -> None:
    # p = 2, 4 for t = 1, 5: ratios 2 and 1.25, |p - t| = 1 and 1.
    metrics = depth_metrics(_row(2, 4), _row(1, 5))
    assert metrics.a1 == 0.0  # 1.25 is not below 1.25
    assert metrics.a2 == 0.5
    assert metrics.a3 == 0.5  # 1.25**3 = 1.953 < 2
    assert metrics.abs_rel == pytest.approx((1 / 1 + 1 / 5) / 2)
    assert metrics.sq_rel == pytest.approx((1 / 1 + 1 / 5) / 2)
    assert metrics.rmse == pytest.approx(1.0)
    logs = (math.log(2), math.log(4 / 5))
    assert metrics.rmse_log == pytest.approx(math.sqrt((logs[0] ** 2 + logs[1] ** 2) / 2))
    assert metrics.log10 == pytest.approx((math.log10(2) - math.log10(4 / 5)) / 2)


def test_relative_errors_are_relative_to_the_truth() -> None:
    assert depth_metrics(_row(1), _row(2)).abs_rel == pytest.approx(0.5)
    assert depth_metrics(_row(2), _row(1)).abs_rel == pytest.approx(1.0)


@pytest.mark.parametrize('unknown', [math.nan, math.inf, 0.0, -1.0])
def test_pixels_without_truth_do_not_count(unknown: float) -> None:
    metrics = depth_metrics(_row(2, 9), _row(1, unknown))
    assert metrics.abs_rel == pytest.approx(1.0)
    assert metrics.valid_fraction == 1.0


@pytest.mark.parametrize('invalid', [math.nan, math.inf, -math.inf, 0.0])
def test_missing_predictions_are_counted_and_nothing_else(invalid: float) -> None:
    metrics = depth_metrics(_row(2, invalid, invalid, 2), _row(1, 1, 1, 1))
    assert metrics.valid_fraction == 0.5
    assert metrics.abs_rel == pytest.approx(1.0)


def test_the_mask_leaves_pixels_out() -> None:
    mask = np.array([[True, False]])
    metrics = depth_metrics(_row(2, math.nan), _row(1, 1), mask)
    assert (metrics.abs_rel, metrics.valid_fraction) == (1.0, 1.0)


def test_median_scaling_gives_the_prediction_the_median_of_the_truth() -> None:
    prediction, truth = _row(1, 2, 3, math.nan), _row(2, 4, 9, 100)
    assert median_scale(prediction, truth) == pytest.approx(2.0)
    assert median_scale(prediction, truth, np.array([[True, False, True, True]])) == 5.5 / 2


def test_the_mean_is_over_images_not_over_pixels() -> None:
    one = depth_metrics(_row(2), _row(1))
    many = depth_metrics(_row(1, 1, 1), _row(1, 1, 1))
    mean = mean_metrics([one, many])
    assert mean.abs_rel == pytest.approx(0.5)
    assert mean.a3 == 0.5


def test_metrics_become_a_dictionary_in_the_usual_order() -> None:
    names = list(depth_metrics(_row(1), _row(1)).as_dict())
    assert names[:8] == ['a1', 'a2', 'a3', 'abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'log10']


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(DataError, match='1 with truth, none of them predicted'):
        depth_metrics(_row(math.nan, 1), _row(1, 0))
    with pytest.raises(DataError, match='no image'):
        mean_metrics([])


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(DataError, match=r'\(1, 2\), \(1, 3\)'):
        depth_metrics(_row(1, 2), _row(1, 2, 3))
    with pytest.raises(DataError, match=r'\(1, 2\), \(1, 2\), \(2, 1\)'):
        depth_metrics(_row(1, 2), _row(1, 2), np.ones((2, 1), dtype=bool))


def test_a_pixel_without_depth_counts_as_the_farthest_depth() -> None:
    filled = fill_missing(_row(math.nan, 0.0, math.inf, -1.0, 3.0), max_depth=10.5)
    assert filled.tolist() == [[10.5, 10.5, 10.5, 10.5, 3.0]]
    assert filled.dtype == np.float32
