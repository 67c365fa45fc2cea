"""The bytes of an image file to pixels: bounded by what the header claims, damage refused.

One decoder for the node's compressed images, the pictures of commands and the data sets. JPEG is
read by simplejpeg (libjpeg-turbo), the only decoder here that tells of bytes lost in the middle;
everything else by OpenCV. Arrays are (H, W, channels), hwc.
"""

from __future__ import annotations

from functools import lru_cache
import logging
import re
from typing import TYPE_CHECKING, Any, Final
import zlib

import cv2
import numpy as np

from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.files.image_header import (
    PNG_MAGIC,
    ImageHeader,
    jpeg_orientation,
    read_header,
)

try:
    import simplejpeg
except (ImportError, ValueError):  # ValueError: it was built for another NumPy
    simplejpeg = None

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from numpy.typing import NDArray

    Bytes = bytes | bytearray | memoryview | array[int]

__all__ = [
    'MAX_IMAGE_PIXELS',
    'check_pixels',
    'decode_rgb',
    'decode_unchanged',
    'grey_from_counts',
]

_logger = logging.getLogger(__name__)

MAX_IMAGE_PIXELS: Final = 2**26  # 8192 x 8192; decoding takes up to about 9 bytes a pixel
# By what of image_header.REDUCTIONS, largest first, OpenCV shrinks a picture.
_OPENCV_FLAGS: Final = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}
_MAX_SCANS: Final = 500  # of a progressive JPEG: each costs a pass over the whole picture
# Some cameras pad the entropy-coded data before the end marker. More is data that was lost.
_PADDING_BYTES: Final = 16
_PADDED: Final = re.compile(r'(\d+) extraneous bytes before marker 0xd9')
_END_OF_JPEG: Final = b'\xff\xd9'
_FLAT_COUNTS: Final = 2**14  # a spread of counts that needs no stretching
_HIGH_BYTE: Final = 8  # bits that a 16-bit sample is shifted by

# EXIF orientation -> what turns the picture upright.
_TURNS: Final[dict[int, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    2: np.fliplr,
    3: lambda image: np.rot90(image, 2),
    4: np.flipud,
    5: lambda image: np.swapaxes(image, 0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(np.swapaxes(image, 0, 1), 2),
    8: np.rot90,
}


def decode_rgb(
    data: Bytes,
    *,
    name: str,
    max_pixels: int = MAX_IMAGE_PIXELS,
    reduced: int = 1,
    upright: bool = False,
) -> NDArray[np.uint8]:
    """Decode an image file as 8-bit colour.

    A single channel of 16 bits is made grey by `grey_from_counts`; other 16-bit samples count by
    their high byte.

    Args:
        data: The file's bytes.
        name: What they are, to begin an error with.
        max_pixels: Refuse a picture that claims more.
        reduced: Shrink by 1, 2, 4 or 8.
        upright: Turn it as its EXIF orientation says.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: No image of a known format, too large by its header, or damaged.
    """
    data = data if isinstance(data, bytes) else bytes(data)
    header = _checked_header(data, name, max_pixels)
    if header.format == 'JPEG':
        return _decode_jpeg(data, header, name, reduced=reduced, upright=upright)
    if header.is_grey16 and reduced == 1:
        counts = _decode_by_opencv(data, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH, name)
        return np.asarray(cv2.cvtColor(grey_from_counts(counts), cv2.COLOR_GRAY2RGB), np.uint8)
    flags = _OPENCV_FLAGS[reduced] | (0 if upright else cv2.IMREAD_IGNORE_ORIENTATION)
    bgr = _decode_by_opencv(data, flags, name)
    if bgr.dtype != np.uint8:
        raise ImageError(f'{name}: {header.format} of {bgr.dtype} pixels, expected 8 or 16 bits')
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def decode_unchanged(
    data: Bytes, *, name: str, max_pixels: int = MAX_IMAGE_PIXELS
) -> NDArray[Any]:
    """Decode an image file to the samples that it stores, for depth and mosaics.

    Returns:
        (H, W) or (H, W, channels) of the file's own type; three channels are BGR.

    Raises:
        ImageError: No image of a known format, too large by its header, or damaged.
    """
    data = data if isinstance(data, bytes) else bytes(data)
    header = _checked_header(data, name, max_pixels)
    if header.format == 'JPEG':
        if not _is_grey_jpeg(data):
            rgb = _decode_jpeg(data, header, name, reduced=1, upright=False)
            return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)
        return _decode_jpeg(data, header, name, reduced=1, upright=False)[..., 0]
    return _decode_by_opencv(data, cv2.IMREAD_UNCHANGED, name)


def grey_from_counts(counts: NDArray[Any]) -> NDArray[np.uint8]:
    """Make a grey picture of a 16-bit sensor's counts.

    Counts that spread over a quarter of the 16 bits or more, or are all the same, are shown by
    their high byte. Others, such as those of a thermal camera or of 10 to 14 bits, are stretched:
    the 1st percentile becomes black, the 99th white.

    Args:
        counts: (H, W) uint16.

    Returns:
        (H, W) uint8.
    """
    if counts.dtype != np.uint16:
        return counts.astype(np.uint8)
    step = max(1, min(counts.shape) // 128)  # percentiles of a picture need not all its pixels
    low, high = np.percentile(counts[::step, ::step], (1, 99))
    if high - low >= _FLAT_COUNTS or high <= low:
        return (counts >> _HIGH_BYTE).astype(np.uint8)
    stretched = (counts.astype(np.float32) - np.float32(low)) * np.float32(255.0 / (high - low))
    levels: NDArray[np.uint8] = np.clip(np.rint(stretched), 0, 255).astype(np.uint8)
    return levels


def check_pixels(height: int, width: int, name: str, max_pixels: int) -> None:
    """Refuse a size before anything is allocated for it.

    Raises:
        ImageError: It has no pixels, or more than `max_pixels`.
    """
    if height < 1 or width < 1:
        raise ImageError(f'{name} is {width}x{height} pixels: it is empty')
    if height * width > max_pixels:
        raise ImageError(
            f'{name} claims {width}x{height} pixels, more than max_image_pixels = {max_pixels}'
        )


def _checked_header(data: bytes, name: str, max_pixels: int) -> ImageHeader:
    """Read the header and refuse what it claims, or what is plainly cut short."""
    header = read_header(data)
    if header is None:
        raise ImageError(f'{name}: not an image that OpenCV can read')
    if header.format == 'HEIC':
        raise ImageError(f'{name}: HEIC is not read; convert it to JPEG or PNG')
    check_pixels(header.height, header.width, name, max_pixels)
    if header.format == 'PNG':
        _check_png(data, name)
    return header


def _check_png(data: bytes, name: str) -> None:
    """Follow the chunks to the end: some versions of OpenCV show what there is of a cut file."""
    position = len(PNG_MAGIC)
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], 'big')
        end = position + 12 + length
        chunk = memoryview(data)[position + 4 : end - 4]
        if end > len(data) or zlib.crc32(chunk) != int.from_bytes(data[end - 4 : end], 'big'):
            break
        if bytes(chunk[:4]) == b'IEND':
            return
        position = end
    raise ImageError(f'{name}: damaged PNG: byte {position} of {len(data)} begins no whole chunk')


def _decode_jpeg(
    data: bytes, header: ImageHeader, name: str, *, reduced: int, upright: bool
) -> NDArray[np.uint8]:
    if data.count(b'\xff\xda') > _MAX_SCANS:
        raise ImageError(f'{name}: a JPEG of more than {_MAX_SCANS} scans')
    if simplejpeg is None:
        rgb = _jpeg_by_opencv(data, name, reduced)
    else:
        rgb = _jpeg_by_turbo(data, header, name, reduced)
    orientation = jpeg_orientation(data) if upright else 1
    turn = _TURNS.get(orientation)
    return rgb if turn is None else np.ascontiguousarray(turn(rgb))


def _jpeg_by_turbo(data: bytes, header: ImageHeader, name: str, reduced: int) -> NDArray[np.uint8]:
    """Decode with every warning an error, but for padding before the end."""
    size: dict[str, int] = {}
    if reduced > 1:
        size = {
            'min_height': -(-header.height // reduced),
            'min_width': -(-header.width // reduced),
            'min_factor': reduced,
        }
    try:
        rgb = simplejpeg.decode_jpeg(data, 'RGB', **size)
    except ValueError as err:
        padded = _PADDED.search(str(err))
        if padded is None or int(padded[1]) > _PADDING_BYTES:
            raise ImageError(f'{name}: damaged JPEG: {err}') from err
        rgb = simplejpeg.decode_jpeg(data, 'RGB', strict=False, **size)
    return np.asarray(rgb, np.uint8)


def _jpeg_by_opencv(data: bytes, name: str, reduced: int) -> NDArray[np.uint8]:
    """Decode without simplejpeg: only a missing end is noticed."""
    _say_that_damage_passes()
    if _END_OF_JPEG not in data[data.rfind(b'\xff\xda') :]:
        raise ImageError(f'{name}: damaged JPEG: it has no end marker')
    bgr = _decode_by_opencv(data, _OPENCV_FLAGS[reduced] | cv2.IMREAD_IGNORE_ORIENTATION, name)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


@lru_cache(maxsize=1)
def _say_that_damage_passes() -> None:
    _logger.warning(
        'simplejpeg is not installed: a JPEG that lost bytes in its middle cannot be told from a '
        'whole one (pip install simplejpeg)'
    )


def _is_grey_jpeg(data: bytes) -> bool:
    if simplejpeg is None:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        return decoded is not None and decoded.ndim == 2
    try:
        return bool(simplejpeg.decode_jpeg_header(data)[2] == 'Gray')
    except ValueError:
        return False


def _decode_by_opencv(data: bytes, flags: int, name: str) -> NDArray[Any]:
    try:
        decoded: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise ImageError(f'{name}: not an image that OpenCV can read, or damaged')
    return decoded
