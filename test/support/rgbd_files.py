"""Small data sets in the exact formats of the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
import zipfile

import cv2
import h5py
import numpy as np
import scipy.io

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

HEIGHT, WIDTH = 48, 64


def flat_image(red: int, green: int = 20, blue: int = 30) -> NDArray[np.uint8]:
    """Return (48, 64, 3) uint8 RGB of one colour."""
    return np.full((HEIGHT, WIDTH, 3), (red, green, blue), np.uint8)


def encode(image: NDArray[Any], suffix: str) -> bytes:
    """Return the bytes of an image file; colour is RGB."""
    if image.ndim == 3:
        image = image[:, :, ::-1]
    written, data = cv2.imencode(suffix, image)
    assert written
    return data.tobytes()


def write_nyu_zip(
    path: Path,
    *,
    line_end: str = '\n',
    prefix: str = '',
    extra: dict[str, bytes] | None = None,
    compression: int = zipfile.ZIP_STORED,
) -> None:
    """Write nyu_data.zip: 6 training pairs of 3 rooms, 2 test pairs.

    The red of training image i is 10 * i; its depth is level 51 (2 m), with (0, 0) level 0
    (missing) and (0, 1) level 255 (10 m). Test depth is 1234 mm, with (0, 0) missing.
    """
    train_depth = np.full((HEIGHT, WIDTH), 51, np.uint8)
    train_depth[0, :2] = 0, 255
    test_depth = np.full((HEIGHT, WIDTH), 1234, np.uint16)
    test_depth[0, 0] = 0
    rows: dict[str, list[str]] = {'train': [], 'test': []}
    files: dict[str, bytes] = {}
    rooms = (
        'basement_0001a',
        'basement_0001b',
        'cafe_0001c',
        'cafe_0001c',
        'study_0004',
        'study_0004',
    )
    for index, room in enumerate(rooms):
        stem = f'data/nyu2_train/{room}_out/{index + 1}'
        files[f'{stem}.jpg'] = encode(flat_image(10 * index), '.jpg')
        files[f'{stem}.png'] = encode(train_depth, '.png')
        rows['train'].append(f'{stem}.jpg,{stem}.png')
    for index in (0, 8):
        stem = f'data/nyu2_test/{index:05d}'
        files[f'{stem}_colors.png'] = encode(flat_image(200 + index), '.png')
        files[f'{stem}_depth.png'] = encode(test_depth, '.png')
        rows['test'].append(f'{stem}_colors.png,{stem}_depth.png')
    for split, lines in rows.items():
        text = ''.join(line + line_end for line in lines)
        files[f'data/nyu2_{split}.csv'] = text.encode()
    files.update(extra or {})
    with zipfile.ZipFile(path, 'w', compression) as archive:
        for name, data in files.items():
            archive.writestr(prefix + name, data)


def write_nyu_labeled(folder: Path, *, num_images: int = 6, scenes: bool = True) -> None:
    """Write nyu_depth_v2_labeled.mat and splits.mat as MATLAB does.

    Counted from 1, images 1, 3, 4 and 6 are for training, 2 and 5 tests. Image i, counted from 0,
    has red 10 * i + row, green column, depth 1 + i + column / 100 m; in the raw depth row 0 is
    missing.
    """
    with h5py.File(folder / 'nyu_depth_v2_labeled.mat', 'w', userblock_size=512) as file:
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        image = np.zeros((num_images, 3, WIDTH, HEIGHT), np.uint8)
        depth = np.zeros((num_images, WIDTH, HEIGHT), np.float32)
        for index in range(num_images):
            image[index, 0] = (10 * index + rows).T
            image[index, 1] = columns.T
            depth[index] = (1 + index + columns / 100).T
        raw = depth.copy()
        raw[:, :, 0] = 0
        file['images'], file['depths'], file['rawDepths'] = image, depth, raw
        if scenes:
            names = (
                'cafe_0001a',
                'cafe_0001a',
                'office_0002',
                'office_0002',
                'den_0003',
                'den_0003',
            )
            references = np.zeros((1, num_images), h5py.ref_dtype)
            for index in range(num_images):
                text = np.array([[ord(letter)] for letter in names[index]], np.uint16)
                references[0, index] = file.create_dataset(f'#refs#/s{index}', data=text).ref
            file.create_dataset('scenes', data=references)
    with (folder / 'nyu_depth_v2_labeled.mat').open('r+b') as raw_file:
        raw_file.write(b'MATLAB 7.3 MAT-file, Platform: GLNXA64')
    train, test = np.array([[1], [3], [4], [6]], np.uint16), np.array([[2], [5]], np.uint16)
    scipy.io.savemat(folder / 'splits.mat', {'trainNdxs': train, 'testNdxs': test})
