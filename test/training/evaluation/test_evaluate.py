"""Evaluation: the three conventions and the protocol's order of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from red_is_depth import RedIsDepth

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.nyu.eigen_test import Crop
from depth_estimation_ros.training.data.rgbd_sample import RgbdSample
from depth_estimation_ros.training.evaluation.evaluate import (
    Convention,
    EvaluationOptions,
    MetricAccumulator,
    evaluate,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.depth.metrics import DepthMetrics


def sample(prediction: list[list[int]], truth: list[list[float]]) -> RgbdSample:
    red = np.array(prediction, dtype=np.uint8)
    image = np.stack([red, red * 0, red * 0], axis=2)
    return RgbdSample(image=image, depth=np.array(truth, dtype=np.float32))


def two_images(convention: Convention) -> DepthMetrics:
    """One pixel of 2 m seen as 1 m, and three pixels of 4 m seen as 5 m."""
    accumulator = MetricAccumulator(convention)
    accumulator.add(np.array([1.0], np.float32), np.array([2.0], np.float32))
    accumulator.add(np.full(3, 5.0, np.float32), np.full(3, 4.0, np.float32))
    return accumulator.result()


def test_per_image_metrics_are_means_of_images() -> None:
    metrics = two_images(Convention.PER_IMAGE)
    assert metrics.abs_rel == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert metrics.sq_rel == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert metrics.rmse == pytest.approx(1.0)
    assert metrics.log10 == pytest.approx((np.log10(2) + np.log10(1.25)) / 2)
    assert metrics.rmse_log == pytest.approx((np.log(2) + np.log(1.25)) / 2)
    # Ratios 2 and 1.25: the limits are 1.25, 1.5625 and 1.953, and 1.25 is not below 1.25.
    assert (metrics.a1, metrics.a2, metrics.a3) == (0.0, 0.5, 0.5)


def test_pooled_metrics_are_means_of_pixels() -> None:
    metrics = two_images(Convention.POOLED)
    assert metrics.abs_rel == pytest.approx((1 / 2 + 3 / 4) / 4)
    assert metrics.a2 == pytest.approx(3 / 4)
    assert metrics.rmse_log == pytest.approx(np.sqrt((np.log(2) ** 2 + 3 * np.log(1.25) ** 2) / 4))


def test_the_densedepth_head_convention_divides_by_the_prediction() -> None:
    metrics = two_images(Convention.DENSEDEPTH_HEAD)
    assert metrics.abs_rel == pytest.approx((1 / 1 + 3 / 5) / 4)
    assert metrics.sq_rel == pytest.approx((1 / 1 + 3 / 5) / 4)
    pooled = two_images(Convention.POOLED)
    assert metrics.rmse == pooled.rmse
    assert metrics.log10 == pytest.approx(pooled.log10)
    assert (metrics.a1, metrics.a2, metrics.a3) == (pooled.a1, pooled.a2, pooled.a3)


def test_pooling_takes_the_root_last() -> None:
    accumulator = MetricAccumulator(Convention.POOLED)
    accumulator.add(np.array([4.0], np.float32), np.array([1.0], np.float32))
    accumulator.add(np.array([5.0], np.float32), np.array([1.0], np.float32))
    assert accumulator.result().rmse == pytest.approx(np.sqrt((9 + 16) / 2))  # not 3.5


def test_unknown_truth_does_not_count() -> None:
    samples = [
        sample([[1, 9, 9], [9, 9, 2]], [[2.0, 0.0, np.nan], [np.inf, -1.0, 4.0]]),
        sample([[7, 7, 7], [7, 7, 7]], [[0.0] * 3] * 2),
    ]
    result = evaluate(RedIsDepth(), samples, EvaluationOptions())
    assert result.metrics.abs_rel == pytest.approx(0.5)
    assert (result.num_images, result.num_skipped) == (1, 1)


def test_truth_beyond_a_limit_does_not_count() -> None:
    samples = [sample([[3, 1], [1, 1], [1, 1]], [[2.0, 50.0], [50.0, 50.0], [50.0, 50.0]])]
    result = evaluate(RedIsDepth(), samples, EvaluationOptions(max_truth=10.0))
    assert result.metrics.abs_rel == pytest.approx(0.5)


def test_no_known_depth_at_all_is_an_error() -> None:
    samples = [sample([[1, 1, 1]], [[0.0, 0.0, 0.0]])]
    with pytest.raises(DataError, match='no image with any known depth'):
        evaluate(RedIsDepth(), samples, EvaluationOptions())


def test_flipping_averages_depth_with_the_mirrored_images_prediction() -> None:
    class LeftIsNear(RedIsDepth):
        def predict(
            self, images: Sequence[NDArray[np.uint8]], intrinsics: CameraIntrinsics | None
        ) -> list[NDArray[np.float32]]:
            depths = super().predict(images, intrinsics)
            ramp = np.arange(3).astype(np.float32)
            return [np.add(depth, ramp, dtype=np.float32) for depth in depths]

    truth = [[3.0, 5.0, 7.0], [3.0, 3.0, 3.0]]
    predictor = LeftIsNear()
    samples = [sample([[2, 4, 6], [2, 2, 2]], truth)]
    result = evaluate(predictor, samples, EvaluationOptions(flip=True))
    # Red + 0, 1, 2 and, mirrored back, red + 2, 1, 0: red + 1 everywhere.
    assert result.metrics.abs_rel == pytest.approx(0.0)
    assert predictor.seen[1][0, :, 0].tolist() == [6, 4, 2]


def test_median_scaling_leaves_the_error_of_shape_alone() -> None:
    samples = [sample([[1, 2, 3], [1, 2, 3]], [[2.0, 4.0, 6.0], [2.0, 4.0, 6.0]])]
    scaled = evaluate(RedIsDepth(), samples, EvaluationOptions(median_scaling=True))
    assert scaled.metrics.abs_rel == pytest.approx(0.0)
    plain = evaluate(RedIsDepth(), samples, EvaluationOptions())
    assert plain.metrics.abs_rel == pytest.approx(0.5)


def test_the_last_row_and_column_of_the_crop_count() -> None:
    samples = [sample([[9, 9, 9, 9], [9, 2, 3, 9], [9, 9, 9, 9]], [[1.0] * 4] * 3)]
    crop = Crop(top=1, bottom=1, left=1, right=2)
    result = evaluate(RedIsDepth(), samples, EvaluationOptions(crop=crop))
    assert result.metrics.abs_rel == pytest.approx((1 + 2) / 2)


def test_what_is_left_out_counts_as_the_farthest_depth_of_the_range() -> None:
    # RedIsDepth gives 0.5 to 10.5 m; red 0 is no depth: 1 m and 8 m count as 10.5 m.
    samples = [sample([[0, 0, 4, 5]], [[1.0, 8.0, 4.0, 5.0]])]
    result = evaluate(RedIsDepth(), samples, EvaluationOptions())
    assert result.metrics.abs_rel == pytest.approx((9.5 / 1 + 2.5 / 8) / 4)
    assert result.metrics.rmse == pytest.approx(np.sqrt((9.5**2 + 2.5**2) / 4))
    assert result.metrics.a3 == 0.75  # 10.5 / 8 is below 1.25^3
    assert result.fraction_without_depth == 0.5


def test_median_scaling_scales_what_there_is_and_not_the_far_end() -> None:
    # Of 4 m and 5 m the factor is 2; the hole at 8 m stays 10.5 m.
    samples = [sample([[0, 4, 5]], [[8.0, 8.0, 10.0]])]
    result = evaluate(RedIsDepth(), samples, EvaluationOptions(median_scaling=True))
    assert result.metrics.abs_rel == pytest.approx(2.5 / 8 / 3)
    nothing = [sample([[0, 0]], [[8.0, 1.0]])]
    result = evaluate(RedIsDepth(), nothing, EvaluationOptions(median_scaling=True))
    assert result.metrics.abs_rel == pytest.approx((2.5 / 8 + 9.5) / 2)


def test_a_pixel_that_one_direction_leaves_out_has_no_average() -> None:
    class BlindOnTheLeft(RedIsDepth):
        def predict(
            self, images: Sequence[NDArray[np.uint8]], intrinsics: CameraIntrinsics | None
        ) -> list[NDArray[np.float32]]:
            depths = super().predict(images, intrinsics)
            for depth in depths:
                depth[:, 0] = np.nan
            return depths

    samples = [sample([[2, 2, 2, 2]], [[2.0, 2.0, 2.0, 2.0]])]
    result = evaluate(BlindOnTheLeft(), samples, EvaluationOptions(flip=True))
    assert result.fraction_without_depth == 0.5  # the left column, and mirrored the right one
    assert result.metrics.abs_rel == pytest.approx(8.5 / 2 / 2)


def test_errors_are_told_apart_by_the_distance_of_the_truth() -> None:
    # 2 m for 1 m and 4 m for 5 m in one image, 5 m for 4 m in another, 10 m for 8 m in the third
    samples = [
        sample([[2, 4]], [[1.0, 5.0]]),
        sample([[5, 5]], [[4.0, 5.0]]),
        sample([[10]], [[8.0]]),
    ]
    result = evaluate(RedIsDepth(), samples, EvaluationOptions())
    found = [[e.nearest, e.farthest, e.share, e.abs_rel] for e in result.by_distance]
    expected = [[1, 2, 0.2, 1.0], [4, 6, 0.6, (0.2 + 0.25) / 3], [8, np.inf, 0.2, 0.25]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_each_image_has_its_own_error() -> None:
    # 2 m for 1 m and 4 m for 5 m: (1 + 0.2) / 2; nothing known; 10 m for 8 m
    samples = [
        sample([[2, 4]], [[1.0, 5.0]]),
        sample([[2, 4]], [[0.0, np.nan]]),
        sample([[10]], [[8.0]]),
    ]
    result = evaluate(RedIsDepth(), samples, EvaluationOptions())
    assert list(result.abs_rel_by_image) == [pytest.approx(0.6), None, pytest.approx(0.25)]
    assert result.num_skipped == 1


def test_a_crop_larger_than_the_images_is_refused() -> None:
    options = EvaluationOptions(crop=Crop(top=0, bottom=1, left=0, right=1))
    with pytest.raises(DataError, match='rows 0 to 1 and columns 0 to 1, the images are 1x2'):
        evaluate(RedIsDepth(), [sample([[2, 4]], [[1.0, 5.0]])], options)
