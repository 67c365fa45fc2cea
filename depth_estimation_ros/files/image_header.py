"""What an image file says of itself, read from its first bytes: format, size, orientation.

Nothing is decoded or allocated: a decoder allocates by the size a header claims, so the claim is
read first. Only formats with a reader here are decoded at all.
"""

from __future__ import annotations

from dataclasses import dataclass
import re
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ['REDUCTIONS', 'ImageHeader', 'jpeg_orientation', 'read_header']

REDUCTIONS: Final = (8, 4, 2, 1)  # what a decoder can shrink a picture by on its way
PNG_MAGIC: Final = b'\x89PNG\r\n\x1a\n'
_JPEG_MAGIC: Final = b'\xff\xd8'
_EXIF_MAGIC: Final = b'Exif\x00\x00'
_BIGGEST_HEADER: Final = 1 << 20  # bytes searched for a box of AVIF or a header of PNM
_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN: Final = 0xDA
_APP1: Final = 0xE1
_WIDTH_TAG, _HEIGHT_TAG, _BITS_TAG, _SAMPLES_TAG, _ORIENTATION_TAG = 256, 257, 258, 277, 274
_UPRIGHT: Final = 1


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """What an image file claims to hold.

    Attributes:
        format: 'JPEG', 'PNG', 'WebP', 'BMP', 'GIF', 'TIFF', 'PNM', 'AVIF', 'JPEG 2000', 'HEIC'.
        height: Rows [px].
        width: Columns [px].
        is_grey16: One channel of 16 bits: counts of a sensor or depth, not 8-bit levels.
    """

    format: str
    height: int
    width: int
    is_grey16: bool = False


def read_header(data: bytes) -> ImageHeader | None:
    """Read the header of an image file; None when it is none that is known, or cut short."""
    for magic, read in _READERS:
        if re.match(magic, data, re.DOTALL):
            try:
                return read(data)
            except (struct.error, ValueError, IndexError):
                return None
    return None


def jpeg_orientation(data: bytes) -> int:
    """Return the EXIF orientation of a JPEG, 1..8; 1 = upright, or it does not say."""
    for marker, start, length in _jpeg_segments(data):
        if marker == _APP1 and data[start : start + 6] == _EXIF_MAGIC:
            try:
                tags = _tiff_tags(data[start + 6 : start + length])
            except (struct.error, ValueError):
                return _UPRIGHT
            orientation = tags.get(_ORIENTATION_TAG, _UPRIGHT)
            return orientation if 1 <= orientation <= 8 else _UPRIGHT
    return _UPRIGHT


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and length of each segment before the first scan."""
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:  # bytes between segments, which decoders skip
            position = data.find(b'\xff', position)
            if position < 0:
                return
            continue
        marker = data[position + 1]
        if marker == 0xFF:  # fill
            position += 1
        elif marker in _WITHOUT_LENGTH or marker == 0:
            position += 2
        else:
            (length,) = struct.unpack_from('>H', data, position + 2)
            yield marker, position + 4, length - 2
            if marker == _START_OF_SCAN:
                return
            position += 2 + length


def _read_jpeg(data: bytes) -> ImageHeader | None:
    for marker, start, _ in _jpeg_segments(data):
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from('>HH', data, start + 1)
            return ImageHeader(format='JPEG', height=height, width=width)
    return None


def _read_png(data: bytes) -> ImageHeader:
    width, height, bits, color = struct.unpack_from('>IIBB', data, 16)
    grey16 = bits == 16 and color in (0, 4)
    return ImageHeader(format='PNG', height=height, width=width, is_grey16=grey16)


def _read_webp(data: bytes) -> ImageHeader | None:
    kind = data[12:16]
    if kind == b'VP8X':
        low_width, high_width, low_height, high_height = struct.unpack_from('<HBHB', data, 24)
        width, height = low_width + (high_width << 16) + 1, low_height + (high_height << 16) + 1
    elif kind == b'VP8L':
        (bits,) = struct.unpack_from('<I', data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b'VP8 ':
        width, height = (side & 0x3FFF for side in struct.unpack_from('<HH', data, 26))
    else:
        return None
    return ImageHeader(format='WebP', height=height, width=width)


def _read_bmp(data: bytes) -> ImageHeader:
    (header_size,) = struct.unpack_from('<I', data, 14)
    width, height = struct.unpack_from('<HH' if header_size == 12 else '<ii', data, 18)
    return ImageHeader(format='BMP', height=abs(height), width=abs(width))


def _read_gif(data: bytes) -> ImageHeader:
    width, height = struct.unpack_from('<HH', data, 6)
    return ImageHeader(format='GIF', height=height, width=width)


def _read_tiff(data: bytes) -> ImageHeader:
    tags = _tiff_tags(data)
    return ImageHeader(
        format='TIFF',
        height=tags.get(_HEIGHT_TAG, 0),
        width=tags.get(_WIDTH_TAG, 0),
        is_grey16=tags.get(_BITS_TAG) == 16 and tags.get(_SAMPLES_TAG, 1) == 1,
    )


def _tiff_tags(data: bytes) -> dict[int, int]:
    """Return the numbers in the first directory of a TIFF file, or of EXIF."""
    order = {b'II': '<', b'MM': '>'}.get(data[:2])
    if order is None:
        raise ValueError('no TIFF')
    (version,) = struct.unpack_from(f'{order}H', data, 2)
    if version == 43:  # BigTIFF
        (directory,) = struct.unpack_from(f'{order}Q', data, 8)
        (count,) = struct.unpack_from(f'{order}Q', data, directory)
        first, entry, value_offset = directory + 8, 20, 12
    else:
        (directory,) = struct.unpack_from(f'{order}I', data, 4)
        (count,) = struct.unpack_from(f'{order}H', data, directory)
        first, entry, value_offset = directory + 2, 12, 8
    tags = {}
    for index in range(min(count, 4096)):
        place = first + index * entry
        tag, kind = struct.unpack_from(f'{order}HH', data, place)
        if kind in (3, 4):
            code = 'H' if kind == 3 else 'I'
            (tags[tag],) = struct.unpack_from(f'{order}{code}', data, place + value_offset)
    return tags


def _read_pnm(data: bytes) -> ImageHeader | None:
    head = re.sub(rb'#[^\n\r]*', b'', data[:4096])
    if data[:2] == b'P7':
        values = dict(re.findall(rb'(WIDTH|HEIGHT|MAXVAL|DEPTH)\s+(\d{1,9})', head))
        width, height, highest = (int(values[key]) for key in (b'WIDTH', b'HEIGHT', b'MAXVAL'))
        grey = values.get(b'DEPTH') == b'1'
    else:
        numbers = re.match(rb'P[1-6]\s+(\d{1,9})\s+(\d{1,9})(?:\s+(\d{1,6}))?', head)
        if numbers is None:
            return None
        width, height, highest = (int(number or 1) for number in numbers.groups())
        grey = data[1:2] in b'25'
    return ImageHeader(format='PNM', height=height, width=width, is_grey16=grey and highest > 255)


def _read_boxes(data: bytes) -> ImageHeader | None:
    """Read AVIF and HEIC: the largest of the sizes that their item properties give."""
    is_avif = b'avi' in data[8:32]
    sizes = re.findall(rb'ispe\x00{4}(.{4})(.{4})', data[:_BIGGEST_HEADER], re.DOTALL)
    if not sizes:
        return None
    width, height = (max(int.from_bytes(size[side], 'big') for size in sizes) for side in (0, 1))
    return ImageHeader(format='AVIF' if is_avif else 'HEIC', height=height, width=width)


def _read_jpeg2000(data: bytes) -> ImageHeader | None:
    start = data.find(b'\xff\x4f\xff\x51', 0, _BIGGEST_HEADER)
    if start < 0:
        return None
    right, bottom, left, top = struct.unpack_from('>IIII', data, start + 8)
    return ImageHeader(format='JPEG 2000', height=bottom - top, width=right - left)


_READERS: Final[tuple[tuple[bytes, Callable[[bytes], ImageHeader | None]], ...]] = (
    (re.escape(_JPEG_MAGIC), _read_jpeg),
    (re.escape(PNG_MAGIC), _read_png),
    (rb'RIFF.{4}WEBP', _read_webp),
    (rb'BM', _read_bmp),
    (rb'GIF8[79]a', _read_gif),
    (rb'II[*+]\x00|MM\x00[*+]', _read_tiff),
    (rb'P[1-7]\s', _read_pnm),
    (rb'.{4}ftyp(?:avi|hei|hev|mif|msf)', _read_boxes),
    (rb'\x00{3}\x0cjP  |\xff\x4f\xff\x51', _read_jpeg2000),
)
