"""The numbers that a camera can have; with others depth would be metres of nothing.

Every calibration that comes from outside goes through here: messages, YAML files, fields of view.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics

__all__ = ['MAX_HFOV_DEG', 'MIN_HFOV_DEG', 'implausible_camera', 'implausible_hfov']

MIN_SIDE_PX = 2
# Of the image's longer side: a field of view of 178 to 0.6 degrees across it.
MIN_FOCAL_SHARE, MAX_FOCAL_SHARE = 0.01, 100.0
MAX_FOCAL_RATIO = 10.0  # of fx and fy, the larger to the smaller
# The principal point lies in the image or at most one image beside it.
MIN_CENTRE_SHARE, MAX_CENTRE_SHARE = -1.0, 2.0
MIN_HFOV_DEG, MAX_HFOV_DEG = 1.0, 175.0
MAX_BASELINE = 100.0  # of a stereo pair [m]
MAX_COEFFICIENT = 1e5  # of a lens; those of long lenses reach thousands
_ROTATION_TOLERANCE = 0.01


def implausible_camera(camera: CameraIntrinsics) -> str:
    """Say which number no camera has, with what is accepted; empty if there is none.

    Args:
        camera: Of the full sensor: a small window of it may lie far from the principal point.
    """
    if min(camera.width, camera.height) < MIN_SIDE_PX:
        return (
            f'image size {camera.width}x{camera.height}: a camera has at least '
            f'{MIN_SIDE_PX}x{MIN_SIDE_PX} pixels'
        )
    side = max(camera.width, camera.height)
    low, high = MIN_FOCAL_SHARE * side, MAX_FOCAL_SHARE * side
    for name, focal in (('fx', camera.fx), ('fy', camera.fy)):
        if not low <= focal <= high:  # NaN is not
            return f'{name} = {focal:g} px, must be from {low:g} to {high:g} px'
    ratio = camera.fx / camera.fy
    if not 1.0 / MAX_FOCAL_RATIO <= ratio <= MAX_FOCAL_RATIO:
        return (
            f'fx = {camera.fx:g} px and fy = {camera.fy:g} px differ by more than '
            f'{MAX_FOCAL_RATIO:g} times'
        )
    for name, centre, size in (
        ('cx', camera.cx, camera.width),
        ('cy', camera.cy, camera.height),
    ):
        low, high = MIN_CENTRE_SHARE * size, MAX_CENTRE_SHARE * size
        if not low <= centre <= high:
            return f'{name} = {centre:g} px, must be from {low:g} to {high:g} px'
    return ''


def implausible_hfov(hfov_deg: float) -> str:
    """Say that no camera has this horizontal field of view; empty if one may."""
    if MIN_HFOV_DEG <= hfov_deg <= MAX_HFOV_DEG:
        return ''
    return f'{hfov_deg} deg, must be from {MIN_HFOV_DEG:g} to {MAX_HFOV_DEG:g} deg'


def implausible_baseline(baseline: float) -> str:
    """Say that no stereo pair has its cameras so far apart [m]; empty if one may."""
    if abs(baseline) <= MAX_BASELINE:
        return ''
    return f'baseline {baseline:g} m, must be at most {MAX_BASELINE:g} m'


def implausible_coefficients(coefficients: Sequence[float]) -> str:
    """Say that no lens has these distortion coefficients; empty if one may."""
    if all(abs(value) <= MAX_COEFFICIENT for value in coefficients):
        return ''
    return f'D = {_listed(coefficients)}, must be finite and within +-{MAX_COEFFICIENT:g}'


def implausible_rotation(rotation: Sequence[float]) -> str:
    """Say that these 9 numbers are no rotation, row by row; all zero stands for none."""
    if not any(value != 0.0 for value in rotation):
        return ''
    rows = [rotation[index : index + 3] for index in (0, 3, 6)]
    for i, row in enumerate(rows):
        for j, other in enumerate(rows):
            product = sum(a * b for a, b in zip(row, other, strict=True))
            if not math.isclose(product, float(i == j), abs_tol=_ROTATION_TOLERANCE):
                return f'R = {_listed(rotation)}, must be a rotation'
    return ''


def _listed(values: Sequence[float]) -> str:
    return f'[{", ".join(f"{value:g}" for value in values)}]'
