"""Reads the YAML file that ROS's camera_calibration and camera_info_manager write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.camera.plausibility import implausible_camera
from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.files.reading import check_regular

if TYPE_CHECKING:
    import os

__all__ = ['read_camera_info']


def read_camera_info(path: str | os.PathLike[str]) -> CameraIntrinsics:
    """Read image_width, image_height and camera_matrix; distortion is ignored.

    Args:
        path: A camera_info YAML file.

    Raises:
        ConfigError: The file cannot be read, is no such YAML, or its numbers are of no camera; or
            PyYAML is not installed.
    """
    fields = _load_yaml(Path(path))
    try:
        matrix = [float(value) for value in fields['camera_matrix']['data']]
        width, height = int(fields['image_width']), int(fields['image_height'])
        fx, _, cx, _, fy, cy, *_ = matrix
    except (KeyError, OverflowError, TypeError, ValueError) as err:
        raise ConfigError(
            f'{path}: no camera_info file: image_width, image_height and camera_matrix.data '
            f'(9 numbers) are needed ({err!r})'
        ) from err
    intrinsics = CameraIntrinsics(width=width, height=height, fx=fx, fy=fy, cx=cx, cy=cy)
    if not intrinsics.is_calibrated:
        raise ConfigError(f'{path}: camera is not calibrated: {intrinsics}')
    if wrong := implausible_camera(intrinsics):
        raise ConfigError(f'{path}: camera_matrix is of no camera: {wrong}')
    return intrinsics


def _load_yaml(path: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise ConfigError(f'{path}: PyYAML is not installed (pip install pyyaml)') from None
    check_regular(path, ConfigError)
    try:
        return yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as err:
        raise ConfigError(f'{path}: cannot be read: {err.strerror}') from err
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as err:
        raise ConfigError(f'{path}: not YAML: {" ".join(str(err).split())}') from err
