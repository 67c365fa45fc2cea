"""What a ROS parameter is: default, meaning, unit, accepted values, and when it may change."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
import math
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

from depth_estimation_ros.errors import ConfigError


class Change(str, Enum):
    """When a new value of a parameter takes effect."""

    LIVE = 'live'  # from the next frame
    CONFIGURE = 'configure'  # when the node is configured the next time
    START = 'start'  # when the node is started the next time


@dataclass(frozen=True, kw_only=True)
class ParameterSpec:
    """One parameter's facts.

    Attributes:
        description: one sentence.
        unit: of the value, in brackets, empty for a bare number or a text.
        limits: lowest and highest value accepted, both included.
        choices: the texts accepted.
        change: when a new value takes effect.
    """

    description: str
    unit: str = ''
    limits: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    change: Change = Change.CONFIGURE


def parameter(default: Any, description: str, **facts: Any) -> Any:
    """Declare one dataclass field as a parameter; `facts` are those of `ParameterSpec`."""
    spec = ParameterSpec(description=description, **facts)
    return field(default=default, metadata={'spec': spec})


def checked_value(name: str, value: object, default: object, spec: ParameterSpec) -> Any:
    """Take a value as it comes from YAML, the command line or a service.

    A whole number is taken where a decimal one is meant, and true or false where YAML read on,
    off, yes or no as a boolean.

    Returns:
        The value, of the default's type.

    Raises:
        ConfigError: the type is wrong, or the value is not among those accepted.
    """
    if isinstance(default, tuple):
        return _checked_texts(name, value)
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if spec.choices and isinstance(value, bool):
        value = _word_for(value, spec.choices)
    if type(value) is not type(default):
        raise ConfigError(
            f'{name} is {value!r} ({type(value).__name__}), '
            f'but it must be of type {type(default).__name__}' + _quotes_help(default)
        )
    if spec.choices and value not in spec.choices:
        raise ConfigError(f'{name} is {value!r}, but it must be one of {", ".join(spec.choices)}')
    if spec.limits is not None and isinstance(value, (int, float)):
        low, high = spec.limits
        if not (math.isfinite(value) and low <= value <= high):
            raise ConfigError(
                f'{name} is {value!r}, but it must be from {low:g} to {high:g}'
                + (f' {spec.unit}' if spec.unit else '')
            )
    return value


def _word_for(value: bool, choices: tuple[str, ...]) -> object:
    """Find the choice that every YAML reader takes for this boolean."""
    words = ('on', 'yes', 'true', 'y') if value else ('off', 'no', 'false', 'n')
    return next((word for word in words if word in choices), value)


def _quotes_help(default: object) -> str:
    return ': put it in quotes' if isinstance(default, str) else ''


def _checked_texts(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise ConfigError(
            f'{name} is {value!r}, but it must be a list of texts: put each in quotes'
        )
    return tuple(value)


def descriptor(name: str, default: object, spec: ParameterSpec) -> ParameterDescriptor:
    """Describe a parameter to `ros2 param describe` and to graphical tools.

    Typing is dynamic where rclpy's own check would refuse what `checked_value` takes: a whole
    number for a decimal one, an empty list, a boolean for off.
    """
    text = spec.description if not spec.unit else f'{spec.description} {spec.unit}'
    message = ParameterDescriptor(
        name=name,
        description=text,
        additional_constraints=f'one of: {", ".join(spec.choices)}' if spec.choices else '',
        read_only=spec.change is Change.START,
        dynamic_typing=isinstance(default, (float, tuple)) or bool(spec.choices),
    )
    if spec.limits is None:
        return message
    low, high = spec.limits
    if isinstance(default, float):
        message.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    else:
        message.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    return message
