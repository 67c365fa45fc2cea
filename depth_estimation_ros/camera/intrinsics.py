"""Intrinsics of a pinhole camera without distortion."""

from __future__ import annotations

from dataclasses import dataclass
import math

from depth_estimation_ros.camera.plausibility import implausible_hfov
from depth_estimation_ros.errors import ImageError

__all__ = ['CameraIntrinsics']


@dataclass(frozen=True, kw_only=True)
class CameraIntrinsics:
    """Size, focal lengths and principal point of a pinhole camera.

    Pixel centres lie at integer coordinates, as in ROS and OpenCV: the centre of an image is
    ((width - 1) / 2, (height - 1) / 2). Values are taken as they come (a camera_info may hold
    zeros or NaN); ask `is_calibrated` before using them.

    Attributes:
        width: Image width [px].
        height: Image height [px].
        fx: Focal length along the rows [px].
        fy: Focal length along the columns [px].
        cx: Principal point, column [px].
        cy: Principal point, row [px].
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    @classmethod
    def from_hfov(cls, *, width: int, height: int, hfov_deg: float) -> CameraIntrinsics:
        """Square pixels and a centred principal point from a horizontal field of view.

        Args:
            width: Image width [px].
            height: Image height [px].
            hfov_deg: Angle between the left and the right border [deg], 1 to 175.

        Raises:
            ImageError: The angle or the size is out of range.
        """
        if wrong := implausible_hfov(hfov_deg):
            raise ImageError(f'field of view {wrong}')
        if width <= 0 or height <= 0:
            raise ImageError(f'image size {width}x{height} (width x height) has no pixels')
        focal_px = 0.5 * width / math.tan(math.radians(hfov_deg) / 2.0)
        return cls(
            width=width,
            height=height,
            fx=focal_px,
            fy=focal_px,
            cx=(width - 1) / 2.0,
            cy=(height - 1) / 2.0,
        )

    @property
    def is_calibrated(self) -> bool:
        """True when all values are finite and the focal lengths and sizes are positive."""
        finite = all(math.isfinite(value) for value in (self.fx, self.fy, self.cx, self.cy))
        return finite and min(self.fx, self.fy, self.width, self.height) > 0

    def scaled(self, *, height: int, width: int) -> CameraIntrinsics:
        """Intrinsics of the same view at another size, by ROS's rule for resized images.

        Columns scale by the ratio of widths, rows by the ratio of heights, as
        image_proc::ResizeNode and image_geometry do.

        Raises:
            ImageError: This camera has no size (a camera_info full of zeros).
        """
        if self.width <= 0 or self.height <= 0:
            raise ImageError(
                f'intrinsics of a {self.width}x{self.height} image (width x height) '
                'cannot be scaled'
            )
        ratio_x, ratio_y = width / self.width, height / self.height
        return CameraIntrinsics(
            width=width,
            height=height,
            fx=self.fx * ratio_x,
            fy=self.fy * ratio_y,
            cx=self.cx * ratio_x,
            cy=self.cy * ratio_y,
        )

    def resampled(self, *, height: int, width: int) -> CameraIntrinsics:
        """Intrinsics of an image whose pixels share the area of this one's evenly.

        Pixel borders, not pixel centres, are scaled: (cx + 0.5) / width stays. It is exact for
        what cv2.resize does, where `scaled` is ROS's rule and off by up to half a large pixel.

        Args:
            height: Rows of the other image [px].
            width: Columns of the other image [px].
        """
        if (height, width) == (self.height, self.width):
            return self
        ratio_x, ratio_y = width / self.width, height / self.height
        return CameraIntrinsics(
            width=width,
            height=height,
            fx=self.fx * ratio_x,
            fy=self.fy * ratio_y,
            cx=(self.cx + 0.5) * ratio_x - 0.5,
            cy=(self.cy + 0.5) * ratio_y - 0.5,
        )

    def cropped(self, *, top: int, left: int, height: int, width: int) -> CameraIntrinsics:
        """Intrinsics of a window of the image; negative top or left add a border.

        Args:
            top: First row of the window [px].
            left: First column of the window [px].
            height: Rows of the window [px].
            width: Columns of the window [px].
        """
        return CameraIntrinsics(
            width=width, height=height, fx=self.fx, fy=self.fy, cx=self.cx - left, cy=self.cy - top
        )
