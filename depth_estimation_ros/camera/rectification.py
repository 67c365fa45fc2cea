"""Rectification: a raw image of a distorting lens becomes that of a pinhole camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.camera.distortion import DistortionModel, distortion_model
from depth_estimation_ros.camera.plausibility import implausible_rotation
from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics

__all__ = ['Rectifier']


@dataclass(frozen=True, kw_only=True)
class Rectifier:
    """Maps from the rectified image to the raw one, made once for a camera and a size.

    Attributes:
        raw: Intrinsics of the raw image.
        rectified: Intrinsics of the rectified image, of the same size.
        distortion_model: Its name, see `distortion.distortion_model`.
        coefficients: D of the CameraInfo.
        rotation: R of the CameraInfo, row by row: 9 values, all zero = none.
    """

    raw: CameraIntrinsics
    rectified: CameraIntrinsics
    distortion_model: str
    coefficients: tuple[float, ...]
    rotation: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the lens and the rotation.

        Raises:
            ConfigError: The model is unknown, or the numbers are none of such a lens.
        """
        distortion_model(self.distortion_model, self.coefficients)
        if wrong := implausible_rotation(self.rotation):
            raise ConfigError(wrong)

    def apply(self, rgb_hwc: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Rectify an image.

        Args:
            rgb_hwc: (H, W, 3) uint8 of the cameras' size.

        Returns:
            (H, W, 3) uint8, black where the raw image has no pixel.
        """
        import cv2

        columns, rows = self._maps
        return np.asarray(cv2.remap(rgb_hwc, columns, rows, cv2.INTER_LINEAR), np.uint8)

    @cached_property
    def outside(self) -> NDArray[np.bool_]:
        """(H, W) bool: True where the raw image has no pixel, so that depth means nothing."""
        columns, rows = self._float_maps()
        return ~((columns >= 0) & (columns <= self.raw.width - 1)) | ~(
            (rows >= 0) & (rows <= self.raw.height - 1)
        )

    @cached_property
    def _maps(self) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
        """Fixed-point maps, which OpenCV follows faster."""
        import cv2

        columns, rows = cv2.convertMaps(*self._float_maps(), cv2.CV_16SC2)
        return np.asarray(columns, np.int16), np.asarray(rows, np.uint16)

    def _float_maps(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        import cv2

        rotation = np.reshape(self.rotation, (3, 3))
        if not rotation.any():
            rotation = np.eye(3)
        coefficients = np.asarray(self.coefficients, np.float64)
        model = distortion_model(self.distortion_model, self.coefficients)
        is_fisheye = model is DistortionModel.EQUIDISTANT
        make = cv2.fisheye.initUndistortRectifyMap if is_fisheye else cv2.initUndistortRectifyMap
        maps = make(
            _matrix(self.raw),
            coefficients,
            rotation,
            _matrix(self.rectified),
            (self.raw.width, self.raw.height),
            cv2.CV_32FC1,
        )
        return np.asarray(maps[0], np.float32), np.asarray(maps[1], np.float32)


def _matrix(camera: CameraIntrinsics) -> NDArray[np.float64]:
    """(3, 3) K."""
    return np.array([[camera.fx, 0.0, camera.cx], [0.0, camera.fy, camera.cy], [0.0, 0.0, 1.0]])
