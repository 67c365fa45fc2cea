"""Values for the node's parameters, as they come from YAML, the command line or a service."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters
from depth_estimation_ros.ros.parameters.spec import ParameterSpec, checked_value

if TYPE_CHECKING:
    from collections.abc import Mapping


def parameter_specs() -> dict[str, tuple[object, ParameterSpec]]:
    """List name -> (default, facts) of every parameter, in their order."""
    return {item.name: (item.default, item.metadata['spec']) for item in fields(NodeParameters)}


def read_parameters(values: Mapping[str, object]) -> NodeParameters:
    """Check values given by name; the rest keep their defaults.

    Raises:
        ConfigError: a name is unknown, or a value is not accepted.
    """
    return change_parameters(NodeParameters(), values)


def change_parameters(current: NodeParameters, values: Mapping[str, object]) -> NodeParameters:
    """Check new values and put them in place of the current ones.

    Raises:
        ConfigError: a name is unknown, or a value is not accepted.
    """
    specs = parameter_specs()
    accepted: dict[str, Any] = {}
    for name, value in values.items():
        if name not in specs:
            raise ConfigError(f'{name} is no parameter; parameters: {", ".join(specs)}')
        accepted[name] = checked_value(name, value, *specs[name])
    return replace(current, **accepted)
