"""Which image belongs to which depth image, by the names that people give them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.rgbd_pairs import find_pairs

if TYPE_CHECKING:
    from pathlib import Path


def pairs_of(folder: Path, *names: str) -> list[tuple[str, str]]:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    pairs, _ = find_pairs(folder)
    return [tuple(str(path.relative_to(folder)) for path in pair) for pair in pairs]  # type: ignore[misc]


@pytest.mark.parametrize(
    ('image', 'depth'),
    [
        ('rgb/image_0001.png', 'depth/image_0001.png'),
        ('rgb/rgb_0001.png', 'depth/rgb_0001.png'),
        ('images/0001_rgb.png', 'images/0001_depth.png'),
        ('color/1.jpg', 'aligned_depth_to_color/1.png'),
        ('room1_rgb/1.png', 'room1_depth/1.png'),
        ('depth_data/rgb_1.png', 'depth_data/depth_1.png'),
        ('кухня/rgb/1.png', 'кухня/depth/1.png'),
        ('厨房_rgb.png', '厨房_depth.png'),
        ('img/x².png', 'depth/x².png'),
    ],
)
def test_a_pair_is_found(tmp_path: Path, image: str, depth: str) -> None:
    assert pairs_of(tmp_path, image, depth) == [(image, depth)]


@pytest.mark.parametrize(
    ('image', 'depth'),
    [
        ('A/rgb/1.png', 'B/depth/1.png'),
        ('кухня/rgb/1.png', 'зал/depth/1.png'),
        ('厨房/rgb/1.png', '客厅/depth/1.png'),
        ('A_raw/rgb/1.png', 'A/depth/1.png'),
        ('A+/rgb/1.png', 'A/depth/1.png'),
        ('rgb/a_1.png', 'depth/1.png'),
        ('A/1/rgb/2.png', 'A/depth/1_2.png'),
    ],
)
def test_files_of_different_rooms_are_no_pair(tmp_path: Path, image: str, depth: str) -> None:
    with pytest.raises(DataError, match='no pairs of image and depth'):
        pairs_of(tmp_path, image, depth)


def test_each_room_keeps_its_own_depth(tmp_path: Path) -> None:
    names = ('кухня/rgb/1.png', 'кухня/depth/1.png', 'зал/rgb/1.png', 'зал/depth/1.png')
    assert set(pairs_of(tmp_path, *names)) == {names[:2], names[2:]}


def test_composed_and_decomposed_accents_are_the_same_name(tmp_path: Path) -> None:
    image, depth = 'rgb/caf\u00e9.png', 'depth/cafe\u0301.png'
    assert pairs_of(tmp_path, image, depth) == [(image, depth)]


def test_names_that_are_no_utf_8_are_paired(tmp_path: Path) -> None:
    image, depth = (os.fsdecode(name) for name in (b'rgb/\xe9.png', b'depth/\xe9.png'))
    assert pairs_of(tmp_path, image, depth) == [(image, depth)]
