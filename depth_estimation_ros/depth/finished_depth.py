"""Depth of one image, corrected, filtered and limited, for the pixels that are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
import math
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.depth import byte_array
from depth_estimation_ros.depth.depth_grid import DepthGrid, enlarge_mask, mask_at, num_nearest
from depth_estimation_ros.depth.depth_image import (
    RangePolicy,
    colorize,
    limit_range,
    valid_fraction,
    valid_mask,
)
from depth_estimation_ros.depth.filters import edge_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.depth.image_transform import Size
    from depth_estimation_ros.depth.prediction import StageTimings
    from depth_estimation_ros.depth.settings import DepthSettings

__all__ = ['FinishedDepth', 'agreement']

_ROUNDING = 1e-6  # relative; what interpolation may add to the largest of the samples


@dataclass(frozen=True, kw_only=True, eq=False)
class FinishedDepth:
    """Makes depth of the network's samples when somebody asks for it, and each thing once.

    Arrays that it gives out are not to be changed.

    Attributes:
        rgb_hwc: (H, W, 3) uint8, the camera's image, rectified if that was asked for; smaller
            than image_size if `colors` are not needed.
        image_size: (height, width) of the camera's image [px].
        size: (height, width) of the depth image [px].
        color_size: (height, width) of the picture in colours [px].
        grid: The network's samples, without any correction.
        mirrored: Those of the mirrored image; None unless the confidence was asked for.
        outside: (height, width) bool, where the rectified image has no content; None = nowhere.
        settings: Corrections, filters and limits.
        intrinsics: Of the depth image; None if the camera is unknown.
        steady: (height, width) float32 [m], corrected depth after the temporal filter; None
            without it.
        timings: Of the network's run, or of both.
    """

    rgb_hwc: NDArray[np.uint8]
    image_size: Size
    size: Size
    color_size: Size
    grid: DepthGrid
    mirrored: DepthGrid | None
    outside: NDArray[np.bool_] | None
    settings: DepthSettings
    intrinsics: CameraIntrinsics | None
    timings: StageTimings
    steady: NDArray[np.float32] | None = None

    @cached_property
    def image(self) -> NDArray[np.float32]:
        """(height, width) float32 [m], NaN = invalid, beyond the limits what range_policy says."""
        depth = self.corrected
        if self.settings.edge_filter_image and self._edges is not None:
            depth = _without(depth, enlarge_mask(self._edges, self.size))
        return self._limited(depth)

    @cached_property
    def corrected(self) -> NDArray[np.float32]:
        """(height, width) float32 [m]: with scale, offset and temporal filter, without limits."""
        if self.steady is not None:
            return self.steady
        depth = self.grid.enlarged(self.size)
        if self.outside is not None:
            depth[self.outside] = np.nan
        return self._scaled(depth)

    def sampled(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Depth of some pixels without flying ones, as clouds are made of.

        Args:
            rows: Which rows of the depth image.
            columns: Which columns.

        Returns:
            (rows, columns) float32 [m], NaN = invalid, beyond the limits what range_policy says.
        """
        if self.steady is not None or 'corrected' in self.__dict__:
            depth = self.corrected[rows, columns]
        else:
            depth = self.grid.at(self.size, rows, columns)
            if self.outside is not None:
                depth[self.outside[rows, columns]] = np.nan
            depth = self._scaled(depth)
        if self._edges is not None:
            depth = _without(depth, mask_at(self._edges, self.size, rows, columns))
        return self._limited(depth)

    def colors(self, rows: slice, columns: slice) -> NDArray[np.uint8]:
        """(rows, columns, 3) uint8 RGB of the camera's pixel under each of these."""
        import cv2

        rgb_hwc = self.rgb_hwc
        if rgb_hwc.shape[:2] != self.size:
            nearest = cv2.INTER_NEAREST_EXACT
            small = cv2.resize(rgb_hwc, (self.size[1], self.size[0]), interpolation=nearest)
            rgb_hwc = np.asarray(small, np.uint8)
        return rgb_hwc[rows, columns]

    def painted(self, *, min_depth: float, max_depth: float) -> NDArray[np.uint8]:
        """Paint the depth for people: the samples by a table, then the picture to its size.

        Args:
            min_depth: Depth painted dark red [m].
            max_depth: Depth painted dark blue [m].

        Returns:
            (h, w, 3) uint8 BGR of `color_size`, black where there is no depth.
        """
        import cv2

        size = self.color_size
        depth = self.image if self.steady is not None else self._limited_samples
        bgr = colorize(depth, min_depth=min_depth, max_depth=max_depth)
        if bgr.shape[:2] != size:
            room = byte_array.zeros((*size, 3), np.uint8)
            enlarged = cv2.resize(bgr, (size[1], size[0]), room, interpolation=cv2.INTER_LINEAR)
            bgr = np.asarray(enlarged, np.uint8)
        if self.outside is not None:
            bgr[enlarge_mask(self.outside, size)] = 0
        return bgr

    @cached_property
    def confidence(self) -> NDArray[np.float32] | None:
        """(height, width) float32, 0 = none to 1; None unless it was asked for."""
        if self.mirrored is None:
            return None
        depth = self.grid.enlarged(self.size)
        if self.outside is not None:
            depth[self.outside] = np.nan
        return agreement(depth, self.mirrored.enlarged(self.size)[:, ::-1])

    @property
    def valid_fraction(self) -> float:
        """Share of the depth image's pixels that carry a depth, 0..1."""
        if self.steady is not None or (self._is_cut and 'image' in self.__dict__):
            return valid_fraction(self.image)
        valid = valid_mask(self._limited_samples)
        if self.outside is None:
            return num_nearest(valid, self.size) / math.prod(self.size)
        inside = enlarge_mask(valid, self.size) & ~self.outside
        return np.count_nonzero(inside) / inside.size

    @cached_property
    def _samples(self) -> NDArray[np.float32]:
        """(h, w) float32 [m], the network's samples with scale and offset."""
        return self._scaled(self.grid.samples)

    @cached_property
    def _limited_samples(self) -> NDArray[np.float32]:
        """(h, w) float32 [m], the samples as they are in the image."""
        samples = self._samples
        if self.settings.edge_filter_image and self._edges is not None:
            samples = _without(samples, self._edges)
        return self._limited(samples)

    @cached_property
    def _edges(self) -> NDArray[np.bool_] | None:
        """(h, w) bool, the samples beside a depth edge; None if there are none."""
        if not self.settings.edge_filter_threshold:
            return None
        edges = edge_mask(self._samples, self.settings.edge_filter_threshold)
        return edges if edges.any() else None

    @cached_property
    def _is_cut(self) -> bool:
        """Whether a limit may change a pixel; a pixel lies between the samples around it."""
        settings = self.settings
        if not settings.has_limits or self.steady is not None:
            return settings.has_limits
        known = self._samples[valid_mask(self._samples)]
        if not known.size:
            return False
        lowest = float(known.min()) * (1.0 - _ROUNDING)
        highest = float(known.max()) * (1.0 + _ROUNDING)
        return lowest < settings.min_depth or highest > (settings.max_depth or math.inf)

    def _limited(self, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        if not self._is_cut:
            return depth
        return limit_range(
            depth,
            min_depth=self.settings.min_depth,
            max_depth=self.settings.max_depth or np.inf,
            policy=RangePolicy(self.settings.range_policy),
        )

    def _scaled(self, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """Apply the user's scale and offset; what lands behind the camera is no depth."""
        scale, offset = self.settings.depth_scale, self.settings.depth_offset
        if (scale, offset) == (1.0, 0.0):
            return depth
        changed = depth * np.float32(scale) + np.float32(offset)
        changed[changed <= 0.0] = np.nan
        return np.asarray(changed, np.float32)

    def steadied(self, depth: NDArray[np.float32]) -> FinishedDepth:
        """Take depth that went through the temporal filter for `corrected`."""
        return replace(self, steady=depth)


def agreement(depth: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Tell how well two depths of the same pixels agree.

    Returns:
        (H, W) float32: the nearer one's share of the farther one, 0 where one is invalid.
    """
    both = valid_mask(depth) & valid_mask(other)
    share = np.zeros(depth.shape, np.float32)
    np.divide(np.minimum(depth, other), np.maximum(depth, other), out=share, where=both)
    return share


def _without(depth: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return a copy with NaN where the mask is True."""
    return np.where(mask, np.float32(np.nan), depth)
