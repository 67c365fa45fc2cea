"""What an estimator gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from depth_estimation_ros.depth.depth_grid import DepthGrid

__all__ = ['DepthPrediction', 'GridPrediction', 'StageTimings']


@dataclass(frozen=True, kw_only=True)
class StageTimings:
    """Wall time of the stages of one call [ms]."""

    preprocess_ms: float  # checks, resize, padding
    inference_ms: float  # the network
    postprocess_ms: float  # validity, scale, back to the image's size

    @property
    def total_ms(self) -> float:
        """Sum of the stages [ms]."""
        return self.preprocess_ms + self.inference_ms + self.postprocess_ms

    def __add__(self, other: StageTimings) -> StageTimings:
        """Time of two calls."""
        return StageTimings(
            preprocess_ms=self.preprocess_ms + other.preprocess_ms,
            inference_ms=self.inference_ms + other.inference_ms,
            postprocess_ms=self.postprocess_ms + other.postprocess_ms,
        )


@dataclass(frozen=True, kw_only=True)
class DepthPrediction:
    """Depth of one image.

    Attributes:
        depth: (H, W) float32 [m] along Z, NaN = invalid; the image's size, C-contiguous, the
            caller's own.
        timings: Of the call that made it; images of one batch share theirs.
    """

    depth: NDArray[np.float32]
    timings: StageTimings


@dataclass(frozen=True, kw_only=True, eq=False)
class GridPrediction:
    """Depth of one image as the network gives it.

    Attributes:
        grid: Its samples, the caller's own.
        timings: Of the call that made it; images of one batch share theirs.
    """

    grid: DepthGrid
    timings: StageTimings
