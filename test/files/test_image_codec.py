"""Damaged and oversize image files: refused by what they claim, or when bytes are missing."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest

from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.files.image_codec import decode_rgb, decode_unchanged, grey_from_counts
from depth_estimation_ros.files.image_header import read_header

ROWS, COLUMNS = np.mgrid[:96, :128]
PICTURE = np.stack([ROWS * 2, COLUMNS, (ROWS * COLUMNS) % 251], axis=2).astype(np.uint8)


def encoded(extension: str, *parameters: int) -> bytes:
    return cv2.imencode(extension, PICTURE, parameters)[1].tobytes()


def png_of_size(width: int, height: int) -> bytes:
    header = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    crc = struct.pack('>I', zlib.crc32(header))
    return b'\x89PNG\r\n\x1a\n' + struct.pack('>I', 13) + header + crc


def test_a_jpeg_that_lost_bytes_in_its_middle_is_damaged() -> None:
    jpeg = encoded('.jpg')
    cut = jpeg[: len(jpeg) // 2] + jpeg[-2:]
    assert cut.endswith(b'\xff\xd9')
    with pytest.raises(ImageError, match='x: damaged JPEG: .*premature end'):
        decode_rgb(cut, name='x')


@pytest.mark.parametrize('padding', [b'\x00' * 4096, b'\xff' * 7, b'\x00\xff\xd9', b'webcam'])
def test_padding_behind_the_end_marker_is_no_damage(padding: bytes) -> None:
    jpeg = encoded('.jpg')
    np.testing.assert_array_equal(decode_rgb(jpeg + padding, name='x'), decode_rgb(jpeg, name='x'))


def test_a_few_bytes_before_the_end_marker_are_padding_and_many_are_damage() -> None:
    jpeg = encoded('.jpg')
    assert decode_rgb(jpeg[:-2] + bytes(8) + jpeg[-2:], name='x').shape == (96, 128, 3)
    with pytest.raises(ImageError, match='damaged JPEG: .*extraneous bytes'):
        decode_rgb(jpeg[:-2] + bytes(600) + jpeg[-2:], name='x')


@pytest.mark.parametrize('extension', ['.png', '.webp', '.bmp', '.tiff', '.ppm'])
def test_a_file_that_is_cut_short_is_refused(extension: str) -> None:
    whole = encoded(extension)
    assert decode_rgb(whole, name='x').shape == (96, 128, 3)
    with pytest.raises(ImageError, match='x: '):
        decode_rgb(whole[: len(whole) * 3 // 4], name='x')


def test_a_flipped_bit_in_a_png_is_refused() -> None:
    png = bytearray(encoded('.png'))
    png[len(png) // 2] ^= 1
    with pytest.raises(ImageError, match='x: damaged PNG'):
        decode_rgb(bytes(png), name='x')


def test_a_header_that_claims_too_much_is_refused_before_anything_is_allocated() -> None:
    tracemalloc.start()
    with pytest.raises(ImageError, match=r'x claims 65500x65500 pixels, more than .* = 67108864'):
        decode_rgb(png_of_size(65500, 65500), name='x')
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_the_bound_can_be_set() -> None:
    assert decode_rgb(encoded('.png'), name='x', max_pixels=96 * 128).shape == (96, 128, 3)
    with pytest.raises(ImageError, match=r'claims 128x96 pixels, .* max_image_pixels = 12287'):
        decode_unchanged(encoded('.png'), name='x', max_pixels=96 * 128 - 1)


@pytest.mark.parametrize(
    'extension', ['.jpg', '.png', '.webp', '.bmp', '.tiff', '.ppm', '.gif', '.jp2']
)
def test_the_size_is_read_from_the_header_alone(extension: str) -> None:
    header = read_header(encoded(extension))
    assert header is not None
    assert (header.height, header.width) == (96, 128)


def test_counts_of_a_thermal_camera_are_stretched_between_percentiles() -> None:
    counts = np.tile(np.arange(20000, 20101, dtype=np.uint16), (4, 1))  # 1 %: 20001, 99 %: 20099
    grey = grey_from_counts(counts)
    assert grey[0, [0, 1, 50, 99, 100]].tolist() == [0, 0, 128, 255, 255]


def test_counts_that_fill_the_range_are_shown_by_their_high_byte() -> None:
    counts = np.tile(np.array([0x0000, 0x34FF, 0x8000, 0xFF00], np.uint16), (4, 1))
    assert grey_from_counts(counts)[0].tolist() == [0x00, 0x34, 0x80, 0xFF]
