"""The arguments of launch/depth.launch.py, as data that tests and documents read too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class LaunchArgument:
    """One argument.

    Attributes:
        name: as written before `:=`.
        default: as text; empty leaves the choice to the parameter file or to the node.
        description: one sentence.
        choices: the texts accepted, none: any.
        topic: relative name of the node's topic that the argument renames, empty: none.
        parameter: the node's parameter that a text other than the empty one sets, empty: none.
    """

    name: str
    default: str
    description: str
    choices: tuple[str, ...] = ()
    topic: str = ''
    parameter: str = ''


def _topic(name: str, topic: str, description: str) -> LaunchArgument:
    return LaunchArgument(name=name, default=topic, description=description, topic=topic)


def _switch(name: str, default: str, description: str) -> LaunchArgument:
    return LaunchArgument(
        name=name, default=default, description=description, choices=('true', 'false')
    )


DEPTH_ARGUMENTS: tuple[LaunchArgument, ...] = (
    _topic('image_topic', 'image', 'Camera images; their compressed twin is <it>/compressed.'),
    _topic('camera_info_topic', 'camera_info', 'Calibration of the camera.'),
    _topic('depth_topic', 'depth/image_rect', 'Depth image to publish.'),
    _topic('depth_camera_info_topic', 'depth/camera_info', 'Calibration of the depth image.'),
    _topic('points_topic', 'depth/points', 'Point cloud to publish.'),
    _topic('color_topic', 'depth/image_color', 'Depth in colours to publish.'),
    _topic('confidence_topic', 'depth/confidence', 'Confidence of the depth to publish.'),
    _topic('points_nav_topic', 'depth/points_nav', 'Sparse point cloud to publish.'),
    _topic('scan_topic', 'depth/scan', 'Laser scan to publish.'),
    _topic('stats_topic', 'depth/stats', 'Times and counters of each frame to publish.'),
    LaunchArgument(
        name='image_transport',
        default='',
        description='raw or compressed images; empty: what params_file says.',
        choices=('', 'raw', 'compressed'),
        parameter='image_transport',
    ),
    LaunchArgument(
        name='model_path',
        default='',
        description='Model file; empty: what params_file says, or the model shipped.',
        parameter='model_path',
    ),
    LaunchArgument(
        name='backend',
        default='',
        description='auto, tensorrt, onnxruntime-cuda, openvino or onnxruntime; empty: what '
        'params_file says.',
        parameter='backend',
    ),
    LaunchArgument(
        name='network_size',
        default='',
        description='auto or HEIGHTxWIDTH; empty: what params_file says.',
        parameter='network_size',
    ),
    LaunchArgument(
        name='depth_size',
        default='',
        description='camera, network or WIDTHxHEIGHT of the depth; empty: what params_file says.',
        parameter='depth_size',
    ),
    LaunchArgument(
        name='params_file',
        default='',
        description='Parameters of the node; empty: config/depth.yaml of this package.',
    ),
    LaunchArgument(name='namespace', default='', description='Namespace of node and topics.'),
    LaunchArgument(name='node_name', default='depth_estimation', description='Name of the node.'),
    LaunchArgument(
        name='log_level',
        default='info',
        description='Least severe log line that is shown.',
        choices=('debug', 'info', 'warn', 'error', 'fatal'),
    ),
    _switch('use_sim_time', 'false', 'Take the time from /clock.'),
    _switch('rviz', 'false', 'Start RViz with camera, depth, colours and points.'),
    _switch('live', 'false', 'Start live_view: the same, and the parameters, in the browser.'),
    LaunchArgument(
        name='host',
        default='127.0.0.1',
        description='Address that live_view listens on; 0.0.0.0: every one of this machine.',
    ),
    LaunchArgument(name='port', default='8080', description='Port that live_view listens on.'),
    _switch('read_only', 'false', 'live_view only shows and changes nothing.'),
    LaunchArgument(
        name='camera_frame',
        default='camera_optical_frame',
        description='Frame of the camera images, for RViz and publish_tf.',
    ),
    LaunchArgument(
        name='fixed_frame',
        default='',
        description='Fixed frame of RViz; empty: camera_frame, with publish_tf camera_link.',
    ),
    _switch(
        'publish_tf',
        'false',
        'Publish camera_link -> camera_frame, for a bare webcam that nothing else describes.',
    ),
    _switch(
        'dds_profile',
        'true',
        'Give Fast DDS shared memory for large images (config/fastdds_profile.xml), unless a '
        'profile is set already.',
    ),
)


def live_parameters(values: Mapping[str, str]) -> dict[str, bool | int | str]:
    """List the parameters of live_view.

    Raises:
        ConfigError: The port is no number.
    """
    if not values['port'].isdecimal():
        raise ConfigError(f'port is {values["port"]!r}, but it must be a number')
    return {
        'host': values['host'],
        'port': int(values['port']),
        'read_only': values['read_only'] == 'true',
        'node': values['node_name'],
        'use_sim_time': values['use_sim_time'] == 'true',
    }


# The first is read by Fast DDS 2 (Humble, Jazzy), the second by Fast DDS 3.
DDS_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def dds_environment(profile: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """List the variables that give Fast DDS a profile; none if the user has set their own."""
    if any(environment.get(name) for name in DDS_VARIABLES):
        return {}
    return dict.fromkeys(DDS_VARIABLES, str(profile))


def topic_remappings(values: dict[str, str]) -> list[tuple[str, str]]:
    """List (node's topic, name wanted) for the argument values given by name."""
    remappings = [(item.topic, values[item.name]) for item in DEPTH_ARGUMENTS if item.topic]
    remappings.append(('image/compressed', f'{values["image_topic"]}/compressed'))
    return [(topic, name) for topic, name in remappings if topic != name]


def parameter_overrides(values: dict[str, str]) -> dict[str, str]:
    """List node parameter -> value for the argument values that are not empty."""
    return {
        item.parameter: values[item.name]
        for item in DEPTH_ARGUMENTS
        if item.parameter and values[item.name]
    }
