"""What is published of one frame, a function for each output."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sensor_msgs.msg import LaserScan
from std_msgs.msg import Header

from depth_estimation_ros.depth.depth_image import to_16uc1, valid_mask
from depth_estimation_ros.depth.navigation import SparseLimits, laser_ranges, sparse_points
from depth_estimation_ros.depth.point_cloud import PointCloudBuilder
from depth_estimation_ros.ros.messages.camera_model import depth_camera_info
from depth_estimation_ros.ros.messages.conversions import cloud_message, image_message
from depth_estimation_ros.ros.messages.outputs import NEED_CAMERA, Output

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from sensor_msgs.msg import CameraInfo, Image, PointCloud2

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.ros.messages.depth_frame import DepthFrame
    from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters


def depth_message(frame: DepthFrame, parameters: NodeParameters) -> Image:
    """Make the depth image: 32FC1 [m], or 16UC1 [mm] with 0 for no depth."""
    encoding = parameters.depth_encoding
    depth = frame.depth.image
    pixels: NDArray[Any] = depth if encoding == '32FC1' else to_16uc1(depth)
    return image_message(frame.header, pixels, encoding)


def color_message(frame: DepthFrame, parameters: NodeParameters) -> Image:
    """Paint the depth for people, in colours of fixed limits."""
    bgr = frame.depth.painted(min_depth=parameters.min_depth, max_depth=frame.max_color_depth)
    return image_message(frame.header, bgr, 'bgr8')


def confidence_message(frame: DepthFrame, parameters: NodeParameters) -> Image | None:
    """Make the confidence image, 32FC1 from 0 to 1, if it was asked for."""
    del parameters
    confidence = frame.depth.confidence
    return None if confidence is None else image_message(frame.header, confidence, '32FC1')


def camera_info_message(
    frame: DepthFrame, parameters: NodeParameters, intrinsics: CameraIntrinsics
) -> CameraInfo | None:
    """Describe the depth image."""
    del parameters, intrinsics
    if frame.camera is None:
        return None
    return depth_camera_info(frame.camera, frame.header, frame.depth.size)


def points_message(
    frame: DepthFrame, parameters: NodeParameters, intrinsics: CameraIntrinsics
) -> PointCloud2:
    """Make the cloud, organised like the image or with nothing but its points."""
    builder = _cloud_builder(parameters.decimation_x, parameters.decimation_y)
    chosen = (builder.rows, builder.columns)
    colors = frame.depth.colors(*chosen) if parameters.point_cloud_color else None
    points = builder.build_chosen(frame.depth.sampled(*chosen), intrinsics, colors)
    if parameters.point_cloud_organized:
        return cloud_message(frame.header, points, is_dense=False)
    kept: NDArray[np.float32] = points[valid_mask(points[..., 2])]
    return cloud_message(frame.header, kept[None], is_dense=True)


def points_nav_message(
    frame: DepthFrame, parameters: NodeParameters, intrinsics: CameraIntrinsics
) -> PointCloud2:
    """Make the sparse cloud for costmaps."""
    limits = SparseLimits(
        max_points=parameters.nav_max_points,
        max_range=parameters.nav_max_range,
        min_height=parameters.nav_min_height,
        max_height=parameters.nav_max_height,
    )
    points = sparse_points(frame.depth.sampled, intrinsics, limits)
    return cloud_message(frame.header, points[None], is_dense=True)


def scan_message(
    frame: DepthFrame, parameters: NodeParameters, intrinsics: CameraIntrinsics
) -> LaserScan:
    """Make the laser scan, in a frame with x forward: the stamp alone is the image's."""
    rows_per_row = frame.depth.size[0] / frame.depth.image_size[0]
    scan = laser_ranges(
        frame.depth.sampled,
        intrinsics,
        num_rows=max(1, round(parameters.scan_num_rows * rows_per_row)),
        max_range=parameters.nav_max_range,
    )
    return LaserScan(
        header=Header(stamp=frame.header.stamp, frame_id=parameters.scan_frame),
        angle_min=scan.angle_min,
        angle_max=scan.angle_max,
        angle_increment=scan.angle_increment,
        range_min=parameters.min_depth,
        range_max=parameters.nav_max_range,
        ranges=scan.ranges.tolist(),
    )


@lru_cache(maxsize=1)
def _cloud_builder(decimation_x: int, decimation_y: int) -> PointCloudBuilder:
    """Keep the buffers of the last decimation; only the worker thread comes here."""
    return PointCloudBuilder(decimation_x=decimation_x, decimation_y=decimation_y)


_BUILDERS: dict[Output, Callable[[DepthFrame, NodeParameters], Any]] = {
    Output.DEPTH: depth_message,
    Output.COLOR: color_message,
    Output.CONFIDENCE: confidence_message,
}
_CAMERA_BUILDERS: dict[Output, Callable[[DepthFrame, NodeParameters, CameraIntrinsics], Any]] = {
    Output.CAMERA_INFO: camera_info_message,
    Output.POINTS: points_message,
    Output.POINTS_NAV: points_nav_message,
    Output.SCAN: scan_message,
}


def build_message(output: Output, frame: DepthFrame, parameters: NodeParameters) -> Any | None:
    """Make an output of a frame; None if the frame lacks what it is made of."""
    if output not in NEED_CAMERA:
        return _BUILDERS[output](frame, parameters) if output in _BUILDERS else None
    if frame.depth.intrinsics is None:
        return None
    return _CAMERA_BUILDERS[output](frame, parameters, frame.depth.intrinsics)
