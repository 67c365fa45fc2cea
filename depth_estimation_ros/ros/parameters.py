"""The node's parameters: one dataclass is their single source."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import ParameterException

from depth_estimation_ros.backends.base import OPENVINO_PRECISIONS, BackendName
from depth_estimation_ros.depth_image import RangePolicy
from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.ros.parameter_spec import (
    Change,
    ParameterSpec,
    checked_value,
    descriptor,
    parameter,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rclpy.node import Node
    from rclpy.parameter import Parameter

_LIVE = Change.LIVE
_START = Change.START


@dataclass(frozen=True, kw_only=True)
class NodeParameters:
    """Everything a user can set; names are those of the ROS parameters and of the YAML keys.

    Raises:
        ConfigError: min_depth is not below max_depth.
    """

    model_path: str = parameter(
        '', 'Model file (.onnx, written by depth-estimation export); empty: the one shipped.'
    )
    backend: str = parameter(
        'auto',
        'What runs the network; auto takes the first that works of tensorrt, onnxruntime-cuda, '
        'openvino, onnxruntime and says which.',
        choices=('auto', *(name.value for name in BackendName)),
    )
    num_threads: int = parameter(
        0, 'Processor threads for the network; 0: the backend decides.', limits=(0, 256)
    )
    openvino_precision: str = parameter(
        'f32',
        'Arithmetic of the openvino backend; bf16 is faster on processors that have it and about '
        '1 % off.',
        choices=OPENVINO_PRECISIONS,
    )
    engine_cache_dir: str = parameter(
        '', 'Folder for TensorRT engines; empty: ~/.cache/depth_estimation_ros.'
    )
    self_check: bool = parameter(
        True, 'Run the probe stored in the model once on load and refuse a backend that fails it.'
    )
    resize_mode: str = parameter(
        'letterbox',
        'How an image gets to the network size: letterbox keeps the aspect, resize stretches.',
        choices=('letterbox', 'resize'),
    )
    image_transport: str = parameter(
        'raw',
        'raw subscribes to image, compressed to image/compressed.',
        choices=('raw', 'compressed'),
    )
    image_reliability: str = parameter(
        'best_effort',
        'Reliability asked of the image publisher; reliable receives nothing from a best effort '
        'one.',
        choices=('best_effort', 'reliable'),
    )
    min_depth: float = parameter(
        0.0,
        'Depth below this is reported by range_policy; 0: no limit but that of the model, below '
        'which depth is NaN.',
        unit='[m]',
        limits=(0.0, 1000.0),
        change=_LIVE,
    )
    max_depth: float = parameter(
        0.0,
        'Depth above this is reported by range_policy; 0: no limit but that of the model, above '
        'which depth is NaN.',
        unit='[m]',
        limits=(0.0, 1000.0),
        change=_LIVE,
    )
    range_policy: str = parameter(
        'rep117',
        'What stands for depth below min_depth and above max_depth: rep117 is -Inf and +Inf, '
        'nan is NaN for both.',
        choices=tuple(policy.value for policy in RangePolicy),
        change=_LIVE,
    )
    depth_scale: float = parameter(
        1.0,
        'Depth is multiplied by this (depth-estimation calibrate-scale finds it).',
        limits=(0.01, 100.0),
        change=_LIVE,
    )
    depth_offset: float = parameter(
        0.0, 'Added to the scaled depth.', unit='[m]', limits=(-100.0, 100.0), change=_LIVE
    )
    focal_normalization: bool = parameter(
        True, "Correct depth for a focal length other than the model's, from camera_info."
    )
    fallback_hfov_deg: float = parameter(
        0.0,
        'Horizontal field of view of a camera without a usable camera_info; 0: unknown, so no '
        'point cloud.',
        unit='[deg]',
        limits=(0.0, 179.0),
        change=_LIVE,
    )
    depth_encoding: str = parameter(
        '32FC1',
        'Encoding of depth/image_rect: 32FC1 is metres with NaN or Inf for no depth, 16UC1 is '
        'millimetres with 0 for no depth.',
        choices=('32FC1', '16UC1'),
        change=_LIVE,
    )
    point_cloud_color: bool = parameter(
        True, "Give the points the image's colour (XYZRGB instead of XYZ).", change=_LIVE
    )
    decimation_x: int = parameter(
        2, 'Every this many columns make a point.', unit='[px]', limits=(1, 64), change=_LIVE
    )
    decimation_y: int = parameter(
        2, 'Every this many rows make a point.', unit='[px]', limits=(1, 64), change=_LIVE
    )
    edge_filter_threshold: float = parameter(
        0.1,
        'Points at a depth edge are left out of the cloud: a neighbour further away than this '
        'share of the depth makes one; 0: off.',
        limits=(0.0, 10.0),
        change=_LIVE,
    )
    edge_filter_image: bool = parameter(
        False, 'Leave the pixels at depth edges out of the depth image too.', change=_LIVE
    )
    max_age_sec: float = parameter(
        0.0,
        'Images older than this when their turn comes are dropped; 0: none are.',
        unit='[s]',
        limits=(0.0, 3600.0),
        change=_LIVE,
    )
    max_rate_hz: float = parameter(
        0.0,
        'At most this many images a second are processed; 0: as many as the machine can.',
        unit='[Hz]',
        limits=(0.0, 1000.0),
        change=_LIVE,
    )
    autostart: bool = parameter(
        True, 'Configure and activate at start, without a lifecycle manager.', change=_START
    )

    def __post_init__(self) -> None:
        if 0.0 < self.max_depth <= self.min_depth:
            raise ConfigError(
                f'min_depth is {self.min_depth:g} m, but it must be below max_depth, '
                f'which is {self.max_depth:g} m'
            )

    @property
    def min_period_sec(self) -> float:
        """Least time from one processed image to the next [s]."""
        return 1.0 / self.max_rate_hz if self.max_rate_hz else 0.0


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
        node.add_on_set_parameters_callback(self._on_set)

    def as_dict(self) -> dict[str, object]:
        """Tell every parameter's value by name."""
        return asdict(self.current)

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
            self.current = change_parameters(self.current, values)
        except ConfigError as err:
            return SetParametersResult(successful=False, reason=str(err))
        return SetParametersResult(successful=True)
