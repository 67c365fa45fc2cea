"""The calibration of docs/scale.md on a pixel that was chosen on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from depth_estimation_ros.depth.scale_fit import fit_scale, flat_target_pairs
from depth_estimation_ros.ros.scale.calibration import Correction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from depth_estimation_ros.depth.scale_fit import DepthPairs, ScaleFit

NUM_FRAMES = 5
REGION = 0.08  # of the image's width and height, around the pixel
MAX_SPREAD = 0.1
MIN_PAIRS = 50


class PixelCalibration:
    """Collects depth images of a flat target whose distance is known.

    Args:
        pixel: (column, row) in the middle of the target.
        distance: of the target along the optical axis [m].
    """

    def __init__(self, pixel: tuple[int, int], distance: float) -> None:
        self._pixel = pixel
        self._distance = distance
        self._frames: list[DepthPairs] = []

    @property
    def num_missing(self) -> int:
        """Depth images that are still needed."""
        return NUM_FRAMES - len(self._frames)

    def add(self, depth: NDArray[np.float32]) -> None:
        """Compare a depth image, (H, W) float32 [m].

        Raises:
            DataError: The depth around the pixel is not known, or not that of a flat target.
        """
        self._frames.append(
            flat_target_pairs(
                depth,
                distance=self._distance,
                region=REGION,
                max_spread=MAX_SPREAD,
                center=self._pixel,
            )
        )

    def fit(self, now: Correction) -> tuple[ScaleFit, Correction]:
        """Find the correction that takes the place of the one of now.

        Raises:
            DataError: There is too little depth around the pixel.
            ConfigError: The node would not accept it.
        """
        fit = fit_scale(
            self._frames,
            scale_now=now.depth_scale,
            offset_now=now.depth_offset,
            min_pairs=MIN_PAIRS,
        )
        found = Correction(depth_scale=round(fit.scale, 5), depth_offset=now.depth_offset)
        found.check()
        return fit, found
