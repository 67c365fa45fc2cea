"""Which size the network takes for a camera, and what a user may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tiny_model import make_tiny_model

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.model_file.network_size import (
    ImageFitter,
    common_sizes,
    fitting_size,
    parse_network_size,
)

if TYPE_CHECKING:
    from pathlib import Path

# In blocks of 32 x 32 the budgets are 6 x 8 = 48 (at most 50) and 8 x 10 = 80 (at most 84).
SMALL, LARGE = (192, 256), (256, 320)
SIZES: Any = {'input_size': SMALL, 'output_size': (96, 128)}


@pytest.mark.parametrize(
    ('image_size', 'budget', 'size'),
    [
        # 5 x 9 = 45 blocks: 1.8 for 16:9 is 1.25 % off. 4 x 7 is 1.6 % off and loses 42 %.
        ((720, 1280), SMALL, (160, 288)),
        ((1080, 1920), SMALL, (160, 288)),
        ((1280, 720), SMALL, (288, 160)),
        ((480, 640), SMALL, (192, 256)),
        ((640, 480), SMALL, (256, 192)),
        # 7 x 7 = 49 blocks, 2 % above the budget; 6 x 6 would lose a quarter.
        ((480, 480), SMALL, (224, 224)),
        # 7 x 12 = 84 blocks: 3.6 % off and 5 % above; 6 x 11 is 3.1 % off and 18 % below.
        ((720, 1280), LARGE, (224, 384)),
        ((1080, 1920), LARGE, (224, 384)),
        # 8 x 10 itself is 6.5 % off; 6 x 8 would fit and lose 40 % (cost 0.128 against 0.065).
        ((480, 640), LARGE, (256, 320)),
        ((640, 480), LARGE, (320, 256)),
        ((1, 1), LARGE, (288, 288)),  # 9 x 9 = 81
        # Panoramas: 2 x 14 of the 50 blocks fit exactly; the smallest network is one block.
        ((100, 700), SMALL, (64, 448)),
        ((1, 1000), (32, 32), (32, 32)),
    ],
)
def test_auto_spends_the_budget_in_the_shape_of_the_camera(
    image_size: tuple[int, int], budget: tuple[int, int], size: tuple[int, int]
) -> None:
    assert fitting_size(image_size, budget) == size


def test_usual_cameras_have_few_sizes_which_stand_upright_too() -> None:
    sizes = common_sizes(SMALL)
    assert sizes == (
        *((160, 256), (160, 288), (160, 320), (192, 256), (224, 224)),
        *((256, 160), (256, 192), (288, 160), (320, 160)),
    )


def test_a_size_is_auto_or_height_times_width() -> None:
    assert parse_network_size('auto') is None
    assert parse_network_size('160x288') == (160, 288)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', "network_size '': must be auto or HEIGHTxWIDTH"),
        ('big', "network_size 'big': must be auto"),
        ('160', "network_size '160': must be auto"),
        ('160x-288', "network_size '160x-288': must be auto"),
        ('160x288x3', "network_size '160x288x3': must be auto"),
        ('180x320', 'network_size 180x320: .*multiples of 32; the nearest is 192x320'),
        ('0x320', 'network_size 0x320: .*multiples of 32; the nearest is 32x320'),
    ],
)
def test_what_is_no_size_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_network_size(text)


def test_an_image_fills_the_size_that_auto_chose(tmp_path: Path) -> None:
    spec = make_tiny_model(tmp_path / 'm.onnx', **SIZES, free_size=True)
    transform = ImageFitter(spec=spec).transform_for((720, 1280))
    assert (transform.network_size, transform.content_size) == ((160, 288), (160, 288))
    assert transform.stride == 2
    assert transform.scale == (160 / 720, 288 / 1280)


def test_a_size_that_is_given_or_fixed_is_letterboxed_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    spec = make_tiny_model(tmp_path / 'm.onnx', **SIZES)
    fixed = ImageFitter(spec=spec).transform_for((720, 1280))
    # 720 rows at 0.2 are 144 of the 192.
    assert (fixed.content_size, fixed.top, fixed.left) == ((144, 256), 24, 0)
    free = make_tiny_model(tmp_path / 'm.onnx', **SIZES, free_size=True)
    given = ImageFitter(spec=free, network_size=(96, 128)).transform_for((720, 1280))
    assert (given.network_size, given.content_size, given.top) == ((96, 128), (72, 128), 12)
    stretched = ImageFitter(spec=free, network_size=(96, 128), resize_mode='resize')
    assert stretched.transform_for((720, 1280)).content_size == (96, 128)


def test_a_size_that_the_file_cannot_have_is_refused(tmp_path: Path) -> None:
    spec = make_tiny_model(tmp_path / 'm.onnx')
    assert ImageFitter(spec=spec, network_size=(96, 128)).fixed_size == (96, 128)
    with pytest.raises(ConfigError, match=r'network_size 160x288: .* takes 96x128 only'):
        ImageFitter(spec=spec, network_size=(160, 288))
    free = make_tiny_model(tmp_path / 'm.onnx', free_size=True)
    with pytest.raises(ConfigError, match=r'network_size 100x128: .* multiples of 32'):
        ImageFitter(spec=free, network_size=(100, 128))
