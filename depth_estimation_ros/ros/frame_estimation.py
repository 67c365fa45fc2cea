"""One image of one camera to the depth that is published, with what is kept between frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.depth_image import RangePolicy, limit_range, valid_mask
from depth_estimation_ros.edge_filter import flying_pixels
from depth_estimation_ros.image_transform import ImageTransform
from depth_estimation_ros.ros.conversions import seconds
from depth_estimation_ros.ros.outputs import NEED_CLOUD_DEPTH, Output
from depth_estimation_ros.temporal_filter import TemporalFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from std_msgs.msg import Header

    from depth_estimation_ros.camera import CameraIntrinsics
    from depth_estimation_ros.estimator import DepthEstimator
    from depth_estimation_ros.prediction import StageTimings
    from depth_estimation_ros.ros.camera_model import CameraModel
    from depth_estimation_ros.ros.parameters import NodeParameters


@dataclass(frozen=True, kw_only=True)
class DepthFrame:
    """One image and its depth; all arrays have the image's size.

    Attributes:
        header: of the image, verbatim.
        rgb: (H, W, 3) uint8, rectified if its camera is.
        depth: (H, W) float32 [m], NaN = invalid, beyond the limits what range_policy says.
        cloud_depth: the same without flying pixels.
        confidence: (H, W) float32, 0 = none to 1; None unless it was asked for.
        camera: None if it is unknown.
        max_color_depth: depth painted as the farthest [m].
        timings: of the network's run, or of both.
    """

    header: Header
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    cloud_depth: NDArray[np.float32]
    confidence: NDArray[np.float32] | None
    camera: CameraModel | None
    max_color_depth: float
    timings: StageTimings


class FrameEstimation:
    """Estimates the depth of one camera's frames, in their order.

    Args:
        estimator: shared with the other cameras of the node, by the same thread.
        resize_mode: that it was made with.
    """

    def __init__(self, estimator: DepthEstimator, resize_mode: str) -> None:
        self._estimator = estimator
        self._resize_mode = resize_mode
        self._temporal = TemporalFilter()
        self._last_stamp_sec = 0.0

    def estimate(
        self,
        rgb: NDArray[np.uint8],
        header: Header,
        *,
        camera: CameraModel | None,
        parameters: NodeParameters,
        wanted: frozenset[Output],
    ) -> DepthFrame:
        """Rectify, run the network, correct, filter, limit.

        Raises:
            ImageError: the network cannot use the image.
            BackendError: the backend failed.
        """
        if camera is not None and camera.rectifier is not None:
            rgb = camera.rectifier.apply(rgb)
        intrinsics = camera.intrinsics if camera else None
        prediction = self._estimator.estimate(rgb, intrinsics)
        depth, timings = prediction.depth, prediction.timings
        if camera is not None and camera.rectifier is not None:
            depth[camera.rectifier.outside] = np.nan
        confidence = None
        if parameters.confidence and Output.CONFIDENCE in wanted:
            mirrored = _mirrored(intrinsics) if intrinsics else None
            second = self._estimator.estimate(rgb[:, ::-1], mirrored)
            confidence = agreement(depth, second.depth[:, ::-1])
            timings = _sum_of(timings, second.timings)
        depth = scaled(depth, parameters)
        depth = self._steadied(depth, seconds(header.stamp), parameters.temporal_filter)
        cloud_depth = self._without_edges(depth, parameters, wanted)
        if parameters.edge_filter_image:
            depth = cloud_depth
        return DepthFrame(
            header=header,
            rgb=rgb,
            depth=limited(depth, parameters),
            cloud_depth=limited(cloud_depth, parameters),
            confidence=confidence,
            camera=camera,
            max_color_depth=parameters.max_depth or self._estimator.spec.max_depth,
            timings=timings,
        )

    def _steadied(
        self, depth: NDArray[np.float32], stamp_sec: float, weight: float
    ) -> NDArray[np.float32]:
        if not weight or stamp_sec < self._last_stamp_sec:  # time jumped back: a bag began anew
            self._temporal.reset()
        self._last_stamp_sec = stamp_sec
        return self._temporal.apply(depth, weight) if weight else depth

    def _without_edges(
        self, depth: NDArray[np.float32], parameters: NodeParameters, wanted: frozenset[Output]
    ) -> NDArray[np.float32]:
        is_wanted = parameters.edge_filter_image or wanted & NEED_CLOUD_DEPTH
        if not parameters.edge_filter_threshold or not is_wanted:
            return depth
        spec = self._estimator.spec
        transform = ImageTransform.by_mode(
            self._resize_mode,
            image_size=(depth.shape[0], depth.shape[1]),
            network_size=spec.input_size,
            output_size=spec.output_size,
        )
        height, width = (size // transform.stride for size in transform.content_size)
        edges = flying_pixels(
            depth, grid_size=(height, width), threshold=parameters.edge_filter_threshold
        )
        return np.where(edges, np.float32(np.nan), depth)


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


def _mirrored(intrinsics: CameraIntrinsics) -> CameraIntrinsics:
    return replace(intrinsics, cx=intrinsics.width - 1 - intrinsics.cx)


def _sum_of(one: StageTimings, other: StageTimings) -> StageTimings:
    return replace(
        one,
        preprocess_ms=one.preprocess_ms + other.preprocess_ms,
        inference_ms=one.inference_ms + other.inference_ms,
        postprocess_ms=one.postprocess_ms + other.postprocess_ms,
    )
