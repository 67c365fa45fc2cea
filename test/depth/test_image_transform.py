"""Letterbox and its inverse: geometry by hand, invalid samples, odd sizes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.depth.depth_grid import DepthGrid
from depth_estimation_ros.depth.image_transform import PAD_VALUE, ImageTransform
from depth_estimation_ros.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = [
    (120, 160),
    (480, 640),
    (640, 480),
    (720, 1280),
    (2160, 3840),
    (479, 641),
    (7, 300),
    (300, 7),
    (1, 1),
    (1, 640),
    (480, 1),
]


def _depth(values: list[list[float]]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def restored_depth(transform: ImageTransform, depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring the network's depth back to the image."""
    return DepthGrid(samples=transform.content_of(depth)).enlarged(transform.image_size)


def test_a_wide_image_is_padded_above_and_below() -> None:
    transform = ImageTransform.letterbox(image_size=(360, 640), network_size=(192, 256))
    assert transform.content_size == (144, 256)
    assert (transform.top, transform.left) == (24, 0)
    assert transform.scale == (0.4, 0.4)


def test_a_portrait_image_is_padded_left_and_right() -> None:
    transform = ImageTransform.letterbox(image_size=(640, 480), network_size=(192, 256))
    assert transform.content_size == (192, 144)
    assert (transform.top, transform.left) == (0, 56)


def test_borders_fall_on_whole_output_pixels() -> None:
    transform = ImageTransform.letterbox(
        image_size=(405, 720), network_size=(192, 256), output_size=(96, 128)
    )
    assert transform.content_size == (144, 256)
    assert transform.top % 2 == 0
    odd = ImageTransform.letterbox(
        image_size=(101, 256), network_size=(192, 256), output_size=(96, 128)
    )
    assert odd.content_size == (100, 256)  # 101 is half way: Python rounds 50.5 to even
    assert odd.top == 46


def test_resize_fills_the_network() -> None:
    transform = ImageTransform.resize(image_size=(300, 100), network_size=(192, 256))
    assert transform.content_size == (192, 256)
    assert (transform.top, transform.left) == (0, 0)


def test_the_padding_is_grey_and_the_content_is_the_image() -> None:
    rgb = np.full((100, 400, 3), (10, 20, 30), dtype=np.uint8)
    transform = ImageTransform.letterbox(image_size=(100, 400), network_size=(96, 128))
    placed = transform.apply_image(rgb)
    assert placed.shape == (96, 128, 3)
    assert placed.flags.c_contiguous
    assert (placed[:32] == PAD_VALUE).all()
    assert (placed[32:64] == (10, 20, 30)).all()
    assert (placed[64:] == PAD_VALUE).all()


def test_shrinking_averages_areas() -> None:
    rgb = np.zeros((4, 8, 3), dtype=np.uint8)
    rgb[::2, ::2] = 200  # one of four pixels of each 2x2 block
    transform = ImageTransform.letterbox(image_size=(4, 8), network_size=(2, 4))
    assert (transform.apply_image(rgb) == 50).all()


def test_a_given_buffer_is_filled_and_old_content_is_gone() -> None:
    buffer = np.full((96, 128, 3), 255, dtype=np.uint8)
    transform = ImageTransform.letterbox(image_size=(100, 400), network_size=(96, 128))
    placed = transform.apply_image(np.zeros((100, 400, 3), dtype=np.uint8), out=buffer)
    assert placed is buffer
    assert set(np.unique(buffer)) == {0, PAD_VALUE}


def test_a_strided_view_is_accepted_and_not_changed() -> None:
    rng = np.random.default_rng(0)
    bgr = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    before = bgr.copy()
    view = bgr[::2, ::-1, ::-1]
    transform = ImageTransform.letterbox(image_size=(30, 80), network_size=(96, 128))
    expected = transform.apply_image(np.ascontiguousarray(view))
    np.testing.assert_array_equal(transform.apply_image(view), expected)
    np.testing.assert_array_equal(bgr, before)


@pytest.mark.parametrize('mode', ['letterbox', 'resize'])
@pytest.mark.parametrize('size', SIZES)
def test_constant_depth_comes_back_for_any_size(mode: str, size: tuple[int, int]) -> None:
    transform = ImageTransform.by_mode(
        mode, image_size=size, network_size=(96, 128), output_size=(48, 64)
    )
    rgb = np.zeros((*size, 3), dtype=np.uint8)
    assert transform.apply_image(rgb).shape == (96, 128, 3)
    restored = restored_depth(transform, np.full((48, 64), 2.5, dtype=np.float32))
    assert restored.shape == size
    assert restored.dtype == np.float32
    assert restored.flags.c_contiguous
    np.testing.assert_allclose(restored, 2.5, rtol=1e-6)


def test_what_lies_in_the_padding_never_reaches_the_image() -> None:
    transform = ImageTransform.letterbox(
        image_size=(100, 400), network_size=(96, 128), output_size=(48, 64)
    )
    depth = np.full((48, 64), np.nan, dtype=np.float32)
    depth[16:32] = 3.0  # rows 32..63 of the input
    np.testing.assert_allclose(restored_depth(transform, depth), 3.0, rtol=1e-6)


def test_a_plane_stays_flat() -> None:
    """Inverse depth of a floor is linear in the row; half-pixel centres are respected."""
    transform = ImageTransform.letterbox(
        image_size=(40, 80), network_size=(20, 40), output_size=(10, 20)
    )
    rows_out = (np.arange(10) + 0.5) / 10
    depth = np.repeat((1.0 / (0.1 + 0.4 * rows_out))[:, None], 20, axis=1).astype(np.float32)
    rows_in = (np.arange(40) + 0.5) / 40
    expected = 1.0 / (0.1 + 0.4 * rows_in)
    restored = restored_depth(transform, depth)
    np.testing.assert_allclose(restored[2:38, 5], expected[2:38], rtol=1e-5)


def test_doubling_interpolates_inverse_depth_between_sample_centres() -> None:
    transform = ImageTransform.resize(image_size=(2, 8), network_size=(1, 4))
    restored = restored_depth(transform, _depth([[1.0, 2.0, 4.0, 4.0]]))
    # Weights 3/4 and 1/4 of inverse depths 1, 1/2, 1/4, 1/4.
    inverse = [1.0, 0.875, 0.625, 0.4375, 0.3125, 0.25, 0.25, 0.25]
    np.testing.assert_allclose(restored, [[1.0 / value for value in inverse]] * 2, rtol=1e-6)


def test_valid_and_invalid_samples_never_blend() -> None:
    transform = ImageTransform.resize(image_size=(2, 8), network_size=(1, 4))
    restored = restored_depth(transform, _depth([[1.0, 2.0, math.nan, 4.0]]))
    # Next to the invalid sample the nearest one is taken as it is.
    expected = [1.0, 1.0 / 0.875, 1.0 / 0.625, 2.0, math.nan, math.nan, 4.0, 4.0]
    np.testing.assert_allclose(restored, [expected] * 2, rtol=1e-6)


@pytest.mark.parametrize('invalid', [math.nan, math.inf, -math.inf, 0.0, -1.0])
def test_every_kind_of_invalid_sample_becomes_nan(invalid: float) -> None:
    transform = ImageTransform.resize(image_size=(6, 12), network_size=(3, 6))
    depth = np.full((3, 6), 2.0, dtype=np.float32)
    depth[1, 2] = invalid
    restored = restored_depth(transform, depth)
    assert np.isnan(restored[2:4, 4:6]).all()
    assert np.count_nonzero(np.isnan(restored)) == 4
    np.testing.assert_allclose(restored[np.isfinite(restored)], 2.0, rtol=1e-6)


def test_values_stay_within_those_of_the_neighbours_whatever_is_invalid() -> None:
    rng = np.random.default_rng(3)
    depth = rng.choice(_depth([[1.0, 8.0, math.nan]])[0], size=(24, 32))
    # Sizes at which no pixel is half way between two samples.
    transform = ImageTransform.resize(image_size=(104, 224), network_size=(24, 32))
    restored = restored_depth(transform, depth)
    finite = restored[np.isfinite(restored)]
    assert finite.min() >= 1.0 - 1e-6
    assert finite.max() <= 8.0 * (1.0 + 1e-6)
    # Where the nearest sample is valid the pixel is, and only there.
    rows = ((np.arange(104) + 0.5) * 24 / 104).astype(int)
    columns = ((np.arange(224) + 0.5) * 32 / 224).astype(int)
    np.testing.assert_array_equal(np.isnan(restored), np.isnan(depth[rows][:, columns]))


def test_depth_is_not_changed_by_restoring_it() -> None:
    depth = _depth([[1.0, math.nan], [0.0, 2.0]])
    before = depth.copy()
    restored_depth(ImageTransform.resize(image_size=(5, 7), network_size=(2, 2)), depth)
    np.testing.assert_array_equal(depth, before)


def test_depth_of_another_size_is_refused() -> None:
    transform = ImageTransform.letterbox(
        image_size=(480, 640), network_size=(96, 128), output_size=(48, 64)
    )
    with pytest.raises(ImageError, match=r'\(96, 128\) where the network gives \(48, 64\)'):
        restored_depth(transform, np.ones((96, 128), dtype=np.float32))


def test_intrinsics_follow_the_image_into_the_letterbox() -> None:
    camera = CameraIntrinsics(width=640, height=360, fx=500.0, fy=500.0, cx=319.5, cy=179.5)
    transform = ImageTransform.letterbox(image_size=(360, 640), network_size=(192, 256))
    seen = transform.apply_intrinsics(camera)
    assert (seen.width, seen.height) == (256, 192)
    assert (seen.fx, seen.fy) == (200.0, 200.0)
    assert seen.cx == pytest.approx(127.5)  # the centre stays the centre
    assert seen.cy == pytest.approx(95.5)


def test_intrinsics_of_another_image_size_are_refused() -> None:
    camera = CameraIntrinsics.from_hfov(width=320, height=240, hfov_deg=60.0)
    transform = ImageTransform.letterbox(image_size=(480, 640), network_size=(96, 128))
    with pytest.raises(ImageError, match='320x240 image for one of 640x480'):
        transform.apply_intrinsics(camera)


@pytest.mark.parametrize('size', [(0, 640), (480, 0)])
def test_an_image_without_pixels_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match='no pixels'):
        ImageTransform.letterbox(image_size=size, network_size=(96, 128))


def test_an_output_that_does_not_divide_the_input_is_refused() -> None:
    with pytest.raises(ConfigError, match=r'\(96, 128\) is no whole multiple of \(40, 64\)'):
        ImageTransform.letterbox(
            image_size=(480, 640), network_size=(96, 128), output_size=(40, 64)
        )


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ConfigError, match="'stretch': must be one of letterbox, resize"):
        ImageTransform.by_mode('stretch', image_size=(480, 640), network_size=(96, 128))
