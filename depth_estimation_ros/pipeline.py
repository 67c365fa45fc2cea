"""DepthPipeline: everything between a camera's image and finished depth, without ROS.

Example:
    pipeline = DepthPipeline(DepthEstimator.from_file('model.onnx'))
    (depth,) = pipeline.run([DepthRequest(rgb_hwc=rgb)], DepthSettings(depth_scale=1.1))
    depth.image  # (H, W) float32 [m], NaN = invalid
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from depth_estimation_ros.depth.depth_grid import enlarge_mask
from depth_estimation_ros.depth.depth_size import size_for
from depth_estimation_ros.depth.filters import TemporalFilter
from depth_estimation_ros.depth.finished_depth import FinishedDepth
from depth_estimation_ros.depth.settings import SAME_AS_DEPTH, DepthSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.camera.rectification import Rectifier
    from depth_estimation_ros.depth.image_transform import Size
    from depth_estimation_ros.depth.prediction import GridPrediction
    from depth_estimation_ros.estimator import DepthEstimator

__all__ = ['DepthPipeline', 'DepthRequest', 'DepthSettings', 'FinishedDepth']


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthRequest:
    """One image whose depth is asked for.

    Attributes:
        rgb_hwc: (H, W, 3) uint8 RGB as the camera gave it; not changed. It may come smaller by
            the estimator's reduction_for, if it needs no rectifier and nobody asks for colours.
        full_size: (height, width) of the camera's image [px]; None = that of rgb_hwc.
        camera: Name of the camera: what is kept between frames is kept for each.
        stamp_sec: When the image was taken, on any clock; back in time begins anew.
        intrinsics: Of the image, once it is rectified; None = unknown.
        rectifier: Takes the lens distortion out; None = there is none, or it stays.
        wants_confidence: False spares the second run of the network for this image.
    """

    rgb_hwc: NDArray[np.uint8]
    full_size: Size | None = None
    camera: str = ''
    stamp_sec: float = 0.0
    intrinsics: CameraIntrinsics | None = None
    rectifier: Rectifier | None = None
    wants_confidence: bool = True

    @property
    def image_size(self) -> Size:
        """(height, width) of the camera's image [px]."""
        return self.full_size or (self.rgb_hwc.shape[0], self.rgb_hwc.shape[1])


class DepthPipeline:
    """Finishes the depth of the images of all cameras, those of one camera in their order.

    Args:
        estimator: Used by this object alone; not closed by it.
    """

    def __init__(self, estimator: DepthEstimator) -> None:
        self._estimator = estimator
        self._steadiers: dict[str, _Steadier] = {}

    def check(self, request: DepthRequest, settings: DepthSettings) -> None:
        """Refuse sizes that the settings ask for and the image cannot have.

        Raises:
            ImageError: Their aspect is another.
        """
        _, _ = self._sizes(request.image_size, settings)

    def _sizes(self, image_size: Size, settings: DepthSettings) -> tuple[Size, Size]:
        """(height, width) [px] of the depth image and of the picture in colours."""
        grid_size = self._estimator.transform_for(image_size).grid_size
        sizes = {'image_size': image_size, 'grid_size': grid_size}
        size = size_for('depth_size', settings.depth_size, **sizes)
        if settings.color_size == SAME_AS_DEPTH:
            return size, size
        return size, size_for('color_size', settings.color_size, **sizes)

    def run(
        self, requests: Sequence[DepthRequest], settings: DepthSettings
    ) -> list[FinishedDepth]:
        """Rectify, run the network once for all, correct, filter, limit.

        Args:
            requests: Images of different cameras, at most as many as the model takes.
            settings: The same for all of them; they may change from call to call.

        Returns:
            One for each request.

        Raises:
            ImageError: The network cannot use an image, or see `check`.
            BackendError: The backend failed.
        """
        images = [
            item.rectifier.apply(item.rgb_hwc) if item.rectifier else item.rgb_hwc
            for item in requests
        ]
        predictions = self._estimator.estimate_grids(
            images,
            [item.intrinsics for item in requests],
            image_sizes=[item.image_size for item in requests],
        )
        mirrored = self._mirrored(requests, images) if settings.confidence else {}
        return [
            self._finished(item, rgb_hwc, prediction, mirrored.get(item.camera), settings)
            for item, rgb_hwc, prediction in zip(requests, images, predictions, strict=True)
        ]

    def forget(self, camera: str) -> None:
        """Drop what is kept of a camera, as when its video has ended."""
        self._steadiers.pop(camera, None)

    def _mirrored(
        self, requests: Sequence[DepthRequest], images: Sequence[NDArray[np.uint8]]
    ) -> dict[str, GridPrediction]:
        """Estimate once more, in the mirror, what somebody wants to know the confidence of."""
        asked = [
            (item, rgb_hwc[:, ::-1])
            for item, rgb_hwc in zip(requests, images, strict=True)
            if item.wants_confidence
        ]
        if not asked:
            return {}
        predictions = self._estimator.estimate_grids(
            [rgb_hwc for _, rgb_hwc in asked],
            [_mirrored(item.intrinsics) if item.intrinsics else None for item, _ in asked],
            image_sizes=[item.image_size for item, _ in asked],
        )
        return {
            item.camera: prediction
            for (item, _), prediction in zip(asked, predictions, strict=True)
        }

    def _finished(
        self,
        request: DepthRequest,
        rgb_hwc: NDArray[np.uint8],
        prediction: GridPrediction,
        mirrored: GridPrediction | None,
        settings: DepthSettings,
    ) -> FinishedDepth:
        size, color_size = self._sizes(request.image_size, settings)
        known, rectifier = request.intrinsics, request.rectifier
        intrinsics = None
        if known is not None and known.is_calibrated:
            intrinsics = known.resampled(height=size[0], width=size[1])
        finished = FinishedDepth(
            rgb_hwc=rgb_hwc,
            image_size=request.image_size,
            size=size,
            color_size=color_size,
            grid=prediction.grid,
            mirrored=mirrored.grid if mirrored else None,
            outside=enlarge_mask(rectifier.outside, size) if rectifier else None,
            settings=settings,
            intrinsics=intrinsics,
            timings=prediction.timings + mirrored.timings if mirrored else prediction.timings,
        )
        steadier = self._steadiers.setdefault(request.camera, _Steadier())
        if not steadier.is_wanted(request.stamp_sec, settings.temporal_filter):
            return finished
        return finished.steadied(
            steadier.filter.apply(finished.corrected, settings.temporal_filter)
        )


class _Steadier:
    """The filter against flicker of one camera."""

    def __init__(self) -> None:
        self.filter = TemporalFilter()
        self._last_stamp_sec = 0.0

    def is_wanted(self, stamp_sec: float, weight: float) -> bool:
        """Whether to filter the frame of this stamp; its past is dropped if time jumped back."""
        if not weight or stamp_sec < self._last_stamp_sec:  # a bag began anew
            self.filter.reset()
        self._last_stamp_sec = stamp_sec
        return bool(weight)


def _mirrored(intrinsics: CameraIntrinsics) -> CameraIntrinsics:
    return replace(intrinsics, cx=intrinsics.width - 1 - intrinsics.cx)
