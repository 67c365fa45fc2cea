"""Pixels of a ROS image message, by its `encoding`, to an RGB image.

Pure functions of the message's fields: no message type, no cv_bridge. Samples of 16 bits count by
their high byte, so that every wide encoding is read as its 8-bit twin.

Legend: H, W = height and width of the image [px], hwc = (H, W, channels).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from depth_estimation_ros.errors import ImageError

if TYPE_CHECKING:
    from array import array

    from numpy.typing import NDArray

    Bytes = bytes | bytearray | memoryview | array[int]


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
    return PixelFormat(channels=pixel_format.channels, to_rgb=pixel_format.to_rgb, sample_bytes=2)


_RGB = PixelFormat(channels=3, to_rgb=None)
_BGR = PixelFormat(channels=3, to_rgb=cv2.COLOR_BGR2RGB)
_RGBA = PixelFormat(channels=4, to_rgb=cv2.COLOR_RGBA2RGB)
_BGRA = PixelFormat(channels=4, to_rgb=cv2.COLOR_BGRA2RGB)
_MONO = PixelFormat(channels=1, to_rgb=cv2.COLOR_GRAY2RGB)
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
    'mono16': _wide(_MONO),
    # Names of plain OpenCV matrices, which some drivers use for grey and for BGR images.
    '8UC1': _MONO,
    '8UC3': _BGR,
    '8UC4': _BGRA,
    '16UC1': _wide(_MONO),
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
) -> NDArray[np.uint8]:
    """Read the pixels of an image message.

    Args:
        data: the message's bytes, anything with the buffer interface.
        encoding: one of `PIXEL_FORMATS`.
        height: rows [px].
        width: columns [px].
        step: bytes from one row to the next, padding included.
        is_bigendian: the high byte of a 16-bit sample comes first.

    Returns:
        (H, W, 3) uint8 RGB. For rgb8 it is a view of `data`.

    Raises:
        ImageError: the encoding is unknown, the size is zero or odd where it may not be, or
            step or data are too short for the size.
    """
    pixel_format = PIXEL_FORMATS.get(encoding)
    if pixel_format is None:
        raise ImageError(
            f'image encoding {encoding!r} is not supported; supported: {", ".join(PIXEL_FORMATS)}'
        )
    _check_size(pixel_format, encoding, height=height, width=width)
    rows = height + int(height * pixel_format.chroma_rows)
    row_bytes = width * pixel_format.channels * pixel_format.sample_bytes
    if step < row_bytes:
        raise ImageError(
            f'image step is {step} bytes, but a row of {width} {encoding} pixels has {row_bytes}'
        )
    size = memoryview(data).nbytes
    if size < step * rows:
        raise ImageError(
            f'image data has {size} bytes, but {rows} rows of {step} bytes need {step * rows}'
        )
    samples = _samples(data, pixel_format, rows=rows, width=width, step=step, big=is_bigendian)
    if pixel_format.to_rgb is None:
        return samples
    return np.asarray(cv2.cvtColor(samples, pixel_format.to_rgb), np.uint8)


def _check_size(pixel_format: PixelFormat, encoding: str, *, height: int, width: int) -> None:
    if height <= 0 or width <= 0:
        raise ImageError(f'image is {width}x{height} pixels: it is empty')
    rows, columns = pixel_format.multiple
    if height % rows or width % columns:
        raise ImageError(
            f'image is {width}x{height} pixels, but {encoding} needs '
            f'a width that is a multiple of {columns} and a height that is a multiple of {rows}'
        )


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


def decode_compressed(data: Bytes, *, text: str) -> NDArray[np.uint8]:
    """Read a compressed image message: jpeg, png or whatever else OpenCV decodes.

    Args:
        data: the message's bytes, anything with the buffer interface.
        text: the message's `format`, for example 'rgb8; jpeg compressed bgr8'. The name behind
            'compressed' is the channel order the encoder was given; without one it is BGR.

    Returns:
        (H, W, 3) uint8 RGB, turned by no orientation tag: camera_info describes the sensor.

    Raises:
        ImageError: the bytes are a compressed depth image or no image at all.
    """
    if 'compressedDepth' in text:
        raise ImageError(f'compressed image format {text!r} is a depth image, not a camera image')
    encoded = np.frombuffer(data, np.uint8)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    decoded = cv2.imdecode(encoded, flags) if encoded.size else None
    if decoded is None:
        raise ImageError(
            f'compressed image of format {text!r} ({encoded.size} bytes) cannot be decoded'
        )
    if 'rgb' in text.partition('compressed')[2]:
        return np.asarray(decoded, np.uint8)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
