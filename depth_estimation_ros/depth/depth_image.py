"""Depth images: validity, range limits, 16-bit millimetres, colours.

Inside this package a depth image is (H, W) float32 in metres along Z; NaN is invalid. REP 117's
infinities appear only where `limit_range` puts them, on the way out.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from depth_estimation_ros.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    'MAX_16UC1_DEPTH',
    'MAX_SENSOR_DEPTH',
    'NO_DEPTH_16BIT',
    'RangePolicy',
    'colorize',
    'from_16uc1',
    'impossible_depth',
    'limit_range',
    'to_16uc1',
    'valid_fraction',
    'valid_mask',
]

MAX_16UC1_DEPTH = 65.534  # [m]
NO_DEPTH_16BIT = 65535  # what many drivers, and 7-Scenes, write for no depth beside 0
MAX_SENSOR_DEPTH = 1000.0  # [m]; no depth camera or lidar of a robot measures farther
_INVALID_COLOR = 0  # black


class RangePolicy(str, Enum):
    """What a depth outside the limits becomes."""

    REP117 = 'rep117'  # nearer: -Inf, farther: +Inf
    NAN = 'nan'  # both: NaN, unknown

    def __str__(self) -> str:
        return self.value


def valid_mask(depth: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(H, W) bool: True where depth is a finite number above 0."""
    return (depth > 0.0) & (depth < np.inf)


def valid_fraction(depth: NDArray[np.float32]) -> float:
    """Share of the pixels that are valid, 0..1; 0 for an empty image."""
    return np.count_nonzero(valid_mask(depth)) / max(1, depth.size)


def limit_range(
    depth: NDArray[np.float32],
    *,
    min_depth: float,
    max_depth: float,
    policy: RangePolicy = RangePolicy.REP117,
) -> NDArray[np.float32]:
    """Replace depths outside the limits; never reports a limit as a reading.

    Args:
        depth: (H, W) float32 [m], NaN = invalid. -Inf and +Inf count as too near and too far.
        min_depth: Nearest depth that is reported [m].
        max_depth: Farthest depth that is reported [m]; +Inf = no limit.
        policy: See RangePolicy.

    Returns:
        (H, W) float32 [m], a new array.

    Raises:
        ConfigError: Not 0 <= min_depth < max_depth.
    """
    if not 0.0 <= min_depth < max_depth:
        raise ConfigError(f'depth limits {min_depth}..{max_depth} m: must be 0 <= min < max')
    nearer, farther = (-np.inf, np.inf) if policy is RangePolicy.REP117 else (np.nan, np.nan)
    limited: NDArray[np.float32] = depth.astype(np.float32)  # a copy
    limited[depth < min_depth] = nearer
    limited[depth > max_depth] = farther
    return limited


def to_16uc1(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Encode as millimetres: REP 118's raw form.

    Args:
        depth: (H, W) float32 [m]; NaN, infinite, not positive or above MAX_16UC1_DEPTH (once
            rounded) is invalid.

    Returns:
        (H, W) uint16 [mm], rounded to the nearest, 0 = invalid.
    """
    millimetres = np.rint(depth * np.float32(1000.0))
    inside = (millimetres >= 0.0) & (millimetres < NO_DEPTH_16BIT)
    encoded: NDArray[np.uint16] = np.where(inside, millimetres, np.float32(0.0)).astype(np.uint16)
    return encoded


def from_16uc1(millimetres: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Inverse of `to_16uc1`.

    Args:
        millimetres: (H, W) uint16 [mm], 0 and 65535 = invalid.

    Returns:
        (H, W) float32 [m], NaN = invalid.

    Raises:
        ImageError: The image is not 16-bit (8-bit depth has other units).
    """
    if millimetres.dtype != np.uint16:
        raise ImageError(f'depth of type {millimetres.dtype}: 16UC1 is uint16 millimetres')
    depth: NDArray[np.float32] = millimetres.astype(np.float32) / np.float32(1000.0)
    depth[(millimetres == 0) | (millimetres == NO_DEPTH_16BIT)] = np.nan
    return depth


def impossible_depth(
    depth: NDArray[Any], metres_per_unit: float = 1.0, *, depth_invalid: float | None = None
) -> NDArray[np.bool_]:
    """Return (H, W) bool: True where a raw depth is a mark for none, or more than a sensor gives.

    0 and NaN are what they should be for none, and are not told here.
    """
    with np.errstate(invalid='ignore'):
        impossible = depth > MAX_SENSOR_DEPTH / metres_per_unit
    if depth.dtype == np.uint16:
        impossible |= depth == NO_DEPTH_16BIT
    if depth_invalid is not None:
        impossible |= depth == depth_invalid
    return np.asarray(impossible)


def colorize(
    depth: NDArray[np.float32], *, min_depth: float, max_depth: float
) -> NDArray[np.uint8]:
    """Paint depth for people: near is red, far is blue, in fixed limits.

    Args:
        depth: (H, W) float32 [m]. Finite depths outside the limits take the limit's colour.
        min_depth: Depth painted dark red [m].
        max_depth: Depth painted dark blue [m].

    Returns:
        (H, W, 3) uint8 BGR; NaN, infinite and not positive are black.

    Raises:
        ConfigError: Not min_depth < max_depth, both finite.
    """
    if not -np.inf < min_depth < max_depth < np.inf:
        raise ConfigError(f'colour limits {min_depth}..{max_depth} m: must be finite, min < max')
    # Level 0 is black, 1 is the far and 255 the near limit.
    levels = (np.float32(max_depth) - depth) * np.float32(254.0 / (max_depth - min_depth))
    levels = np.clip(levels, 0.0, 254.0) + 1.5
    levels = np.where(valid_mask(depth), levels, np.float32(_INVALID_COLOR)).astype(np.uint8)
    return _apply_colormap(levels)


def _apply_colormap(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) uint8 -> (H, W, 3) uint8 BGR."""
    import cv2

    return np.asarray(cv2.applyColorMap(levels, _colormap()), dtype=np.uint8)


@lru_cache(maxsize=1)
def _colormap() -> NDArray[np.uint8]:
    """(256, 1, 3) uint8 BGR: Turbo with black at level 0."""
    import cv2

    levels = np.arange(256, dtype=np.uint8)[:, None]
    colors = np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO), dtype=np.uint8)
    colors[0] = _INVALID_COLOR
    return colors
