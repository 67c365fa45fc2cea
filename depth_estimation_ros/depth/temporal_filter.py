"""Less flicker from frame to frame, without a trail behind what moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ['TemporalFilter']

# A pixel that changes by more than this share of its depth has moved.
MOVED_SHARE = 0.05


class TemporalFilter:
    """Blends each pixel with its own past while that past is of the same surface."""

    def __init__(self) -> None:
        self._past: NDArray[np.float32] | None = None

    def apply(self, depth: NDArray[np.float32], weight: float) -> NDArray[np.float32]:
        """Filter one frame.

        Args:
            depth: (H, W) float32 [m], NaN = invalid.
            weight: Share of the past in a pixel that has not moved, 0..1.

        Returns:
            (H, W) float32 [m], NaN exactly where `depth` is; a pixel whose past differs by more
            than MOVED_SHARE, or was invalid, is as it came.
        """
        past = self._past
        filtered = depth
        if past is not None and past.shape == depth.shape:
            same = np.abs(depth - past) <= np.float32(MOVED_SHARE) * depth
            share = np.float32(weight)
            filtered = np.where(same, depth + share * (past - depth), depth)
        self._past = filtered
        return filtered

    def reset(self) -> None:
        """Forget the past, as after a jump of time."""
        self._past = None
