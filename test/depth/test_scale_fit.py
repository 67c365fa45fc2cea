"""Scale and offset of estimated depth, by numbers that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from depth_estimation_ros.depth.scale_fit import (
    MAX_PAIRS_PER_FRAME,
    DepthPairs,
    fit_scale,
    flat_target_pairs,
    image_pairs,
)
from depth_estimation_ros.errors import DataError

NAN = np.nan


def pairs(estimated: object, reference: object) -> DepthPairs:
    return DepthPairs.from_samples(np.asarray(estimated, float), np.asarray(reference, float))


def test_the_scale_is_what_the_reference_is_of_the_estimate() -> None:
    fit = fit_scale([pairs([1.0, 2.0, 4.0], [1.5, 3.0, 6.0])], min_pairs=3)
    assert fit.scale == pytest.approx(1.5)
    assert fit.offset == 0.0
    assert fit.abs_rel_before == pytest.approx(1 / 3)
    assert fit.abs_rel_after == pytest.approx(0.0)
    assert (fit.num_frames, fit.num_pairs, fit.frame_spread) == (1, 3, 0.0)


def test_a_third_of_wrong_pairs_does_not_change_the_scale() -> None:
    estimated = np.linspace(1.0, 5.0, 300)
    reference = 2.0 * estimated
    reference[::3] = 30.0
    assert fit_scale([pairs(estimated, reference)]).scale == pytest.approx(2.0)


def test_the_scale_has_the_least_mean_relative_error() -> None:
    rng = np.random.default_rng(3)
    estimated = rng.uniform(1.0, 5.0, 999)
    reference = 1.3 * estimated * rng.lognormal(0.0, 0.3, 999)
    fit = fit_scale([pairs(estimated, reference)])
    for scale in (0.98 * fit.scale, 1.02 * fit.scale):
        assert fit.abs_rel_after < np.mean(np.abs(scale * estimated - reference) / reference)


def test_scale_and_offset_come_back_in_spite_of_wrong_pairs() -> None:
    estimated = np.linspace(1.0, 5.0, 400)
    reference = 1.25 * estimated + 0.3
    reference[::5] = 9.0
    fit = fit_scale([pairs(estimated, reference)], with_offset=True)
    assert fit.scale == pytest.approx(1.25, abs=1e-4)
    assert fit.offset == pytest.approx(0.3, abs=1e-4)
    assert fit.median_error < 1e-3


def test_a_correction_that_is_there_already_is_taken_into_account() -> None:
    raw = np.linspace(1.0, 5.0, 200)
    seen = 2.0 * raw + 0.5
    fit = fit_scale([pairs(seen, 3.0 * raw + 0.5)], scale_now=2.0, offset_now=0.5)
    assert fit.scale == pytest.approx(3.0)
    assert fit.offset == 0.5
    both = fit_scale([pairs(seen, 3 * raw + 1)], scale_now=2, offset_now=0.5, with_offset=True)
    assert (both.scale, both.offset) == pytest.approx((3.0, 1.0), abs=1e-4)


def test_the_spread_of_the_frames_is_that_of_their_own_scales() -> None:
    frames = [pairs([1.0] * 60, [scale] * 60) for scale in (1.8, 2.2)]
    fit = fit_scale(frames)
    assert fit.frame_spread == pytest.approx(0.2 / 2.0)
    assert fit.num_frames == 2


def test_too_few_samples_are_counted_in_the_error() -> None:
    frames = [pairs([1.0, NAN, 0.0, np.inf], [2.0, 2.0, 2.0, 2.0]), pairs([1.0], [NAN])]
    with pytest.raises(DataError, match=r'1 samples in 1 frames are too few, at least 100'):
        fit_scale(frames)


def test_depths_that_are_alike_tell_no_offset() -> None:
    estimated = np.linspace(2.0, 2.2, 200)
    with pytest.raises(DataError, match=r'2\.02 to 2\.18 m, are too much alike'):
        fit_scale([pairs(estimated, estimated)], with_offset=True)


def test_depths_that_have_nothing_to_do_with_each_other_are_refused() -> None:
    estimated = np.linspace(1.0, 5.0, 200)
    with pytest.raises(DataError, match=r'do not belong together: the best scale is -'):
        fit_scale([pairs(estimated, 6.0 - estimated)], with_offset=True)


def test_images_of_two_sizes_are_compared_at_the_nearest_pixel() -> None:
    estimated = np.arange(1.0, 9.0).reshape(2, 4)
    found = image_pairs(estimated, np.array([[10.0, 20.0]]))
    assert found.reference.tolist() == [10, 10, 20, 20, 10, 10, 20, 20]
    assert found.estimated.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_images_of_two_aspects_are_refused() -> None:
    with pytest.raises(DataError, match='reference is 5x4 pixels, the estimate 4x2'):
        image_pairs(np.ones((2, 4)), np.ones((4, 5)))


def test_a_large_image_is_thinned_out_evenly() -> None:
    depth = np.full((100, 151), 2.0)
    found = image_pairs(depth, depth)
    assert 0.7 * MAX_PAIRS_PER_FRAME < found.estimated.size <= MAX_PAIRS_PER_FRAME


def test_a_flat_target_is_looked_for_in_the_middle_only() -> None:
    depth = np.full((10, 20), 9.0)
    depth[4:6, 8:12] = 3.0
    depth[4, 8] = NAN
    found = flat_target_pairs(depth, distance=2.0, region=0.2, max_spread=0.1)
    assert found.estimated.tolist() == [3.0] * 7
    assert found.reference.tolist() == [2.0] * 7


def test_a_target_that_is_not_flat_is_described() -> None:
    depth = np.tile(np.linspace(1.0, 3.0, 21), (10, 1))
    # In the 21x10 middle: 10th percentile 1.2, 90th 2.8, median 2: (2.8 - 1.2) / 2 = 80 %.
    with pytest.raises(DataError, match=r'21x10 pixels.* from 1\.20 to 2\.80 m \(80% .*25% is'):
        flat_target_pairs(depth, distance=2.0, region=1.0, max_spread=0.25)


def test_a_target_without_depth_is_an_error() -> None:
    with pytest.raises(DataError, match='no depth in the 4x2 pixels in the middle'):
        flat_target_pairs(np.full((10, 20), NAN), distance=2.0, region=0.2, max_spread=0.25)
