"""A damaged HDF5 file that would hold its library for ever, or end it, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip('h5py')

import h5py

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.files import hdf5_trial

ENDLESS = Path(__file__).parents[1] / 'fuzz' / 'corpus' / 'keras' / 'endless_attributes'


def test_a_file_that_can_be_read_passes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / 'a.h5', 'w') as file:
        file.attrs['made_by'] = 'test'
        file['depths'] = [[1.0, 2.0], [3.0, 4.0]]
    hdf5_trial.check_hdf5(tmp_path / 'a.h5', DataError)


def test_what_merely_raises_is_left_to_the_reader(tmp_path: Path) -> None:
    (tmp_path / 'a.h5').write_bytes(b'no such thing')
    hdf5_trial.check_hdf5(tmp_path / 'a.h5', DataError)


def test_an_endless_file_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_trial, '_MAX_CPU_SEC', 1)
    with pytest.raises(DataError, match='endless_attributes: damaged: HDF5 takes more than 1 s'):
        hdf5_trial.check_hdf5(ENDLESS, DataError)
