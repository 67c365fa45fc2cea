"""Reads the YAML file that ROS's camera_calibration and camera_info_manager write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.camera.plausibility import implausible_camera
from depth_estimation_ros.camera.rectification import Rectifier
from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.files.reading import read_bytes

if TYPE_CHECKING:
    import os

_MAX_BYTES = 1 << 16
_MAX_BRACKETS = 200  # PyYAML takes seconds over a thousand open ones

__all__ = ['DistortedCamera', 'read_camera_info', 'read_distorted_camera']


@dataclass(frozen=True, kw_only=True)
class DistortedCamera:
    """A camera whose images a Rectifier makes those of a pinhole camera; its facts are the same.

    Attributes:
        raw: Intrinsics of the raw image.
        rectified: Intrinsics of the rectified image, of the same size.
        distortion_model: See Rectifier.
        coefficients: See Rectifier.
        rotation: See Rectifier.
    """

    raw: CameraIntrinsics
    rectified: CameraIntrinsics
    distortion_model: str
    coefficients: tuple[float, ...]
    rotation: tuple[float, ...]

    def rectifier(self, *, height: int, width: int) -> Rectifier:
        """Rectify images of this size [px], scaled as a camera does that bins or resizes."""
        return Rectifier(
            raw=self.raw.scaled(height=height, width=width),
            rectified=self.rectified.scaled(height=height, width=width),
            distortion_model=self.distortion_model,
            coefficients=self.coefficients,
            rotation=self.rotation,
        )


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


def read_distorted_camera(path: str | os.PathLike[str]) -> DistortedCamera:
    """Read all that it takes to rectify images.

    Args:
        path: A camera_info YAML file.

    Raises:
        ConfigError: See `read_camera_info`; or the file has no distortion, or one that cannot be
            taken out.
    """
    raw = read_camera_info(path)
    fields = _load_yaml(Path(path))
    coefficients = _numbers(fields, 'distortion_coefficients', path)
    if not any(coefficients):
        raise ConfigError(f'{path}: no distortion_coefficients, so there is nothing to rectify')
    fx, _, cx, _, _, fy, cy, *_ = _numbers(fields, 'projection_matrix', path, 12) or (0.0,) * 12
    camera = DistortedCamera(
        raw=raw,
        rectified=replace(raw, fx=fx, fy=fy, cx=cx, cy=cy) if fx else raw,
        distortion_model=str(fields.get('distortion_model')),
        coefficients=coefficients,
        rotation=_numbers(fields, 'rectification_matrix', path, 9) or (0.0,) * 9,
    )
    if not camera.rectified.is_calibrated:
        raise ConfigError(f'{path}: projection_matrix is no calibration: {camera.rectified}')
    try:
        camera.rectifier(height=raw.height, width=raw.width)
    except ConfigError as err:
        raise ConfigError(f'{path}: {err}') from err
    return camera


def _numbers(
    fields: Any, name: str, path: str | os.PathLike[str], length: int = 0
) -> tuple[float, ...]:
    """Read the data of a matrix; empty if it is left out."""
    try:
        data = tuple(float(value) for value in fields.get(name, {'data': ()})['data'])
    except (KeyError, TypeError, ValueError) as err:
        raise ConfigError(f'{path}: {name}.data must be numbers ({err!r})') from err
    if data and length and len(data) != length:
        raise ConfigError(f'{path}: {name}.data has {len(data)} numbers, {length} are needed')
    return data


def _load_yaml(path: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise ConfigError(f'{path}: PyYAML is not installed (pip install pyyaml)') from None
    data = read_bytes(path, ConfigError)
    brackets = data.count(b'[') + data.count(b'{')
    if len(data) > _MAX_BYTES or brackets > _MAX_BRACKETS:
        raise ConfigError(
            f'{path}: no camera_info file: {len(data)} bytes with {brackets} lists, expected '
            f'{_MAX_BYTES} and {_MAX_BRACKETS} at most'
        )
    try:
        return yaml.safe_load(data.decode('utf-8'))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as err:
        raise ConfigError(f'{path}: not YAML: {" ".join(str(err).split())}') from err
