"""NYU's labelled .mat and splits.mat, written as MATLAB writes them."""

from __future__ import annotations

import multiprocessing
import pickle
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest
from rgbd_files import HEIGHT, WIDTH, write_nyu_labeled
import scipy.io
from torch.utils.data import DataLoader

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.mixture import Mixture
from depth_estimation_ros.training.data.nyu.nyu_labeled import NyuLabeled

if TYPE_CHECKING:
    from pathlib import Path

MAT = 'nyu_depth_v2_labeled.mat'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_nyu_labeled(tmp_path)
    return tmp_path


def _numbers(data: NyuLabeled) -> list[int]:
    return [int(data.sample_name(index)) for index in range(len(data))]


def test_axes_are_turned_and_depth_is_metres(folder: Path) -> None:
    item = NyuLabeled(folder, split='test')[1]  # image 5 of MATLAB, 4 from 0
    assert item['image'].shape == (3, HEIGHT, WIDTH)
    assert item['depth'].shape == (HEIGHT, WIDTH)
    assert item['image'][:, 7, 33].tolist() == [40 + 7, 33, 0]
    assert item['depth'][7, 33] == pytest.approx(5.33)
    assert item['image'].dtype == np.uint8
    assert item['depth'].flags.c_contiguous


def test_splits_count_from_1(folder: Path) -> None:
    assert _numbers(NyuLabeled(folder, split='test')) == [1, 4]


def test_validation_is_whole_scenes_of_the_training_part(folder: Path) -> None:
    train, validation = (NyuLabeled(folder, split=split) for split in ('train', 'validation'))
    assert sorted(_numbers(train) + _numbers(validation)) == [0, 2, 3, 5]
    # 0 is the cafe, 2 and 3 the office, 5 the den.
    assert ({2, 3} <= set(_numbers(train))) or ({2, 3} <= set(_numbers(validation)))
    assert len(validation) >= 1
    assert len(train) >= 1


def test_without_scenes_validation_is_the_last_images(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_nyu_labeled(tmp_path, scenes=False)
    assert _numbers(NyuLabeled(tmp_path, split='validation')) == [5]
    assert 'names no scenes' in caplog.text


def test_raw_depth_has_gaps_and_inpainted_depth_has_none(folder: Path) -> None:
    raw = NyuLabeled(folder / MAT, split='test', raw_depth=True)[0]['depth']
    assert (raw[0] == 0).all()
    assert (raw[1:] > 0).all()
    assert (NyuLabeled(folder, split='test')[0]['depth'] > 0).all()


def test_resized_depth_is_picked_and_never_averaged(folder: Path) -> None:
    # 64 -> 32 columns: new column 10 has its centre at 21 of the old ones.
    item = NyuLabeled(folder, split='test', size=(24, 32))[0]
    assert item['depth'][3, 10] == pytest.approx(2.21)
    assert item['intrinsics'][0] == pytest.approx(518.86 / 20)


def test_worker_processes_read_what_this_process_reads(folder: Path) -> None:
    data = NyuLabeled(folder, split='test')
    here = np.stack([data[index]['depth'] for index in range(2)])  # the file is open now
    context = multiprocessing.get_context('fork')
    loader = DataLoader(
        Mixture.of(data), batch_size=2, num_workers=1, multiprocessing_context=context
    )
    assert np.array_equal(here, next(iter(loader))['depth'])
    copy = pickle.loads(pickle.dumps(data))  # noqa: S301 - what a spawned process gets
    assert np.array_equal(copy[1]['depth'], here[1])


def test_missing_files_are_named_with_the_command_that_fetches_them(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r'absent\.mat: no such file; `depth-estimation download'):
        NyuLabeled(tmp_path / 'absent.mat')
    (folder / 'splits.mat').unlink()
    with pytest.raises(DataError, match=r'splits\.mat: no such file'):
        NyuLabeled(folder)


@pytest.mark.parametrize(
    ('numbers', 'message'),
    [([[0], [2]], r'holds 0\.\.2, expected numbers in 1\.\.6'), ([[7]], r'holds 7\.\.7')],
)
def test_numbers_out_of_range_are_refused(
    folder: Path, numbers: list[list[int]], message: str
) -> None:
    scipy.io.savemat(folder / 'splits.mat', {'testNdxs': np.array(numbers, np.uint16)})
    with pytest.raises(DataError, match=message):
        NyuLabeled(folder, split='test')


def test_a_mat_file_of_another_kind_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match='has no trainNdxs'):
        scipy.io.savemat(folder / 'splits.mat', {'other': np.zeros(3)})
        NyuLabeled(folder)
    (folder / 'splits.mat').write_bytes(b'<html>')
    with pytest.raises(DataError, match=r'splits\.mat: damaged, or no MATLAB file'):
        NyuLabeled(folder)
    with h5py.File(folder / MAT, 'a') as file:
        del file['depths']
        file['depths'] = np.zeros((6, HEIGHT, WIDTH), np.float32)
    with pytest.raises(DataError, match=r'depths \(6, 48, 64\) float32, expected \(6, 64, 48\)'):
        NyuLabeled(folder)
    with h5py.File(folder / MAT, 'a') as file:
        del file['images']
    with pytest.raises(DataError, match='has no images'):
        NyuLabeled(folder)
    content = (folder / MAT).read_bytes()
    (folder / MAT).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r'no MATLAB v7\.3 file, or cut short'):
        NyuLabeled(folder)
