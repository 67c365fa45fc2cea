"""Depth from a camera into Nav2: the depth node and Nav2's own navigation launch."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

SHARE = Path(get_package_share_directory('depth_estimation_ros'))
# Passed on to depth.launch.py as they are.
DEPTH_ARGUMENTS = {
    'image_topic': ('image', 'Camera images.'),
    'camera_info_topic': ('camera_info', 'Calibration of the camera.'),
    'model_path': ('', 'Model file; empty: the one shipped.'),
    'depth_size': ('network', "Size of the depth; network: the network's own, the least work."),
    'use_sim_time': ('false', 'Take the time from /clock.'),
}


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in DEPTH_ARGUMENTS.items()
    ]
    arguments.append(
        DeclareLaunchArgument(
            'nav2_params_file',
            description='Your nav2_params.yaml with config/nav2_depth_costmap.yaml worked in.',
        )
    )
    depth = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(SHARE / 'launch' / 'depth.launch.py')),
        launch_arguments={name: LaunchConfiguration(name) for name in DEPTH_ARGUMENTS}.items(),
    )
    navigation = [FindPackageShare('nav2_bringup'), 'launch', 'navigation_launch.py']
    nav2 = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution(navigation)),
        launch_arguments={
            'params_file': LaunchConfiguration('nav2_params_file'),
            'use_sim_time': LaunchConfiguration('use_sim_time'),
        }.items(),
    )
    return LaunchDescription([*arguments, depth, nav2])
