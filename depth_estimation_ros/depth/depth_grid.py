"""Depth on the network's own grid, and the way from there to the pixels of an image.

A network gives far fewer samples than a camera has pixels. What is computed pixel by pixel is
computed on the samples where that gives the same, and only for pixels that somebody asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.depth import byte_array
from depth_estimation_ros.depth.depth_image import valid_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from depth_estimation_ros.depth.image_transform import Size

__all__ = ['DepthGrid', 'enlarge_mask', 'mask_at', 'num_nearest']


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthGrid:
    """Samples of depth that cover an image evenly.

    Inverse depth is interpolated between them, because it is linear over the image of any plane:
    floors and walls stay flat. A pixel whose four neighbours are all valid is interpolated; where
    one of them is invalid, the pixel takes the nearest sample as it is. So valid and invalid never
    mix, and a value lies between those of its neighbours.

    Attributes:
        samples: (h, w) float32 [m]; what is not a finite number above 0 is invalid.
    """

    samples: NDArray[np.float32]

    @property
    def size(self) -> Size:
        """(height, width) of the grid."""
        return self.samples.shape[0], self.samples.shape[1]

    def enlarged(self, size: Size) -> NDArray[np.float32]:
        """Depth of every pixel of an image of (height, width).

        Returns:
            (H, W) float32 [m], NaN = invalid, a new array.
        """
        import cv2

        checked, is_all_valid = self._checked()
        width_height = (size[1], size[0])
        inverse = cv2.resize(
            np.reciprocal(checked),
            width_height,
            byte_array.zeros(size, np.float32),
            interpolation=cv2.INTER_LINEAR,
        )
        depth = np.asarray(inverse, dtype=np.float32)
        np.reciprocal(depth, out=depth)
        if not is_all_valid:
            # Interpolation has made NaN of every pixel with an invalid neighbour.
            mixed = np.isnan(depth).view(np.uint8)
            nearest = cv2.resize(checked, width_height, interpolation=cv2.INTER_NEAREST_EXACT)
            cv2.copyTo(nearest, mixed, depth)
        return depth

    def at(self, size: Size, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Depth of some rows and columns of the image that `enlarged` gives, to rounding.

        Args:
            size: (height, width) of the image [px].
            rows: Which of its rows.
            columns: Which of its columns.

        Returns:
            (rows, columns) float32 [m], NaN = invalid, a new array.
        """
        checked, is_all_valid = self._checked()
        inverse = np.reciprocal(checked)
        v, u = (
            _taps(samples, pixels, *chosen.indices(pixels))
            for samples, pixels, chosen in zip(self.size, size, (rows, columns), strict=True)
        )
        # Rows first: they are few, and what is left is a row of samples for each.
        above = inverse[v.before]
        by_row = above + v.weight[:, None] * (inverse[v.after] - above)
        steps = np.diff(by_row, axis=1, append=by_row[:, -1:])
        depth: NDArray[np.float32] = steps.take(u.before, axis=1)
        depth *= u.weight
        depth += by_row.take(u.before, axis=1)
        np.reciprocal(depth, out=depth)
        if not is_all_valid:
            nearest = checked[v.nearest[:, None], u.nearest]
            depth = np.where(np.isnan(depth), nearest, depth)
        return depth

    def _checked(self) -> tuple[NDArray[np.float32], bool]:
        """Return the samples with NaN for all that is invalid, and whether nothing is."""
        valid = valid_mask(self.samples)
        if valid.all():
            return self.samples, True
        return np.where(valid, self.samples, np.float32(np.nan)), False


def enlarge_mask(mask: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
    """Give each pixel of an image of (height, width) the value of the nearest sample."""
    import cv2

    if mask.shape == size:
        return mask
    enlarged = cv2.resize(
        mask.view(np.uint8), (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT
    )
    return np.asarray(enlarged).view(np.bool_)


def mask_at(mask: NDArray[np.bool_], size: Size, rows: slice, columns: slice) -> NDArray[np.bool_]:
    """Take some rows and columns of what `enlarge_mask` gives."""
    v, u = (
        _taps(samples, pixels, *chosen.indices(pixels))
        for samples, pixels, chosen in zip(mask.shape, size, (rows, columns), strict=True)
    )
    chosen_mask: NDArray[np.bool_] = mask[v.nearest].take(u.nearest, axis=1)
    return chosen_mask


def num_nearest(mask: NDArray[np.bool_], size: Size) -> int:
    """Count the pixels that `enlarge_mask` makes True."""
    counts = [
        np.bincount(_taps(samples, pixels, 0, pixels, 1).nearest, minlength=samples)
        for samples, pixels in zip(mask.shape, size, strict=True)
    ]
    return int(counts[0] @ mask @ counts[1])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Taps:
    """Where pixels of one axis lie between the samples of it.

    Attributes:
        before: (N,) index of the sample before the pixel's centre.
        after: (N,) index of the one after it.
        weight: (N,) float32, share of the one after.
        nearest: (N,) index of the nearest sample.
    """

    before: NDArray[np.intp]
    after: NDArray[np.intp]
    weight: NDArray[np.float32]
    nearest: NDArray[np.intp]


@lru_cache(maxsize=32)
def _taps(num_samples: int, num_pixels: int, start: int, stop: int, step: int) -> _Taps:
    """Place pixels start, start + step, ... by their centres; those of the border have no outside.

    Which sample is nearest is asked of OpenCV, whose versions round differently.
    """
    import cv2

    pixels = np.arange(start, stop, step)
    position = (pixels + 0.5) * (num_samples / num_pixels) - 0.5
    position = np.clip(position, 0.0, num_samples - 1.0)
    before = position.astype(np.intp)
    indices = np.arange(num_samples, dtype=np.float32)[None]
    nearest = cv2.resize(indices, (num_pixels, 1), interpolation=cv2.INTER_NEAREST_EXACT)[0]
    return _Taps(
        before=before,
        after=np.minimum(before + 1, num_samples - 1),
        weight=(position - before).astype(np.float32),
        nearest=np.asarray(nearest)[pixels].astype(np.intp),
    )
