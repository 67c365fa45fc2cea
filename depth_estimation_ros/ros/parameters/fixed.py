"""Parameters of small executables: read once at start, from a dataclass that is their source."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from rclpy.exceptions import ParameterException

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.ros.parameters.spec import checked_value, descriptor

if TYPE_CHECKING:
    from rclpy.node import Node

T = TypeVar('T')


def declare_fields(node: Node, kind: type[T]) -> T:
    """Declare every field of a dataclass of `parameter(...)` fields and read it once.

    Args:
        node: The node to declare them on.
        kind: The dataclass.

    Raises:
        ConfigError: A value from the command line or a YAML file is not accepted.
    """
    values: dict[str, Any] = {}
    for item in fields(kind):  # type: ignore[arg-type]
        spec = item.metadata['spec']
        try:
            declared = node.declare_parameter(
                item.name, item.default, descriptor(item.name, item.default, spec)
            )
        except ParameterException as err:
            raise ConfigError(f'{item.name}: {err}') from err
        values[item.name] = checked_value(item.name, declared.value, item.default, spec)
    return kind(**values)
