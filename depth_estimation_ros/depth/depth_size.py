"""The size of a depth image: the camera's, the network's own, or one that the user chose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from depth_estimation_ros.depth.image_transform import Size

__all__ = ['CAMERA', 'MAX_SIDE_PX', 'NETWORK', 'check_size', 'size_for']

CAMERA = 'camera'
NETWORK = 'network'
MAX_SIDE_PX = 8192


def check_size(name: str, text: str, *, others: tuple[str, ...] = ()) -> Size | None:
    """Read a size that a user chose.

    Args:
        name: Of the setting, for messages.
        text: 'camera', 'network', one of `others` or WIDTHxHEIGHT [px].
        others: Further words that are accepted.

    Returns:
        (height, width) [px], None for a word.

    Raises:
        ConfigError: It is none of these, or a side is 0 or longer than MAX_SIDE_PX.
    """
    words = (*others, CAMERA, NETWORK)
    if text in words:
        return None
    found = re.fullmatch(r'(\d+)x(\d+)', text, flags=re.ASCII)
    if found is None:
        raise ConfigError(
            f'{name} {text!r}: must be {", ".join(words)} or WIDTHxHEIGHT, such as 640x480'
        )
    width, height = int(found[1]), int(found[2])
    if not (1 <= width <= MAX_SIDE_PX and 1 <= height <= MAX_SIDE_PX):
        raise ConfigError(
            f'{name} {text}: width and height must be from 1 to {MAX_SIDE_PX} pixels'
        )
    return height, width


def size_for(name: str, text: str, *, image_size: Size, grid_size: Size) -> Size:
    """Find the (height, width) [px] that a setting means for one camera.

    Args:
        name: Of the setting, for messages.
        text: 'camera', 'network' or WIDTHxHEIGHT.
        image_size: (height, width) of the camera's images [px].
        grid_size: (height, width) of the network's samples for them.

    Raises:
        ConfigError: See `check_size`.
        ImageError: Its aspect differs from the camera's by more than a pixel.
    """
    size = check_size(name, text)
    if size is None:
        return image_size if text == CAMERA else grid_size
    (height, width), (rows, columns) = size, image_size
    wanted_height, wanted_width = width * rows / columns, height * columns / rows
    if abs(height - wanted_height) > 1.0 and abs(width - wanted_width) > 1.0:
        raise ImageError(
            f'{name} {text} has another aspect than the camera, which is {columns}x{rows}: take '
            f'{width}x{max(1, round(wanted_height))} or {max(1, round(wanted_width))}x{height}'
        )
    return size
