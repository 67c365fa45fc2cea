"""How much of an image is black or white."""

from __future__ import annotations

import numpy as np

from depth_estimation_ros.depth.exposure import black_and_white


def test_black_and_white_pixels_are_counted_by_all_their_samples() -> None:
    rgb = np.full((3, 4, 3), 128, np.uint8)
    rgb[0] = 4  # 4 of 12 are black
    rgb[1, :3] = 251  # 3 of 12 are white
    rgb[2, 0] = (0, 0, 5)
    rgb[2, 1] = (255, 250, 255)
    assert black_and_white(rgb) == (4 / 12, 3 / 12)


def test_of_a_large_image_every_third_row_and_column_is_looked_at() -> None:
    rgb = np.zeros((192, 256, 3), np.uint8)  # 192 / 64 = 3
    rgb[::3, ::3] = 255
    assert black_and_white(rgb) == (0.0, 1.0)
