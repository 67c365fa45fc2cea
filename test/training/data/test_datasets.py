"""Data sets by name: the same items from each, and what cannot be opened."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from kinds_of_data import KINDS, write_data
import numpy as np
import pytest

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.datasets import DATASET_KINDS, _opener, open_dataset
from depth_estimation_ros.training.data.splits import block_split, scene_split

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize('kind', sorted(DATASET_KINDS))
@pytest.mark.parametrize('split', ['train', 'validation', 'test'])
def test_every_kind_gives_items_of_one_form(kind: str, split: str, tmp_path: Path) -> None:
    path = write_data(kind, tmp_path, num_frames=3) if kind in KINDS else None
    options = {'num_rooms': 3} if kind == 'rooms' else {}
    data: Any = open_dataset(kind, path, split=split, size=(24, 32), **options)
    assert len(data) > 0
    item = data[len(data) - 1]
    assert {key: (value.dtype, tuple(value.shape)) for key, value in item.items()} == {
        'image': (np.uint8, (3, 24, 32)),
        'depth': (np.float32, (24, 32)),
        'intrinsics': (np.float32, (4,)),
        'depth_step': (np.float32, ()),
    }
    assert all(value.flags.c_contiguous for value in item.values())
    assert np.isfinite(item['depth']).all()
    assert (item['depth'] >= 0).all()
    assert (item['depth'] > 0).any()
    with pytest.raises(IndexError):
        data[len(data)]


def test_options_reach_the_data_set_and_unknown_ones_are_named(tmp_path: Path) -> None:
    folder = write_data('rgbd-folder', tmp_path, num_frames=3)
    data: Any = open_dataset('rgbd-folder', folder, split='test', depth_scale=0.01)
    assert data[0]['depth'][3, 3] == pytest.approx(10.0)
    with pytest.raises(DataError, match='rgbd-folder has no option topic: it takes depth_scale'):
        open_dataset('rgbd-folder', folder, split='test', topic='/image')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'depth_scale': 'mm'}, 'data option depth_scale=mm: expected float'),
        ({'depth_scale': True}, 'data option depth_scale=True: expected float'),
        ({'intrinsics': 5}, 'data option intrinsics=5: expected CameraIntrinsics'),
        ({'frame_px': 1.5}, 'data option frame_px=1.5: expected int'),
        ({'split_runs': 1}, 'data option split_runs=1: expected bool'),
        ({'topic': '/a'}, 'rgbd-folder has no option topic: it takes depth_scale'),
    ],
)
def test_an_option_of_another_name_or_type_is_named(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        open_dataset('rgbd-folder', tmp_path, split='test', **options)


@pytest.mark.parametrize('kind', list(DATASET_KINDS))
def test_every_option_of_every_kind_has_a_type_that_is_checked(kind: str) -> None:
    for name in inspect.signature(_opener(kind)).parameters:
        if name not in ('path', 'split', 'size'):
            with pytest.raises(DataError, match=f'data option {name}=.*: expected '):
                open_dataset(kind, 'nowhere', split='test', **{name: object()})  # type: ignore[arg-type]


def test_an_unknown_kind_and_a_missing_path_are_named() -> None:
    with pytest.raises(DataError, match="unknown data set 'kitti': use one of rooms, nyu-dens"):
        open_dataset('kitti', None, split='train')
    with pytest.raises(DataError, match=r'rosbag needs a path: a rosbag2'):
        open_dataset('rosbag', None, split='train')
    with pytest.raises(DataError, match="unknown split 'all'"):
        open_dataset('rooms', None, split='all')


def test_a_scene_split_is_the_same_whatever_the_order() -> None:
    scenes = [f'room_{index % 7}' for index in range(70)]
    held_out = {
        scenes[index] for index in scene_split(scenes, 'validation', validation_fraction=0.2)
    }
    again = list(reversed(scenes))
    assert held_out == {
        again[index] for index in scene_split(again, 'validation', validation_fraction=0.2)
    }
    assert len(held_out) == 2  # two of seven rooms are the first to reach a fifth


def test_a_block_split_leaves_something_on_both_sides() -> None:
    assert block_split(2, 'train', validation_fraction=0.99) == range(1)
    assert block_split(2, 'validation', validation_fraction=0.01) == range(1, 2)
    with pytest.raises(DataError, match=r'validation_fraction 1\.5 must be between 0 and 1'):
        block_split(5, 'train', validation_fraction=1.5)
