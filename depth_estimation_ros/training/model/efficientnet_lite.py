"""EfficientNet-Lite as an encoder: timm's network, with padding that every runtime has.

TensorFlow's SAME padding depends on the size of the input. Where every side is even, as it is
before each stride of an image whose sides are multiples of 32, it is one row and column after
the map for a 3x3 convolution of stride 2, and one before and two after for a 5x5: constants,
which is what ONNX and TensorRT want.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn
import torch.nn.functional as F

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.training.model.encoders import Encoder

if TYPE_CHECKING:
    from collections.abc import Mapping

# An array of the wheels' network: _blocks.7._bn1.running_mean and the like.
_BLOCK_ARRAY: Final = re.compile(r'_blocks\.(\d+)\._(\w+)\.(\w+)')
_STEM: Final = {'_conv_stem': 'conv_stem', '_bn0': 'bn1'}
_HEAD: Final = ('_conv_head.', '_bn1.', '_fc.')  # of the classifier: no part of an encoder
_LAYERS: Final = {
    'InvertedResidual': {
        'expand_conv': 'conv_pw',
        'bn0': 'bn1',
        'depthwise_conv': 'conv_dw',
        'bn1': 'bn2',
        'project_conv': 'conv_pwl',
        'bn2': 'bn3',
    },
    'DepthwiseSeparableConv': {
        'depthwise_conv': 'conv_dw',
        'bn1': 'bn1',
        'project_conv': 'conv_pw',
        'bn2': 'bn2',
    },
}


class EvenSameConv2d(nn.Conv2d):
    """A convolution of stride 2 with TensorFlow's SAME padding, for maps with even sides."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, out, h / 2, w / 2) for (N, in, h, w)."""
        before = (self.kernel_size[0] - 2) // 2
        after = (self.kernel_size[0] - 1) // 2
        return super().forward(F.pad(x, (before, after, before, after)))


class EfficientNetLiteEncoder(Encoder):
    """The features of timm's EfficientNet-Lite N.

    Attributes:
        features: timm's module; its parameters keep timm's names.
    """

    def __init__(self, name: str) -> None:
        """Build it with random weights.

        Args:
            name: 'efficientnet_lite0', 'efficientnet_lite1' or 'efficientnet_lite2'.

        Raises:
            ConfigError: timm is not installed.
        """
        super().__init__()
        try:
            import timm
        except ImportError as error:
            raise ConfigError(
                f'encoder {name} comes from timm, which is not installed: '
                'pip install timm, or depth-estimation-ros[train]'
            ) from error
        self.features: Any = timm.create_model(f'tf_{name}', features_only=True, pretrained=False)
        self.channels = tuple(self.features.feature_info.channels())
        for module in list(self.features.modules()):
            for child_name, child in module.named_children():
                if isinstance(child, nn.Conv2d) and child.stride == (2, 2):
                    setattr(module, child_name, _with_even_padding(child))

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of the image."""
        maps: list[torch.Tensor] = self.features(image)
        return maps

    def renamed(self, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Give the arrays of the wheels' network the names that they have here.

        An array whose place is not known keeps its name; the classifier's are left out.
        """
        blocks = [
            (f'blocks.{stage}.{index}', _LAYERS[type(block).__name__])
            for stage, stage_blocks in enumerate(self.features.blocks)
            for index, block in enumerate(stage_blocks)
        ]
        return {
            _own_name(name, blocks): value
            for name, value in state.items()
            if not name.startswith(_HEAD)
        }


def _with_even_padding(conv: nn.Conv2d) -> EvenSameConv2d:
    """Return a convolution with the same weights and SAME padding for even sides."""
    padded = EvenSameConv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,  # type: ignore[arg-type]
        stride=2,
        groups=conv.groups,
        bias=conv.bias is not None,
    )
    padded.weight, padded.bias = conv.weight, conv.bias
    return padded


def _own_name(name: str, blocks: list[tuple[str, dict[str, str]]]) -> str:
    """Return what timm calls an array of the wheels' network."""
    match = _BLOCK_ARRAY.fullmatch(name)
    if match is None:
        layer, _, rest = name.partition('.')
        return f'{_STEM[layer]}.{rest}' if layer in _STEM else name
    number, layer, rest = int(match[1]), match[2], match[3]
    if number >= len(blocks) or layer not in blocks[number][1]:
        return name
    place, layers = blocks[number]
    return f'{place}.{layers[layer]}.{rest}'
