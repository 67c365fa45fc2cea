"""What training reads from files that others made: zips, MATLAB's files, bags, folders."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip('h5py')
pytest.importorskip('rosbags')

from bag_files import recording, write_bag
from fuzzing import NASTY, damaged, fuzz
from hypothesis import strategies as st
from rgbd_files import write_nyu_labeled, write_nyu_zip
import scipy.io

from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.training.data.archive import open_archive
from depth_estimation_ros.training.data.bag.rosbag_depth import RosbagDepth
from depth_estimation_ros.training.data.nyu.eigen_test import (
    CROP_NAME,
    DEPTH_NAME,
    RGB_NAME,
    EigenTest,
)
from depth_estimation_ros.training.data.nyu.mat_file import read_mat_numbers
from depth_estimation_ros.training.data.nyu.nyu_labeled import NyuLabeled
from depth_estimation_ros.training.data.rgbd_folder import _read_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_damaged_zip_gives_the_files_that_were_put_in_or_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'nyu.zip'
    write_nyu_zip(path)
    whole = path.read_bytes()
    archive = open_archive(path)
    contents = {archive.read_name(name) for name in archive.names()}

    def read(data: bytes) -> None:
        path.write_bytes(data)
        archive = open_archive(path)
        names = archive.names()
        archive.choose(names)
        for index in range(len(names)):
            assert archive.read(index) in contents

    fuzz('zip', damaged([whole]), read, per_mille=40)


def test_a_damaged_test_set_is_refused_or_has_its_shape(tmp_path: Path) -> None:
    folder = tmp_path / 'nyu_test'
    folder.mkdir()
    np.save(folder / RGB_NAME, np.full((2, 4, 6, 3), 9, np.uint8))
    np.save(folder / CROP_NAME, np.array([1, 2, 1, 4]))
    np.save(folder / DEPTH_NAME, np.ones((2, 4, 6), np.float32))
    whole = (folder / DEPTH_NAME).read_bytes()

    def read(data: bytes) -> None:
        (folder / DEPTH_NAME).write_bytes(data)
        for sample in EigenTest(folder):
            assert sample.depth.shape == sample.image.shape[:2]

    fuzz('npy', damaged([whole, whole[:130]]), read, per_mille=25)


def test_a_damaged_mat_file_holds_numbers_or_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'splits.mat'
    seeds = []
    for compressed in (False, True):
        written = io.BytesIO()
        numbers = {'trainNdxs': np.arange(1.0, 40.0), 'testNdxs': np.array([[2], [5]], np.uint16)}
        scipy.io.savemat(written, numbers, do_compression=compressed)
        seeds.append(written.getvalue())

    def read(data: bytes) -> None:
        path.write_bytes(data)
        for values in read_mat_numbers(path, ('trainNdxs', 'testNdxs')).values():
            assert values.ndim == 1
            assert values.dtype == np.float64

    fuzz('mat', damaged(seeds), read, per_mille=60)


def test_a_damaged_hdf5_file_gives_images_or_is_refused(tmp_path: Path) -> None:
    write_nyu_labeled(tmp_path)
    path = tmp_path / 'nyu_depth_v2_labeled.mat'
    whole = path.read_bytes()

    def read(data: bytes) -> None:
        path.write_bytes(data)
        dataset = NyuLabeled(path, split='test')
        for index in range(len(dataset)):
            sample = dataset.read(index)
            assert sample.depth.shape == sample.image.shape[:2]

    fuzz('h5', damaged([whole], max_changes=3), read, per_mille=20)


@pytest.mark.parametrize('storage', ['mcap', 'db3'])
def test_a_damaged_bag_gives_samples_or_is_refused(tmp_path: Path, storage: str) -> None:
    write_bag(tmp_path / 'bag', recording(3), storage=storage)
    (source,) = (tmp_path / 'bag').glob(f'*.{storage}')
    whole = source.read_bytes()
    path = tmp_path / f'a.{storage}'

    def read(data: bytes) -> None:
        path.write_bytes(data)
        dataset = RosbagDepth(path, split='test')
        for index in range(len(dataset)):
            try:
                sample = dataset.read(index)
            finally:
                if dataset._reader is not None:
                    dataset._reader.close()
                    dataset._reader = None
            assert sample.depth.shape == sample.image.shape[:2]

    fuzz(storage, damaged([whole], max_changes=2), read, per_mille=10)


def test_damaged_intrinsics_are_a_camera_or_refused(tmp_path: Path) -> None:
    path = tmp_path / 'intrinsics.json'
    seed = b'{"fx": 500.5, "fy": 501, "cx": 320, "cy": 240, "width": 640, "height": 480}'

    def read(data: bytes) -> None:
        path.write_bytes(data)
        camera = _read_json(path)
        assert np.isfinite([camera.fx, camera.fy]).all()

    nasty = [text.encode('utf-8', 'surrogatepass') for text in NASTY]
    fuzz('intrinsics', damaged([seed], max_changes=2) | st.sampled_from(nasty), read, per_mille=35)


def test_the_errors_of_readers_name_the_file(tmp_path: Path) -> None:
    named: dict[str, Callable[[Path], object]] = {
        'a.zip': open_archive,
        'a.mat': lambda path: read_mat_numbers(path, ('x',)),
        'a.h5': NyuLabeled,
        'a.mcap': RosbagDepth,
        'a.db3': RosbagDepth,
    }
    for name, read in named.items():
        (tmp_path / name).write_bytes(b'\x89HDF no such thing')
        with pytest.raises(DepthEstimationError, match=name):
            read(tmp_path / name)
