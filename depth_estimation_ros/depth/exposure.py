"""How a camera's image is exposed: what is black or white tells a network nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ['black_and_white']

BLACK, WHITE = 4, 251  # the brightest and the darkest sample that still count as such
_SHORTER_SIDE = 64  # [px] of the pixels that are looked at


def black_and_white(rgb_hwc: NDArray[np.uint8]) -> tuple[float, float]:
    """Tell which share of an image is black and which is white.

    Args:
        rgb_hwc: (H, W, 3) uint8 RGB; of a large image a grid of pixels is looked at.

    Returns:
        Shares 0..1 of the pixels all of whose samples are at most 4, and at least 251.
    """
    step = max(1, min(rgb_hwc.shape[:2]) // _SHORTER_SIDE)
    pixels = rgb_hwc[::step, ::step]
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    black = np.maximum(np.maximum(red, green), blue) <= BLACK
    white = np.minimum(np.minimum(red, green), blue) >= WHITE
    return float(black.mean()), float(white.mean())
