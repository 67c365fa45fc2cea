"""Pixels of ROS images to RGB: every encoding by bytes worked out by hand."""

from __future__ import annotations

import array

import cv2
import numpy as np
import pytest

from depth_estimation_ros.camera.compressed import decode_compressed, decode_compressed_depth
from depth_estimation_ros.camera.encodings import PIXEL_FORMATS, decode_image
from depth_estimation_ros.errors import ImageError

# 2 rows of 3 pixels, R G B.
RGB = np.array(
    [
        [[10, 20, 30], [40, 50, 60], [70, 80, 90]],
        [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
    ],
    dtype=np.uint8,
)
ALPHA = np.full((2, 3, 1), 77, dtype=np.uint8)
GREY = np.array([[10, 50, 90], [1, 5, 9]], dtype=np.uint8)
EIGHT_BIT = {
    'rgb8': RGB,
    'bgr8': RGB[..., ::-1],
    'rgba8': np.concatenate([RGB, ALPHA], axis=2),
    'bgra8': np.concatenate([RGB[..., ::-1], ALPHA], axis=2),
    'mono8': GREY,
    '8UC1': GREY,
    '8UC3': RGB[..., ::-1],
    '8UC4': np.concatenate([RGB[..., ::-1], ALPHA], axis=2),
}
# Y, U, V of pure red in BT.601.
RED_Y, RED_U, RED_V = 81, 90, 240


def padded(samples: np.ndarray, padding: int) -> tuple[array.array[int], int]:
    """Put bytes that are no pixels behind each row; returns the data and the step."""
    rows = samples.reshape(samples.shape[0], -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    return array.array('B', rows.tobytes()), rows.shape[1]


@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize('encoding', EIGHT_BIT)
def test_every_8_bit_encoding_gives_the_same_colours(encoding: str, padding: int) -> None:
    data, step = padded(np.ascontiguousarray(EIGHT_BIT[encoding]), padding)
    rgb = decode_image(data, encoding=encoding, height=2, width=3, step=step)
    is_grey = EIGHT_BIT[encoding] is GREY
    np.testing.assert_array_equal(rgb, GREY[..., None].repeat(3, 2) if is_grey else RGB)


def test_rgb8_is_read_in_place() -> None:
    data, step = padded(RGB, 4)
    rgb = decode_image(data, encoding='rgb8', height=2, width=3, step=step)
    data[0] = 99
    assert rgb[0, 0, 0] == 99


@pytest.mark.parametrize(('is_bigendian', 'order'), [(False, '<'), (True, '>')])
@pytest.mark.parametrize('encoding', ['mono16', '16UC1', 'rgb16', 'bgr16', 'rgba16', 'bgra16'])
def test_of_16_bits_the_high_byte_counts(encoding: str, is_bigendian: bool, order: str) -> None:
    eight_bit = EIGHT_BIT['mono8' if encoding == '16UC1' else encoding.replace('16', '8')]
    samples = (eight_bit.astype(np.uint16) * 256 + 255).astype(f'{order}u2')
    data, step = padded(np.ascontiguousarray(samples), 6)
    rgb = decode_image(
        data, encoding=encoding, height=2, width=3, step=step, is_bigendian=is_bigendian
    )
    expected = GREY[..., None].repeat(3, 2) if eight_bit is GREY else RGB
    np.testing.assert_array_equal(rgb, expected)


@pytest.mark.parametrize(
    ('encoding', 'pixel_pair'),
    [
        ('uyvy', (RED_U, RED_Y, RED_V, RED_Y)),
        ('yuv422', (RED_U, RED_Y, RED_V, RED_Y)),
        ('yuyv', (RED_Y, RED_U, RED_Y, RED_V)),
        ('yuv422_yuy2', (RED_Y, RED_U, RED_Y, RED_V)),
    ],
)
def test_packed_yuv_red_is_red(encoding: str, pixel_pair: tuple[int, ...]) -> None:
    data, step = padded(np.tile(np.array(pixel_pair, np.uint8), (3, 2)), 3)  # 3 rows, 4 pixels
    assert_red(decode_image(data, encoding=encoding, height=3, width=4, step=step), (3, 4))


@pytest.mark.parametrize(
    ('encoding', 'chroma'), [('nv12', (RED_U, RED_V)), ('nv21', (RED_V, RED_U))]
)
def test_planar_yuv_red_is_red(encoding: str, chroma: tuple[int, int]) -> None:
    luma = np.full((4, 6), RED_Y, np.uint8)
    data, step = padded(np.concatenate([luma, np.tile(np.array(chroma, np.uint8), (2, 3))]), 2)
    assert_red(decode_image(data, encoding=encoding, height=4, width=6, step=step), (4, 6))


def assert_red(rgb: np.ndarray, size: tuple[int, int]) -> None:
    assert rgb.shape == (*size, 3)
    assert rgb[..., 0].min() > 245
    assert rgb[..., 1:].max() < 10


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize(
    ('pattern', 'red_at'),
    [('rggb', (0, 0)), ('bggr', (1, 1)), ('gbrg', (1, 0)), ('grbg', (0, 1))],
)
def test_a_red_scene_is_red_through_every_bayer_mosaic(
    pattern: str, red_at: tuple[int, int], bits: int
) -> None:
    mosaic = np.zeros((6, 8), np.uint8 if bits == 8 else np.uint16)
    mosaic[red_at[0] :: 2, red_at[1] :: 2] = 200 if bits == 8 else 200 * 256
    data, step = padded(mosaic, 4)
    rgb = decode_image(data, encoding=f'bayer_{pattern}{bits}', height=6, width=8, step=step)
    np.testing.assert_array_equal(rgb[2:4, 2:6], np.full((2, 4, 3), (200, 0, 0)))


def test_an_unknown_encoding_is_named_with_those_supported() -> None:
    with pytest.raises(ImageError, match=r"'32FC1' is not supported.*rgb8.*bayer_rggb16"):
        decode_image(b'', encoding='32FC1', height=2, width=3, step=12)


@pytest.mark.parametrize(('height', 'width'), [(0, 640), (480, 0)])
def test_an_empty_image_is_refused(height: int, width: int) -> None:
    with pytest.raises(ImageError, match=f'image is {width}x{height} pixels: it is empty'):
        decode_image(b'', encoding='rgb8', height=height, width=width, step=0)


def test_data_shorter_than_its_rows_are_refused_with_both_numbers() -> None:
    with pytest.raises(ImageError, match=r'has 19 bytes, but 2 rows of 10 bytes need 20'):
        decode_image(bytes(19), encoding='rgb8', height=2, width=3, step=10)


def test_a_step_shorter_than_a_row_is_refused_with_both_numbers() -> None:
    with pytest.raises(ImageError, match=r'step is 8 bytes, but a row of 3 rgb8 pixels has 9'):
        decode_image(bytes(18), encoding='rgb8', height=2, width=3, step=8)


def test_an_odd_size_is_refused_where_pixels_share_their_colour() -> None:
    with pytest.raises(ImageError, match=r'5x4 pixels, but nv12 needs a width .* multiple of 2'):
        decode_image(bytes(100), encoding='nv12', height=4, width=5, step=5)


def test_the_encodings_of_the_issue_are_all_there() -> None:
    named = (
        'rgb8 bgr8 rgba8 bgra8 mono8 mono16 yuv422 yuv422_yuy2 uyvy yuyv nv12 nv21 8UC1 8UC3 16UC1'
    )
    bayer = {
        f'bayer_{order}{bits}' for order in ('rggb', 'bggr', 'gbrg', 'grbg') for bits in (8, 16)
    }
    assert {*named.split(), *bayer} <= set(PIXEL_FORMATS)


def encoded(extension: str) -> bytes:
    """Encode an orange image that OpenCV takes for BGR."""
    bgr = np.full((24, 32, 3), (0, 128, 255), np.uint8)
    return cv2.imencode(extension, bgr)[1].tobytes()


@pytest.mark.parametrize(
    ('extension', 'text'),
    [('.jpg', 'jpeg'), ('.png', 'png'), ('.jpg', 'rgb8; jpeg compressed bgr8')],
)
def test_compressed_images_are_bgr_inside(extension: str, text: str) -> None:
    rgb = decode_compressed(encoded(extension), text=text)
    assert rgb.shape == (24, 32, 3)
    np.testing.assert_allclose(rgb[12, 16], (255, 128, 0), atol=3)


def test_a_format_that_says_rgb_is_not_turned_around() -> None:
    rgb = decode_compressed(encoded('.png'), text='rgb8; png compressed rgb8')
    np.testing.assert_array_equal(rgb[12, 16], (0, 128, 255))


@pytest.mark.parametrize('data', [b'', b'no image at all'])
def test_bytes_that_are_no_image_are_refused(data: bytes) -> None:
    with pytest.raises(
        ImageError, match=rf"format 'jpeg' \({len(data)} bytes\) cannot be decoded"
    ):
        decode_compressed(data, text='jpeg')


@pytest.mark.parametrize('text', ['16UC1; png compressed ', '16UC1; compressedDepth rvl'])
def test_depth_under_any_compressed_format_is_no_camera_image(text: str) -> None:
    with pytest.raises(ImageError, match='is a depth image, not a camera image'):
        decode_compressed(encoded('.png'), text=text)


def test_a_video_stream_is_named() -> None:
    with pytest.raises(ImageError, match="format 'h264' is a video stream"):
        decode_compressed(b'x', text='h264')


def test_a_compressed_mosaic_gets_its_colours() -> None:
    mosaic = np.zeros((24, 32), np.uint8)
    mosaic[::2, ::2] = 200  # red of rggb
    data = cv2.imencode('.png', mosaic)[1].tobytes()
    rgb = decode_compressed(data, text='bayer_rggb8; png compressed ')
    np.testing.assert_array_equal(rgb[4:20, 4:28], np.full((16, 24, 3), (200, 0, 0)))


def test_a_mosaic_that_was_made_colour_before_is_colour() -> None:
    rgb = decode_compressed(encoded('.png'), text='bayer_rggb8; png compressed bgr8')
    np.testing.assert_array_equal(rgb[12, 16], (255, 128, 0))


def test_depth_of_a_plain_16_bit_png_is_millimetres() -> None:
    data = cv2.imencode('.png', np.array([[0, 1500]], np.uint16))[1].tobytes()
    depth, metres_per_unit = decode_compressed_depth(data, text='16UC1; png compressed ')
    assert (depth.tolist(), metres_per_unit) == ([[0, 1500]], 0.001)


def test_rvl_depth_is_said_to_be_unsupported() -> None:
    with pytest.raises(ImageError, match='compressed with rvl is not supported; set .* png'):
        decode_compressed_depth(b'x' * 40, text='16UC1; compressedDepth rvl')


def test_a_damaged_jpeg_is_refused_with_its_format() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)
    jpeg = cv2.imencode('.jpg', noise)[1].tobytes()
    with pytest.raises(ImageError, match=r"format 'jpeg' .* cannot be decoded: .* damaged JPEG"):
        decode_compressed(jpeg[:3000] + jpeg[6000:], text='jpeg')


def test_an_image_of_more_pixels_than_allowed_is_refused() -> None:
    with pytest.raises(ImageError, match=r'claims 3x2 pixels, more than max_image_pixels = 5'):
        decode_image(bytes(18), encoding='rgb8', height=2, width=3, step=9, max_pixels=5)


def test_a_compressed_depth_image_is_no_camera_image() -> None:
    with pytest.raises(ImageError, match=r"'16UC1; compressedDepth png' is a depth image"):
        decode_compressed(b'x', text='16UC1; compressedDepth png')
