"""Pixels of YUV and Bayer images averaged before their conversion to RGB.

A conversion is linear, so averages may be converted instead of pixels: the network looks at so
few that most of the work of converting the others is saved. What differs from converting first
is rounding, colours that a full conversion would have clipped, and a mosaic's colours, which are
averaged here and interpolated there.

Legend: H, W = height and width of the image [px]; n = 2, 4 or 8, which divides both.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Averager = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]

__all__ = ['AVERAGERS']

# BT.601 of limited range, as OpenCV converts it: R, G, B of Y - 16, U - 128, V - 128.
_BT601: Final = np.array(
    [[1.1640, 0.0, 1.5960], [1.1640, -0.3910, -0.8130], [1.1640, 2.0180, 0.0]]
)
_BT601_CONSTANT: Final = -_BT601 @ np.array([16.0, 128.0, 128.0])
# Samples of a pair or a block -> Y, U, V or R, G, B.
_YUYV: Final = np.array([[0.5, 0, 0.5, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
_UYVY: Final = np.array([[0, 0.5, 0, 0.5], [1, 0, 0, 0], [0, 0, 1, 0]])


def _nv(samples: NDArray[np.uint8], n: int, *, chroma: tuple[int, int]) -> NDArray[np.uint8]:
    """(3 H / 2, W) uint8, chroma in the last third -> (H / n, W / n, 3)."""
    import cv2

    height, width = samples.shape[0] * 2 // 3, samples.shape[1]
    luma = _averaged(samples[:height], height // n)
    pairs = samples[height:].reshape(height // 2, width // 2, 2)
    u, v = cv2.split(_averaged(pairs, height // n)[..., chroma])
    return _transformed(np.dstack([luma, u, v]), _BT601, _BT601_CONSTANT)


def _yuv422(
    samples: NDArray[np.uint8], n: int, *, to_yuv: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """(H, W, 2) uint8 -> (H / n, W / n, 3)."""
    import cv2

    height, width, _ = samples.shape
    pairs = samples.reshape(height, width // 2, 4)
    blocks = cv2.addWeighted(pairs[::2], 0.5, pairs[1::2], 0.5, 0.0)
    pairs = _averaged(np.asarray(blocks, np.uint8), height // n)
    return _transformed(pairs, _BT601 @ to_yuv, _BT601_CONSTANT)


def _mosaic(samples: NDArray[np.uint8], n: int, *, pattern: str) -> NDArray[np.uint8]:
    """(H, W) uint8 -> (H / n, W / n, 3)."""
    import cv2

    height, width = samples.shape
    rows = [
        _averaged(samples[start::2].reshape(height // 2, width // 2, 2), height // n)
        for start in (0, 1)
    ]
    shares = [[float(color == site) / pattern.count(color) for site in pattern] for color in 'rgb']
    blocks = np.empty((*rows[0].shape[:2], 4), np.uint8)
    cv2.mixChannels(rows, [blocks], [0, 0, 1, 1, 2, 2, 3, 3])
    return _transformed(blocks, np.array(shares), np.zeros(3))


AVERAGERS: Final[dict[str, Averager]] = {
    'nv12': partial(_nv, chroma=(0, 1)),
    'nv21': partial(_nv, chroma=(1, 0)),
    'yuyv': partial(_yuv422, to_yuv=_YUYV),
    'yuv422_yuy2': partial(_yuv422, to_yuv=_YUYV),
    'uyvy': partial(_yuv422, to_yuv=_UYVY),
    'yuv422': partial(_yuv422, to_yuv=_UYVY),
    **{
        f'bayer_{pattern}{bits}': partial(_mosaic, pattern=pattern)
        for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')
        for bits in (8, 16)
    },
}


def _averaged(samples: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Halve until that height: OpenCV has a fast way for 2 x 2 samples, and for no other block."""
    import cv2

    while samples.shape[0] > height:
        half = (samples.shape[1] // 2, samples.shape[0] // 2)
        samples = np.asarray(cv2.resize(samples, half, interpolation=cv2.INTER_AREA), np.uint8)
    return samples


def _transformed(
    samples: NDArray[np.uint8], matrix: NDArray[np.float64], constant: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Give matrix @ samples + constant of each pixel, rounded and clipped."""
    import cv2

    transformed = cv2.transform(samples, np.column_stack([matrix, constant]))
    return np.asarray(transformed, np.uint8)
