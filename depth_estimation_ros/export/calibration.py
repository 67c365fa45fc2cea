"""Images that an int8 model is calibrated with: the ranges of its numbers are read off them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from depth_estimation_ros.depth.image_transform import ImageTransform
from depth_estimation_ros.errors import ConfigError, DataError
from depth_estimation_ros.files.image import count_frames, expand_folders, read_frames
from depth_estimation_ros.training.data.datasets import DATASET_KINDS, open_dataset

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

ROOMS: Final = 'rooms'
NUM_IMAGES: Final = 128


def calibration_images(
    source: str, *, height: int, width: int, num_images: int = NUM_IMAGES
) -> list[NDArray[np.uint8]]:
    """Gather images like the ones that the model will see.

    Args:
        source: 'rooms' for synthetic rooms (never held-out ones), an image, a video or a folder
            of them, or KIND:PATH for the training images of a data set.
        height: Rows [px].
        width: Columns [px].
        num_images: How many; of more, every so manyth is taken, and only those are kept in
            memory.

    Returns:
        (height, width, 3) uint8 RGB images, letterboxed.

    Raises:
        ConfigError: There is no such source.
        DataError: A data set cannot be read or is empty.
        ImageError: A folder holds no image, or a file of it cannot be read.
    """
    kind, _, path = source.partition(':')
    if source == ROOMS:
        images: Iterable[NDArray[np.uint8]] = _rooms(num_images, height=height, width=width)
    elif path and kind in DATASET_KINDS:
        images = _dataset(kind, path, num_images)
    else:
        images = _files(source, num_images)
    fitted = [_fit(image, (height, width)) for image in images]
    if not fitted:
        raise DataError(f'--calibration {source}: no image there')
    return fitted


def _spread(num_chosen: int, num_all: int) -> list[int]:
    """Return so many indices, evenly spread; all of them when there are not as many."""
    chosen = np.linspace(0, num_all - 1, min(num_chosen, num_all))
    return [int(index) for index in chosen.round()]


def _rooms(num_images: int, *, height: int, width: int) -> Iterator[NDArray[np.uint8]]:
    from depth_estimation_ros.rooms.render import render_room

    for seed in range(num_images):
        yield render_room(seed, size=(height, width)).rgb


def _dataset(kind: str, path: str, num_images: int) -> Iterator[NDArray[np.uint8]]:
    dataset = open_dataset(kind, path, split='train')
    for index in _spread(num_images, len(dataset)):
        yield dataset.read(index).image


def _files(source: str, num_images: int) -> Iterator[NDArray[np.uint8]]:
    if not Path(source).exists():
        raise ConfigError(
            f'--calibration {source}: neither {ROOMS}, nor an image, a video '
            f'or a folder, nor KIND:PATH with KIND one of {", ".join(DATASET_KINDS)}'
        )
    files = expand_folders([Path(source)])
    counts = [count_frames(path) for path in files]
    chosen = set(_spread(num_images, sum(counts)))
    first = 0
    for path, count in zip(files, counts, strict=True):
        wanted = chosen & set(range(first, first + count))
        for index, frame in enumerate(read_frames(path) if wanted else ()):
            if first + index in wanted:
                yield frame.rgb_hwc
        first += count


def _fit(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if image.shape[:2] == size:
        return image
    transform = ImageTransform.letterbox(
        image_size=(image.shape[0], image.shape[1]), network_size=size
    )
    return transform.apply_image(image)
