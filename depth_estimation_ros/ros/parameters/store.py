"""The parameters of a running node, declared and kept in step with the parameter services."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import ParameterException
from rclpy.parameter import Parameter

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.ros.parameters.camera_names import check_scan_frames
from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters
from depth_estimation_ros.ros.parameters.spec import Change, checked_value, descriptor
from depth_estimation_ros.ros.parameters.values import change_parameters, parameter_specs

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.node import Node

T = TypeVar('T')


def declare_parameters(node: Node, kind: type[T]) -> T:
    """Declare every field of a dataclass of `parameter(...)` fields and read it.

    Args:
        node: the node to declare them on.
        kind: the dataclass.

    Raises:
        ConfigError: a value from the command line or a YAML file is not accepted.
    """
    values: dict[str, Any] = {}
    words: list[Parameter] = []
    for item in fields(kind):  # type: ignore[arg-type]
        name, default, spec = item.name, item.default, item.metadata['spec']
        initial = list(default) if isinstance(default, tuple) else default
        try:
            declared = node.declare_parameter(name, initial, descriptor(name, default, spec)).value
        except ParameterException as err:
            raise ConfigError(f'{name}: {err}') from err
        values[name] = checked_value(name, declared, default, spec)
        if isinstance(declared, bool) and isinstance(values[name], str):
            words.append(Parameter(name, value=values[name]))
    read = kind(**values)
    # So that what others read of the node is what it goes by: off where YAML made it false.
    node.set_parameters(words)
    return read


class ParameterStore:
    """The parameters of a running node: `current` is swapped whole when one changes.

    Args:
        node: the node to declare them on.
        is_configured: tells whether the node is past its configuration, where only live
            parameters may change.

    Raises:
        ConfigError: a value from the command line or a YAML file is not accepted.
    """

    def __init__(self, node: Node, is_configured: Callable[[], bool]) -> None:
        self._is_configured = is_configured
        self.current = declare_parameters(node, NodeParameters)
        node.add_on_set_parameters_callback(self._on_set)

    def _on_set(self, parameters: list[Parameter]) -> SetParametersResult:
        specs = parameter_specs()
        values = {item.name: item.value for item in parameters if item.name in specs}
        fixed = [name for name in values if specs[name][1].change is not Change.LIVE]
        if fixed and self._is_configured():
            reason = (
                f'{fixed[0]} is read when the node is configured: deactivate and clean up first '
                '(ros2 lifecycle set), or restart the node'
            )
            return SetParametersResult(successful=False, reason=reason)
        try:
            changed = change_parameters(self.current, values)
            if self._is_configured():
                check_scan_frames(changed.scan_frame, changed.cameras)
        except ConfigError as err:
            return SetParametersResult(successful=False, reason=str(err))
        self.current = changed
        return SetParametersResult(successful=True)
