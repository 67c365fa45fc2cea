"""The parameters of a running node, kept in step with the parameter services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import ParameterException
from rclpy.parameter import Parameter

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.ros.parameters.camera_names import check_scan_frames
from depth_estimation_ros.ros.parameters.spec import Change, descriptor
from depth_estimation_ros.ros.parameters.values import (
    change_parameters,
    parameter_specs,
    read_parameters,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.node import Node


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
        values: dict[str, object] = {}
        for name, (default, spec) in parameter_specs().items():
            initial = list(default) if isinstance(default, tuple) else default
            try:
                declared = node.declare_parameter(name, initial, descriptor(name, default, spec))
            except ParameterException as err:
                raise ConfigError(f'{name}: {err}') from err
            values[name] = declared.value
        self.current = read_parameters(values)
        # So that what others read of the node is what it goes by: off where YAML made it false.
        node.set_parameters(
            [
                Parameter(name, value=getattr(self.current, name))
                for name in values
                if isinstance(values[name], bool) and isinstance(getattr(self.current, name), str)
            ]
        )
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
