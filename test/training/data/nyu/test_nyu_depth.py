"""DenseDepth's nyu_data.zip, written in its exact format."""

from __future__ import annotations

import multiprocessing
import pickle
from typing import TYPE_CHECKING, Any
import zipfile

import numpy as np
import pytest
from rgbd_files import HEIGHT, WIDTH, write_nyu_zip
from torch.utils.data import DataLoader

from depth_estimation_ros.training.data.mixture import Mixture
from depth_estimation_ros.training.data.nyu.nyu_depth import NyuDenseDepth, scene_of

if TYPE_CHECKING:
    from pathlib import Path

STEM = 'data/nyu2_train/basement_0001a_out/1'


@pytest.fixture
def nyu_zip(tmp_path: Path) -> Path:
    write_nyu_zip(tmp_path / 'nyu_data.zip')
    return tmp_path / 'nyu_data.zip'


def _all_names(path: Path) -> list[str]:
    names: list[str] = []
    for split in ('train', 'validation'):
        data = NyuDenseDepth(path, split=split)
        names += [data.sample_name(index) for index in range(len(data))]
    return names


def test_training_depth_is_8_bit_of_10_metres_and_0_is_missing(nyu_zip: Path) -> None:
    data = NyuDenseDepth(nyu_zip, split='train')
    item = data[0]
    assert item['image'].shape == (3, HEIGHT, WIDTH)
    assert item['image'].dtype == np.uint8
    assert item['depth'].dtype == np.float32
    assert item['depth'][5, 5] == pytest.approx(51 / 255 * 10)
    assert item['depth'][0, 0] == 0.0
    assert item['depth'][0, 1] == pytest.approx(10.0)
    number = int(data.sample_name(0).rpartition('/')[2].removesuffix('.jpg')) - 1
    expected = [10.0 * number, 20.0, 30.0]
    assert np.allclose(item['image'].mean((1, 2)), expected, atol=2)


def test_test_depth_is_16_bit_millimetres(nyu_zip: Path) -> None:
    data = NyuDenseDepth(nyu_zip, split='test')
    assert [data.sample_name(index) for index in range(2)] == [
        'data/nyu2_test/00000_colors.png',
        'data/nyu2_test/00008_colors.png',
    ]
    item = data[1]
    assert item['depth'][3, 4] == pytest.approx(1.234)
    assert item['depth'][0, 0] == 0.0
    assert item['image'][0, 2, 3] == 208


def test_the_intrinsics_are_the_kinects_at_the_items_size(nyu_zip: Path) -> None:
    # 640x480: fx 518.86, cx 325.58; these files are 64x48, a tenth; items 32x24, a twentieth.
    item = NyuDenseDepth(nyu_zip, split='test', size=(24, 32))[0]
    assert item['image'].shape == (3, 24, 32)
    assert item['depth'].shape == (24, 32)
    expected = [518.86 / 20, 519.47 / 20, 325.58 / 20, 253.74 / 20]
    assert item['intrinsics'].tolist() == pytest.approx(expected, rel=1e-5)


def test_a_scene_is_in_training_or_in_validation_never_in_both(nyu_zip: Path) -> None:
    train = NyuDenseDepth(nyu_zip, split='train')
    validation = NyuDenseDepth(nyu_zip, split='val')
    assert len(train) + len(validation) == 6
    scenes = [
        {scene_of(data.sample_name(index)) for index in range(len(data))}
        for data in (train, validation)
    ]
    assert scenes[0]
    assert scenes[1]
    assert not scenes[0] & scenes[1]


@pytest.mark.parametrize(
    ('image', 'scene'),
    [
        ('data/nyu2_train/living_room_0012b_out/7.jpg', 'living_room_0012'),
        ('data/nyu2_train/study_0004_out/7.jpg', 'study_0004'),
        ('data/nyu2_train/home_office_0011a/7.jpg', 'home_office_0011'),
    ],
)
def test_the_parts_of_a_recording_are_one_scene(image: str, scene: str) -> None:
    assert scene_of(image) == scene


@pytest.mark.parametrize(
    'options',
    [
        {'line_end': '\r\n'},
        {'prefix': 'nyu/'},
        {'compression': zipfile.ZIP_DEFLATED},
        {'line_end': '\r\n\r\n'},
    ],
    ids=str,
)
def test_other_line_ends_folders_and_compression_read_the_same(
    nyu_zip: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    write_nyu_zip(tmp_path / 'other.zip', **options)
    prefix = options.get('prefix', '')
    assert _all_names(tmp_path / 'other.zip') == [prefix + name for name in _all_names(nyu_zip)]
    one, other = NyuDenseDepth(nyu_zip)[0], NyuDenseDepth(tmp_path / 'other.zip')[0]
    assert np.array_equal(one['image'], other['image'])
    assert np.array_equal(one['depth'], other['depth'])


def test_the_unpacked_folder_reads_the_same(nyu_zip: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(nyu_zip) as archive:
        archive.extractall(tmp_path / 'unpacked')
    one, other = NyuDenseDepth(nyu_zip)[1], NyuDenseDepth(tmp_path / 'unpacked')[1]
    assert np.array_equal(one['depth'], other['depth'])


@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_worker_processes_read_what_this_process_reads(nyu_zip: Path, method: str) -> None:
    data = NyuDenseDepth(nyu_zip, split='train')
    here = np.stack([data[index]['image'] for index in range(len(data))])  # file is open now
    loader = DataLoader(
        Mixture.of(data),
        batch_size=1,
        num_workers=2 if method == 'fork' else 1,
        multiprocessing_context=multiprocessing.get_context(method),
    )
    there = np.concatenate([batch['image'] for batch in loader])
    assert np.array_equal(here, there)


def test_a_pickled_data_set_holds_no_image(nyu_zip: Path) -> None:
    data = NyuDenseDepth(nyu_zip)
    data[0]
    copy = pickle.loads(pickle.dumps(data))  # noqa: S301 - made by this test
    assert np.array_equal(copy[0]['depth'], data[0]['depth'])
    assert len(pickle.dumps(data)) < 4000


def test_a_row_without_its_file_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = f'{STEM}.jpg,{STEM}.png\n' * 30 + 'data/lost.jpg,data/lost.png\n'
    write_nyu_zip(tmp_path / 'one.zip', extra={'data/nyu2_train.csv': rows.encode()})
    data = NyuDenseDepth(tmp_path / 'one.zip')
    assert (len(data), data.num_skipped) == (30, 1)
