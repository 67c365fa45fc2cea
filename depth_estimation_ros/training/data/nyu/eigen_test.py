"""The 654 NYU test images of Eigen et al., from DenseDepth's nyu_test.zip, one at a time.

The zip (1.4 GB) holds three arrays: eigen_test_rgb.npy (654, 480, 640, 3) 0..255,
eigen_test_depth.npy (654, 480, 640) [m] and eigen_test_crop.npy, four ints. They are read in
place, image by image, from the zip or from a folder with the three files: never whole.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
import math
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
import zipfile

import numpy as np
from numpy.lib import format as npy_format

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.files.reading import check_regular, reading
from depth_estimation_ros.training.data.nyu.camera import nyu_camera
from depth_estimation_ros.training.data.rgbd_sample import RgbdSample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray


RGB_NAME: Final = 'eigen_test_rgb.npy'
DEPTH_NAME: Final = 'eigen_test_depth.npy'
CROP_NAME: Final = 'eigen_test_crop.npy'
_MAX_ITEM_BYTES: Final = 1 << 28  # of one image or depth


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A part of an image; the last row and column belong to it.

    Attributes:
        top: First row.
        bottom: Last row.
        left: First column.
        right: Last column.
    """

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index (H, W) with."""
        return slice(self.top, self.bottom + 1), slice(self.left, self.right + 1)


class EigenTest:
    """The test set in a zip or a folder; iterating reads it from the start.

    Attributes:
        crop: The part of the image that is evaluated.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the set and check its parts against each other.

        Args:
            path: nyu_test.zip, or a folder with its three files.

        Raises:
            DataError: A part is missing, damaged or of another shape.
        """
        self._path = Path(path)
        if not self._path.exists():
            raise DataError(f'{path}: no such file; give nyu_test.zip or a folder with its files')
        with ExitStack() as stack:
            rgb, depth = (self._open(stack, name) for name in (RGB_NAME, DEPTH_NAME))
            crop = self._open(stack, CROP_NAME)
            self._check(rgb, depth)
            self._num_images, height, width = depth.shape
            self.crop = _read_crop(crop, height=height, width=width)

    def __len__(self) -> int:
        return self._num_images

    def sample_name(self, index: int) -> str:
        """Return what a sample is called; the arrays have no names."""
        return f'image {index}'

    def __iter__(self) -> Iterator[RgbdSample]:
        with ExitStack() as stack:
            rgb, depth = (self._open(stack, name) for name in (RGB_NAME, DEPTH_NAME))
            height, width = depth.shape[1:]
            camera = nyu_camera(height=height, width=width)
            for _ in range(self._num_images):
                yield RgbdSample(
                    image=_as_uint8(rgb.read_next(), rgb.name),
                    depth=depth.read_next().astype(np.float32),
                    intrinsics=camera,
                )

    def _open(self, stack: ExitStack, name: str) -> _NpyStream:
        """Open one array for reading from its start."""
        if self._path.is_dir():
            path = self._path / name
            if not path.exists():
                raise DataError(f'{self._path}: has no {name}')
            check_regular(path, DataError)
            with reading(path, '.npy file'):
                return _NpyStream(stack.enter_context(path.open('rb')), f'{self._path}: {name}')
        check_regular(self._path, DataError)
        with reading(self._path, 'zip file'):
            archive = stack.enter_context(zipfile.ZipFile(self._path))
            members = [item for item in archive.namelist() if Path(item).name == name]
            if not members:
                raise DataError(f'{self._path}: has no {name}')
            file = stack.enter_context(archive.open(members[0]))
            return _NpyStream(file, f'{self._path}: {name}')

    def _check(self, rgb: _NpyStream, depth: _NpyStream) -> None:
        if len(depth.shape) != 3 or rgb.shape != (*depth.shape, 3):
            raise DataError(
                f'{self._path}: images of shape {rgb.shape} and depths of shape {depth.shape} '
                'must be (N, H, W, 3) and (N, H, W)'
            )


class _NpyStream:
    """An .npy file whose first axis is read item by item."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name = name
        self._file = file
        try:
            version = npy_format.read_magic(file)
            read_header = (
                npy_format.read_array_header_1_0
                if version == (1, 0)
                else npy_format.read_array_header_2_0
            )
            self.shape, fortran_order, self.dtype = read_header(file)
        except Exception as err:  # numpy parses the header as Python
            raise DataError(f'{name}: no .npy file: {err}') from err
        if fortran_order or self.dtype.hasobject:
            raise DataError(f'{name}: must hold plain numbers in C order')
        self._item_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        if min(self.shape, default=0) < 1 or self._item_bytes > _MAX_ITEM_BYTES:
            raise DataError(
                f'{name}: shape {self.shape}, expected images of {_MAX_ITEM_BYTES} bytes at most'
            )

    def read_next(self) -> NDArray[Any]:
        """Return the next item, shape[1:]."""
        with reading(self.name, '.npy file'):
            data = self._file.read(self._item_bytes)
        if len(data) < self._item_bytes:
            raise DataError(f'{self.name}: ends early; download it again')
        return np.frombuffer(data, dtype=self.dtype).reshape(self.shape[1:])


def _as_uint8(image: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Take 0..255 in any number type: the zip in circulation holds uint8, some copies floats."""
    if image.dtype == np.uint8:
        return image
    if not 1.0 < float(image.max()) <= 255.0 or float(image.min()) < 0.0:
        raise DataError(
            f'{name}: values {image.min():g} to {image.max():g}, images must be 0 to 255'
        )
    rounded: NDArray[np.uint8] = np.rint(image).astype(np.uint8)
    return rounded


def _read_crop(crop: _NpyStream, *, height: int, width: int) -> Crop:
    """Read top, bottom, left and right, both ends included."""
    if crop.shape != (4,):
        raise DataError(f'{crop.name}: shape {crop.shape}, must be 4 numbers')
    top, bottom, left, right = (int(crop.read_next()) for _ in range(4))
    if not (0 <= top < bottom < height and 0 <= left < right < width):
        raise DataError(
            f'{crop.name}: rows {top}..{bottom} and columns {left}..{right} do not fit '
            f'{height}x{width} images'
        )
    return Crop(top=top, bottom=bottom, left=left, right=right)
