"""Flying pixels: where an enlarged depth image blends an object with what is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.depth.depth_image import edge_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ['flying_pixels']


def flying_pixels(
    depth: NDArray[np.float32], *, grid_size: tuple[int, int], threshold: float
) -> NDArray[np.bool_]:
    """Find the pixels at depth discontinuities of an image enlarged from a coarser grid.

    The samples of the grid are taken from the image again: in the image itself an edge is a ramp
    of small steps, on the grid it is one.

    Args:
        depth: (H, W) float32 [m], NaN = invalid.
        grid_size: (height, width) of the depth before it was enlarged.
        threshold: Relative step between two samples of the grid that makes an edge, above 0.

    Returns:
        (H, W) bool: True in the whole of every sample beside an edge.

    Raises:
        ConfigError: The threshold is not above 0.
    """
    import cv2

    height, width = depth.shape
    grid = (min(grid_size[1], width), min(grid_size[0], height))
    samples = cv2.resize(depth, grid, interpolation=cv2.INTER_NEAREST_EXACT)
    edges = edge_mask(np.asarray(samples, np.float32), threshold)
    enlarged = cv2.resize(
        edges.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT
    )
    return np.asarray(enlarged).view(np.bool_)
