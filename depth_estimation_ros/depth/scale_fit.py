"""Scale and offset that make estimated depth agree with depth measured by other means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.depth.depth_image import valid_mask
from depth_estimation_ros.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ['DepthPairs', 'ScaleFit', 'fit_scale', 'flat_target_pairs', 'image_pairs']

# Offset and scale are told apart by depths that differ: 90th percentile over 10th at least.
MIN_DEPTH_RATIO = 1.3
MAX_PAIRS_PER_FRAME = 5000
_NUM_ITERATIONS = 100
_SMALLEST_RESIDUAL = 1e-6  # relative; keeps the weights of the offset fit finite
_CONVERGED = 1e-9


@dataclass(frozen=True, kw_only=True)
class DepthPairs:
    """Estimated and measured depth of the same points of one frame.

    Attributes:
        estimated: (N,) float64 [m], above 0.
        reference: (N,) float64 [m], above 0.
    """

    estimated: NDArray[np.float64]
    reference: NDArray[np.float64]

    @classmethod
    def from_samples(
        cls, estimated: NDArray[np.floating], reference: NDArray[np.floating]
    ) -> DepthPairs:
        """Keep the valid ones of two arrays of one shape, evenly thinned out if they are many."""
        both = valid_mask(estimated) & valid_mask(reference)
        step = max(1, -(-int(np.count_nonzero(both)) // MAX_PAIRS_PER_FRAME))
        return cls(
            estimated=estimated[both][::step].astype(np.float64),
            reference=reference[both][::step].astype(np.float64),
        )

    def unscaled(self, *, scale: float, offset: float) -> DepthPairs:
        """Take back a scale and an offset [m] that the estimate has gone through."""
        raw = (self.estimated - offset) / scale
        kept = raw > 0.0
        return DepthPairs(estimated=raw[kept], reference=self.reference[kept])


@dataclass(frozen=True, kw_only=True)
class ScaleFit:
    """reference = scale * estimated + offset, and how well that holds.

    Attributes:
        scale: Factor of the estimate.
        offset: Added to the scaled estimate [m].
        num_frames: Frames that took part.
        num_pairs: Pairs of depths that took part.
        abs_rel_before: Mean of |estimated - reference| / reference, with the old correction.
        abs_rel_after: The same with the new one.
        median_error: Median of |error| with the new correction [m].
        frame_spread: Standard deviation of the frames' own scales over their mean; 0 for one.
        depth_range: 5th and 95th percentile of the reference [m].
    """

    scale: float
    offset: float
    num_frames: int
    num_pairs: int
    abs_rel_before: float
    abs_rel_after: float
    median_error: float
    frame_spread: float
    depth_range: tuple[float, float]


def image_pairs(estimated: NDArray[np.floating], reference: NDArray[np.floating]) -> DepthPairs:
    """Compare two depth images of one camera, pixel by pixel.

    Args:
        estimated: (H, W) depth [m].
        reference: (h, w) depth [m] of the same view; another size is sampled at the nearest pixel.

    Raises:
        DataError: The images are not of one aspect.
    """
    (height, width), (rows, columns) = estimated.shape, reference.shape
    if abs(height * columns - width * rows) > 0.01 * width * rows:
        raise DataError(
            f'the reference is {columns}x{rows} pixels, the estimate {width}x{height}: another '
            "aspect, so not one camera; give the reference's own calibration and transform"
        )
    v = ((np.arange(height) + 0.5) * rows / height).astype(np.intp)
    u = ((np.arange(width) + 0.5) * columns / width).astype(np.intp)
    return DepthPairs.from_samples(estimated, reference[v[:, None], u])


def flat_target_pairs(
    estimated: NDArray[np.floating],
    *,
    distance: float,
    region: float,
    max_spread: float,
    center: tuple[int, int] | None = None,
) -> DepthPairs:
    """Compare a part of a depth image with a flat target that faces the camera there.

    Args:
        estimated: (H, W) depth [m].
        distance: Of the target along the optical axis [m].
        region: Share of the image's width and height that the target fills, 0 to 1.
        max_spread: Largest (p90 - p10) / median of the depth in the region.
        center: Pixel (column, row) in the middle of the target; None: that of the image.

    Raises:
        DataError: The depth in the region is not that of a flat target, or not known.
    """
    height, width = estimated.shape
    rows, columns = max(1, round(region * height)), max(1, round(region * width))
    top, left = (height - rows) // 2, (width - columns) // 2
    where = f'the {columns}x{rows} pixels in the middle'
    if center is not None:
        left, top = max(center[0] - columns // 2, 0), max(center[1] - rows // 2, 0)
        where = f'the {columns}x{rows} pixels around {center[0]}, {center[1]}'
    target = estimated[top : top + rows, left : left + columns]
    pairs = DepthPairs.from_samples(target, np.full(target.shape, distance))
    if pairs.estimated.size == 0:
        raise DataError(
            f'no depth in {where} of the image: is the target out of the range of the model?'
        )
    low, median, high = np.percentile(pairs.estimated, (10, 50, 90))
    if (high - low) / median > max_spread:
        raise DataError(
            f'the target is not flat: depth in {where} goes from {low:.2f} to {high:.2f} m '
            f'({(high - low) / median:.0%} of its median, '
            f'{max_spread:.0%} is allowed); face a wall squarely, or make the region smaller'
        )
    return pairs


def fit_scale(
    frames: Sequence[DepthPairs],
    *,
    scale_now: float = 1.0,
    offset_now: float = 0.0,
    with_offset: bool = False,
    min_pairs: int = 100,
) -> ScaleFit:
    """Find the scale (and the offset) with the least mean relative error.

    Least absolute, not squared, errors: a share of wrong pairs (points that only one of the two
    sees, edges) does not pull the result away.

    Args:
        frames: What was measured, a frame each, of an estimate that is corrected already by...
        scale_now: ...this factor and...
        offset_now: ...this offset [m]; it stays when none is to be fitted.
        with_offset: Fit the offset too.
        min_pairs: Least number of pairs.

    Returns:
        The correction of the uncorrected estimate: it takes the place of the one of now.

    Raises:
        DataError: There are too few pairs, or they cannot tell scale and offset apart.
    """
    raw = [item.unscaled(scale=scale_now, offset=offset_now) for item in frames]
    raw = [item for item in raw if item.estimated.size]
    num_pairs = sum(item.estimated.size for item in raw)
    if num_pairs < min_pairs:
        raise DataError(
            f'{num_pairs} samples in {len(raw)} frames are too few, at least {min_pairs} are '
            'needed: take more frames, or have more of the image measured'
        )
    estimated = np.concatenate([item.estimated for item in raw])
    reference = np.concatenate([item.reference for item in raw])
    if with_offset:
        scale, offset = _least_absolute_line(estimated, reference)
    else:
        scale, offset = _least_absolute_scale(estimated, reference, offset_now), offset_now
    scales = [_least_absolute_scale(item.estimated, item.reference, offset) for item in raw]
    low, high = np.percentile(reference, (5, 95))
    fit = ScaleFit(
        scale=scale,
        offset=offset,
        num_frames=len(raw),
        num_pairs=num_pairs,
        abs_rel_before=_abs_rel(scale_now * estimated + offset_now, reference),
        abs_rel_after=_abs_rel(scale * estimated + offset, reference),
        median_error=float(np.median(np.abs(scale * estimated + offset - reference))),
        frame_spread=float(np.std(scales) / np.mean(scales)),
        depth_range=(float(low), float(high)),
    )
    return replace(fit, frame_spread=0.0) if len(raw) == 1 else fit


def _abs_rel(depth: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    return float(np.mean(np.abs(depth - reference) / reference))


def _least_absolute_scale(
    estimated: NDArray[np.float64], reference: NDArray[np.float64], offset: float
) -> float:
    """Minimise mean |a * e + b - r| / r over a: the median of (r - b) / e, weighted by e / r."""
    ratios = (reference - offset) / estimated
    order = np.argsort(ratios)
    weights = np.cumsum((estimated / reference)[order])
    return float(ratios[order][np.searchsorted(weights, 0.5 * weights[-1])])


def _least_absolute_line(
    estimated: NDArray[np.float64], reference: NDArray[np.float64]
) -> tuple[float, float]:
    """Minimise mean |a * e + b - r| / r by least squares with weights made anew each time."""
    low, high = np.percentile(estimated, (10, 90))
    if high < MIN_DEPTH_RATIO * low:
        raise DataError(
            f'the depths, {low:.2f} to {high:.2f} m, are too much alike to tell an offset from a '
            f'scale: have some that are at least {MIN_DEPTH_RATIO:g} times as far as others, or '
            'fit the scale alone'
        )
    columns = np.stack([estimated, np.ones_like(estimated)], axis=1) / reference[:, None]
    solution = np.array([_least_absolute_scale(estimated, reference, 0.0), 0.0])
    for _ in range(_NUM_ITERATIONS):
        residuals = np.abs(columns @ solution - 1.0)
        weighted = columns / np.maximum(residuals, _SMALLEST_RESIDUAL)[:, None]
        before, solution = solution, np.linalg.solve(weighted.T @ columns, weighted.sum(axis=0))
        if np.abs(solution - before).max() < _CONVERGED:
            break
    if not solution[0] > 0.0:
        raise DataError(
            f'estimated and measured depth do not belong together: the best scale is '
            f'{solution[0]:.3g}; check the transform and the topics'
        )
    return float(solution[0]), float(solution[1])
