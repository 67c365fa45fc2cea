"""What a CameraInfo says of an image, and what it says of the depth made from that image.

REP 104: K and P describe the full sensor; region of interest, then binning, lead to the image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import math
from typing import TYPE_CHECKING

from sensor_msgs.msg import CameraInfo

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.camera.plausibility import (
    implausible_baseline,
    implausible_camera,
    implausible_coefficients,
    implausible_rotation,
)
from depth_estimation_ros.camera.rectification import Rectifier
from depth_estimation_ros.errors import DepthEstimationError

if TYPE_CHECKING:
    from std_msgs.msg import Header

# Sizes that come from one another by scaling are whole numbers, so their aspects differ a little.
_ASPECT_TOLERANCE = 0.01
_NO_ROTATION = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]


class CameraInfoError(DepthEstimationError):
    """A camera_info cannot describe the image it came with."""


@dataclass(frozen=True, kw_only=True)
class CameraModel:
    """The camera of one image: what the depth is measured with and published with.

    Attributes:
        intrinsics: at the image's size, of the rectified camera if the image is rectified.
        is_rectified: lens distortion is gone from the image, so P describes it and D is zero.
        info: the CameraInfo that it came from, None for a camera known by its field of view.
        rectifier: what the raw image must go through first, None if it is fine as it is.
    """

    intrinsics: CameraIntrinsics
    is_rectified: bool
    info: CameraInfo | None = None
    rectifier: Rectifier | None = None


def camera_from_info(
    info: CameraInfo, *, height: int, width: int, is_rectified: bool
) -> CameraModel:
    """Find the intrinsics of an image.

    Args:
        info: calibration, of the full sensor.
        height: of the image [px].
        width: of the image [px].
        is_rectified: the image is; then P holds, unless it is empty, else K.

    Raises:
        CameraInfoError: the numbers are of no camera, or the size is of another image.
    """
    values = _rectified_values(info) if is_rectified else _values(info.k, (0, 4, 2, 5))
    sensor = _sensor(info, values, height=height, width=width)
    if not sensor.is_calibrated:
        raise CameraInfoError(
            f'camera_info is not a calibration: fx = {sensor.fx:g}, fy = {sensor.fy:g}, '
            f'cx = {sensor.cx:g}, cy = {sensor.cy:g}; calibrate the camera or set '
            'fallback_hfov_deg'
        )
    wrong = implausible_camera(sensor)
    if not wrong and is_rectified:
        wrong = implausible_baseline(_baseline(info))
    if wrong:
        raise CameraInfoError(
            f'{"P" if is_rectified and info.p[0] else "K"} is of no camera: {wrong}'
        )
    return CameraModel(
        intrinsics=_at_image_size(sensor, info, height=height, width=width),
        is_rectified=is_rectified,
        info=info,
    )


def _sensor(
    info: CameraInfo, values: tuple[float, ...], *, height: int, width: int
) -> CameraIntrinsics:
    """Take fx, fy, cx, cy for the full sensor; without a size it is the image's."""
    return CameraIntrinsics(
        width=info.width or width,
        height=info.height or height,
        fx=values[0],
        fy=values[1],
        cx=values[2],
        cy=values[3],
    )


def _values(matrix: object, indices: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(float(matrix[index]) for index in indices)  # type: ignore[index]


def _rectified_values(info: CameraInfo) -> tuple[float, ...]:
    values = _values(info.p, (0, 5, 2, 6))
    return values if values[0] != 0.0 else _values(info.k, (0, 4, 2, 5))


def _at_image_size(
    sensor: CameraIntrinsics, info: CameraInfo, *, height: int, width: int
) -> CameraIntrinsics:
    """Bring the sensor's intrinsics to the image: by ROI and binning, else by plain scaling."""
    roi = info.roi
    window = sensor
    if roi.width and roi.height:
        window = sensor.cropped(
            top=roi.y_offset, left=roi.x_offset, height=roi.height, width=roi.width
        )
    rows, columns = max(info.binning_y, 1), max(info.binning_x, 1)
    _check_window(sensor, window, info)
    binned = window.scaled(height=window.height // rows, width=window.width // columns)
    for candidate in (binned, sensor):
        if (candidate.width, candidate.height) == (width, height):
            return candidate
    for candidate in (binned, sensor):
        if _same_aspect(candidate, height=height, width=width):
            return candidate.scaled(height=height, width=width)
    raise CameraInfoError(
        f'camera_info describes an image of {binned.width}x{binned.height} pixels, '
        f'but the image is {width}x{height}'
    )


def _check_window(sensor: CameraIntrinsics, window: CameraIntrinsics, info: CameraInfo) -> None:
    roi = info.roi
    if roi.x_offset >= sensor.width or roi.y_offset >= sensor.height:
        raise CameraInfoError(
            f'region of interest at ({roi.x_offset}, {roi.y_offset}) is not in the '
            f'{sensor.width}x{sensor.height} pixels of the sensor'
        )
    if info.binning_x > window.width or info.binning_y > window.height:
        raise CameraInfoError(
            f'binning of {info.binning_x}x{info.binning_y} leaves nothing of '
            f'{window.width}x{window.height} pixels'
        )


def _same_aspect(candidate: CameraIntrinsics, *, height: int, width: int) -> bool:
    return math.isclose(
        candidate.width * height, candidate.height * width, rel_tol=_ASPECT_TOLERANCE
    )


def rectified_camera(info: CameraInfo, *, height: int, width: int) -> CameraModel:
    """Find the camera that a raw image is of once it is rectified, and the way there.

    Raises:
        CameraInfoError: see `camera_from_info`.
        ConfigError: the distortion model is unknown, or D or R are of no lens.
    """
    size = {'height': height, 'width': width}
    raw = camera_from_info(info, **size, is_rectified=False)
    rectified = camera_from_info(info, **size, is_rectified=True)
    rectifier = Rectifier(
        raw=raw.intrinsics,
        rectified=rectified.intrinsics,
        distortion_model=info.distortion_model,
        coefficients=tuple(float(value) for value in info.d),
        rotation=tuple(float(value) for value in info.r),
    )
    return replace(rectified, rectifier=rectifier)


def camera_from_hfov(*, height: int, width: int, hfov_deg: float) -> CameraModel:
    """Make do with a horizontal field of view [deg] and a centred principal point.

    Raises:
        DepthEstimationError: no camera has it, or images of this size.
    """
    intrinsics = CameraIntrinsics.from_hfov(width=width, height=height, hfov_deg=hfov_deg)
    if wrong := implausible_camera(intrinsics):
        raise CameraInfoError(wrong)
    return CameraModel(intrinsics=intrinsics, is_rectified=True)


def is_distorted(info: CameraInfo) -> bool:
    """Tell whether the lens of this camera bends straight lines."""
    return any(value != 0.0 for value in info.d)


def depth_camera_info(
    model: CameraModel, header: Header, size: tuple[int, int] | None = None
) -> CameraInfo:
    """Describe the depth image: size, K and P at its own size, nothing left to crop or to bin.

    Args:
        model: the camera of the image that the depth was made from.
        header: the image's, taken verbatim.
        size: (height, width) of the depth image [px], None: the camera's. Its pixels share the
            view evenly, as CameraIntrinsics.resampled says.
    """
    info = _camera_info(model, header)
    if size is not None and size != (info.height, info.width):
        _resample(info, size)
    return info


def _resample(info: CameraInfo, size: tuple[int, int]) -> None:
    scales = (size[1] / info.width, size[0] / info.height)
    info.height, info.width = size
    for matrix, num_columns in ((info.k, 3), (info.p, 4)):
        for row, scale in enumerate(scales):
            start = row * num_columns
            matrix[start + row] *= scale
            matrix[start + 2] = (matrix[start + 2] + 0.5) * scale - 0.5
    info.p[3] *= scales[0]


def _camera_info(model: CameraModel, header: Header) -> CameraInfo:
    """Describe an image of the camera's size."""
    camera, source = model.intrinsics, model.info
    info = CameraInfo(header=header, width=camera.width, height=camera.height)
    info.k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    if source is None or model.is_rectified:
        info.distortion_model = 'plumb_bob'
        info.d = [0.0] * 5
        info.r = _NO_ROTATION
        info.p = _projection(camera, 0.0 if source is None else _baseline(source))
        return info
    # What a consumer needs to rectify the depth image itself, as far as it is of any use.
    if not implausible_coefficients(source.d):
        info.distortion_model = source.distortion_model
        info.d = source.d
    has_rotation = any(source.r) and not implausible_rotation(source.r)
    info.r = source.r if has_rotation else _NO_ROTATION
    try:
        size = {'height': camera.height, 'width': camera.width}
        rectified = camera_from_info(source, **size, is_rectified=True).intrinsics
        info.p = _projection(rectified, _baseline(source))
    except CameraInfoError:
        info.p = _projection(camera, 0.0)
    return info


def _projection(camera: CameraIntrinsics, baseline: float) -> list[float]:
    """Write P, row by row; baseline: distance to the first camera of a stereo pair [m]."""
    first = [camera.fx, 0.0, camera.cx, -camera.fx * baseline]
    return [*first, 0.0, camera.fy, camera.cy, 0.0, 0.0, 0.0, 1.0, 0.0]


def _baseline(info: CameraInfo) -> float:
    return -float(info.p[3]) / float(info.p[0]) if info.p[0] else 0.0
