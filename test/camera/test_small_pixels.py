"""Images made smaller before they become RGB: the values of converting all and averaging."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import simplejpeg

from depth_estimation_ros.camera.compressed import decode_compressed
from depth_estimation_ros.camera.encodings import decode_image
from depth_estimation_ros.camera.small_pixels import AVERAGERS

HEIGHT, WIDTH = 96, 128
# Mean difference of 8-bit levels from converting all and averaging.
LEVELS = {'nv': 1.0, 'yu': 1.0, 'uy': 1.0, 'ba': 2.0}
JPEG_LEVELS = 1.0
SITES = {'r': 0, 'g': 1, 'b': 2}


def picture() -> np.ndarray:
    """Blobs of colour of 16 pixels."""
    coarse = np.random.default_rng(3).integers(40, 216, (HEIGHT // 16, WIDTH // 16, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR))


def encoded(rgb: np.ndarray, encoding: str) -> np.ndarray:
    """The rows of a message with the picture."""
    height, width, _ = rgb.shape
    if encoding.startswith('bayer_'):
        mosaic = np.empty((height, width), np.uint8)
        for index, site in enumerate(encoding[6:10]):
            part = (slice(index // 2, None, 2), slice(index % 2, None, 2))
            mosaic[part] = rgb[part][..., SITES[site]]
        return mosaic.astype('<u2') << 8 if encoding.endswith('16') else mosaic
    planes = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).ravel()
    luma, chroma = planes[: height * width].reshape(height, width), planes[height * width :]
    u, v = chroma.reshape(2, height // 2, width // 2)
    if encoding.startswith('nv'):
        pair = (u, v) if encoding == 'nv12' else (v, u)
        return np.vstack([luma, np.stack(pair, axis=2).reshape(height // 2, width)])
    u, v = u.repeat(2, axis=0), v.repeat(2, axis=0)
    even, odd = luma[:, ::2], luma[:, 1::2]
    samples = (even, u, odd, v) if encoding.startswith(('yuyv', 'yuv422_')) else (u, even, v, odd)
    return np.stack(samples, axis=2).reshape(height, 2 * width)


def decoded(rows: np.ndarray, encoding: str, reduced: int) -> np.ndarray:
    data = np.ascontiguousarray(rows)
    return decode_image(
        data.tobytes(),
        encoding=encoding,
        height=HEIGHT,
        width=WIDTH,
        step=data.strides[0],
        reduced=reduced,
    )


def averaged(rgb: np.ndarray, reduced: int) -> np.ndarray:
    size = (WIDTH // reduced, HEIGHT // reduced)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def mean_difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize('reduced', [2, 4, 8])
@pytest.mark.parametrize('encoding', AVERAGERS)
def test_it_is_what_converting_all_and_averaging_gives(encoding: str, reduced: int) -> None:
    rows = encoded(picture(), encoding)
    small = decoded(rows, encoding, reduced)
    assert small.shape == (HEIGHT // reduced, WIDTH // reduced, 3)
    full = averaged(decoded(rows, encoding, 1), reduced)
    assert mean_difference(small, full) < LEVELS[encoding[:2]]


@pytest.mark.parametrize('encoding', AVERAGERS)
def test_one_colour_stays_that_colour(encoding: str) -> None:
    rgb = np.full((HEIGHT, WIDTH, 3), (200, 100, 50), np.uint8)
    small = decoded(encoded(rgb, encoding), encoding, 4)
    np.testing.assert_allclose(small, np.broadcast_to((200, 100, 50), small.shape), atol=2)


def test_a_mosaic_s_block_of_four_is_one_pixel() -> None:
    data = bytes([10, 20, 90, 90, 30, 50, 90, 90])  # R G, G B beside it 90 everywhere
    small = decode_image(data, encoding='bayer_rggb8', height=2, width=4, step=4, reduced=2)
    assert small.tolist() == [[[10, 25, 50], [90, 90, 90]]]


@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'mono8'])
def test_other_encodings_come_in_full(encoding: str) -> None:
    step = WIDTH * (1 if encoding == 'mono8' else 3)
    data = bytes(HEIGHT * step)
    rgb = decode_image(data, encoding=encoding, height=HEIGHT, width=WIDTH, step=step, reduced=4)
    assert rgb.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize('reduced', [2, 4, 8])
def test_a_jpeg_decoded_smaller_is_its_average(reduced: int) -> None:
    data = simplejpeg.encode_jpeg(picture(), quality=95, colorsubsampling='444')
    small = decode_compressed(data, text='jpeg', reduced=reduced)
    full = averaged(decode_compressed(data, text='jpeg'), reduced)
    assert mean_difference(small, full) < JPEG_LEVELS
