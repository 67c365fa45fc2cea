"""Which camera an image was taken with."""

from __future__ import annotations

from dataclasses import replace
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip('rclpy')

from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from depth_estimation_ros.ros.messages.camera_info_cache import CameraInfoCache
from depth_estimation_ros.ros.messages.camera_model import depth_camera_info
from depth_estimation_ros.ros.node.camera_resolver import CameraResolver
from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters
from depth_estimation_ros.ros.runtime.announcer import Announcer

if TYPE_CHECKING:
    from depth_estimation_ros.ros.messages.camera_model import CameraModel

pytestmark = pytest.mark.ros

PARAMETERS = NodeParameters()


def distorted(**changes: object) -> CameraInfo:
    info = CameraInfo(height=48, width=64, distortion_model='plumb_bob', d=[-0.2, 0.0, 0.0, 0.0])
    info.d = [-0.2, 0.0, 0.0, 0.0, 0.0]
    info.k = [50.0, 0.0, 32.0, 0.0, 50.0, 24.0, 0.0, 0.0, 1.0]
    info.p = [20.0, 0.0, 32.0, 0.0, 0.0, 20.0, 24.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    for name, value in changes.items():
        setattr(info, name, value)
    return info


class Lines:
    """A logger that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, message: str) -> None:
        self.said.append(message)

    warning = error = info


def resolve(
    info: CameraInfo | None, *, topic: str = '/cam/image', **parameters: object
) -> tuple[CameraModel | None, CameraResolver, list[str]]:
    infos, lines = CameraInfoCache(), Lines()
    if info is not None:
        infos.add(info)
    resolver = CameraResolver(
        infos,
        image_topic=topic,
        info_topic='/cam/camera_info',
        count_publishers=lambda _: 0,
        announcer=Announcer(lines),
    )
    changed = replace(PARAMETERS, **parameters)  # type: ignore[arg-type]
    for _ in range(3):
        model = resolver.resolve(Header(), height=48, width=64, parameters=changed)
    return model, resolver, lines.said


@pytest.mark.parametrize(
    ('topic', 'rectify', 'is_taken_out', 'is_rectified'),
    [
        ('/cam/image', 'auto', True, True),
        ('/cam/image_rect', 'auto', False, True),
        ('/cam/image_rect/compressed', 'auto', False, True),
        ('/cam/image_rect_color', 'on', True, True),
        ('/rect/image', 'auto', False, True),
        ('/cam/image_direct', 'auto', True, True),
        ('/cam/image_unrectified', 'auto', True, True),
        ('/cam/image_not_rectified', 'auto', True, True),
        ('/cam/imageRect', 'auto', False, True),
        ('/direction/image', 'auto', True, True),
        ('/cam/image', 'off', False, False),
    ],
)
def test_distortion_is_taken_out_where_it_is(
    topic: str, rectify: str, *, is_taken_out: bool, is_rectified: bool
) -> None:
    model, _, _ = resolve(distorted(), topic=topic, rectify=rectify)
    assert model is not None
    assert (model.rectifier is not None) == is_taken_out
    assert model.is_rectified == is_rectified


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'distortion_model': 'mei'}, "'mei' is not supported"),
        ({'d': [0.1, 0.2]}, 'but D has 2: [0.1, 0.2]'),
        ({'d': [-0.2, 0.0, 0.0]}, 'but D has 3'),
        ({'d': [-0.2] * 6}, 'but D has 6'),
        ({'d': [-0.2] * 9}, 'but D has 9'),
        ({'d': [math.nan, 0.0, 0.0, 0.0, 0.0]}, 'D = [nan, 0, 0, 0, 0]'),
        ({'d': [1e30, 0.0, 0.0, 0.0, 0.0]}, 'D = [1e+30, 0'),
        ({'distortion_model': 'equidistant'}, 'has 4 coefficients, but D has 5'),
        ({'r': [math.nan] * 9}, 'R = [nan'),
        ({'r': [1.0] * 9}, 'must be a rotation'),
        ({'p': [math.nan] * 12}, 'not a calibration: fx = nan'),
        (
            {'p': [1e-30, 0, 32.0, 0, 0, 20.0, 24.0, 0, 0, 0, 1.0, 0]},
            'P is of no camera: fx = 1e-30 px, must be from 0.64 to 6400',
        ),
        ({'p': [20.0, 0, 32.0, 1e30, 0, 20.0, 24.0, 0, 0, 0, 1.0, 0]}, 'baseline -5e+28 m'),
    ],
)
def test_a_lens_that_makes_no_sense_is_said_once_and_k_is_used(
    changes: dict[str, object], words: str
) -> None:
    model, resolver, said = resolve(distorted(**changes))
    assert said == [resolver.lens_trouble]
    assert words in said[0]
    assert model is not None
    assert (model.intrinsics.fx, model.rectifier) == (50.0, None)
    made = depth_camera_info(model, Header())
    assert np.isfinite([*made.k, *made.p, *made.r, *made.d]).all()


@pytest.mark.parametrize(
    ('k', 'words'),
    [
        ([1e-30, 0, 32.0, 0, 1e-30, 24.0, 0, 0, 1], 'fx = 1e-30 px, must be from 0.64 to 6400 px'),
        ([50.0, 0, 1e30, 0, 50.0, 24.0, 0, 0, 1], 'cx = 1e+30 px, must be from -64 to 128 px'),
        ([50.0, 0, 32.0, 0, 1e9, 24.0, 0, 0, 1], 'fy = 1e+09 px'),
        ([50.0, 0, 32.0, 0, 0.7, 24.0, 0, 0, 1], 'differ by more than 10 times'),
    ],
)
def test_a_camera_that_there_cannot_be_is_refused_with_the_value(
    k: list[float], words: str
) -> None:
    model, resolver, said = resolve(distorted(k=k, p=[0.0] * 12, d=[0.0] * 5))
    assert model is None
    assert said == [resolver.trouble]
    assert words in said[0]
    assert 'depth is not corrected for the focal length' in said[0]


@pytest.mark.parametrize('name', ['radtan', 'pinhole', 'Plumb Bob', '', 'rational_polynomial'])
def test_other_names_of_a_lens_bend_the_same(name: str) -> None:
    model, resolver, _ = resolve(distorted(distortion_model=name))
    plumb_bob, _, _ = resolve(distorted())
    assert resolver.lens_trouble == ''
    assert model is not None
    assert model.rectifier is not None
    assert plumb_bob is not None
    assert plumb_bob.rectifier is not None
    image = np.tile(np.arange(64, dtype=np.uint8)[:, None], (48, 1, 3))
    np.testing.assert_array_equal(model.rectifier.apply(image), plumb_bob.rectifier.apply(image))


def test_a_camera_info_of_another_size_says_that_depth_is_uncorrected() -> None:
    model, resolver, said = resolve(distorted(height=64, width=48))
    assert model is None
    assert said == [resolver.trouble]
    assert '48x64 pixels, but the image is 64x48: depth is not corrected' in said[0]


def test_what_becomes_of_the_lens_is_said_once_with_the_reason() -> None:
    _, _, taken_out = resolve(distorted())
    assert taken_out == [
        '/cam/camera_info: taking the plumb_bob distortion out, since rectify is auto and '
        '/cam/image is raw'
    ]
    _, _, left = resolve(distorted(), topic='/rect/image')
    assert left == [
        "/rect/image is taken as rectified for the word 'rect' in its name: set rectify to on if "
        'it is not'
    ]


def test_without_camera_info_a_field_of_view_will_do() -> None:
    model, _, said = resolve(None, fallback_hfov_deg=90.0)
    assert model is not None
    assert model.intrinsics.fx == pytest.approx(32.0)
    assert len(said) == 1
    assert 'taking fallback_hfov_deg = 90' in said[0]


def test_another_frame_in_camera_info_is_said_once() -> None:
    info = distorted()
    info.header.frame_id = 'lens'
    _, _, said = resolve(info)
    assert len([line for line in said if "frame_id 'lens', but its images have ''" in line]) == 1
