"""Images, folders and videos as a stream of named RGB frames; depth as PNG."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.files.atomic import atomic_write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    import os

    from numpy.typing import NDArray

__all__ = [
    'IMAGE_SUFFIXES',
    'VIDEO_SUFFIXES',
    'Frame',
    'count_frames',
    'expand_folders',
    'read_frames',
    'read_image',
    'write_png',
]

IMAGE_SUFFIXES = frozenset({'.bmp', '.jpeg', '.jpg', '.png', '.ppm', '.tif', '.tiff', '.webp'})
VIDEO_SUFFIXES = frozenset({'.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm'})


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One image.

    Attributes:
        name: The file's stem; with the frame's number for videos.
        rgb_hwc: (H, W, 3) uint8 RGB.
    """

    name: str
    rgb_hwc: NDArray[np.uint8]


def read_image(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Read an image file as 8-bit colour, turned upright by its EXIF orientation.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: The file is missing, unreadable or no image.
    """
    import cv2

    try:
        data = Path(path).read_bytes()
    except OSError as err:
        raise ImageError(f'{path}: cannot be read: {err.strerror}') from err
    try:
        decoded = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # an empty file, or absurd sizes in a header
        decoded = None
    if decoded is None:
        raise ImageError(f'{path}: not an image that OpenCV can read')
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def expand_folders(paths: list[Path]) -> list[Path]:
    """Replace each folder by the images and videos in it, sorted by name; not recursive.

    Raises:
        ImageError: A folder holds neither images nor videos.
    """
    expanded = []
    for path in paths:
        if not path.is_dir():
            expanded.append(path)
            continue
        suffixes = IMAGE_SUFFIXES | VIDEO_SUFFIXES
        inside = sorted(item for item in path.iterdir() if item.suffix.lower() in suffixes)
        if not inside:
            raise ImageError(f'{path}: no image or video in this folder')
        expanded.extend(inside)
    return expanded


def count_frames(path: Path, *, frame_step: int = 1) -> int:
    """Number of frames that read_frames gives, as far as the file tells."""
    import cv2

    if path.suffix.lower() not in VIDEO_SUFFIXES:
        return 1
    capture = cv2.VideoCapture(str(path))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 1
    capture.release()
    return max(1, -(-count // frame_step))


def read_frames(path: Path, *, frame_step: int = 1) -> Iterator[Frame]:
    """Read an image, or every frame_step-th frame of a video.

    Raises:
        ImageError: The file is missing, unreadable or neither.
    """
    if path.suffix.lower() in VIDEO_SUFFIXES:
        yield from _read_video(path, frame_step)
    else:
        yield Frame(name=path.stem, rgb_hwc=read_image(path))


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


def _read_video(path: Path, frame_step: int) -> Iterator[Frame]:
    import cv2

    if not path.is_file():
        raise ImageError(f'{path}: no such file')
    capture = cv2.VideoCapture(str(path))
    try:
        index = 0
        while capture.grab():
            if index % frame_step == 0:
                decoded, bgr = capture.retrieve()
                if not decoded:
                    raise ImageError(f'{path}: frame {index} is damaged')
                rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
                yield Frame(name=f'{path.stem}_{index:06d}', rgb_hwc=rgb)
            index += 1
    finally:
        capture.release()
    if index == 0:
        raise ImageError(f'{path}: not a video that OpenCV can read')
