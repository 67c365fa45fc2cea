"""DenseDepth's nyu_data.zip (4.1 GB, 50,688 training pairs, 654 test images), read in place.

The zip holds `data/nyu2_train.csv` and `data/nyu2_test.csv`, rows `image path,depth path` without
a header. Training depth is 8-bit, p / 255 * 10 m; test depth is 16-bit millimetres.
"""

from __future__ import annotations

import csv
import logging
from pathlib import Path, PurePosixPath
import re
from typing import TYPE_CHECKING, Final

import numpy as np

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.archive import Archive, is_inside, open_archive
from depth_estimation_ros.training.data.nyu.camera import nyu_camera
from depth_estimation_ros.training.data.rgbd_decoding import decode_depth_png, decode_sample
from depth_estimation_ros.training.data.rgbd_sample import RgbdDataset, RgbdSample
from depth_estimation_ros.training.data.splits import check_split, scene_split

if TYPE_CHECKING:
    from collections.abc import Iterator

_logger = logging.getLogger(__name__)

TRAIN_CSV: Final = 'nyu2_train.csv'
TEST_CSV: Final = 'nyu2_test.csv'
TRAIN_METRES_PER_LEVEL: Final = 10.0 / 255.0
TEST_METRES_PER_UNIT: Final = 0.001
# Missing more of the listed files than this is a damaged data set, not a few lost files.
_MAX_MISSING_FRACTION: Final = 0.05


class NyuDenseDepth(RgbdDataset):
    """One split of nyu_data.zip, or of the folder that it unpacks to.

    Validation is scenes of the training set, whole; the 654 test images are kept for testing.

    Attributes:
        num_skipped: csv rows whose files are not there.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        split: str = 'train',
        size: tuple[int, int] | None = None,
        validation_fraction: float = 0.02,
        frame_px: int = 0,
    ) -> None:
        """Index the split; no image is read yet.

        Args:
            path: The zip, or the folder.
            split: 'train', 'validation' or 'test'.
            size: (height, width) of the items [px]; None = as recorded, 480x640.
            validation_fraction: Share of the training set, at least, that validation gets.
            frame_px: Rows and columns to cut off each side of every image first.

        Raises:
            DataError: The file is missing, damaged or unsafe, or a csv is missing or wrong.
        """
        super().__init__(size, frame_px=frame_px)
        self.split = check_split(split)
        archive = open_archive(Path(path))
        rows = self._existing_rows(archive, TEST_CSV if self.split == 'test' else TRAIN_CSV)
        if self.split != 'test':
            scenes = [scene_of(image) for image, _ in rows]
            chosen = scene_split(scenes, self.split, validation_fraction=validation_fraction)
            rows = [rows[index] for index in chosen]
        self._names = [name for row in rows for name in row]
        archive.choose(self._names)
        self._archive = archive

    def __len__(self) -> int:
        return len(self._names) // 2

    def sample_name(self, index: int) -> str:
        """Return the path of the image in the zip."""
        return self._names[2 * index]

    def read(self, index: int) -> RgbdSample:
        """Read a sample at `size`.

        Raises:
            SampleError: A file is damaged, of another bit depth or of another size.
        """
        image_data, depth_data = (self._archive.read(2 * index + part) for part in (0, 1))
        image_name, depth_name = (
            f'{self._archive.path}: {self._names[2 * index + part]}' for part in (0, 1)
        )
        is_test = self.split == 'test'
        raw = decode_depth_png(
            depth_data, dtype=np.uint16 if is_test else np.uint8, name=depth_name
        )
        return decode_sample(
            image_data,
            raw,
            nyu_camera(height=raw.shape[0], width=raw.shape[1]),
            size=self.size,
            metres_per_unit=TEST_METRES_PER_UNIT if is_test else TRAIN_METRES_PER_LEVEL,
            frame_px=self.frame_px,
            depth_step=0.0 if is_test else TRAIN_METRES_PER_LEVEL,
            name=image_name,
        )

    def _existing_rows(self, archive: Archive, csv_name: str) -> list[tuple[str, str]]:
        """Return the rows of a csv whose two files are there; count the others."""
        names = archive.names()
        found = [name for name in names if PurePosixPath(name).name == csv_name]
        if len(found) != 1:
            raise DataError(
                f'{archive.path}: has {len(found)} files {csv_name}, expected 1: '
                "is it DenseDepth's nyu_data.zip?"
            )
        label = f'{archive.path}: {found[0]}'
        rows = list(_csv_rows(archive.read_name(found[0]), label))
        present = set(names)
        # Paths are relative to what holds data/, which a repacked zip may have in a folder.
        above = PurePosixPath(found[0]).parent.parent
        rows = [(str(above / image), str(above / depth)) for image, depth in rows]
        kept = [row for row in rows if row[0] in present and row[1] in present]
        self.num_skipped = len(rows) - len(kept)
        if self.num_skipped:
            lost = next(name for row in rows for name in row if name not in present)
            text = f'{label}: {self.num_skipped} of {len(rows)} rows lack a file, first {lost}'
            if self.num_skipped > _MAX_MISSING_FRACTION * len(rows):
                raise DataError(f'{text}; the data set is not complete')
            _logger.warning('%s; they are left out', text)
        if not kept:
            raise DataError(f'{label}: lists no samples')
        return kept


def scene_of(image_path: str) -> str:
    """Return the scene of a training image, `data/nyu2_train/living_room_0012b_out/7.jpg`.

    A letter behind the number tells parts of one recording apart: it is the same room.
    """
    folder = PurePosixPath(image_path).parent.name
    return re.sub(r'(\d)[a-z]?(_out)?$', r'\1', folder)


def _csv_rows(data: bytes, label: str) -> Iterator[tuple[str, str]]:
    """Yield the two paths of each row; lines end as they like."""
    try:
        lines = data.decode('utf-8-sig').splitlines()
    except UnicodeDecodeError as err:
        raise DataError(f'{label}: not text ({err})') from err
    for number, row in enumerate(csv.reader(lines), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) != 2 or not all(cells):
            raise DataError(f'{label}: row {number} is {row}, expected an image and a depth path')
        for cell in cells:
            if not is_inside(cell):
                raise DataError(f'{label}: row {number}: {cell!r} leads out of the data set')
        yield cells[0], cells[1]
