"""Several cameras, one node, one model: each camera has its topics under its own name."""

from __future__ import annotations

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from depth_estimation_ros.ros.launching.arguments import dds_environment

SHARE = Path(get_package_share_directory('depth_estimation_ros'))
ARGUMENTS = {
    'cameras': ('front,rear', 'Names of the cameras, with commas between them.'),
    'image_topic': ('image', 'Images of a camera, under its name: front/image.'),
    'camera_info_topic': ('camera_info', 'Calibration of a camera, under its name.'),
    'model_path': ('', 'Model file; empty: what params_file says, or the model shipped.'),
    'network_size': ('', 'auto or HEIGHTxWIDTH; empty: what params_file says.'),
    'depth_size': ('', 'camera, network or WIDTHxHEIGHT; empty: what params_file says.'),
    'params_file': ('', 'Parameters of the node; empty: config/depth.yaml of this package.'),
    'namespace': ('', 'Namespace of node and topics.'),
    'use_sim_time': ('false', 'Take the time from /clock.'),
    'dds_profile': ('true', 'Give Fast DDS shared memory for large images, as depth.launch.py.'),
}


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=start)])


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    values = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    cameras = [name.strip() for name in values['cameras'].split(',') if name.strip()]
    remappings = []
    for camera in cameras:
        image = f'{camera}/{values["image_topic"]}'
        remappings += [
            (f'{camera}/image', image),
            (f'{camera}/image/compressed', f'{image}/compressed'),
            (f'{camera}/camera_info', f'{camera}/{values["camera_info_topic"]}'),
        ]
    overrides = {'cameras': cameras, 'use_sim_time': values['use_sim_time'] == 'true'}
    for name in ('model_path', 'network_size', 'depth_size'):
        if values[name]:
            overrides[name] = values[name]
    node = Node(
        package='depth_estimation_ros',
        executable='depth_estimation',
        name='depth_estimation',
        namespace=values['namespace'],
        parameters=[values['params_file'] or str(SHARE / 'config' / 'depth.yaml'), overrides],
        remappings=remappings,
        output='screen',
    )
    if values['dds_profile'] != 'true':
        return [node]
    variables = dds_environment(SHARE / 'config' / 'fastdds_profile.xml', os.environ)
    return [*(SetEnvironmentVariable(*item) for item in variables.items()), node]
