"""The camera that recorded NYU Depth v2."""

from __future__ import annotations

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics


def nyu_camera(*, height: int = 480, width: int = 640) -> CameraIntrinsics:
    """Return the intrinsics of the Kinect's colour camera at a size.

    Source: the toolbox that comes with the data set, camera_params.m.
    """
    camera = CameraIntrinsics(width=640, height=480, fx=518.86, fy=519.47, cx=325.58, cy=253.74)
    return camera.scaled(height=height, width=width)
