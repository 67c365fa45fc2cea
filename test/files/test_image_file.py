"""Image and calibration files: channels, orientation, damage."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from depth_estimation_ros.camera.camera_info_file import read_camera_info
from depth_estimation_ros.errors import ConfigError, ImageError
from depth_estimation_ros.files.image import read_image, write_png

if TYPE_CHECKING:
    from pathlib import Path

CAMERA_INFO = """
image_width: 64
image_height: 48
camera_matrix: {rows: 3, cols: 3, data: [32.0, 0.0, 31.5, 0.0, 33.0, 23.5, 0.0, 0.0, 1.0]}
"""


def test_an_image_is_read_as_rgb(tmp_path: Path) -> None:
    write_png(tmp_path / 'x.png', np.full((3, 5, 3), (10, 20, 30), dtype=np.uint8))  # BGR
    rgb = read_image(tmp_path / 'x.png')
    assert rgb.shape == (3, 5, 3)
    assert rgb[0, 0].tolist() == [30, 20, 10]


def test_grey_and_16_bit_images_become_8_bit_colour(tmp_path: Path) -> None:
    write_png(tmp_path / 'x.png', np.full((3, 5), 0x3456, dtype=np.uint16))
    assert read_image(tmp_path / 'x.png')[0, 0].tolist() == [0x34, 0x34, 0x34]


def test_a_photograph_is_turned_upright_by_its_exif_orientation(tmp_path: Path) -> None:
    encoded, data = cv2.imencode('.jpg', np.full((20, 40, 3), 128, dtype=np.uint8))
    assert encoded
    entry = struct.pack('<HHIHH', 0x0112, 3, 1, 6, 0)  # orientation 6: turn right
    tiff = b'II*\x00' + struct.pack('<IH', 8, 1) + entry + struct.pack('<I', 0)
    exif = b'Exif\x00\x00' + tiff
    segment = b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif
    jpeg = data.tobytes()
    (tmp_path / 'x.jpg').write_bytes(jpeg[:2] + segment + jpeg[2:])
    assert read_image(tmp_path / 'x.jpg').shape == (40, 20, 3)


@pytest.mark.parametrize('content', [b'', b'text', b'\x89PNG\r\n\x1a\n'])
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'x.png').write_bytes(content)
    with pytest.raises(ImageError, match=r'x\.png: not an image'):
        read_image(tmp_path / 'x.png')


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r'x\.png: cannot be read: No such file'):
        read_image(tmp_path / 'x.png')


def test_a_calibration_file_is_read(tmp_path: Path) -> None:
    (tmp_path / 'c.yaml').write_text(CAMERA_INFO)
    camera = read_camera_info(tmp_path / 'c.yaml')
    assert (camera.width, camera.height) == (64, 48)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (32.0, 33.0, 31.5, 23.5)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'no camera_info file'),
        ('image_width: 64', 'no camera_info file.*camera_matrix'),
        (CAMERA_INFO.replace('[32.0, 0.0,', '[32.0,]} #'), 'no camera_info file'),
        (CAMERA_INFO.replace('32.0', 'wide'), 'no camera_info file.*wide'),
        (CAMERA_INFO.replace('32.0', '0.0'), r'camera is not calibrated.*fx=0\.0'),
        ('{', 'not YAML'),
        ('\x00', 'not YAML'),
    ],
)
def test_a_calibration_file_that_is_none_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / 'c.yaml').write_text(text)
    with pytest.raises(ConfigError, match=r'c\.yaml: ' + message):
        read_camera_info(tmp_path / 'c.yaml')


def test_a_missing_calibration_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'c\.yaml: cannot be read: No such file'):
        read_camera_info(tmp_path / 'c.yaml')
