"""The node's parameters: one source, a bad value rejected and never clamped."""

from __future__ import annotations

from pathlib import Path
import re
from typing import TYPE_CHECKING

import pytest
import yaml

pytest.importorskip('rclpy')

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.ros.parameters.camera_names import check_scan_frames, scan_frame
from depth_estimation_ros.ros.parameters.docs import markdown_table, yaml_text
from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters
from depth_estimation_ros.ros.parameters.store import ParameterStore
from depth_estimation_ros.ros.parameters.values import parameter_specs, read_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.ros

ROOT = Path(__file__).parents[3]


def test_the_yaml_file_is_what_the_dataclass_says() -> None:
    assert (ROOT / 'config' / 'depth.yaml').read_text(encoding='utf-8') == yaml_text()


def test_the_yaml_file_holds_every_default() -> None:
    values = yaml.safe_load(yaml_text())['/**']['ros__parameters']
    assert list(values) == list(parameter_specs())
    assert read_parameters(values) == NodeParameters()


def test_the_readme_has_the_table() -> None:
    readme = ROOT / 'README.md'
    if not readme.exists() or '| parameter |' not in readme.read_text(encoding='utf-8'):
        pytest.skip('no parameter table in the README')
    assert markdown_table() in readme.read_text(encoding='utf-8')


def test_every_default_is_one_that_is_accepted() -> None:
    defaults = {name: default for name, (default, _) in parameter_specs().items()}
    assert read_parameters(defaults) == NodeParameters()


def test_every_number_says_its_range() -> None:
    for name, (default, spec) in parameter_specs().items():
        is_number = isinstance(default, (int, float)) and not isinstance(default, bool)
        assert (spec.limits is not None) == is_number, name


@pytest.mark.parametrize(
    ('name', 'value', 'words'),
    [
        ('max_depth', -1.0, 'max_depth is -1.0, but it must be from 0 to 1000 [m]'),
        ('max_depth', float('nan'), 'max_depth is nan, but it must be from 0'),
        ('max_depth', 'far', "max_depth is 'far' (str), but it must be of type float"),
        ('max_depth', True, 'max_depth is True (bool), but it must be of type float'),
        ('decimation_x', 0, 'decimation_x is 0, but it must be from 1 to 64'),
        ('decimation_x', 2.0, 'decimation_x is 2.0 (float), but it must be of type int'),
        ('depth_encoding', 'mono8', "is 'mono8', but it must be one of 32FC1, 16UC1"),
        ('backend', 'abacus', "is 'abacus', but it must be one of auto, onnxruntime"),
        ('colour', 'red', 'colour is no parameter; parameters: model_path, backend'),
    ],
)
def test_a_value_that_is_not_accepted_is_named(name: str, value: object, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        read_parameters({name: value})


def test_the_near_limit_must_be_nearer_than_the_far_one() -> None:
    with pytest.raises(ConfigError, match=r'min_depth is 3 m, .* below max_depth, which is 2 m'):
        read_parameters({'min_depth': 3.0, 'max_depth': 2.0})


def test_a_whole_number_will_do_for_a_decimal_one() -> None:
    max_depth = read_parameters({'max_depth': 5}).max_depth
    assert max_depth == 5.0
    assert isinstance(max_depth, float)


@pytest.mark.parametrize(
    ('cameras', 'words'),
    [
        (['front-left', 'rear'], "cameras has 'front-left', .* as in 'front_left'"),
        (['0', '1'], "cameras has '0', .* as in 'camera_0'"),
        (['front', 'front'], "cameras has 'front' more than once"),
        (['a b'], "cameras has 'a b'"),
        (['/front'], "cameras has '/front'"),
        ([], 'cameras is empty'),
        ([0, 1], r'cameras is \[0, 1\], but it must be a list of texts: put each in quotes'),
        ([False], r'cameras is \[False\]'),
    ],
)
def test_a_camera_that_cannot_name_topics_is_refused(cameras: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_parameters({'cameras': cameras})


@pytest.mark.parametrize('value', [1e-06, 0.9, 175.1, 180.0])
def test_a_field_of_view_of_no_camera_is_refused(value: float) -> None:
    with pytest.raises(ConfigError, match=f'fallback_hfov_deg is {value!r}'):
        read_parameters({'fallback_hfov_deg': value})


def test_each_camera_has_a_scan_frame_of_its_own() -> None:
    assert scan_frame('{camera}_link', '') == 'camera_link'
    assert scan_frame('{camera}_link', 'FRONT') == 'FRONT_link'
    check_scan_frames('{camera}_link', ['FRONT', 'REAR'])
    check_scan_frames('base_link', ['FRONT'])
    with pytest.raises(ConfigError, match='of FRONT and REAR would both be in base_link'):
        check_scan_frames('base_link', ['FRONT', 'REAR'])
    with pytest.raises(ConfigError, match="tf2 takes no frame '/scan'"):
        check_scan_frames('/scan', ['FRONT'])


def test_two_cameras_come_to_share_no_scan_frame_while_the_node_runs(node: Node) -> None:
    is_configured = False
    store = ParameterStore(node, lambda: is_configured)
    assert set_parameter(node, 'cameras', ['front', 'rear']) == (True, '')
    is_configured = True
    is_set, reason = set_parameter(node, 'scan_frame', 'base_link')
    assert not is_set
    assert 'would both be in base_link' in reason
    assert store.current.scan_frame == '{camera}_link'


@pytest.mark.parametrize(
    ('name', 'choice'),
    [(name, choice) for name, (_, spec) in parameter_specs().items() for choice in spec.choices],
)
def test_a_choice_is_understood_as_yaml_reads_it(node: Node, name: str, choice: str) -> None:
    read = yaml.safe_load(choice)  # off is False to every reader of YAML
    assert getattr(read_parameters({name: read}), name) == choice
    ParameterStore(node, lambda: False)
    assert set_parameter(node, name, read) == (True, '')


def test_a_boolean_that_is_no_choice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r'backend is False \(bool\)'):
        read_parameters({'backend': False})


def test_the_rate_limit_is_a_period() -> None:
    assert NodeParameters().min_period_sec == 0.0
    assert NodeParameters(max_rate_hz=4.0).min_period_sec == 0.25


@pytest.fixture
def node() -> Iterator[Node]:
    context = Context()
    rclpy.init(context=context)
    made = Node('parameters', context=context)
    yield made
    made.destroy_node()
    rclpy.try_shutdown(context=context)


def set_parameter(node: Node, name: str, value: object) -> tuple[bool, str]:
    result = node.set_parameters([Parameter(name, value=value)])[0]
    return result.successful, result.reason


def test_a_live_parameter_changes_at_any_time(node: Node) -> None:
    store = ParameterStore(node, lambda: True)
    assert set_parameter(node, 'decimation_x', 4) == (True, '')
    assert set_parameter(node, 'max_depth', 5) == (True, '')
    assert (store.current.decimation_x, store.current.max_depth) == (4, 5.0)


def test_a_rejected_value_leaves_the_one_before(node: Node) -> None:
    store = ParameterStore(node, lambda: False)
    is_set, reason = set_parameter(node, 'range_policy', 'clamp')
    assert not is_set
    assert "range_policy is 'clamp'" in reason
    assert store.current == NodeParameters()
    assert node.get_parameter('range_policy').value == 'rep117'


def test_the_model_changes_only_before_the_node_is_configured(node: Node) -> None:
    is_configured = True
    store = ParameterStore(node, lambda: is_configured)
    is_set, reason = set_parameter(node, 'model_path', 'other.onnx')
    assert not is_set
    assert reason.startswith('model_path is read when the node is configured')
    is_configured = False
    assert set_parameter(node, 'model_path', 'other.onnx') == (True, '')
    assert store.current.model_path == 'other.onnx'


def test_autostart_never_changes(node: Node) -> None:
    ParameterStore(node, lambda: False)
    is_set, reason = set_parameter(node, 'autostart', value=False)
    assert not is_set
    assert 'read-only' in reason


def test_descriptors_tell_unit_and_range(node: Node) -> None:
    ParameterStore(node, lambda: False)
    described = node.describe_parameter('max_depth')
    assert described.description.endswith('[m]')
    assert described.floating_point_range[0].to_value == 1000.0
    assert node.describe_parameter('backend').additional_constraints.startswith('one of: auto,')


def test_other_parameters_of_the_node_are_let_be(node: Node) -> None:
    ParameterStore(node, lambda: True)
    node.declare_parameter('something_else', 1)
    assert set_parameter(node, 'something_else', 2) == (True, '')
