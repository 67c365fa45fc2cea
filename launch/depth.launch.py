"""Start the depth estimation node, and RViz or live_view if asked; -s lists the arguments."""

from __future__ import annotations

import os
from pathlib import Path
import tempfile

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    LogInfo,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from depth_estimation_ros.ros.launching.arguments import (
    DEPTH_ARGUMENTS,
    dds_environment,
    live_parameters,
    parameter_overrides,
    topic_remappings,
)
from depth_estimation_ros.ros.launching.rviz_config import full_topic, rviz_config

SHARE = Path(get_package_share_directory('depth_estimation_ros'))
# Body (x forward, z up) to optical frame (z forward, y down), REP 103.
OPTICAL_ROTATION = ('--roll', '-1.5707963267948966', '--yaw', '-1.5707963267948966')
DISPLAYS = {
    'Camera': 'image_topic',
    'Depth': 'depth_topic',
    'Colour': 'color_topic',
    'Points': 'points_topic',
}


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument(
            item.name,
            default_value=item.default,
            description=item.description,
            choices=list(item.choices) or None,
        )
        for item in DEPTH_ARGUMENTS
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=start)])


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    values = {
        item.name: LaunchConfiguration(item.name).perform(context) for item in DEPTH_ARGUMENTS
    }
    actions: list[LaunchDescriptionEntity] = []
    if values['dds_profile'] == 'true':
        variables = dds_environment(SHARE / 'config' / 'fastdds_profile.xml', os.environ)
        actions += [SetEnvironmentVariable(*item) for item in variables.items()]
    actions.append(depth_node(values))
    if values['publish_tf'] == 'true':
        actions.append(optical_transform(values))
    if values['rviz'] == 'true':
        actions.append(rviz(values))
    if values['live'] == 'true':
        actions.append(live_view(values))
    return actions


def depth_node(values: dict[str, str]) -> Node:
    params_file = values['params_file'] or str(SHARE / 'config' / 'depth.yaml')
    overrides = {
        'use_sim_time': values['use_sim_time'] == 'true',
        **parameter_overrides(values),
    }
    return Node(
        package='depth_estimation_ros',
        executable='depth_estimation',
        name=values['node_name'],
        namespace=values['namespace'],
        parameters=[params_file, overrides],
        remappings=topic_remappings(values),
        arguments=['--ros-args', '--log-level', f'depth_estimation:={values["log_level"]}'],
        output='screen',
        emulate_tty=True,
    )


def optical_transform(values: dict[str, str]) -> Node:
    frames = ('--frame-id', 'camera_link', '--child-frame-id', values['camera_frame'])
    return Node(
        package='tf2_ros',
        executable='static_transform_publisher',
        arguments=[*OPTICAL_ROTATION, *frames],
        output='screen',
    )


def live_view(values: dict[str, str]) -> Node:
    return Node(
        package='depth_estimation_ros',
        executable='live_view',
        namespace=values['namespace'],
        parameters=[live_parameters(values)],
        remappings=topic_remappings(values),
        output='screen',
    )


def rviz(values: dict[str, str]) -> LaunchDescriptionEntity:
    try:
        get_package_prefix('rviz2')
    except PackageNotFoundError:
        return LogInfo(msg='RViz is not installed (apt install ros-$ROS_DISTRO-rviz2): going on')
    body_frame = 'camera_link' if values['publish_tf'] == 'true' else values['camera_frame']
    topics = {
        display: full_topic(values['namespace'], values[argument])
        for display, argument in DISPLAYS.items()
    }
    text = rviz_config(
        (SHARE / 'config' / 'depth.rviz').read_text(encoding='utf-8'),
        topics=topics,
        fixed_frame=values['fixed_frame'] or body_frame,
    )
    with tempfile.NamedTemporaryFile('w', suffix='.rviz', delete=False) as config:
        config.write(text)
    return Node(
        package='rviz2',
        executable='rviz2',
        arguments=['-d', config.name],
        parameters=[{'use_sim_time': values['use_sim_time'] == 'true'}],
        output='screen',
    )
