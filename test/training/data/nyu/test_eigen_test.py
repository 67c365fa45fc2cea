"""Reading nyu_test.zip in place, image by image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
import zipfile

import numpy as np
import pytest
from red_is_depth import RedIsDepth

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.nyu.eigen_test import (
    CROP_NAME,
    DEPTH_NAME,
    RGB_NAME,
    Crop,
    EigenTest,
)
from depth_estimation_ros.training.evaluation.evaluate import (
    Convention,
    EvaluationOptions,
    evaluate,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def eigen_arrays(**changes: NDArray[Any]) -> dict[str, NDArray[Any]]:
    rgb = np.zeros((2, 4, 6, 3), dtype=np.uint8)
    rgb[0, ..., 0] = 2
    rgb[1, ..., 0] = 3
    depth = np.full((2, 4, 6), 2.0)
    depth[1] = 4.0
    crop = np.array([1, 2, 1, 4])
    return {RGB_NAME: rgb, DEPTH_NAME: depth, CROP_NAME: crop, **changes}


def write_zip(path: Path, arrays: dict[str, NDArray[Any]], folder: str = '') -> Path:
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(folder + name, 'w') as file:
                np.save(file, array)
    return path


def write_folder(path: Path, arrays: dict[str, NDArray[Any]]) -> Path:
    path.mkdir()
    for name, array in arrays.items():
        np.save(path / name, array)
    return path


def test_a_zip_and_a_folder_give_the_same_images(tmp_path: Path) -> None:
    arrays = eigen_arrays()
    zipped = EigenTest(write_zip(tmp_path / 'nyu_test.zip', arrays, folder='nyu_test/'))
    unpacked = EigenTest(write_folder(tmp_path / 'nyu_test', arrays))
    assert zipped.crop == unpacked.crop == Crop(top=1, bottom=2, left=1, right=4)
    assert len(zipped) == len(unpacked) == 2
    for one, other in zip(zipped, unpacked, strict=True):
        assert one.image.dtype == np.uint8
        assert one.depth.dtype == np.float32
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.depth, other.depth)


def test_the_three_conventions_differ_on_the_eigen_files(tmp_path: Path) -> None:
    data = EigenTest(write_zip(tmp_path / 'nyu_test.zip', eigen_arrays()))
    found = {
        convention.value: evaluate(
            RedIsDepth(), data, EvaluationOptions(convention=convention, crop=data.crop)
        ).metrics
        for convention in Convention
    }
    # Image 0 is right; image 1 says 3 m where 4 m is true.
    assert {name: item.abs_rel for name, item in found.items()} == pytest.approx(
        {'per-image': 1 / 8, 'pooled': 1 / 8, 'densedepth-head': 1 / 6}
    )
    assert {name: item.rmse for name, item in found.items()} == pytest.approx(
        {'per-image': 1 / 2, 'pooled': 0.5**0.5, 'densedepth-head': 0.5**0.5}
    )


def test_samples_carry_the_kinects_intrinsics_at_their_size(tmp_path: Path) -> None:
    data = EigenTest(write_zip(tmp_path / 'nyu_test.zip', eigen_arrays()))
    camera = next(iter(data)).intrinsics
    assert camera is not None
    assert camera.fx == pytest.approx(518.86 * 6 / 640)


def test_float_images_from_0_to_255_are_rounded(tmp_path: Path) -> None:
    rgb = np.full((2, 4, 6, 3), 254.6)
    data = EigenTest(write_zip(tmp_path / 'nyu_test.zip', eigen_arrays(**{RGB_NAME: rgb})))
    assert next(iter(data)).image.max() == 255


def test_images_from_0_to_1_are_refused(tmp_path: Path) -> None:
    rgb = np.full((2, 4, 6, 3), 0.5)
    data = EigenTest(write_zip(tmp_path / 'nyu_test.zip', eigen_arrays(**{RGB_NAME: rgb})))
    with pytest.raises(DataError, match=r'values 0.5 to 0.5, images must be 0 to 255'):
        next(iter(data))


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({RGB_NAME: np.zeros((2, 4, 6), np.uint8)}, r'images of shape \(2, 4, 6\)'),
        ({CROP_NAME: np.array([1, 2, 3])}, r'eigen_test_crop.npy: shape \(3,\)'),
        ({CROP_NAME: np.array([1, 4, 1, 4])}, 'rows 1..4 and columns 1..4 do not fit 4x6'),
        ({DEPTH_NAME: np.asfortranarray(np.ones((2, 4, 6)))}, 'depth.npy: must hold plain'),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    tmp_path: Path, changes: dict[str, NDArray[Any]], message: str
) -> None:
    path = write_zip(tmp_path / 'nyu_test.zip', eigen_arrays(**changes))
    with pytest.raises(DataError, match=message):
        EigenTest(path)


def test_a_truncated_array_is_refused_by_name(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / 'nyu_test', eigen_arrays())
    data = (folder / DEPTH_NAME).read_bytes()
    (folder / DEPTH_NAME).write_bytes(data[:-8])
    with pytest.raises(DataError, match=r'eigen_test_depth.npy: ends early'):
        list(EigenTest(folder))


def test_a_shape_that_claims_more_than_an_image_is_refused_before_it_is_read(
    tmp_path: Path,
) -> None:
    folder = write_folder(tmp_path / 'nyu_test', eigen_arrays())
    data = (folder / DEPTH_NAME).read_bytes()
    (folder / DEPTH_NAME).write_bytes(
        data.replace(b'(2, 4, 6), }        ', b'(2, 9000000, 6), }  ')
    )
    with pytest.raises(DataError, match=r'eigen_test_depth.npy: .*shape \(2, 9000000, 6\)'):
        EigenTest(folder)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    arrays = eigen_arrays()
    del arrays[DEPTH_NAME]
    with pytest.raises(DataError, match=r'has no eigen_test_depth.npy'):
        EigenTest(write_zip(tmp_path / 'nyu_test.zip', arrays))
    with pytest.raises(DataError, match=r'has no eigen_test_depth.npy'):
        EigenTest(write_folder(tmp_path / 'nyu_test', arrays))


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'nyu_test.zip').write_bytes(b'<html>not found</html>')
    with pytest.raises(DataError, match='damaged, or no zip file'):
        EigenTest(tmp_path / 'nyu_test.zip')
    with pytest.raises(DataError, match=r'nowhere.zip: no such file'):
        EigenTest(tmp_path / 'nowhere.zip')
