"""Cameras: intrinsics, lens distortion, where a sensor sits, calibration files."""

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics

__all__ = ['CameraIntrinsics']
