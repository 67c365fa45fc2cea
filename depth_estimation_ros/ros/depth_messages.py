"""What is published of one frame, a function for each output."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from depth_estimation_ros.depth_image import RangePolicy, colorize, limit_range, to_16uc1
from depth_estimation_ros.point_cloud import PointCloudBuilder
from depth_estimation_ros.ros.camera_model import depth_camera_info
from depth_estimation_ros.ros.conversions import cloud_message, image_message
from depth_estimation_ros.ros.outputs import Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from sensor_msgs.msg import CameraInfo, Image, PointCloud2
    from std_msgs.msg import Header

    from depth_estimation_ros.ros.camera_model import CameraModel
    from depth_estimation_ros.ros.parameters import NodeParameters


@dataclass(frozen=True, kw_only=True)
class DepthFrame:
    """One image and its depth.

    Attributes:
        header: of the image, verbatim.
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32 [m], NaN = invalid, beyond the limits what range_policy says.
        camera: None if it is unknown.
        max_color_depth: depth painted as the farthest [m].
    """

    header: Header
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    camera: CameraModel | None
    max_color_depth: float


def corrected_depth(depth: NDArray[np.float32], parameters: NodeParameters) -> NDArray[np.float32]:
    """Apply the user's scale, offset and limits to (H, W) float32 depth [m]."""
    scale, offset = parameters.depth_scale, parameters.depth_offset
    if (scale, offset) != (1.0, 0.0):
        depth = depth * np.float32(scale) + np.float32(offset)
        depth[depth <= 0.0] = np.nan
    if not parameters.min_depth and not parameters.max_depth:
        return depth
    return limit_range(
        depth,
        min_depth=parameters.min_depth,
        max_depth=parameters.max_depth or np.inf,
        policy=RangePolicy(parameters.range_policy),
    )


def depth_message(frame: DepthFrame, parameters: NodeParameters) -> Image:
    """Make the depth image: 32FC1 [m], or 16UC1 [mm] with 0 for no depth."""
    encoding = parameters.depth_encoding
    pixels: NDArray[Any] = frame.depth if encoding == '32FC1' else to_16uc1(frame.depth)
    return image_message(frame.header, pixels, encoding)


def camera_info_message(frame: DepthFrame, parameters: NodeParameters) -> CameraInfo | None:
    """Describe the depth image, if the camera is known."""
    del parameters
    return None if frame.camera is None else depth_camera_info(frame.camera, frame.header)


def points_message(frame: DepthFrame, parameters: NodeParameters) -> PointCloud2 | None:
    """Make the organised cloud, if the camera is known."""
    if frame.camera is None:
        return None
    builder = _cloud_builder(parameters.decimation_x, parameters.decimation_y)
    colors = frame.rgb if parameters.point_cloud_color else None
    points = builder.build(frame.depth, frame.camera.intrinsics, colors)
    return cloud_message(frame.header, points, is_dense=False)


@lru_cache(maxsize=1)
def _cloud_builder(decimation_x: int, decimation_y: int) -> PointCloudBuilder:
    """Keep the buffers of the last decimation; only the worker thread comes here."""
    return PointCloudBuilder(decimation_x=decimation_x, decimation_y=decimation_y)


def color_message(frame: DepthFrame, parameters: NodeParameters) -> Image:
    """Paint the depth for people, in colours of fixed limits."""
    bgr = colorize(frame.depth, min_depth=parameters.min_depth, max_depth=frame.max_color_depth)
    return image_message(frame.header, bgr, 'bgr8')


BUILDERS: dict[Output, Callable[[DepthFrame, NodeParameters], Any]] = {
    Output.DEPTH: depth_message,
    Output.CAMERA_INFO: camera_info_message,
    Output.POINTS: points_message,
    Output.COLOR: color_message,
}
