"""A camera player, the depth estimation node and, to look at it, RViz or live_view."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

SHARE = Path(get_package_share_directory('depth_estimation_ros'))
PASSED_ON = ('model_path', 'rviz', 'publish_tf', 'live', 'host', 'port', 'read_only')
ARGUMENTS = {
    'source': ('rooms', 'rooms, webcam:0, or the path of a photo, a folder or a video.'),
    'rate_hz': ('30.0', 'Frames sent a second [Hz].'),
    'seed': ('1000000416', 'Of the synthetic room and the walk in it.'),
    'model_path': ('', 'Model file; empty: the one shipped.'),
    'rviz': ('true', 'Start RViz, if it is installed.'),
    'live': ('false', 'Start live_view, a page in the browser.'),
    'host': ('127.0.0.1', 'Address that live_view listens on.'),
    'port': ('8080', 'Port that live_view listens on.'),
    'read_only': ('false', 'live_view only shows and changes nothing.'),
    'publish_tf': ('true', 'Publish camera_link -> camera_optical_frame, so that z is up.'),
}


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    # First, since it sets the environment that the player needs too.
    depth = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(SHARE / 'launch' / 'depth.launch.py')),
        launch_arguments={name: LaunchConfiguration(name) for name in PASSED_ON}.items(),
    )
    player = Node(
        package='depth_estimation_ros',
        executable='camera_player',
        parameters=[
            {
                'source': ParameterValue(LaunchConfiguration('source'), value_type=str),
                'rate_hz': ParameterValue(LaunchConfiguration('rate_hz'), value_type=float),
                'seed': ParameterValue(LaunchConfiguration('seed'), value_type=int),
            }
        ],
        output='screen',
    )
    return LaunchDescription([*arguments, depth, player])
