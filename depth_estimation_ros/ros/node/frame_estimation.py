"""From camera images to the depth that is published, with what is kept between frames."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.depth.depth_image import RangePolicy, limit_range, valid_mask
from depth_estimation_ros.depth.edges import flying_pixels
from depth_estimation_ros.depth.temporal_filter import TemporalFilter
from depth_estimation_ros.ros.messages.conversions import seconds
from depth_estimation_ros.ros.messages.outputs import NEED_CLOUD_DEPTH, Output
from depth_estimation_ros.ros.node.frames import DepthFrame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.depth.prediction import DepthPrediction
    from depth_estimation_ros.estimator import DepthEstimator
    from depth_estimation_ros.ros.node.frames import FrameRequest
    from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters


class FrameEstimation:
    """Estimates the depth of the frames of all cameras, those of one camera in their order.

    Args:
        estimator: used by this object alone.
    """

    def __init__(self, estimator: DepthEstimator) -> None:
        self._estimator = estimator
        self._steadiers: dict[str, _Steadier] = {}

    def estimate(
        self, requests: Sequence[FrameRequest], parameters: NodeParameters
    ) -> list[DepthFrame]:
        """Rectify, run the network once for all, correct, filter, limit.

        Args:
            requests: Images of different cameras, at most as many as the model takes.
            parameters: Of the node, now.

        Returns:
            One frame a request.

        Raises:
            ImageError: the network cannot use an image.
            BackendError: the backend failed.
        """
        images = [_rectified(request) for request in requests]
        predictions = self._estimator.estimate_batch(
            images, [item.intrinsics for item in requests]
        )
        mirrored = self._mirrored(requests, images) if parameters.confidence else {}
        return [
            self._finished(request, rgb, prediction, mirrored.get(request.source), parameters)
            for request, rgb, prediction in zip(requests, images, predictions, strict=True)
        ]

    def _mirrored(
        self, requests: Sequence[FrameRequest], images: Sequence[NDArray[np.uint8]]
    ) -> dict[str, DepthPrediction]:
        """Estimate once more, in the mirror, what somebody wants to know the confidence of."""
        asked = {
            request.source: (rgb[:, ::-1], request.intrinsics)
            for request, rgb in zip(requests, images, strict=True)
            if Output.CONFIDENCE in request.wanted
        }
        if not asked:
            return {}
        intrinsics = [_mirrored(known) if known else None for _, known in asked.values()]
        second = self._estimator.estimate_batch([rgb for rgb, _ in asked.values()], intrinsics)
        return dict(zip(asked, second, strict=True))

    def _finished(
        self,
        request: FrameRequest,
        rgb: NDArray[np.uint8],
        prediction: DepthPrediction,
        mirrored: DepthPrediction | None,
        parameters: NodeParameters,
    ) -> DepthFrame:
        """Correct, filter and limit the depth of an image."""
        depth, timings, confidence = prediction.depth, prediction.timings, None
        if request.rectifier is not None:
            depth[request.rectifier.outside] = np.nan
        if mirrored is not None:
            confidence = agreement(depth, mirrored.depth[:, ::-1])
            timings += mirrored.timings
        depth = scaled(depth, parameters)
        steadier = self._steadiers.setdefault(request.source, _Steadier())
        depth = steadier.apply(depth, seconds(request.header.stamp), parameters.temporal_filter)
        cloud_depth = self._without_edges(depth, parameters, request.wanted)
        if parameters.edge_filter_image:
            depth = cloud_depth
        return DepthFrame(
            header=request.header,
            rgb=rgb,
            depth=limited(depth, parameters),
            cloud_depth=limited(cloud_depth, parameters),
            confidence=confidence,
            camera=request.camera,
            max_color_depth=parameters.max_depth or self._estimator.spec.max_depth,
            timings=timings,
        )

    def _without_edges(
        self, depth: NDArray[np.float32], parameters: NodeParameters, wanted: frozenset[Output]
    ) -> NDArray[np.float32]:
        is_wanted = parameters.edge_filter_image or wanted & NEED_CLOUD_DEPTH
        if not parameters.edge_filter_threshold or not is_wanted:
            return depth
        transform = self._estimator.transform_for((depth.shape[0], depth.shape[1]))
        height, width = (size // transform.stride for size in transform.content_size)
        edges = flying_pixels(
            depth, grid_size=(height, width), threshold=parameters.edge_filter_threshold
        )
        return np.where(edges, np.float32(np.nan), depth)


class _Steadier:
    """The filter against flicker of one camera."""

    def __init__(self) -> None:
        self._filter = TemporalFilter()
        self._last_stamp_sec = 0.0

    def apply(
        self, depth: NDArray[np.float32], stamp_sec: float, weight: float
    ) -> NDArray[np.float32]:
        """Blend (H, W) depth with that of the frames before, unless time jumped back."""
        if not weight or stamp_sec < self._last_stamp_sec:  # a bag began anew
            self._filter.reset()
        self._last_stamp_sec = stamp_sec
        return self._filter.apply(depth, weight) if weight else depth


def scaled(depth: NDArray[np.float32], parameters: NodeParameters) -> NDArray[np.float32]:
    """Apply the user's scale and offset to (H, W) float32 depth [m]."""
    scale, offset = parameters.depth_scale, parameters.depth_offset
    if (scale, offset) == (1.0, 0.0):
        return depth
    changed = depth * np.float32(scale) + np.float32(offset)
    changed[changed <= 0.0] = np.nan
    return np.asarray(changed, np.float32)


def limited(depth: NDArray[np.float32], parameters: NodeParameters) -> NDArray[np.float32]:
    """Apply the user's limits to (H, W) float32 depth [m]."""
    if not parameters.min_depth and not parameters.max_depth:
        return depth
    return limit_range(
        depth,
        min_depth=parameters.min_depth,
        max_depth=parameters.max_depth or np.inf,
        policy=RangePolicy(parameters.range_policy),
    )


def agreement(depth: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Tell how well two depths of the same pixels agree.

    Returns:
        (H, W) float32: the nearer one's share of the farther one, 0 where one is invalid.
    """
    both = valid_mask(depth) & valid_mask(other)
    share = np.zeros(depth.shape, np.float32)
    np.divide(np.minimum(depth, other), np.maximum(depth, other), out=share, where=both)
    return share


def _rectified(request: FrameRequest) -> NDArray[np.uint8]:
    return request.rectifier.apply(request.rgb) if request.rectifier else request.rgb


def _mirrored(intrinsics: CameraIntrinsics) -> CameraIntrinsics:
    return replace(intrinsics, cx=intrinsics.width - 1 - intrinsics.cx)
