"""What the node takes from other nodes and from its users: images, cameras, parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
from fuzzing import NASTY, Damaged, damaged, fuzz
from hypothesis import strategies as st
import numpy as np
import pytest

pytest.importorskip('rclpy')

from rclpy.context import Context
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depth_estimation_ros.camera.encodings import PIXEL_FORMATS
from depth_estimation_ros.ros.messages.camera_model import camera_from_info, rectified_camera
from depth_estimation_ros.ros.messages.conversions import rgb_from_message
from depth_estimation_ros.ros.messages.message_reading import depth_from_message
from depth_estimation_ros.ros.parameters.values import parameter_specs, read_parameters
from depth_estimation_ros.ros.runtime.start import init_ros

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.ros

EXTREMES = [0, 1, 2, 3, 8, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1]
SIZES = st.integers(0, 40) | st.sampled_from(EXTREMES)
FLOATS = st.floats() | st.sampled_from([0.0, 1e-30, 1e30, 320.0, 500.0, -1.0])
FORMATS = [
    'jpeg', 'png', '', 'rgb8; jpeg compressed bgr8', 'bayer_rggb8; jpeg compressed ',
    'mono16; png compressed ', '16UC1; png compressed ', '16UC1; compressedDepth png',
    '32FC1; compressedDepth png', '16UC1; compressedDepth rvl', 'h264',
]  # fmt: skip


@st.composite
def images(draw: st.DrawFn, encodings: tuple[str, ...]) -> Image:
    encoding = draw(st.sampled_from(encodings))
    if draw(st.booleans()):  # as a driver makes them
        height, width = draw(st.integers(0, 20)), draw(st.integers(0, 20))
        step = width * draw(st.sampled_from([1, 2, 3, 4, 6, 8])) + draw(st.integers(0, 2))
        num_bytes = height * step
    else:
        height, width, step = draw(SIZES), draw(SIZES), draw(SIZES)
        num_bytes = draw(st.integers(0, 2000))
    return Image(
        height=height, width=width, encoding=encoding, step=step,
        is_bigendian=draw(st.integers(0, 255)), data=bytes(num_bytes),
    )  # fmt: skip


def test_an_image_of_any_numbers_is_read_whole_or_refused() -> None:
    fuzz('image', images((*PIXEL_FORMATS, 'yuv', '', '8UC5')), _read_rgb, per_mille=90)
    fuzz('depth_image', images(('32FC1', '16UC1', 'mono16')), _read_depth, per_mille=40)


def _read_rgb(message: Image) -> None:
    rgb = rgb_from_message(message)
    assert rgb.shape == (message.height, message.width, 3)
    assert rgb.dtype == np.uint8


def _read_depth(message: Image) -> None:
    depth = depth_from_message(message)
    assert depth.shape == (message.height, message.width)
    assert depth.dtype == np.float32


def _undamaged(seed: bytes) -> Damaged:
    return Damaged(seed=seed, changes=())


def test_a_damaged_compressed_image_is_a_picture_or_refused() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    seeds = [cv2.imencode(suffix, picture)[1].tobytes() for suffix in ('.jpg', '.png')]

    def read(message: CompressedImage) -> None:
        rgb = rgb_from_message(message)
        assert rgb.dtype == np.uint8
        assert rgb.shape[2:] == (3,)

    messages = st.builds(
        lambda damage, text: CompressedImage(data=damage.data(), format=text),
        damaged(seeds, max_changes=2) | st.sampled_from(seeds).map(_undamaged),
        st.sampled_from(FORMATS) | st.text(max_size=12),
    )
    fuzz('compressed_image', messages, read, per_mille=80)


@st.composite
def camera_infos(draw: st.DrawFn) -> CameraInfo:
    k = [500.0, 0.0, 320.0, 0.0, 500.0, 240.0, 0.0, 0.0, 1.0]
    p = [500.0, 0.0, 320.0, 0.0, 0.0, 500.0, 240.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    info = CameraInfo(width=640, height=480, distortion_model='plumb_bob')
    for matrix in (k, p):
        for place in draw(st.lists(st.integers(0, len(matrix) - 1), max_size=3)):
            matrix[place] = draw(FLOATS)
    info.k, info.p = k, p
    info.d = [0.1, -0.2, 0.001, 0.0, 0.0]
    info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    if draw(st.integers(0, 3)) == 3:
        info.width, info.height = draw(SIZES), draw(SIZES)
    if draw(st.integers(0, 3)) == 3:
        info.binning_x, info.binning_y = draw(SIZES), draw(SIZES)
        info.roi.width, info.roi.height = draw(SIZES), draw(SIZES)
        info.roi.x_offset, info.roi.y_offset = draw(SIZES), draw(SIZES)
    if draw(st.booleans()):
        info.d = draw(st.lists(FLOATS, max_size=15))
        info.distortion_model = draw(
            st.sampled_from(['plumb_bob', 'equidistant', 'rational_polynomial', '', 'fov'])
        )
    return info


def _read_camera(info: CameraInfo) -> None:
    for is_rectified in (True, False):
        camera = camera_from_info(info, height=480, width=640, is_rectified=is_rectified)
        numbers = camera.intrinsics
        assert (numbers.width, numbers.height) == (640, 480)
        assert np.isfinite([numbers.fx, numbers.fy, numbers.cx, numbers.cy]).all()
        assert min(numbers.fx, numbers.fy) > 0


def _rectify(info: CameraInfo) -> None:
    camera = rectified_camera(info, height=48, width=64).intrinsics
    assert np.isfinite([camera.fx, camera.fy, camera.cx, camera.cy]).all()


def test_a_camera_info_of_any_numbers_is_a_camera_or_refused() -> None:
    fuzz('camera_info', camera_infos(), _read_camera, per_mille=115)
    fuzz('rectified_camera_info', camera_infos(), _rectify, per_mille=30)


def test_parameters_of_any_type_are_taken_or_refused() -> None:
    specs = parameter_specs()
    values = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
        | st.sampled_from(NASTY) | st.lists(st.text(max_size=3) | st.integers(), max_size=3)
        | st.sampled_from([choice for _, spec in specs.values() for choice in spec.choices])
        | st.sampled_from([default for default, _ in specs.values()])
    )  # fmt: skip
    given = st.dictionaries(
        st.sampled_from(sorted(specs)) | st.text(max_size=5), values, min_size=1, max_size=2
    )

    fuzz('parameters', given, read_parameters, per_mille=80)


def test_a_damaged_parameter_file_is_taken_or_refused(tmp_path: Path) -> None:
    path = tmp_path / 'parameters.yaml'
    seed = (
        b'/**:\n  ros__parameters:\n    min_depth: 0.3\n    max_depth: 8.0\n'
        b'    model_path: "default"\n    cameras: ["left", "right"]\n    autostart: true\n'
    )

    def read(data: bytes) -> None:
        path.write_bytes(data)
        context = Context()
        init_ros(['--ros-args', '--params-file', str(path)], context=context)
        context.shutdown()

    fuzz('parameter_file', damaged([seed], max_changes=3), read, per_mille=10)
