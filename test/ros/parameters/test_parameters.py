"""The node's parameters: one source, a bad value rejected and never clamped."""

from __future__ import annotations

from pathlib import Path
import re
from typing import TYPE_CHECKING

import pytest

pytest.importorskip('rclpy')

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
import yaml

from depth_estimation_ros.errors import ConfigError
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
