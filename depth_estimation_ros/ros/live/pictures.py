"""Frames as small pictures: fewer pixels, JPEG, depth in colours with a scale in metres."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.depth.depth_image import colorize, valid_mask
from depth_estimation_ros.errors import ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_WIDTH = 480  # [px], what a side panel shows
JPEG_QUALITY = 80
READING_CELLS = (24, 32)  # (rows, columns) of the metres under the mouse
SCALE_HEIGHT = 30  # [px]
SCALE_ENDS = (1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 50.0, 80.0, 120.0, 250.0, 500.0, 1000.0)
SHARE_ON_SCALE = 98.0  # per cent of the valid pixels
NUM_FRAMES_TO_SHRINK = 30
_BAR_HEIGHT = 10  # [px]
_TEXT_COLOR = (200, 204, 210)
_BACKGROUND = (26, 27, 30)


def reduction(width: int, max_width: int = MAX_WIDTH) -> int:
    """Return the least whole factor that brings a width down to `max_width`."""
    return max(1, math.ceil(width / max_width))


def reduce_rgb(rgb_hwc: NDArray[np.uint8], max_width: int = MAX_WIDTH) -> NDArray[np.uint8]:
    """Average blocks of pixels so that the picture is at most `max_width` wide.

    Args:
        rgb_hwc: (H, W, 3) uint8 RGB.
        max_width: In pixels.

    Returns:
        (ceil(H / n), ceil(W / n), 3) uint8 RGB, for the factor n of `reduction`.
    """
    import cv2

    step = reduction(rgb_hwc.shape[1], max_width)
    if step == 1:
        return rgb_hwc
    size = (math.ceil(rgb_hwc.shape[1] / step), math.ceil(rgb_hwc.shape[0] / step))
    return np.asarray(cv2.resize(rgb_hwc, size, interpolation=cv2.INTER_AREA), np.uint8)


def reduce_depth(depth: NDArray[np.float32], max_width: int = MAX_WIDTH) -> NDArray[np.float32]:
    """Keep every n-th pixel, so that no depth is a mixture of near and far.

    Args:
        depth: (H, W) float32 [m], anything not finite = none.
        max_width: In pixels.

    Returns:
        (ceil(H / n), ceil(W / n)) float32 [m], for the factor n of `reduction`.
    """
    step = reduction(depth.shape[1], max_width)
    return depth[::step, ::step]


def encode_jpeg(rgb_hwc: NDArray[np.uint8], quality: int = JPEG_QUALITY) -> bytes:
    """Compress a picture.

    Args:
        rgb_hwc: (H, W, 3) uint8 RGB.
        quality: 1 to 100.

    Raises:
        ImageError: OpenCV cannot encode it.
    """
    import cv2

    bgr = np.ascontiguousarray(rgb_hwc[..., ::-1])
    encoded, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise ImageError(f'cannot encode {rgb_hwc.shape} {rgb_hwc.dtype} as JPEG')
    return data.tobytes()


def depth_picture(depth: NDArray[np.float32], far: float) -> NDArray[np.uint8]:
    """Paint depth: near is red, `far` and more is blue, none is black.

    Args:
        depth: (H, W) float32 [m], anything not finite = none.
        far: End of the scale [m].

    Returns:
        (H, W, 3) uint8 RGB.
    """
    bgr = colorize(depth, min_depth=0.0, max_depth=far)
    return np.ascontiguousarray(bgr[..., ::-1])


def ticks(far: float) -> list[float]:
    """Choose 4 to 8 round depths [m] from 0 to `far`, both ends included."""
    for step in (0.2, 0.5, 1.0, 2.0, 4.0, 5.0, 10.0, 20.0, 40.0, 50.0, 100.0, 200.0):
        if far / step <= 7.0:
            break
    inner = [step * index for index in range(math.ceil(far / step))]
    # A tick that would touch the last one gives way to it.
    return [tick for tick in inner if far - tick > 0.4 * step] + [far]


def draw_scale(far: float, width: int) -> NDArray[np.uint8]:
    """Draw the colours of `depth_picture` with their metres.

    Args:
        far: End of the scale [m].
        width: Of the picture [px].

    Returns:
        (SCALE_HEIGHT, width, 3) uint8 RGB; 0 m is at the left edge, `far` at the right one.
    """
    import cv2

    scale: NDArray[np.uint8] = np.empty((SCALE_HEIGHT, width, 3), np.uint8)
    scale[:] = _BACKGROUND
    # The first pixel is not at 0, which would be painted as no depth.
    depths = (np.arange(width, dtype=np.float32) + np.float32(0.5)) * np.float32(far / width)
    scale[:_BAR_HEIGHT] = depth_picture(depths[np.newaxis], far)
    for tick in ticks(far):
        column = min(round(tick / far * width), width - 1)
        scale[_BAR_HEIGHT : _BAR_HEIGHT + 3, column] = _TEXT_COLOR
        text = f'{tick:g} m' if tick == far else f'{tick:g}'
        (text_width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)
        left = min(max(column - text_width // 2, 0), width - text_width)
        cv2.putText(
            scale,
            text,
            (left, SCALE_HEIGHT - 4),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.4,
            _TEXT_COLOR,
            1,
            cv2.LINE_AA,
        )
    return scale


class ScaleEnd:
    """The far end of the colour scale: it holds nearly all depths and does not flicker.

    It grows at once, and shrinks when a smaller one would have done for a while.
    """

    def __init__(self) -> None:
        self._end = 0.0
        self._num_smaller = 0

    def update(self, depth: NDArray[np.float32]) -> float:
        """Look at a depth image and return the end of its scale [m]."""
        valid = depth[valid_mask(depth)]
        if valid.size == 0:
            return self._end or SCALE_ENDS[3]
        farthest = float(np.percentile(valid, SHARE_ON_SCALE))
        wanted = next((end for end in SCALE_ENDS if farthest <= end), SCALE_ENDS[-1])
        self._num_smaller = self._num_smaller + 1 if wanted < self._end else 0
        if wanted > self._end or self._num_smaller >= NUM_FRAMES_TO_SHRINK:
            self._end = wanted
            self._num_smaller = 0
        return self._end


def readings(
    depth: NDArray[np.float32], cells: tuple[int, int] = READING_CELLS
) -> NDArray[np.float32]:
    """Sample the depth in the middle of each cell of a grid.

    Args:
        depth: (H, W) float32 [m], anything not finite = none.
        cells: (rows, columns).

    Returns:
        (rows, columns) float32 [m].
    """
    height, width = depth.shape
    rows = ((np.arange(cells[0]) + 0.5) * height / cells[0]).astype(np.intp)
    columns = ((np.arange(cells[1]) + 0.5) * width / cells[1]).astype(np.intp)
    sampled: NDArray[np.float32] = depth[rows[:, None], columns]
    return sampled


def depth_at(depth: NDArray[np.float32], pixel: tuple[int, int]) -> float:
    """Return the median [m] of the valid depths of 5x5 pixels, NaN if there is none.

    Args:
        depth: (H, W) float32 [m], anything not finite = none.
        pixel: (column, row) of the middle; it may lie outside.
    """
    column, row = pixel
    patch = depth[max(row - 2, 0) : max(row + 3, 0), max(column - 2, 0) : max(column + 3, 0)]
    valid = patch[valid_mask(patch)]
    return float(np.median(valid)) if valid.size else math.nan
