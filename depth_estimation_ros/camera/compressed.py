"""Compressed image messages by their `format` text: pictures as RGB, and depth.

One table of what image_transport and drivers write, for the node, bags and training:

| format | what it is |
|---|---|
| `jpeg`, `png`, ... or nothing | a picture; its bytes say which format |
| `rgb8; jpeg compressed bgr8` | a picture; the last word is the order the encoder was given |
| `bayer_rggb8; jpeg compressed ` | a mosaic, one sample a pixel, as the first word says |
| `mono16; png compressed ` | a sensor's counts |
| `16UC1; png compressed ` | depth [mm] |
| `16UC1; compressedDepth png`, `32FC1; ...` | depth behind a header of 12 bytes |
| `16UC1; compressedDepth rvl`, `h264`, ... | not read |
"""

from __future__ import annotations

from dataclasses import dataclass
import struct
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from depth_estimation_ros.camera.encodings import (
    DEPTH_UNITS,
    PIXEL_FORMATS,
    decode_mosaic,
    say_no_colour,
)
from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.files.image_codec import (
    MAX_IMAGE_PIXELS,
    decode_rgb,
    decode_unchanged,
    grey_from_counts,
)

if TYPE_CHECKING:
    from array import array

    from numpy.typing import NDArray

    Bytes = bytes | bytearray | memoryview | array[int]

__all__ = ['CompressedFormat', 'decode_compressed', 'decode_compressed_depth']

_DEPTH_HEADER: Final = struct.Struct('<iff')  # kind, and the two numbers of inverse depth
_VIDEO_CODECS: Final = frozenset({'h264', 'h265', 'hevc', 'av1', 'vp8', 'vp9', 'theora', 'mpeg4'})


@dataclass(frozen=True, kw_only=True)
class CompressedFormat:
    """What the `format` text of a CompressedImage says.

    Attributes:
        text: As it stands in the message.
        encoding: Of the image before it was compressed; '' = not said.
        codec: 'jpeg', 'png', 'rvl', ...; '' = not said.
        is_depth_transport: Written by compressed_depth_image_transport.
        is_swapped: The encoder was given red first, and takes the first channel for blue.
    """

    text: str
    encoding: str
    codec: str
    is_depth_transport: bool
    is_swapped: bool

    @classmethod
    def parse(cls, text: str) -> CompressedFormat:
        """Read the text; anything can stand in it."""
        first, semicolon, rest = text.partition(';')
        encoding, words = (first.strip(), rest.split()) if semicolon else ('', first.split())
        is_depth_transport = 'compressedDepth' in words
        if is_depth_transport:
            codecs, given = words[words.index('compressedDepth') + 1 :], []
        elif 'compressed' in words:
            place = words.index('compressed')
            codecs, given = words[:place], words[place + 1 :]
        else:
            codecs, given = words, []
        return cls(
            text=text,
            encoding=encoding,
            codec=codecs[0].lower() if codecs else '',
            is_depth_transport=is_depth_transport,
            is_swapped=bool(given) and given[0].startswith('rgb'),
        )

    @property
    def is_depth(self) -> bool:
        """The message holds depth, not a picture."""
        return self.is_depth_transport or self.encoding in DEPTH_UNITS


def decode_compressed(
    data: Bytes, *, text: str, max_pixels: int = MAX_IMAGE_PIXELS, reduced: int = 1
) -> NDArray[np.uint8]:
    """Read a compressed picture.

    Args:
        data: the message's bytes, anything with the buffer interface.
        text: the message's `format`, see the table above.
        max_pixels: refuse a picture that claims more.
        reduced: shrink by 1, 2, 4 or 8.

    Returns:
        (H, W, 3) uint8 RGB, turned by no orientation tag: camera_info describes the sensor.

    Raises:
        ImageError: the bytes are compressed depth or video, no image at all, too large by their
            header, or damaged.
    """
    said = CompressedFormat.parse(text)
    if said.is_depth:
        raise ImageError(f'compressed image format {text!r} is a depth image, not a camera image')
    if said.codec in _VIDEO_CODECS:
        raise ImageError(
            f'compressed image format {text!r} is a video stream; republish it as raw or jpeg'
        )
    if said.encoding == 'mono16':
        say_no_colour(said.encoding)
    encoded = bytes(data)
    try:
        if said.encoding.startswith('bayer_') and said.encoding in PIXEL_FORMATS:
            return _decode_bayer(encoded, said, max_pixels)
        rgb = decode_rgb(encoded, name='image', max_pixels=max_pixels, reduced=reduced)
    except ImageError as err:
        raise ImageError(
            f'compressed image of format {text!r} ({len(encoded)} bytes) cannot be decoded: {err}'
        ) from err
    return np.ascontiguousarray(rgb[..., ::-1]) if said.is_swapped else rgb


def decode_compressed_depth(
    data: Bytes, *, text: str, max_pixels: int = MAX_IMAGE_PIXELS
) -> tuple[NDArray[Any], float]:
    """Read compressed depth: PNG, behind the header of compressed_depth_image_transport or not.

    Args:
        data: the message's bytes.
        text: the message's `format`.
        max_pixels: refuse depth that claims more pixels.

    Returns:
        (H, W) uint16 or float32, 0 = missing, and what 1 in it stands for [m].

    Raises:
        ImageError: another format, too large by its header, or damaged.
    """
    said = CompressedFormat.parse(text)
    if said.encoding not in DEPTH_UNITS:
        raise ImageError(f'format {text!r}, expected 16UC1 or 32FC1 depth')
    if said.codec not in {'', 'png'}:
        raise ImageError(
            f'format {text!r}: depth compressed with {said.codec} is not supported; set the '
            "publisher's format to png, or send raw depth"
        )
    encoded = bytes(data)
    if not said.is_depth_transport:
        if said.encoding != '16UC1':
            raise ImageError(f'format {text!r} cannot hold depth')
        return _levels(encoded, text, max_pixels), DEPTH_UNITS['16UC1']
    if len(encoded) < _DEPTH_HEADER.size:
        raise ImageError(f'{len(encoded)} bytes, too few for compressed depth')
    _, scale, offset = _DEPTH_HEADER.unpack_from(encoded)
    levels = _levels(encoded[_DEPTH_HEADER.size :], text, max_pixels)
    if said.encoding == '16UC1':
        return levels, DEPTH_UNITS['16UC1']
    known = levels > 0  # inverse depth in levels
    inverse = np.where(known, levels, 1).astype(np.float32) - np.float32(offset)
    with np.errstate(all='ignore'):  # what a damaged header makes of it is missing
        depth = np.where(known, np.float32(scale) / inverse, np.float32(0))
    return depth, DEPTH_UNITS['32FC1']


def _levels(encoded: bytes, text: str, max_pixels: int) -> NDArray[np.uint16]:
    levels = decode_unchanged(encoded, name=f'depth of format {text!r}', max_pixels=max_pixels)
    if levels.dtype != np.uint16 or levels.ndim != 2:
        raise ImageError(
            f'depth of format {text!r}: {levels.dtype} {levels.shape}, expected 16-bit depth with '
            '1 channel'
        )
    return levels


def _decode_bayer(encoded: bytes, said: CompressedFormat, max_pixels: int) -> NDArray[np.uint8]:
    """Give a mosaic its colours; some drivers name the mosaic though they send colours."""
    samples = decode_unchanged(encoded, name='image', max_pixels=max_pixels)
    if samples.ndim == 2:
        return decode_mosaic(grey_from_counts(samples), said.encoding)
    rgb = np.asarray(cv2.cvtColor(samples[..., :3], cv2.COLOR_BGR2RGB), np.uint8)
    return np.ascontiguousarray(rgb[..., ::-1]) if said.is_swapped else rgb
