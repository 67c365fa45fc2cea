"""Depth edges: where a sample lies beside one that is much nearer or farther."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ['edge_mask']


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
