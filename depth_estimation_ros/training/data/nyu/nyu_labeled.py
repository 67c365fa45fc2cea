"""nyu_depth_v2_labeled.mat (2.97 GB, 1449 images) with splits.mat (795 for training, 654 tests).

The first is MATLAB v7.3, which is HDF5: axes appear reversed. The second is MATLAB v5 and counts
from 1.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.files.hdf5_trial import check_hdf5
from depth_estimation_ros.files.reading import check_regular, reading
from depth_estimation_ros.training.data.nyu.camera import nyu_camera
from depth_estimation_ros.training.data.nyu.mat_file import read_mat_numbers
from depth_estimation_ros.training.data.rgbd_decoding import fit_sample
from depth_estimation_ros.training.data.rgbd_sample import RgbdDataset, RgbdSample, SampleError
from depth_estimation_ros.training.data.splits import block_split, check_split, scene_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

_logger = logging.getLogger(__name__)

MAT_NAME: Final = 'nyu_depth_v2_labeled.mat'
SPLITS_NAME: Final = 'splits.mat'
_SPLIT_KEYS: Final = {'train': 'trainNdxs', 'validation': 'trainNdxs', 'test': 'testNdxs'}


class NyuLabeled(RgbdDataset):
    """One split of the labelled images; validation is scenes of the training part, whole."""

    def __init__(
        self,
        path: str | Path,
        *,
        split: str = 'train',
        size: tuple[int, int] | None = None,
        splits_path: str | Path | None = None,
        raw_depth: bool = False,
        validation_fraction: float = 0.1,
        frame_px: int = 0,
    ) -> None:
        """Index the split; no image is read yet.

        Args:
            path: The .mat file, or the folder it is in.
            split: 'train', 'validation' or 'test'.
            size: (height, width) of the items [px]; None = as recorded, 480x640.
            splits_path: splits.mat; None = beside the other.
            raw_depth: Take what the Kinect measured, with gaps, and not what was painted in.
            validation_fraction: Share of the training part, at least, that validation gets.
            frame_px: Rows and columns to cut off each side of every image first.

        Raises:
            DataError: A file is missing, damaged or of another format.
        """
        super().__init__(size, frame_px=frame_px)
        self.split = check_split(split)
        path = Path(path)
        self.path = path / MAT_NAME if path.is_dir() else path
        self._depth_key = 'rawDepths' if raw_depth else 'depths'
        self._file: h5py.File | None = None
        self._process = 0
        if self.path.is_file():
            check_hdf5(self.path, DataError)
        with reading(self.path, 'MATLAB v7.3 file'), _open(self.path) as file:
            num_images = _check(file, self.path, self._depth_key)
            splits = Path(splits_path) if splits_path else self.path.with_name(SPLITS_NAME)
            listed = _read_split(splits, _SPLIT_KEYS[self.split], num_images)
            if self.split != 'test':
                chosen = _training_part(file, listed, self.split, validation_fraction)
                listed = listed[chosen]
        self._indices = listed

    def __len__(self) -> int:
        return len(self._indices)

    def sample_name(self, index: int) -> str:
        """Return the image's number in the file, from 0, as DenseDepth's zip names it."""
        return f'{self._indices[index]:05d}'

    def read(self, index: int) -> RgbdSample:
        """Read a sample at `size`.

        Raises:
            SampleError: It cannot be read.
        """
        number = int(self._indices[index])
        name = f'{self.path}: image {number}'
        with reading(self.path, f'image {number}', SampleError):
            file = self._own_file()
            image = np.ascontiguousarray(file['images'][number].transpose(2, 1, 0))
            depth = np.ascontiguousarray(file[self._depth_key][number].T)
        camera = nyu_camera(height=depth.shape[0], width=depth.shape[1])
        return fit_sample(image, depth, camera, size=self.size, frame_px=self.frame_px, name=name)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, '_file': None, '_process': 0}

    def _own_file(self) -> h5py.File:
        """Return the file as this process opened it: a handle does not survive a fork."""
        if self._file is None or self._process != os.getpid():
            self._file = _open(self.path)
            self._process = os.getpid()
        return self._file


def _open(path: Path) -> h5py.File:
    check_regular(path, DataError)
    if not path.is_file():
        raise DataError(
            f'{path}: no such file; `depth-estimation download nyu-labeled` fetches it'
        )
    with reading(path, 'MATLAB v7.3 file, or cut short'):
        return h5py.File(path, 'r')


def _check(file: h5py.File, path: Path, depth_key: str) -> int:
    """Check the arrays against each other and return the number of images."""
    for key in ('images', depth_key):
        if not isinstance(file.get(key), h5py.Dataset):
            raise DataError(f'{path}: has no {key}: is it {MAT_NAME}?')
    images, depths = file['images'], file[depth_key]
    if images.ndim != 4 or images.shape[1] != 3 or images.dtype != np.uint8:
        raise DataError(
            f'{path}: images {images.shape} {images.dtype}, expected (N, 3, width, height) uint8'
        )
    expected = (images.shape[0], *images.shape[2:])
    if depths.shape != expected or depths.dtype.kind != 'f':
        raise DataError(
            f'{path}: {depth_key} {depths.shape} {depths.dtype}, expected {expected} float32'
        )
    return int(images.shape[0])


def _read_split(path: Path, key: str, num_images: int) -> NDArray[np.int64]:
    """Return the images of a split, counted from 0."""
    check_regular(path, DataError)
    if not path.is_file():
        raise DataError(
            f'{path}: no such file; `depth-estimation download nyu-labeled` fetches it'
        )
    found = read_mat_numbers(path, (key,))
    if key not in found:
        raise DataError(f'{path}: has no {key}: is it {SPLITS_NAME} of NYU Depth v2?')
    values = found[key]
    if values.size == 0 or not (values.min() >= 1 and values.max() <= num_images):
        span = f'{values.min():g}..{values.max():g}' if values.size else 'nothing'
        raise DataError(f'{path}: {key} holds {span}, expected numbers in 1..{num_images}')
    numbers = values.astype(np.int64)
    if (numbers != values).any() or np.unique(numbers).size != numbers.size:
        raise DataError(f'{path}: {key} holds numbers that are not whole, or one of them twice')
    return numbers - 1


def _training_part(
    file: h5py.File, listed: NDArray[np.int64], split: str, validation_fraction: float
) -> list[int]:
    """Return the places in `listed` that training, or validation, gets."""
    scenes = _scenes(file, listed)
    if scenes is None:
        _logger.warning('%s names no scenes: validation is its last images', file.filename)
        return list(block_split(len(listed), split, validation_fraction=validation_fraction))
    return scene_split(scenes, split, validation_fraction=validation_fraction)


def _scenes(file: h5py.File, listed: NDArray[np.int64]) -> list[str] | None:
    """Return the scene of each image: the file refers to arrays of character codes."""
    references = file.get('scenes')
    if not isinstance(references, h5py.Dataset) or references.dtype != h5py.ref_dtype:
        return None
    names = references[()].reshape(-1)
    if len(names) <= listed.max():
        return None
    return [''.join(map(chr, file[names[index]][()].reshape(-1))) for index in listed]
