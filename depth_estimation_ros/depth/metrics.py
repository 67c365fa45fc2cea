"""The usual measures of a depth image against true depth, computed one image at a time.

The mean over images is the mean of their measures (not of all pixels pooled), and relative
errors are relative to the truth: `depth_metrics(prediction, truth)`, in this order.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.depth.depth_image import valid_mask
from depth_estimation_ros.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ['DepthMetrics', 'depth_metrics', 'fill_missing', 'mean_metrics', 'median_scale']


@dataclass(frozen=True, kw_only=True)
class DepthMetrics:
    """Measures over the pixels where both prediction p and truth t are valid."""

    a1: float  # share with max(p / t, t / p) < 1.25
    a2: float  # ... < 1.25 ** 2
    a3: float  # ... < 1.25 ** 3
    abs_rel: float  # mean |p - t| / t
    sq_rel: float  # mean (p - t)**2 / t [m]
    rmse: float  # root of mean (p - t)**2 [m]
    rmse_log: float  # root of mean (ln p - ln t)**2
    log10: float  # mean |log10 p - log10 t|
    valid_fraction: float  # share of the pixels with valid truth that have a valid prediction

    def as_dict(self) -> dict[str, float]:
        """Name -> value, in the order above."""
        return asdict(self)


def depth_metrics(
    prediction: NDArray[np.floating],
    truth: NDArray[np.floating],
    mask: NDArray[np.bool_] | None = None,
) -> DepthMetrics:
    """Measure one image.

    Pixels without a valid prediction (NaN, infinite, not positive) are left out of every
    measure but `valid_fraction`, which counts them: report it with the others.

    Args:
        prediction: (H, W) depth [m].
        truth: (H, W) depth [m]; not finite or not positive = unknown, left out.
        mask: (H, W) bool, False leaves a pixel out; None = all count.

    Raises:
        DataError: The shapes differ, or no pixel is left to measure.
    """
    p, t, share = _valid_pairs(prediction, truth, mask)
    ratio = np.maximum(p / t, t / p)
    difference = p - t
    log_difference = np.log(p) - np.log(t)
    return DepthMetrics(
        a1=float(np.mean(ratio < 1.25)),
        a2=float(np.mean(ratio < 1.25**2)),
        a3=float(np.mean(ratio < 1.25**3)),
        abs_rel=float(np.mean(np.abs(difference) / t)),
        sq_rel=float(np.mean(np.square(difference) / t)),
        rmse=float(np.sqrt(np.mean(np.square(difference)))),
        rmse_log=float(np.sqrt(np.mean(np.square(log_difference)))),
        log10=float(np.mean(np.abs(log_difference)) / np.log(10.0)),
        valid_fraction=share,
    )


def fill_missing(prediction: NDArray[np.float32], *, max_depth: float) -> NDArray[np.float32]:
    """Let a pixel without depth count as the farthest depth that the network gives.

    Nearly all of them are where the network saw something beyond its range, and the published
    protocol counts those so: a score neither changes when a checkpoint is exported, nor against
    the papers.

    Args:
        prediction: Any shape, depth [m]; NaN, infinite or not positive = the network gave none.
        max_depth: Farthest depth that the network could have given [m].

    Returns:
        Same shape, depth [m], without gaps.
    """
    filled: NDArray[np.float32] = np.where(
        valid_mask(prediction), prediction, np.float32(max_depth)
    )
    return filled


def median_scale(
    prediction: NDArray[np.floating],
    truth: NDArray[np.floating],
    mask: NDArray[np.bool_] | None = None,
) -> float:
    """Factor for the prediction that makes its median that of the truth.

    `depth_metrics(prediction * median_scale(prediction, truth), truth)` tells how good the
    shape of the depth is when its scale is given away.

    Args:
        prediction: (H, W) depth [m].
        truth: (H, W) depth [m].
        mask: (H, W) bool, False leaves a pixel out; None = all count.

    Raises:
        DataError: See `depth_metrics`.
    """
    p, t, _ = _valid_pairs(prediction, truth, mask)
    return float(np.median(t) / np.median(p))


def mean_metrics(metrics: Sequence[DepthMetrics]) -> DepthMetrics:
    """Mean over images of every measure.

    Raises:
        DataError: There is no image.
    """
    if not metrics:
        raise DataError('no image to take the mean of')
    names = [item.name for item in fields(DepthMetrics)]
    return DepthMetrics(
        **{name: float(np.mean([getattr(item, name) for item in metrics])) for name in names}
    )


def _valid_pairs(
    prediction: NDArray[np.floating],
    truth: NDArray[np.floating],
    mask: NDArray[np.bool_] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Valid predictions, their truth, and the share of pixels with truth that they are."""
    if prediction.shape != truth.shape or (mask is not None and mask.shape != truth.shape):
        shapes = (prediction.shape, truth.shape) + (() if mask is None else (mask.shape,))
        raise DataError(f'shapes of prediction, truth (and mask) differ: {shapes}')
    known = valid_mask(truth) if mask is None else valid_mask(truth) & mask
    both = known & valid_mask(prediction)
    num_known, num_both = np.count_nonzero(known), np.count_nonzero(both)
    if num_both == 0:
        raise DataError(f'no pixel to measure: {num_known} with truth, none of them predicted')
    return (
        prediction[both].astype(np.float64),
        truth[both].astype(np.float64),
        num_both / num_known,
    )
