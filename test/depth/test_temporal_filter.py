"""The temporal filter: steady pixels are blended, moving and invalid ones are not."""

from __future__ import annotations

import numpy as np

from depth_estimation_ros.depth.filters import TemporalFilter


def image(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_the_first_frame_is_as_it_came() -> None:
    np.testing.assert_array_equal(TemporalFilter().apply(image(1, 2, 3), 0.5), image(1, 2, 3))


def test_steady_pixels_keep_their_share_of_the_past_and_moving_ones_none() -> None:
    made = TemporalFilter()
    made.apply(image(2.0, 2.0, np.nan, 2.0), 0.75)
    # 2.08 is 4 % off: 0.75 x 2.00 + 0.25 x 2.08 = 2.02. 2.5 is a fifth off: it has moved.
    filtered = made.apply(image(2.08, 2.5, 2.0, np.nan), 0.75)
    np.testing.assert_allclose(filtered, image(2.02, 2.5, 2.0, np.nan), rtol=1e-6)


def test_what_it_gave_is_the_past_of_the_next_frame() -> None:
    made = TemporalFilter()
    for value in (2.0, 2.08, 2.08):
        filtered = made.apply(image(value), 0.5)
    np.testing.assert_allclose(filtered, image(2.06), rtol=1e-6)


def test_another_size_begins_anew() -> None:
    made = TemporalFilter()
    made.apply(image(2.0, 2.0), 0.5)
    np.testing.assert_array_equal(made.apply(image(2.08), 0.5), image(2.08))


def test_after_a_reset_there_is_no_past() -> None:
    made = TemporalFilter()
    made.apply(image(2.0), 0.5)
    made.reset()
    np.testing.assert_array_equal(made.apply(image(2.08), 0.5), image(2.08))


def test_the_frame_given_is_not_changed() -> None:
    made = TemporalFilter()
    made.apply(image(2.0), 0.5)
    depth = image(2.08)
    made.apply(depth, 0.5)
    np.testing.assert_array_equal(depth, image(2.08))
