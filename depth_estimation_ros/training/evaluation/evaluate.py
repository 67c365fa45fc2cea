"""Measure a network or a model file against the truth.

The protocol of DenseDepth on the 654 NYU test images: enlarge to the image's size, average with
the mirrored prediction of the mirrored image, cut to the crop, compare. The average is of depths,
after the enlargement. One step differs: DenseDepth clips depth outside the range to the range's
ends; here it is no depth, as on the robot, and counts as the far end (`fill_missing`), which is
the same but for what lies nearer than the near end.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from depth_estimation_ros.depth.depth_image import valid_mask
from depth_estimation_ros.depth.metrics import (
    DepthMetrics,
    depth_metrics,
    fill_missing,
    median_scale,
)
from depth_estimation_ros.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from depth_estimation_ros.training.data.nyu.eigen_test import Crop
    from depth_estimation_ros.training.data.rgbd_sample import RgbdSample
    from depth_estimation_ros.training.evaluation.predictors import DepthPredictor


DISTANCES: Final = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0)  # [m]


class Convention(str, Enum):
    """How errors of pixels become one number. They differ in rmse and in what abs_rel is."""

    PER_IMAGE = 'per-image'  # metrics of each image, then their mean: the paper and the blog
    POOLED = 'pooled'  # one mean over all pixels of all images
    DENSEDEPTH_HEAD = 'densedepth-head'  # pooled, relative errors divided by the prediction

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """How to measure.

    Attributes:
        convention: See Convention.
        flip: Average with the mirrored prediction of the mirrored image.
        median_scaling: Scale each prediction to the median of its truth first: what is left is
            the error of shape, not of scale.
        crop: Part of the image that counts, None = all of it.
        max_truth: Truth beyond it does not count [m], None = all of it does.
    """

    convention: Convention = Convention.PER_IMAGE
    flip: bool = False
    median_scaling: bool = False
    crop: Crop | None = None
    max_truth: float | None = None


@dataclass(frozen=True, kw_only=True)
class DistanceError:
    """How good the pixels of a distance are.

    Attributes:
        nearest: Truth from here on [m].
        farthest: Truth up to here [m], not included.
        share: Of all pixels measured, 0..1.
        abs_rel: Mean of |prediction - truth| / truth over them.
    """

    nearest: float
    farthest: float
    share: float
    abs_rel: float


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What came out.

    Attributes:
        metrics: The eight numbers.
        num_images: How many images they are of.
        num_skipped: Images without any known depth.
        fraction_without_depth: Share of the pixels measured, 0..1, that the model gave no depth
            for; see `fill_missing`.
        by_distance: The error of near and far pixels, of all images together.
        abs_rel_by_image: AbsRel of each image, in the samples' order; None = skipped.
    """

    metrics: DepthMetrics
    num_images: int
    num_skipped: int
    fraction_without_depth: float
    by_distance: tuple[DistanceError, ...]
    abs_rel_by_image: tuple[float | None, ...]


def evaluate(
    predictor: DepthPredictor,
    samples: Iterable[RgbdSample],
    options: EvaluationOptions,
) -> Evaluation:
    """Measure a predictor.

    Args:
        predictor: Predicts depth for images of any size.
        samples: Images with truth; read once, one at a time.
        options: How to measure.

    Raises:
        DataError: No image has any known depth, or one is smaller than the crop.
    """
    accumulator = MetricAccumulator(options.convention)
    distances = DistanceAccumulator()
    by_image: list[float | None] = []
    num_pixels = num_without_depth = 0
    farthest = predictor.depth_range[1]
    for sample in samples:
        prediction = predict_sample(predictor, sample, flip=options.flip)
        truth = sample.depth
        if options.crop is not None:
            _check_inside(options.crop, truth.shape)
            prediction, truth = prediction[options.crop.slices], truth[options.crop.slices]
        limit = math.inf if options.max_truth is None else options.max_truth
        mask = np.isfinite(truth) & (truth > 0.0) & (truth <= limit)
        if not mask.any():
            by_image.append(None)
            continue
        predicted, true = prediction[mask], truth[mask]
        valid = valid_mask(predicted)
        num_pixels += valid.size
        num_without_depth += valid.size - int(valid.sum())
        if options.median_scaling and valid.any():
            predicted = predicted * np.float32(median_scale(predicted, true))
        filled = fill_missing(predicted, max_depth=farthest)
        by_image.append(accumulator.add(filled, true).abs_rel)
        distances.add(filled, true)
    return Evaluation(
        metrics=accumulator.result(),
        num_images=accumulator.num_images,
        num_skipped=by_image.count(None),
        fraction_without_depth=num_without_depth / num_pixels,
        by_distance=distances.result(),
        abs_rel_by_image=tuple(by_image),
    )


def _check_inside(crop: Crop, shape: tuple[int, ...]) -> None:
    """Refuse a crop that reaches out of (height, width) images."""
    if crop.bottom >= shape[0] or crop.right >= shape[1]:
        raise DataError(
            f'the crop is of rows {crop.top} to {crop.bottom} and columns {crop.left} to '
            f'{crop.right}, the images are {shape[0]}x{shape[1]}: measure without it'
        )


def predict_sample(
    predictor: DepthPredictor, sample: RgbdSample, *, flip: bool
) -> NDArray[np.float32]:
    """Return (H, W) float32 depth [m] for a sample, averaged over both directions if asked.

    NaN = the model gave no depth; in an average, in one direction at least.
    """
    if not flip:
        return predictor.predict([sample.image], sample.intrinsics)[0]
    mirrored_image = np.ascontiguousarray(sample.image[:, ::-1])
    straight, mirrored = predictor.predict([sample.image, mirrored_image], sample.intrinsics)
    mean: NDArray[np.float32] = np.float32(0.5) * (straight + mirrored[:, ::-1])
    return mean


class DistanceAccumulator:
    """The relative error of the pixels between two distances, over many images."""

    def __init__(self) -> None:
        self._counts = np.zeros(len(DISTANCES) + 1)
        self._errors = np.zeros(len(DISTANCES) + 1)

    def add(self, prediction: NDArray[np.float32], truth: NDArray[np.float32]) -> None:
        """Take the pixels of one image, (P,) float32 depth [m] each, above 0."""
        which = np.searchsorted(DISTANCES, truth, side='right')
        size = len(self._counts)
        self._counts += np.bincount(which, minlength=size)
        self._errors += np.bincount(which, np.abs(prediction - truth) / truth, minlength=size)

    def result(self) -> tuple[DistanceError, ...]:
        """Return the distances at which there was anything, nearest first."""
        edges = (0.0, *DISTANCES, math.inf)
        total = self._counts.sum()
        return tuple(
            DistanceError(
                nearest=edges[index],
                farthest=edges[index + 1],
                share=float(count / total),
                abs_rel=float(self._errors[index] / count),
            )
            for index, count in enumerate(self._counts)
            if count
        )


class MetricAccumulator:
    """Metrics of many images, image by image, by one of the conventions."""

    def __init__(self, convention: Convention) -> None:
        self.num_images = 0
        self._convention = convention
        self._weight = 0.0
        self._sums: dict[str, float] = {}

    def add(self, prediction: NDArray[np.float32], truth: NDArray[np.float32]) -> DepthMetrics:
        """Take the pixels of one image, and return its metrics.

        Args:
            prediction: (P,) float32 depth [m], above 0.
            truth: (P,) float32 depth [m], above 0.
        """
        pair = (prediction, truth)
        if self._convention is Convention.DENSEDEPTH_HEAD:
            pair = (truth, prediction)  # as its evaluate.py passes them
        weight = 1.0 if self._convention is Convention.PER_IMAGE else float(truth.size)
        metrics = depth_metrics(*pair)
        for name, value in metrics.as_dict().items():
            pooled = value**2 if self._is_root(name) else value
            self._sums[name] = self._sums.get(name, 0.0) + weight * pooled
        self._weight += weight
        self.num_images += 1
        return metrics

    def result(self) -> DepthMetrics:
        """Return the metrics of all images so far.

        Raises:
            DataError: There were none.
        """
        if self.num_images == 0:
            raise DataError('no image with any known depth: nothing to measure')
        means = {name: total / self._weight for name, total in self._sums.items()}
        return DepthMetrics(
            **{
                name: math.sqrt(mean) if self._is_root(name) else mean
                for name, mean in means.items()
            }
        )

    def _is_root(self, name: str) -> bool:
        """Tell whether a metric is the root of a mean, which is pooled before the root."""
        return self._convention is not Convention.PER_IMAGE and name in ('rmse', 'rmse_log')
