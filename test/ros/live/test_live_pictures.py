"""Pictures of the page: reduction, JPEG, colours, the scale in metres, by hand."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from depth_estimation_ros.ros.live.pictures import (
    NUM_FRAMES_TO_SHRINK,
    ScaleEnd,
    depth_at,
    depth_picture,
    draw_scale,
    encode_jpeg,
    readings,
    reduce_depth,
    reduce_rgb,
    reduction,
    ticks,
)

NAN = math.nan


@pytest.mark.parametrize(('width', 'factor'), [(320, 1), (480, 1), (481, 2), (640, 2), (1920, 4)])
def test_a_picture_is_reduced_by_the_least_whole_factor(width: int, factor: int) -> None:
    assert reduction(width, 480) == factor


def test_a_small_picture_is_left_as_it_is() -> None:
    rgb = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    assert reduce_rgb(rgb, 4) is rgb


def test_colours_are_averaged_and_depth_is_not() -> None:
    rgb = np.zeros((2, 4, 3), np.uint8)
    rgb[0] = 100
    assert reduce_rgb(rgb, 2)[..., 0].tolist() == [[50, 50]]
    depth = np.array([[1.0, 9.0, 2.0, 9.0], [9.0, 9.0, 9.0, 9.0]], np.float32)
    assert reduce_depth(depth, 2).tolist() == [[1.0, 2.0]]


def test_a_jpeg_has_the_colours_in_their_places() -> None:
    rgb = np.zeros((16, 32, 3), np.uint8)
    rgb[:] = (200, 40, 10)
    decoded = cv2.imdecode(np.frombuffer(encode_jpeg(rgb), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (16, 32, 3)
    assert np.abs(decoded[8, 16].astype(int) - (10, 40, 200)).max() <= 4


def test_near_is_red_far_is_blue_and_none_is_black() -> None:
    near, far, none = depth_picture(np.array([[0.1, 5.0, NAN]], np.float32), 5.0)[0].astype(int)
    assert near[0] > near[2] + 50
    assert far[2] > far[0]
    assert none.tolist() == [0, 0, 0]


def test_the_scale_ends_with_a_round_depth_and_has_round_ticks() -> None:
    assert ticks(3.0) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert ticks(8.0) == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert ticks(1.0) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(1000.0) == [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]


def test_the_scale_shows_the_colour_of_a_depth_where_the_depth_is() -> None:
    scale = draw_scale(5.0, 400)
    assert scale.shape == (30, 400, 3)
    # Column 79 of 400 is 79.5 / 400 of 5 m.
    colour = depth_picture(np.array([[0.99375]], np.float32), 5.0)[0, 0]
    assert scale[2, 79].tolist() == colour.tolist()
    assert not (scale[:10] == 0).all(axis=-1).any()  # black would mean no depth


def test_the_scale_grows_at_once_and_shrinks_only_after_a_while() -> None:
    end = ScaleEnd()
    near, far = np.full((4, 5), 1.5, np.float32), np.full((4, 5), 6.0, np.float32)
    assert end.update(near) == 2.0
    assert end.update(far) == 8.0
    shrunk = [end.update(near) for _ in range(NUM_FRAMES_TO_SHRINK)]
    assert shrunk[:-1] == [8.0] * (NUM_FRAMES_TO_SHRINK - 1)
    assert shrunk[-1] == 2.0


def test_a_frame_without_depth_keeps_the_scale() -> None:
    end = ScaleEnd()
    none = np.full((2, 3), NAN, np.float32)
    assert end.update(none) == 5.0
    assert end.update(np.full((2, 3), 2.5, np.float32)) == 3.0
    assert end.update(none) == 3.0


def test_two_far_pixels_of_a_hundred_do_not_stretch_the_scale() -> None:
    depth = np.full((10, 20), 2.0, np.float32)
    depth[0, :2] = 90.0
    assert ScaleEnd().update(depth) == 2.0


def test_readings_are_the_depths_in_the_middle_of_the_cells() -> None:
    depth = np.arange(24, dtype=np.float32).reshape(4, 6)
    # Two rows of cells: rows 1 and 3; three columns: columns 1, 3 and 5.
    assert readings(depth, (2, 3)).tolist() == [[7.0, 9.0, 11.0], [19.0, 21.0, 23.0]]


def test_the_depth_of_a_pixel_is_the_median_around_it() -> None:
    depth = np.full((20, 30), 2.0, np.float32)
    depth[10, 15] = 50.0
    depth[8:10] = NAN
    assert depth_at(depth, (15, 10)) == 2.0
    assert math.isnan(depth_at(np.full((20, 30), np.inf, np.float32), (15, 10)))
    assert math.isnan(depth_at(depth, (300, 10)))
    assert math.isnan(depth_at(depth, (-300, -10)))
