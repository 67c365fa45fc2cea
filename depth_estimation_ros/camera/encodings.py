"""Pixels of a ROS image message, by its `encoding`: a picture as RGB, or depth.

Pure functions of the message's fields: no message type, no cv_bridge. The node, bags and training
read the same table. Colours of 16 bits count by their high byte, so that every wide encoding is
read as its 8-bit twin; grey of 16 bits is a sensor's counts, see `grey_from_counts`.

Legend: H, W = height and width of the image [px], hwc = (H, W, channels).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
import logging
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from depth_estimation_ros.camera.small_pixels import AVERAGERS
from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.files.image_codec import (
    MAX_IMAGE_PIXELS,
    check_pixels,
    grey_from_counts,
)

if TYPE_CHECKING:
    from array import array

    from numpy.typing import NDArray

    Bytes = bytes | bytearray | memoryview | array[int]

__all__ = [
    'DEPTH_UNITS',
    'PIXEL_FORMATS',
    'decode_depth',
    'decode_image',
    'decode_mosaic',
    'say_no_colour',
]

_logger = logging.getLogger(__name__)

# Encoding of depth by REP 118 -> what 1 stands for [m].
DEPTH_UNITS: Final = {'16UC1': 0.001, '32FC1': 1.0}
_DEPTH_TYPES: Final = {'16UC1': 'u2', '32FC1': 'f4'}


@dataclass(frozen=True, kw_only=True)
class PixelFormat:
    """How one encoding lays out its pixels.

    Attributes:
        channels: samples a pixel in one row of the message.
        sample_bytes: 1 or 2 bytes a sample.
        to_rgb: OpenCV's code for the conversion of the 8-bit samples to RGB, None if they are it.
        chroma_rows: rows of colour samples after the image, as a share of its height.
        multiple: width and height are multiples of this.
    """

    channels: int
    to_rgb: int | None
    sample_bytes: int = 1
    chroma_rows: float = 0.0
    multiple: tuple[int, int] = (1, 1)


def _wide(pixel_format: PixelFormat) -> PixelFormat:
    return replace(pixel_format, sample_bytes=2)


_RGB = PixelFormat(channels=3, to_rgb=None)
_BGR = PixelFormat(channels=3, to_rgb=cv2.COLOR_BGR2RGB)
_RGBA = PixelFormat(channels=4, to_rgb=cv2.COLOR_RGBA2RGB)
_BGRA = PixelFormat(channels=4, to_rgb=cv2.COLOR_BGRA2RGB)
_MONO = PixelFormat(channels=1, to_rgb=cv2.COLOR_GRAY2RGB)
_COUNTS = _wide(_MONO)
_UYVY = PixelFormat(channels=2, to_rgb=cv2.COLOR_YUV2RGB_UYVY, multiple=(1, 2))
_YUYV = PixelFormat(channels=2, to_rgb=cv2.COLOR_YUV2RGB_YUY2, multiple=(1, 2))
_NV12 = PixelFormat(channels=1, to_rgb=cv2.COLOR_YUV2RGB_NV12, chroma_rows=0.5, multiple=(2, 2))
_NV21 = PixelFormat(channels=1, to_rgb=cv2.COLOR_YUV2RGB_NV21, chroma_rows=0.5, multiple=(2, 2))
# OpenCV names a mosaic by the second and third pixel of its second row, ROS by its first four.
_BAYER = {
    'rggb': PixelFormat(channels=1, to_rgb=cv2.COLOR_BayerBG2RGB, multiple=(2, 2)),
    'bggr': PixelFormat(channels=1, to_rgb=cv2.COLOR_BayerRG2RGB, multiple=(2, 2)),
    'gbrg': PixelFormat(channels=1, to_rgb=cv2.COLOR_BayerGR2RGB, multiple=(2, 2)),
    'grbg': PixelFormat(channels=1, to_rgb=cv2.COLOR_BayerGB2RGB, multiple=(2, 2)),
}

PIXEL_FORMATS: dict[str, PixelFormat] = {
    'rgb8': _RGB,
    'bgr8': _BGR,
    'rgba8': _RGBA,
    'bgra8': _BGRA,
    'mono8': _MONO,
    'rgb16': _wide(_RGB),
    'bgr16': _wide(_BGR),
    'rgba16': _wide(_RGBA),
    'bgra16': _wide(_BGRA),
    'mono16': _COUNTS,
    # Names of plain OpenCV matrices, which some drivers use for grey and for BGR images.
    '8UC1': _MONO,
    '8UC3': _BGR,
    '8UC4': _BGRA,
    '16UC1': _COUNTS,
    '16UC3': _wide(_BGR),
    'uyvy': _UYVY,
    'yuv422': _UYVY,
    'yuyv': _YUYV,
    'yuv422_yuy2': _YUYV,
    'nv12': _NV12,
    'nv21': _NV21,
    **{f'bayer_{pattern}8': pixel_format for pattern, pixel_format in _BAYER.items()},
    **{f'bayer_{pattern}16': _wide(pixel_format) for pattern, pixel_format in _BAYER.items()},
}


def decode_image(
    data: Bytes,
    *,
    encoding: str,
    height: int,
    width: int,
    step: int,
    is_bigendian: bool = False,
    max_pixels: int = MAX_IMAGE_PIXELS,
    reduced: int = 1,
) -> NDArray[np.uint8]:
    """Read the pixels of an image message.

    Args:
        data: the message's bytes, anything with the buffer interface.
        encoding: one of `PIXEL_FORMATS`.
        height: rows [px].
        width: columns [px].
        step: bytes from one row to the next, padding included.
        is_bigendian: the high byte of a 16-bit sample comes first.
        max_pixels: refuse a larger image.
        reduced: average 2, 4 or 8 rows and columns, which divide the size, to one if that is
            cheaper than converting all (YUV and Bayer); other encodings come in full.

    Returns:
        (H, W, 3) uint8 RGB, or reduced. For rgb8 it is a view of `data`.

    Raises:
        ImageError: the encoding is unknown, the size is zero, too large or odd where it may not
            be, or step or data are too short for the size.
    """
    pixel_format = PIXEL_FORMATS.get(encoding)
    if pixel_format is None:
        raise ImageError(
            f'image encoding {encoding!r} is not supported; supported: {", ".join(PIXEL_FORMATS)}'
        )
    check_pixels(height, width, 'image', max_pixels)
    _check_multiple(pixel_format, encoding, height=height, width=width)
    rows = height + int(height * pixel_format.chroma_rows)
    row_bytes = width * pixel_format.channels * pixel_format.sample_bytes
    _check_bytes(data, encoding, rows=rows, width=width, row_bytes=row_bytes, step=step)
    if pixel_format is _COUNTS:
        say_no_colour(encoding)
        counts = _view(data, np.dtype('>u2' if is_bigendian else '<u2'), (rows, width), step)
        grey = grey_from_counts(counts.astype(np.uint16))
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
    samples = _samples(data, pixel_format, rows=rows, width=width, step=step, big=is_bigendian)
    if pixel_format.to_rgb is None:
        return samples
    if reduced > 1 and encoding in AVERAGERS:
        return AVERAGERS[encoding](samples, reduced)
    return np.asarray(cv2.cvtColor(samples, pixel_format.to_rgb), np.uint8)


def decode_depth(
    data: Bytes,
    *,
    encoding: str,
    height: int,
    width: int,
    step: int,
    is_bigendian: bool = False,
    max_pixels: int = MAX_IMAGE_PIXELS,
) -> NDArray[Any]:
    """Read the depth of an image message, in the unit that `DEPTH_UNITS` gives.

    Args:
        data: see `decode_image`, as for the rest.
        encoding: 16UC1 or 32FC1.
        height: rows [px].
        width: columns [px].
        step: bytes from one row to the next.
        is_bigendian: the high byte of a sample comes first.
        max_pixels: refuse a larger image.

    Returns:
        (H, W) uint16 or float32; 0, NaN and infinite = missing.

    Raises:
        ImageError: the encoding is another one, the size is zero or too large, or step or data
            are too short for the size.
    """
    if encoding not in DEPTH_UNITS:
        expected = ' or '.join(reversed(DEPTH_UNITS))
        raise ImageError(f"depth image has encoding '{encoding}'; expected {expected}")
    check_pixels(height, width, 'depth image', max_pixels)
    sample = np.dtype(_DEPTH_TYPES[encoding]).newbyteorder('>' if is_bigendian else '<')
    row_bytes = width * sample.itemsize
    _check_bytes(data, encoding, rows=height, width=width, row_bytes=row_bytes, step=step)
    depth = _view(data, sample, (height, width), step)
    return np.ascontiguousarray(depth, dtype=sample.newbyteorder('='))


def decode_mosaic(mosaic: NDArray[np.uint8], encoding: str) -> NDArray[np.uint8]:
    """Give a Bayer mosaic its colours.

    Args:
        mosaic: (H, W) uint8, one sample a pixel, height and width even.
        encoding: its bayer encoding.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: the size is odd.
    """
    pixel_format = PIXEL_FORMATS[encoding]
    height, width = mosaic.shape
    _check_multiple(pixel_format, encoding, height=height, width=width)
    return np.asarray(cv2.cvtColor(mosaic, pixel_format.to_rgb or 0), np.uint8)


@lru_cache(maxsize=16)
def say_no_colour(encoding: str) -> None:
    """Warn, once an encoding, that counts of a sensor are no picture that a model has learned."""
    _logger.warning(
        'image encoding %s is no colour picture but 16-bit counts: shown as grey, stretched from '
        'the 1st to the 99th percentile if they spread over less than a quarter of the range; '
        'depth from it is uncertain',
        encoding,
    )


def _check_multiple(pixel_format: PixelFormat, encoding: str, *, height: int, width: int) -> None:
    rows, columns = pixel_format.multiple
    if height % rows or width % columns:
        raise ImageError(
            f'image is {width}x{height} pixels, but {encoding} needs '
            f'a width that is a multiple of {columns} and a height that is a multiple of {rows}'
        )


def _check_bytes(
    data: Bytes, encoding: str, *, rows: int, width: int, row_bytes: int, step: int
) -> None:
    if step < row_bytes:
        raise ImageError(
            f'image step is {step} bytes, but a row of {width} {encoding} pixels has {row_bytes}'
        )
    size = memoryview(data).nbytes
    if size < step * rows:
        raise ImageError(
            f'image data has {size} bytes, but {rows} rows of {step} bytes need {step * rows}'
        )


def _view(data: Bytes, sample: np.dtype[Any], shape: tuple[int, int], step: int) -> NDArray[Any]:
    strides = (step, sample.itemsize)
    view: NDArray[Any] = np.ndarray(shape, dtype=sample, buffer=data, strides=strides)
    return view


def _samples(
    data: Bytes,
    pixel_format: PixelFormat,
    *,
    rows: int,
    width: int,
    step: int,
    big: bool,
) -> NDArray[np.uint8]:
    """View the 8-bit samples, or the high bytes of the 16-bit ones, as (rows, W[, channels])."""
    channels, sample_bytes = pixel_format.channels, pixel_format.sample_bytes
    samples: NDArray[np.uint8] = np.ndarray(
        shape=(rows, width, channels),
        dtype=np.uint8,
        buffer=data,
        offset=sample_bytes - 1 if not big else 0,
        strides=(step, channels * sample_bytes, sample_bytes),
    )
    if channels == 1:
        samples = samples[..., 0]
    # OpenCV takes padded rows as they are, but no gaps between the pixels.
    return samples if sample_bytes == 1 else np.ascontiguousarray(samples)
