"""What a page offers and what somebody asks for with it.

The node's live parameters are controls with the node's own ranges. Commands are made on the page's
threads and done on that of ROS.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# In the order of the page. What a node does not have, or is not a number or a switch, is left out.
LIVE_NAMES = (
    'max_depth',
    'min_depth',
    'depth_scale',
    'depth_offset',
    'temporal_filter',
    'edge_filter_threshold',
    'edge_filter_image',
    'decimation_x',
    'decimation_y',
    'max_rate_hz',
)
FINE_SPAN = 200.0
FINE_STEP = 0.01
COARSE_STEP = 0.1


class ControlKind(Enum):
    """How a value is chosen."""

    SLIDER = 'slider'
    SWITCH = 'switch'


@dataclass(frozen=True, kw_only=True)
class Control:
    """One control.

    Attributes:
        name: of the parameter.
        kind: how it is shown.
        description: the node's words.
        value: its value now.
        low: least value of a slider.
        high: greatest.
        step: of a slider.
    """

    name: str
    kind: ControlKind
    description: str
    value: bool | int | float
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0


def controls_of(descriptors: Mapping[str, Any], values: Mapping[str, Any]) -> list[Control]:
    """Make the controls of a node.

    Args:
        descriptors: rcl_interfaces' ParameterDescriptor by name.
        values: the values by name.
    """
    controls = []
    for name in LIVE_NAMES:
        if name in descriptors and name in values:
            control = _control(name, descriptors[name], values[name])
            if control is not None:
                controls.append(control)
    return controls


def _control(name: str, descriptor: Any, value: object) -> Control | None:
    if isinstance(value, bool):
        return Control(
            name=name,
            kind=ControlKind.SWITCH,
            description=descriptor.description,
            value=value,
        )
    if isinstance(value, int):
        ranges = list(descriptor.integer_range)
        step = 1.0
    elif isinstance(value, float):
        ranges = list(descriptor.floating_point_range)
        span = ranges[0].to_value - ranges[0].from_value if ranges else 0.0
        step = FINE_STEP if span <= FINE_SPAN else COARSE_STEP
    else:
        return None
    if not ranges:
        return None
    return Control(
        name=name,
        kind=ControlKind.SLIDER,
        description=descriptor.description,
        value=value,
        low=ranges[0].from_value,
        high=ranges[0].to_value,
        step=ranges[0].step or step,
    )


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
