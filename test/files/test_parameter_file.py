"""Parameter files: new ones, and values changed in those that are there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.files.parameter_file import parameters_text, set_parameters

ROOT = Path(__file__).parents[2]
VALUES = {'depth_scale': 1.25, 'depth_offset': 0.0}


def test_a_new_file_is_one_that_ros_reads(tmp_path: Path) -> None:
    path = tmp_path / 'folder' / 'scale.yaml'
    assert set_parameters(path, VALUES, 'two\nlines') == 'written'
    assert path.read_text() == (
        '# two\n# lines\n/**:\n  ros__parameters:\n    depth_scale: 1.25\n    depth_offset: 0.0\n'
    )
    assert [item.name for item in path.parent.iterdir()] == ['scale.yaml']


@pytest.mark.parametrize(('value', 'text'), [(2.0, '2.0'), (1e-5, '0.00001'), (-0.5, '-0.5')])
def test_a_number_is_a_decimal_one_for_every_yaml_reader(value: float, text: str) -> None:
    written = parameters_text({'depth_offset': value}, 'x')
    assert written.endswith(f'depth_offset: {text}\n')
    parsed = yaml.safe_load(written)['/**']['ros__parameters']['depth_offset']
    assert isinstance(parsed, float)
    assert parsed == value


def test_the_nodes_own_file_keeps_everything_else(tmp_path: Path) -> None:
    before = (ROOT / 'config' / 'depth.yaml').read_text()
    path = tmp_path / 'depth.yaml'
    path.write_text(before)
    assert set_parameters(path, VALUES, 'x') == 'changed'
    after = path.read_text()
    differing = [
        new for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new
    ]
    assert differing == ['    depth_scale: 1.25']


def test_a_comment_behind_a_value_stays(tmp_path: Path) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text('/**:\n  ros__parameters:\n    depth_scale: 3 # old\n    depth_offset: 1.\n')
    set_parameters(path, VALUES, 'x')
    assert '    depth_scale: 1.25 # old\n    depth_offset: 0.0\n' in path.read_text()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'/**:\n  ros__parameters:\n    backend: auto\n', 'has 0 lines with depth_scale'),
        (b'  depth_scale: 1.0\n  depth_scale: 2.0\n', 'has 2 lines with depth_scale'),
        (b'\xff\xfe', 'no text file'),
    ],
)
def test_a_file_without_a_place_for_the_value_stays_as_it_is(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / 'other.yaml'
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        set_parameters(path, VALUES, 'x')
    assert path.read_bytes() == content
