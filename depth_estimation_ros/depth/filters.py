"""Filters of depth: edges within a frame, flicker from frame to frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ['TemporalFilter', 'edge_mask']

# A pixel that changes by more than this share of its depth has moved.
MOVED_SHARE = 0.05


def edge_mask(depth: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """Find pixels at depth discontinuities, where depth is a mixture of near and far.

    Use it at the resolution of the network: in an enlarged image every edge is a ramp of small
    steps.

    Args:
        depth: (H, W) float32 [m], NaN = invalid (no edge).
        threshold: Relative step: |a - b| / min(a, b) above it marks both neighbours, in rows
            and in columns.

    Returns:
        (H, W) bool.

    Raises:
        ConfigError: The threshold is not above 0.
    """
    if not threshold > 0.0:
        raise ConfigError(f'edge threshold {threshold}: must be above 0')
    edges = np.zeros(depth.shape, dtype=bool)
    ratio = np.float32(1.0 + threshold)
    for before, after in (
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
    ):
        a, b = depth[before], depth[after]
        steps = (a > b * ratio) | (b > a * ratio)
        edges[before] |= steps
        edges[after] |= steps
    return edges


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
