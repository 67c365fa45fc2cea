"""Images that an int8 model is calibrated with: the ranges of its numbers are read off them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from depth_estimation_ros.errors import ConfigError, DataError
from depth_estimation_ros.image_file import expand_folders, read_frames
from depth_estimation_ros.image_transform import ImageTransform

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
        source: 'rooms' for synthetic rooms (never held-out ones), or an image, a video, or a
            folder of them.
        height: Rows [px].
        width: Columns [px].
        num_images: How many; of more, every so manyth is taken.

    Returns:
        (height, width, 3) uint8 RGB images, letterboxed.

    Raises:
        ConfigError: There is no such source.
        DataError: It holds no image.
        ImageError: A file of it cannot be read.
    """
    images = _rooms(num_images, height=height, width=width) if source == ROOMS else _files(source)
    fitted = [_fit(image, (height, width)) for image in images]
    if not fitted:
        raise DataError(f'--calibration {source}: no image there')
    if len(fitted) > num_images:
        chosen = np.linspace(0, len(fitted) - 1, num_images).round().astype(int)
        fitted = [fitted[index] for index in chosen]
    return fitted


def _rooms(num_images: int, *, height: int, width: int) -> Iterator[NDArray[np.uint8]]:
    from depth_estimation_ros.rooms.render import render_room

    for seed in range(num_images):
        yield render_room(seed, size=(height, width)).rgb


def _files(source: str) -> Iterable[NDArray[np.uint8]]:
    if not Path(source).exists():
        raise ConfigError(
            f'--calibration {source}: neither {ROOMS} nor an image, a video or a folder'
        )
    for path in expand_folders([Path(source)]):
        for frame in read_frames(path):
            yield frame.rgb_hwc


def _fit(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if image.shape[:2] == size:
        return image
    transform = ImageTransform.letterbox(
        image_size=(image.shape[0], image.shape[1]), network_size=size
    )
    return transform.apply_image(image)
