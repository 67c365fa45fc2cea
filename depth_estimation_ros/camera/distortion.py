"""Lens distortion models: the names that drivers and calibration tools give them, and their D."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from depth_estimation_ros.camera.plausibility import implausible_coefficients
from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ['DistortionModel', 'distortion_model']


class DistortionModel(str, Enum):
    """ROS's names; the first two are one polynomial, whose terms the length of D tells."""

    PLUMB_BOB = 'plumb_bob'
    RATIONAL_POLYNOMIAL = 'rational_polynomial'
    EQUIDISTANT = 'equidistant'

    @property
    def lengths(self) -> tuple[int, ...]:
        """Numbers of coefficients that D may have."""
        if self is DistortionModel.EQUIDISTANT:
            return (4,)
        # k1 k2 p1 p2 [k3 [k4 k5 k6 [thin prism x 4 [tilt x 2]]]], as OpenCV reads them.
        return (4, 5, 8, 12, 14)


# Other names for them, of Kalibr, OpenCV, Basalt, RealSense and drivers. 'pinhole' is what lies
# before the lens in Kalibr's 'pinhole-radtan', and is sent alone.
_ALIASES = {
    'brown_conrady': DistortionModel.PLUMB_BOB,
    'equi': DistortionModel.EQUIDISTANT,
    'fisheye': DistortionModel.EQUIDISTANT,
    'kannala_brandt': DistortionModel.EQUIDISTANT,
    'kannala_brandt4': DistortionModel.EQUIDISTANT,
    'kb4': DistortionModel.EQUIDISTANT,
    'opencv': DistortionModel.PLUMB_BOB,
    'opencv_fisheye': DistortionModel.EQUIDISTANT,
    'pinhole': DistortionModel.PLUMB_BOB,
    'pinhole_equi': DistortionModel.EQUIDISTANT,
    'pinhole_radtan': DistortionModel.PLUMB_BOB,
    'radial_tangential': DistortionModel.PLUMB_BOB,
    'radtan': DistortionModel.PLUMB_BOB,
    'rational': DistortionModel.RATIONAL_POLYNOMIAL,
    # ROS before there were others, and drivers that leave the name out.
    '': DistortionModel.PLUMB_BOB,
}


def distortion_model(name: str, coefficients: Sequence[float]) -> DistortionModel:
    """Find the model of a lens.

    Args:
        name: Of the model, as a CameraInfo has it; case, '-' and spaces do not matter.
        coefficients: D of the CameraInfo.

    Raises:
        ConfigError: The name is unknown, or these are no coefficients of such a lens.
    """
    plain = '_'.join(name.lower().replace('-', ' ').replace('_', ' ').split())
    known = {model.value: model for model in DistortionModel} | _ALIASES
    if plain not in known:
        names = ', '.join(word for word in known if word)
        raise ConfigError(f'distortion model {name!r} is not supported: must be one of {names}')
    model = known[plain]
    if len(coefficients) not in model.lengths:
        raise ConfigError(
            f'distortion model {name!r} has {" or ".join(map(str, model.lengths))} coefficients, '
            f'but D has {len(coefficients)}: {[float(value) for value in coefficients]}'
        )
    if wrong := implausible_coefficients(coefficients):
        raise ConfigError(f'distortion model {name!r}: {wrong}')
    return model
