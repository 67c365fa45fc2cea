"""The launch files: their arguments without `launch`, their run with it where it is installed."""

from __future__ import annotations

from pathlib import Path
import re

import pytest
import yaml

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.ros.launching.arguments import (
    DEPTH_ARGUMENTS,
    dds_environment,
    live_parameters,
    parameter_overrides,
    topic_remappings,
)
from depth_estimation_ros.ros.launching.rviz_config import full_topic, rviz_config

ROOT = Path(__file__).parents[3]
DEFAULTS = {item.name: item.default for item in DEPTH_ARGUMENTS}
TEMPLATE = (ROOT / 'config' / 'depth.rviz').read_text(encoding='utf-8')


def test_every_topic_of_the_node_has_an_argument() -> None:
    pytest.importorskip('rclpy')
    outputs = pytest.importorskip('depth_estimation_ros.ros.messages.outputs')
    topics = {item.topic for item in DEPTH_ARGUMENTS if item.topic}
    assert topics == {'image', 'camera_info', *(output.topic for output in outputs.Output)}


def test_every_argument_for_a_parameter_names_one() -> None:
    pytest.importorskip('rclpy')
    parameters = pytest.importorskip('depth_estimation_ros.ros.parameters.values')
    named = {item.parameter for item in DEPTH_ARGUMENTS if item.parameter}
    assert named <= set(parameters.parameter_specs())


def test_the_readme_names_every_argument() -> None:
    readme = ROOT / 'README.md'
    if not readme.exists() or 'image_topic' not in readme.read_text(encoding='utf-8'):
        pytest.skip('no launch arguments in the README')
    text = readme.read_text(encoding='utf-8')
    assert [item.name for item in DEPTH_ARGUMENTS if f'`{item.name}`' not in text] == []


def test_the_arguments_for_several_cameras_are_written_down() -> None:
    source = (ROOT / 'launch' / 'multi_camera.launch.py').read_text(encoding='utf-8')
    arguments = re.findall(r"^    '(\w+)': \('(.*?)', '", source, re.MULTILINE)
    table = (ROOT / 'docs' / 'launch.md').read_text(encoding='utf-8')
    written = re.findall(r'^\| `(\w+)` \| (?:`(.*?)`)? ?\|', table, re.MULTILINE)
    assert written == arguments


def test_defaults_rename_nothing_and_set_nothing() -> None:
    assert topic_remappings(DEFAULTS) == []
    assert parameter_overrides(DEFAULTS) == {}


def test_an_image_topic_renames_its_compressed_twin_too() -> None:
    remappings = topic_remappings({**DEFAULTS, 'image_topic': '/cam/color'})
    assert remappings == [('image', '/cam/color'), ('image/compressed', '/cam/color/compressed')]


def test_arguments_that_are_given_override_the_parameter_file() -> None:
    values = {**DEFAULTS, 'backend': 'openvino', 'image_transport': 'compressed'}
    assert parameter_overrides(values) == {'image_transport': 'compressed', 'backend': 'openvino'}


def test_the_page_is_given_the_node_and_values_of_the_right_types() -> None:
    values = {**DEFAULTS, 'port': '8081', 'read_only': 'true', 'node_name': 'depth'}
    assert live_parameters(values) == {
        'host': '127.0.0.1',
        'port': 8081,
        'read_only': True,
        'node': 'depth',
        'use_sim_time': False,
    }
    with pytest.raises(ConfigError, match="port is 'http', but it must be a number"):
        live_parameters({**values, 'port': 'http'})


def test_the_dds_profile_is_left_alone_if_the_user_has_set_their_own() -> None:
    profile = Path('shipped.xml')
    assert dds_environment(profile, {}) == {
        'FASTRTPS_DEFAULT_PROFILES_FILE': 'shipped.xml',
        'FASTDDS_DEFAULT_PROFILES_FILE': 'shipped.xml',
    }
    assert dds_environment(profile, {'FASTDDS_DEFAULT_PROFILES_FILE': 'mine.xml'}) == {}


@pytest.mark.parametrize(
    ('namespace', 'topic', 'full'),
    [
        ('', 'image', '/image'),
        ('robot', 'depth/points', '/robot/depth/points'),
        ('/robot/front/', 'image', '/robot/front/image'),
        ('robot', '/cam/image', '/cam/image'),
    ],
)
def test_topics_resolve_as_the_node_resolves_them(namespace: str, topic: str, full: str) -> None:
    assert full_topic(namespace, topic) == full


def test_rviz_shows_the_topics_and_the_frame_of_the_launch() -> None:
    text = rviz_config(TEMPLATE, topics={'Points': '/robot/points'}, fixed_frame='base_link')
    manager = yaml.safe_load(text)['Visualization Manager']
    shown = {
        item['Name']: item['Topic']['Value'] for item in manager['Displays'] if 'Topic' in item
    }
    assert shown == {
        'Camera': '/image',
        'Depth': '/depth/image_rect',
        'Colour': '/depth/image_color',
        'Points': '/robot/points',
    }
    assert manager['Global Options']['Fixed Frame'] == 'base_link'
    assert manager['Views']['Current']['Pitch'] == 0.35


def test_rviz_looks_along_the_optical_axis_when_that_is_all_there_is() -> None:
    text = rviz_config(TEMPLATE, topics={}, fixed_frame='camera_optical_frame')
    view = yaml.safe_load(text)['Visualization Manager']['Views']['Current']
    assert view['Focal Point']['Z'] == 2.0
    assert view['Pitch'] == -1.3


def test_a_display_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match='Laser'):
        rviz_config(TEMPLATE, topics={'Laser': '/scan'}, fixed_frame='map')


def test_the_outputs_are_asked_for_reliably_as_they_are_offered() -> None:
    displays = yaml.safe_load(TEMPLATE)['Visualization Manager']['Displays']
    policies = {
        item['Name']: item['Topic']['Reliability Policy'] for item in displays if 'Topic' in item
    }
    assert policies.pop('Camera') == 'Best Effort'
    assert set(policies.values()) == {'Reliable'}


LAUNCH_FILES = sorted((ROOT / 'launch').glob('*.launch.py'))


def test_there_is_a_launch_file_for_each_use() -> None:
    names = [path.name.removesuffix('.launch.py') for path in LAUNCH_FILES]
    assert names == ['demo', 'depth', 'multi_camera', 'nav2_example']


@pytest.mark.parametrize('path', LAUNCH_FILES, ids=lambda path: path.name)
def test_a_launch_file_loads_in_the_real_launch(path: Path) -> None:
    pytest.importorskip('launch_ros')
    sources = pytest.importorskip('launch.launch_description_sources')
    description = sources.get_launch_description_from_python_launch_file(str(path))
    names = [argument.name for argument in description.get_launch_arguments()]
    assert len(names) == len(set(names))
    if path.name == 'depth.launch.py':
        assert names == list(DEFAULTS)


def test_the_real_launch_starts_the_node_with_its_arguments(tmp_path: Path) -> None:
    launch = pytest.importorskip('launch')
    pytest.importorskip('launch_ros')
    sources = pytest.importorskip('launch.launch_description_sources')
    actions = pytest.importorskip('launch.actions')
    started: list[list[str]] = []

    def on_start(event: object, context: object) -> None:
        del context
        started.append([str(part) for part in event.cmd])  # type: ignore[attr-defined]

    handlers = pytest.importorskip('launch.event_handlers')
    model = tmp_path / 'nowhere.onnx'
    description = launch.LaunchDescription(
        [
            actions.RegisterEventHandler(handlers.OnProcessStart(on_start=on_start)),
            actions.IncludeLaunchDescription(
                sources.PythonLaunchDescriptionSource(str(ROOT / 'launch' / 'depth.launch.py')),
                launch_arguments={
                    'model_path': str(model),
                    'image_topic': '/cam/image',
                    'namespace': 'robot',
                }.items(),
            ),
            actions.TimerAction(period=2.0, actions=[actions.Shutdown()]),
        ]
    )
    service = launch.LaunchService()
    service.include_launch_description(description)
    assert service.run() == 0
    (command,) = started
    text = ' '.join(command)
    assert 'image:=/cam/image' in text
    assert 'image/compressed:=/cam/image/compressed' in text
    assert '__ns:=/robot' in text
    assert '__node:=depth_estimation' in text
