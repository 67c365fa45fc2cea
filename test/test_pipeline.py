"""From an image to finished depth: corrections, filters, limits and sizes, worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tiny_model import make_tiny_model

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.camera.rectification import Rectifier
from depth_estimation_ros.depth.finished_depth import agreement
from depth_estimation_ros.errors import ConfigError, ImageError
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.pipeline import (
    DepthPipeline,
    DepthRequest,
    DepthSettings,
    FinishedDepth,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CAMERA = CameraIntrinsics(width=64, height=48, fx=50.0, fy=50.0, cx=32.0, cy=24.0)
ALL = slice(None)


@pytest.fixture(scope='module')
def estimator(tiny_model_path: Path) -> Iterator[DepthEstimator]:
    """96x128 pixels in, 48x64 samples out: 51 is 2 m."""
    with DepthEstimator.from_file(tiny_model_path, 'onnxruntime') as made:
        yield made


def finish(
    estimator: DepthEstimator,
    rgb: np.ndarray,
    camera: CameraIntrinsics | None = CAMERA,
    **settings: Any,
) -> FinishedDepth:
    request = DepthRequest(rgb_hwc=rgb, intrinsics=camera)
    return DepthPipeline(estimator).run([request], DepthSettings(**settings))[0]


def grey(value: int, height: int = 48, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def step(height: int = 48, width: int = 64) -> np.ndarray:
    """2 m on the left, 6 m on the right."""
    rgb = grey(51, height, width)
    rgb[:, width // 2 :] = 153
    return rgb


def noise(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (height // 12, width // 12, 1), dtype=np.uint8)
    coarse[coarse < 90] = 0
    return np.tile(np.repeat(np.repeat(coarse, 12, axis=0), 12, axis=1), (1, 1, 3))


def test_depth_needs_no_camera(estimator: DepthEstimator) -> None:
    np.testing.assert_allclose(finish(estimator, grey(51), None).image, 2.0, rtol=1e-5)


def test_the_image_is_the_estimators_to_the_bit(estimator: DepthEstimator) -> None:
    rgb = noise(120, 180)
    expected = estimator.estimate(rgb).depth
    np.testing.assert_array_equal(finish(estimator, rgb, None).image, expected)


def test_scale_and_offset_come_before_the_limits(estimator: DepthEstimator) -> None:
    finished = finish(estimator, grey(51), depth_scale=2.0, depth_offset=-1.0, max_depth=2.9)
    assert (finished.image == np.inf).all()
    finished = finish(estimator, grey(51), depth_scale=2.0, depth_offset=-1.0, max_depth=3.1)
    np.testing.assert_allclose(finished.image, 3.0, rtol=1e-5)


def test_what_an_offset_pushes_behind_the_camera_is_no_depth(estimator: DepthEstimator) -> None:
    assert np.isnan(finish(estimator, grey(51), depth_offset=-3.0).image).all()


def test_an_edge_is_cut_out_of_the_image_only_when_asked(estimator: DepthEstimator) -> None:
    finished = finish(estimator, step())
    assert not np.isnan(finished.image).any()
    assert np.isnan(finished.sampled(ALL, ALL)[:, 31:33]).all()
    assert not np.isnan(finished.sampled(ALL, ALL)[:, :30]).any()
    assert not np.isnan(finished.sampled(ALL, ALL)[:, 34:]).any()
    image = finish(estimator, step(), edge_filter_image=True).image
    assert np.isnan(image[:, 31:33]).all()
    finished = finish(estimator, step(), edge_filter_threshold=0.0)
    assert not np.isnan(finished.sampled(ALL, ALL)).any()


def test_the_edge_filter_drops_the_samples_at_a_step(estimator: DepthEstimator) -> None:
    settings = {'edge_filter_threshold': 0.3, 'edge_filter_image': True}
    rgb = step(96, 128)
    depth = finish(estimator, rgb, None, **settings).image
    # Output columns 31 and 32 are the edge: image columns 62 to 65.
    assert np.isnan(depth[:, 62:66]).all()
    assert np.isfinite(depth[:, :62]).all()
    assert np.isfinite(depth[:, 66:]).all()


@pytest.mark.parametrize('size', ['camera', 'network', '96x64', '30x20'])
@pytest.mark.parametrize('steps', [(1, 1), (2, 2), (3, 5)])
def test_some_pixels_are_computed_as_all_of_them_are(
    estimator: DepthEstimator, size: str, steps: tuple[int, int]
) -> None:
    rgb = noise(240, 360)  # with samples that have no depth
    chosen = (slice(1, None, steps[0]), slice(None, None, steps[1]))
    settings = {'depth_size': size, 'edge_filter_threshold': 0.0, 'depth_offset': 0.1}
    alone = finish(estimator, rgb, None, **settings).sampled(*chosen)
    image = finish(estimator, rgb, None, **settings).image
    assert np.isnan(image).any()
    np.testing.assert_allclose(alone, image[chosen], rtol=1e-6)


def test_the_share_of_valid_pixels_is_that_of_the_image(estimator: DepthEstimator) -> None:
    rgb = noise(240, 360)
    for settings in (
        {},
        {'edge_filter_image': True, 'edge_filter_threshold': 2.0},
        {'depth_size': '100x67'},
    ):
        finished = finish(estimator, rgb, None, **settings)
        expected = np.isfinite(finished.image).mean()
        assert 0.1 < expected < 0.9
        assert finished.valid_fraction == pytest.approx(expected)
    finished = finish(estimator, rgb, None, max_depth=5.0)
    expected = np.isfinite(finished.image).mean()
    assert finished.valid_fraction == pytest.approx(expected)


def test_the_networks_own_grid_has_intrinsics_that_see_the_same(
    estimator: DepthEstimator,
) -> None:
    wide = CameraIntrinsics(width=320, height=240, fx=250.0, fy=250.0, cx=159.5, cy=100.0)
    finished = finish(estimator, grey(51, 240, 320), wide, depth_size='network')
    assert finished.image.shape == finished.size == (48, 64)
    assert finished.intrinsics is not None
    # A sample is 5 pixels wide: the middle of sample 0 is at pixel 2, which is -0.5 + 0.5 * 5.
    seen = finished.intrinsics
    assert (seen.fx, seen.fy, seen.cx) == (50.0, 50.0, 31.5)
    assert (0.0 - seen.cx) / seen.fx == pytest.approx((2.0 - wide.cx) / wide.fx)
    assert (0.0 - seen.cy) / seen.fy == pytest.approx((2.0 - wide.cy) / wide.fy)


def test_colours_are_those_of_the_pixel_under_a_sample(estimator: DepthEstimator) -> None:
    rgb = np.arange(240, dtype=np.uint8)[:, None, None].repeat(320, axis=1).repeat(3, axis=2)
    finished = finish(estimator, rgb, None, depth_size='network')
    colors = finished.colors(slice(None, None, 2), slice(1, 3))
    assert colors.shape == (24, 2, 3)
    assert colors[:3, 0, 0].tolist() == [2, 12, 22]


def test_the_picture_has_the_size_asked_for(estimator: DepthEstimator) -> None:
    limits = {'min_depth': 1.0, 'max_depth': 9.0}
    for settings, shape in (
        ({}, (240, 320, 3)),
        ({'depth_size': 'network'}, (48, 64, 3)),
        ({'color_size': 'network'}, (48, 64, 3)),
        ({'color_size': '160x120'}, (120, 160, 3)),
    ):
        picture = finish(estimator, step(240, 320), None, **settings).painted(**limits)
        assert picture.shape == shape
        middle = shape[0] // 2
        near, far = picture[middle, shape[1] // 8], picture[middle, -shape[1] // 8]
        assert near[2] > near[0]
        assert far[0] > far[2]
    black = finish(estimator, grey(0, 240, 320), None).painted(**limits)
    assert not black.any()


@pytest.mark.parametrize(
    ('size', 'message'),
    [
        ('0x480', '0x480: width and height must be from 1 to 8192'),
        ('640x0', '640x0: width and height must be from 1 to 8192'),
        ('8193x480', '8193x480: width and height must be from 1 to 8192'),
        ('half', "'half': must be camera, network or WIDTHxHEIGHT"),
        ('640x480x3', "'640x480x3': must be"),
    ],
)
def test_a_size_that_is_none_is_refused(size: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f'depth_size {message}'):
        DepthSettings(depth_size=size)


def test_another_aspect_than_the_cameras_is_refused_with_what_fits(
    estimator: DepthEstimator,
) -> None:
    for size in ('33x24', '32x25', '85x64', '8192x6144'):  # within a pixel of 4:3
        assert finish(estimator, grey(51), depth_size=size, max_depth=1.0).size
    message = r'depth_size 40x24 .* camera, which is 64x48: take 40x30 or 32x24'
    with pytest.raises(ImageError, match=message):
        finish(estimator, grey(51), depth_size='40x24')
    with pytest.raises(ImageError, match='color_size 40x24'):
        finish(estimator, grey(51), color_size='40x24')


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'min_depth': 3.0, 'max_depth': 3.0}, 'min_depth is 3 m, but it must be below'),
        ({'min_depth': -1.0}, 'min_depth -1: must be 0 or more'),
        ({'depth_scale': 0.0}, 'depth_scale 0: must be above 0'),
        ({'depth_offset': np.inf}, 'depth_offset inf'),
        ({'temporal_filter': 1.0}, 'temporal_filter 1: must be from 0 to below 1'),
        ({'edge_filter_threshold': -0.1}, r'edge_filter_threshold -0\.1'),
        ({'range_policy': 'clamp'}, "range_policy 'clamp': must be one of rep117, nan"),
        ({'color_size': '0x1'}, 'color_size 0x1'),
    ],
)
def test_settings_that_are_not_accepted_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DepthSettings(**settings)


def test_confidence_is_there_only_when_asked_for(estimator: DepthEstimator) -> None:
    assert finish(estimator, grey(51)).confidence is None
    confidence = finish(estimator, grey(51), confidence=True).confidence
    assert confidence is not None
    np.testing.assert_allclose(confidence, 1.0, atol=1e-5)


def test_a_batch_of_cameras_is_what_each_is_alone(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / 'three.onnx', batch_size=3)
    settings = DepthSettings(confidence=True)
    wide = CameraIntrinsics(width=96, height=40, fx=70.0, fy=70.0, cx=48.0, cy=20.0)
    ramp = np.tile(np.linspace(20, 240, 96).astype(np.uint8)[:, None], (40, 1, 3))
    front = DepthRequest(rgb_hwc=grey(51), camera='front', wants_confidence=False)
    requests = [
        replace(front, intrinsics=CAMERA),
        DepthRequest(rgb_hwc=ramp, camera='rear', intrinsics=wide),
    ]
    with DepthEstimator.from_file(tmp_path / 'three.onnx', 'onnxruntime') as estimator:
        together = DepthPipeline(estimator).run(requests, settings)
        alone = [DepthPipeline(estimator).run([one], settings)[0] for one in requests]
    assert [depth.image.shape for depth in together] == [(48, 64), (40, 96)]
    assert together[0].confidence is None
    assert together[1].confidence is not None
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.sampled(ALL, ALL), other.sampled(ALL, ALL))
    np.testing.assert_array_equal(together[1].confidence, alone[1].confidence)


def test_each_camera_of_a_batch_is_steadied_by_its_own_past(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / 'two.onnx', batch_size=2)
    settings = DepthSettings(temporal_filter=0.5)
    with DepthEstimator.from_file(tmp_path / 'two.onnx', 'onnxruntime') as estimator:
        pipeline = DepthPipeline(estimator)
        for first, second in ((51, 102), (52, 104)):
            depths = pipeline.run(
                [
                    DepthRequest(rgb_hwc=grey(first), camera='front'),
                    DepthRequest(rgb_hwc=grey(second), camera='rear'),
                ],
                settings,
            )
        pipeline.forget('front')
        last = pipeline.run([DepthRequest(rgb_hwc=grey(52), camera='front')], settings)[0]
    # Half of 51 and 52 over 25.5, half of 102 and 104: neither has seen the other.
    np.testing.assert_allclose(depths[0].image, 51.5 / 25.5, rtol=1e-4)
    np.testing.assert_allclose(depths[1].image, 103 / 25.5, rtol=1e-4)
    np.testing.assert_allclose(last.image, 52 / 25.5, rtol=1e-4)


def test_time_that_jumps_back_begins_anew(estimator: DepthEstimator) -> None:
    pipeline, settings = DepthPipeline(estimator), DepthSettings(temporal_filter=0.5)
    for stamp_sec, value in ((10.0, 51), (11.0, 52), (1.0, 53)):
        request = DepthRequest(rgb_hwc=grey(value), stamp_sec=stamp_sec)
        (depth,) = pipeline.run([request], settings)
    np.testing.assert_allclose(depth.image, 53 / 25.5, rtol=1e-4)


def test_two_depths_agree_by_the_share_of_the_nearer_one() -> None:
    one = np.array([[2.0, 4.0, np.nan, 2.0]], np.float32)
    other = np.array([[2.0, 2.0, 2.0, np.inf]], np.float32)
    np.testing.assert_allclose(agreement(one, other), [[1.0, 0.5, 0.0, 0.0]])


@pytest.mark.parametrize('size', ['camera', 'network'])
def test_where_the_raw_image_has_no_pixel_there_is_no_depth(
    estimator: DepthEstimator, size: str
) -> None:
    rectified = replace(CAMERA, fx=20.0, fy=20.0)
    rectifier = Rectifier(
        raw=CAMERA,
        rectified=rectified,
        distortion_model='plumb_bob',
        coefficients=(0.0,) * 5,
        rotation=(0.0,) * 9,
    )
    request = DepthRequest(rgb_hwc=grey(51), intrinsics=rectified, rectifier=rectifier)
    (depth,) = DepthPipeline(estimator).run([request], DepthSettings(depth_size=size))
    share = depth.valid_fraction
    # The rectified camera sees 2.5 times as much: column 32 - 12.8 is the raw image's border.
    assert np.isnan(depth.sampled(ALL, ALL)[:, :19]).all()
    assert np.isnan(depth.image[:, :19]).all()
    np.testing.assert_allclose(depth.image[24, 24:40], 2.0, rtol=1e-4)
    assert share == pytest.approx(np.isfinite(depth.image).mean())
    assert not depth.painted(min_depth=1.0, max_depth=9.0)[:, :19].any()


@pytest.mark.parametrize(
    ('image_size', 'reduction'),
    [
        ((288, 384), 2),  # 3 times 96x128: 2 leaves 1.5 times
        ((1152, 1536), 8),  # 12 times: 8 leaves 1.5 times
        ((240, 320), 1),  # 2.5 times: 2 would leave 1.25 times
        ((289, 384), 1),  # 2 does not divide the rows
        ((48, 64), 1),
    ],
)
def test_an_image_may_come_as_small_as_leaves_half_as_many_pixels_again(
    estimator: DepthEstimator, image_size: tuple[int, int], reduction: int
) -> None:
    assert estimator.reduction_for(image_size) == reduction


def test_a_smaller_image_gives_the_same_depth_at_the_cameras_size(
    estimator: DepthEstimator,
) -> None:
    camera = replace(CAMERA, width=384, height=288)
    full = finish(estimator, step(288, 384), camera)
    request = DepthRequest(rgb_hwc=step(144, 192), full_size=(288, 384), intrinsics=camera)
    (small,) = DepthPipeline(estimator).run([request], DepthSettings())
    assert (small.size, small.image_size, small.intrinsics) == (full.size, (288, 384), camera)
    np.testing.assert_array_equal(small.image, full.image)


def test_intrinsics_of_the_smaller_size_are_refused(estimator: DepthEstimator) -> None:
    request = DepthRequest(rgb_hwc=step(144, 192), full_size=(288, 384), intrinsics=CAMERA)
    with pytest.raises(ImageError, match='64x48 image for one of 384x288'):
        DepthPipeline(estimator).run([request], DepthSettings())
