"""The camera that a user names on the command line: --hfov, --fx or --camera-info."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
import math
from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.cli.options.arguments import positive_float

if TYPE_CHECKING:
    import argparse

    from depth_estimation_ros.camera.camera_info_file import DistortedCamera
    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.camera.rectification import Rectifier
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = ['NamedCamera', 'add_camera_arguments']

_MAX_ASPECT_DIFFERENCE = 0.01  # relative, of the calibrated and the given width / height


def add_camera_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --hfov, --fx and --camera-info, of which one may be given; see NamedCamera."""
    group = parser.add_argument_group('camera, for point clouds and the scale of depth')
    only_one = group.add_mutually_exclusive_group()
    only_one.add_argument(
        '--hfov', type=positive_float, metavar='DEG', help='horizontal field of view'
    )
    only_one.add_argument('--fx', type=positive_float, metavar='PX', help='focal length')
    only_one.add_argument(
        '--camera-info', type=Path, metavar='YAML', help='calibration file of ROS'
    )
    group.add_argument(
        '--rectify',
        action='store_true',
        help='take the lens distortion out first that --camera-info has',
    )


@dataclass(frozen=True, kw_only=True)
class NamedCamera:
    """At most one of the three ways to name a camera; none = unknown."""

    hfov_deg: float | None = None
    fx: float | None = None  # [px] at the images' own width
    calibration: CameraIntrinsics | None = None  # of the rectified image if there is a lens
    lens: DistortedCamera | None = None  # whose distortion is to be taken out

    @classmethod
    def from_arguments(cls, args: argparse.Namespace) -> NamedCamera:
        """Read what `add_camera_arguments` declared.

        Raises:
            ConfigError: The calibration file cannot be used.
        """
        from depth_estimation_ros.camera.camera_info_file import (
            read_camera_info,
            read_distorted_camera,
        )

        if args.rectify and args.camera_info is None:
            args.usage_error('--rectify needs --camera-info YAML, which has the distortion')
        if args.rectify:
            lens = read_distorted_camera(args.camera_info)
            return cls(calibration=lens.rectified, lens=lens)
        calibration = None if args.camera_info is None else read_camera_info(args.camera_info)
        return cls(hfov_deg=args.hfov, fx=args.fx, calibration=calibration)

    @property
    def is_known(self) -> bool:
        """False when depth cannot be scaled to the camera and no cloud can be made."""
        return (self.hfov_deg, self.fx, self.calibration) != (None, None, None)

    def intrinsics_for(self, *, height: int, width: int) -> CameraIntrinsics | None:
        """Intrinsics for an image of this size [px]; None = unknown.

        A calibration is scaled to the image, as for a camera that bins or resizes.

        Raises:
            ImageError: The image has another aspect than the calibration, or no camera has
                such a field of view or focal length.
        """
        from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
        from depth_estimation_ros.camera.plausibility import implausible_camera
        from depth_estimation_ros.errors import ImageError

        if self.hfov_deg is not None:
            return CameraIntrinsics.from_hfov(width=width, height=height, hfov_deg=self.hfov_deg)
        if self.fx is not None:
            cx, cy = (width - 1) / 2.0, (height - 1) / 2.0
            camera = CameraIntrinsics(
                width=width, height=height, fx=self.fx, fy=self.fx, cx=cx, cy=cy
            )
            if wrong := implausible_camera(camera):
                raise ImageError(f'--fx: {wrong}')
            return camera
        if self.calibration is None:
            return None
        calibrated = self.calibration.width / self.calibration.height
        if abs(width / height / calibrated - 1.0) > _MAX_ASPECT_DIFFERENCE:
            raise ImageError(
                f'image of {width}x{height}, but the camera was calibrated at '
                f'{self.calibration.width}x{self.calibration.height}: another aspect'
            )
        return self.calibration.scaled(height=height, width=width)

    def rectifier_for(self, *, height: int, width: int) -> Rectifier | None:
        """Find what an image of this size [px] must go through first; None = nothing."""
        if self.lens is None:
            return None
        size = (height, width)
        if size not in self._rectifiers:  # its maps are made once
            self._rectifiers[size] = self.lens.rectifier(height=height, width=width)
        return self._rectifiers[size]

    @cached_property
    def _rectifiers(self) -> dict[tuple[int, int], Rectifier]:
        return {}

    def describe(self, spec: ModelSpec) -> str:
        """One line that says which camera is assumed."""
        if self.hfov_deg is not None:
            return f'camera: {self.hfov_deg:g} deg horizontally, centred, square pixels (--hfov)'
        if self.fx is not None:
            return f'camera: fx = fy = {self.fx:g} px, centred (--fx)'
        if self.calibration is not None:
            return f'camera: {self.calibration} (--camera-info), scaled to each image'
        if spec.training_fx is None:
            return 'camera: unknown; depth is right for a camera like the training camera'
        hfov = 2.0 * math.degrees(math.atan(0.5 * spec.input_size[1] / spec.training_fx))
        if spec.free_size:
            return (
                f'camera: unknown; depth is right for a focal length of {spec.training_fx:.0f} px '
                f'in the network, {hfov:.0f} deg where it is {spec.input_size[1]} px wide (--hfov)'
            )
        return f'camera: unknown; depth is right for a field of view of {hfov:.0f} deg (--hfov)'
