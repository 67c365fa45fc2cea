"""Images, folders and videos as a stream of named RGB frames; depth as PNG.

The only reader of pictures from disk: commands, the camera player and calibration use it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
import logging
import re
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.files.atomic import atomic_write_bytes
from depth_estimation_ros.files.image_codec import MAX_IMAGE_PIXELS, decode_rgb
from depth_estimation_ros.files.reading import check_regular, printable, read_bytes
from depth_estimation_ros.files.video import count_video_frames, read_video

if TYPE_CHECKING:
    from collections.abc import Iterator
    import os
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    'IMAGE_SUFFIXES',
    'VIDEO_SUFFIXES',
    'Frame',
    'count_frames',
    'expand_folders',
    'list_folder',
    'natural_key',
    'read_frames',
    'read_image',
    'write_png',
]

_logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset(
    {
        '.avif', '.bmp', '.gif', '.jfif', '.jp2', '.jpe', '.jpeg', '.jpg', '.pbm', '.pgm', '.png',
        '.pnm', '.ppm', '.tif', '.tiff', '.webp',
    }
)  # fmt: skip
VIDEO_SUFFIXES = frozenset({'.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm'})
# Pictures that people have and nothing here reads; a folder says how many it leaves out.
UNREAD_SUFFIXES = frozenset(
    {
        '.arw', '.cr2', '.cr3', '.dng', '.exr', '.hdr', '.heic', '.heif', '.ico', '.jxl', '.nef',
        '.orf', '.pcx', '.psd', '.raf', '.raw', '.rw2', '.svg', '.tga', '.3gp', '.flv', '.m2ts',
        '.mts', '.ogv', '.ts', '.wmv',
    }
)  # fmt: skip
_NUM_NAMED = 5  # files that a message names, at most


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One image.

    Attributes:
        name: The file's stem; with the frame's number for videos.
        rgb_hwc: (H, W, 3) uint8 RGB.
    """

    name: str
    rgb_hwc: NDArray[np.uint8]


def read_image(
    path: str | os.PathLike[str], *, max_pixels: int = MAX_IMAGE_PIXELS
) -> NDArray[np.uint8]:
    """Read an image file as 8-bit colour, turned upright by its EXIF orientation.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: The file is missing, unreadable, no image, damaged or too large.
    """
    data = read_bytes(path, ImageError)
    return decode_rgb(data, name=printable(path), max_pixels=max_pixels, upright=True)


def list_folder(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Return the files of a folder with such suffixes, in the order of their numbers.

    Hidden files are left out. Pictures and videos of kinds that are not read are counted and
    named in a warning.

    Raises:
        OSError: The folder cannot be read.
    """
    files = [path for path in folder.iterdir() if not path.name.startswith('.')]
    unread = sorted(path for path in files if path.suffix.lower() in UNREAD_SUFFIXES)
    if unread:
        kinds = Counter(path.suffix.lower() for path in unread)
        counts = ', '.join(f'{count} {suffix}' for suffix, count in sorted(kinds.items()))
        names = ', '.join(printable(path.name) for path in unread[:_NUM_NAMED])
        _logger.warning(
            '%s: %d files are left out, their format is not read (%s): %s%s; convert them to JPEG '
            'or PNG',
            printable(folder), len(unread), counts, names,
            ', ...' if len(unread) > _NUM_NAMED else '',
        )  # fmt: skip
    chosen = (path for path in files if path.suffix.lower() in suffixes and not path.is_dir())
    return sorted(chosen, key=natural_key)


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Order frame2 before frame10."""
    parts = re.findall(r'[0-9]+|[^0-9]+', path.name.lower())
    return [
        (0, int(part), '') if part.isascii() and part.isdigit() else (1, 0, part) for part in parts
    ]


def expand_folders(paths: list[Path]) -> list[Path]:
    """Replace each folder by the images and videos in it, by `list_folder`; not recursive.

    Raises:
        ImageError: A folder holds neither images nor videos.
    """
    expanded = []
    for path in paths:
        if not path.is_dir():
            expanded.append(path)
            continue
        inside = list_folder(path, IMAGE_SUFFIXES | VIDEO_SUFFIXES)
        if not inside:
            raise ImageError(f'{printable(path)}: no image or video in this folder')
        expanded.extend(inside)
    return expanded


def count_frames(path: Path, *, frame_step: int = 1) -> int:
    """Number of frames that read_frames gives, as far as the file tells."""
    if path.suffix.lower() not in VIDEO_SUFFIXES or not path.is_file():
        return 1
    return max(1, -(-count_video_frames(path) // frame_step))


def read_frames(
    path: Path, *, frame_step: int = 1, max_pixels: int = MAX_IMAGE_PIXELS
) -> Iterator[Frame]:
    """Read an image, or every frame_step-th frame of a video.

    Raises:
        ImageError: The file is missing, unreadable, damaged, too large or neither.
        VideoEndsEarlyError: After the last frame of a video that was cut short.
    """
    check_regular(path, ImageError)
    if path.suffix.lower() in VIDEO_SUFFIXES:
        for index, rgb in read_video(path, frame_step=frame_step, max_pixels=max_pixels):
            yield Frame(name=f'{path.stem}_{index:06d}', rgb_hwc=rgb)
    else:
        yield Frame(name=path.stem, rgb_hwc=read_image(path, max_pixels=max_pixels))


def write_png(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write a PNG, complete or not at all.

    Args:
        path: File to create or replace.
        image: (H, W) uint8 or uint16, or (H, W, 3) uint8 BGR.

    Raises:
        ImageError: OpenCV cannot encode the image.
        OSError: The file cannot be written.
    """
    import cv2

    encoded, data = cv2.imencode('.png', image)
    if not encoded:
        raise ImageError(f'{path}: cannot encode {image.shape} {image.dtype} as PNG')
    atomic_write_bytes(path, data.tobytes())
