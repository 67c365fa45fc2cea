"""The bounded reader of MATLAB v5: right numbers, or an error with the file's name."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.io

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.nyu.mat_file import read_mat_numbers

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, *, compressed: bool) -> Path:
    values = {
        'trainNdxs': np.array([[1.0], [4.0], [300.0]]),
        'testNdxs': np.array([[2, 3]], np.uint16),
    }
    scipy.io.savemat(path, values, do_compression=compressed)
    return path


@pytest.mark.parametrize('compressed', [False, True])
def test_numbers_are_read_as_they_were_written(tmp_path: Path, compressed: bool) -> None:
    path = write(tmp_path / 'splits.mat', compressed=compressed)
    found = read_mat_numbers(path, ('trainNdxs', 'testNdxs', 'absent'))
    assert {name: values.tolist() for name, values in found.items()} == {
        'trainNdxs': [1.0, 4.0, 300.0],
        'testNdxs': [2.0, 3.0],
    }


@pytest.mark.parametrize('compressed', [False, True])
def test_a_flipped_bit_gives_numbers_or_an_error_with_the_name(
    tmp_path: Path, compressed: bool
) -> None:
    path = write(tmp_path / 'splits.mat', compressed=compressed)
    whole = path.read_bytes()
    dice = random.Random(0)  # noqa: S311
    for _ in range(500):
        damaged = bytearray(whole)
        damaged[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        try:
            read_mat_numbers(path, ('trainNdxs', 'testNdxs'))
        except DataError as err:
            assert 'splits.mat: damaged, or no MATLAB file' in str(err)  # noqa: PT017


def test_a_name_for_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'x.mat').write_bytes(b'\x89HDF\r\n\x1a\n' + bytes(600))
    with pytest.raises(DataError, match=r'x\.mat: damaged, or no MATLAB file'):
        read_mat_numbers(tmp_path / 'x.mat', ('a',))
