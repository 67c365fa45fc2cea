"""Videos frame by frame, with what is missing at their end.

OpenCV ends a video that was cut in half as if it were whole. The container's own sizes and count
of frames tell.
"""

from __future__ import annotations

from contextlib import contextmanager
import os
from typing import IO, TYPE_CHECKING, Final

import cv2
import numpy as np

from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.files.image_codec import MAX_IMAGE_PIXELS, check_pixels
from depth_estimation_ros.files.reading import check_regular, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ['VideoEndsEarlyError', 'count_video_frames', 'read_video']

# Whole files may give so many frames fewer than they count: an edit list hides the first ones.
_COUNT_TOLERANCE: Final = 2
_UNKNOWN_MKV_SIZES: Final = frozenset((1 << 7 * length) - 1 for length in range(1, 9))
_MKV_SEGMENT: Final = b'\x18\x53\x80\x67'


class VideoEndsEarlyError(ImageError):
    """A video gave fewer frames than its container promises; those it gave are good."""


def count_video_frames(path: Path) -> int:
    """Number of frames, as far as the container tells; at least 1."""
    with _capture(path) as capture:
        return max(1, _promised(capture)) if capture.isOpened() else 1


def read_video(
    path: Path, *, frame_step: int = 1, max_pixels: int = MAX_IMAGE_PIXELS
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Read every frame_step-th frame.

    Yields:
        The frame's number from 0, and (H, W, 3) uint8 RGB.

    Raises:
        ImageError: The file is missing, no video, or its frames are too large.
        VideoEndsEarlyError: After the last frame, when the container promises more.
    """
    check_regular(path, ImageError)
    name = printable(path)
    if not path.is_file():
        raise ImageError(f'{name}: cannot be read: No such file or directory')
    index = 0
    with _capture(path) as capture:
        height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        if capture.isOpened() and min(height, width) > 0:
            check_pixels(height, width, name, max_pixels)
        promised = _promised(capture)
        while capture.grab():
            if index % frame_step == 0:
                decoded, bgr = capture.retrieve()
                if not decoded:
                    raise VideoEndsEarlyError(f'{name}: frame {index} is damaged')
                yield index, np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
            index += 1
    is_cut = _is_cut(path)
    if index == 0:
        cut = ': it is cut short' if is_cut else ''
        raise ImageError(f'{name}: not a video that OpenCV can read{cut}')
    if is_cut or (promised > index + _COUNT_TOLERANCE and _counts_frames(path)):
        of = f' of {promised}' if promised > index else ''
        raise VideoEndsEarlyError(
            f'{name}: the video is cut short or damaged: {index}{of} frames could be read'
        )


def _promised(capture: cv2.VideoCapture) -> int:
    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return int(count) if 0 < count < 2**31 else 0


@contextmanager
def _capture(path: Path) -> Iterator[cv2.VideoCapture]:
    """Open a video; OpenCV crashes on a path that is no UTF-8, so it is given another."""
    descriptor = None
    name = str(path)
    try:
        name.encode('utf-8')
    except UnicodeEncodeError:
        descriptor = os.open(path, os.O_RDONLY)
        name = f'/dev/fd/{descriptor}'
    try:
        capture = cv2.VideoCapture(name)
        try:
            yield capture
        finally:
            capture.release()
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _counts_frames(path: Path) -> bool:
    """Whether the container counts its frames; others give a length from which it is guessed."""
    with path.open('rb') as file:
        head = file.read(12)
    return head[:4] == b'RIFF' or head[4:8] == b'ftyp'


def _is_cut(path: Path) -> bool:
    """Whether a part of the container goes on behind the end of the file."""
    size = path.stat().st_size
    with path.open('rb') as file:
        head = file.read(12)
        if head[:4] == b'RIFF':
            return _riff_is_cut(file, size)
        if head[4:8] in (b'ftyp', b'moov', b'mdat', b'wide', b'free'):
            return _boxes_are_cut(file, size)
        if head[:4] == b'\x1a\x45\xdf\xa3':
            return _segment_is_cut(file, size)
    return False


def _riff_is_cut(file: IO[bytes], size: int) -> bool:
    place = 0
    while place + 8 <= size:
        file.seek(place)
        head = file.read(8)
        length = int.from_bytes(head[4:], 'little')
        if head[:4] != b'RIFF' or length == 0:  # 0: a recording that was never closed
            return False
        place += 8 + length + length % 2
    return place > size + 1


def _boxes_are_cut(file: IO[bytes], size: int) -> bool:
    place = 0
    while place + 8 <= size:
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[:4], 'big')
        if length == 1:
            length = int.from_bytes(head[8:16], 'big')
        if length < 8:  # 0: to the end of the file
            return False
        place += length
    return place > size


def _segment_is_cut(file: IO[bytes], size: int) -> bool:
    """Follow the EBML header to the segment, which all frames are in."""
    file.seek(4)
    file.seek(_vint(file), os.SEEK_CUR)
    if file.read(4) != _MKV_SEGMENT:
        return False
    length = _vint(file)
    return length not in _UNKNOWN_MKV_SIZES and file.tell() + length > size


def _vint(file: IO[bytes]) -> int:
    """Read an EBML number of 1 to 8 bytes."""
    first = file.read(1)
    if not first or first[0] == 0:
        return 0
    num_more = 8 - first[0].bit_length()
    value = first[0] & (0x7F >> num_more)
    return int.from_bytes(bytes([value]) + file.read(num_more), 'big')
