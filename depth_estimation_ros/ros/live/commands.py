"""What somebody in a browser asks for; made on the page's threads, done on that of ROS."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    'Calibrate',
    'ChooseCamera',
    'ChoosePixel',
    'Command',
    'PickPoint',
    'Save',
    'SetEnabled',
    'SetParameter',
    'ShowCloud',
]


@dataclass(frozen=True, kw_only=True)
class SetParameter:
    """Set a parameter of the node."""

    name: str
    value: bool | int | float


@dataclass(frozen=True, kw_only=True)
class SetEnabled:
    """Pause the node, or let it go on."""

    is_enabled: bool


@dataclass(frozen=True, kw_only=True)
class ChooseCamera:
    """Show another camera."""

    name: str


@dataclass(frozen=True, kw_only=True)
class ShowCloud:
    """Ask for the cloud, or not."""

    is_wanted: bool


@dataclass(frozen=True, kw_only=True)
class PickPoint:
    """Choose the pixel of the cloud's point on a ray, in the optical frame [m]."""

    origin: tuple[float, float, float]
    direction: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class ChoosePixel:
    """Choose a pixel by its numbers."""

    column: int
    row: int


@dataclass(frozen=True, kw_only=True)
class Calibrate:
    """Find the depth_scale that makes the chosen pixel this far away [m]."""

    distance: float


@dataclass(frozen=True, kw_only=True)
class Save:
    """Write picture, cloud and parameters to where live_view was started."""


Command = (
    SetParameter
    | SetEnabled
    | ChooseCamera
    | ShowCloud
    | PickPoint
    | ChoosePixel
    | Calibrate
    | Save
)
