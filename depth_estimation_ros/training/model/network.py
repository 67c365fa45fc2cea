"""DenseDepth (Alhashim and Wonka, 2018): a DenseNet encoder and a plain upsampling decoder."""

from __future__ import annotations

from functools import partial
import math
from typing import TYPE_CHECKING, Final

import torch
from torch import nn
import torch.nn.functional as F
import torchvision

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.training.model.efficientnet_lite import EfficientNetLiteEncoder
from depth_estimation_ros.training.model.encoder_kinds import encoder_kind
from depth_estimation_ros.training.model.encoders import (
    DenseNetEncoder,
    Encoder,
    KerasResNet50Encoder,
    ResNet50Encoder,
    SmallDenseNetEncoder,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VARIANTS: Final = ('paper', 'blog')
LEAKY_SLOPE: Final = 0.2
# Where an exponentiated output starts: a quarter of max_depth, as most of a room is.
TYPICAL_RAW_OUTPUT: Final = 4.0


def _densenet121() -> Encoder:
    features = torchvision.models.densenet121(weights=None).features
    return DenseNetEncoder(features, (64, 64, 128, 256, 1024))


def _densenet169() -> Encoder:
    features = torchvision.models.densenet169(weights=None).features
    return DenseNetEncoder(features, (64, 64, 128, 256, 1664))


def _densenet201() -> Encoder:
    features = torchvision.models.densenet201(weights=None).features
    return DenseNetEncoder(features, (64, 64, 128, 256, 1920))


ENCODERS: Final[dict[str, Callable[[], Encoder]]] = {
    'densenet169': _densenet169,
    'densenet121': _densenet121,
    'densenet201': _densenet201,
    'resnet50': ResNet50Encoder,
    'small': SmallDenseNetEncoder,
    'efficientnet_lite0': partial(EfficientNetLiteEncoder, 'efficientnet_lite0'),
    'efficientnet_lite1': partial(EfficientNetLiteEncoder, 'efficientnet_lite1'),
    'efficientnet_lite2': partial(EfficientNetLiteEncoder, 'efficientnet_lite2'),
}
LIGHT_DECODER_WIDTH: Final = 128


class UpBlock(nn.Module):
    """Upsample to the size of a skip, join it, and convolve twice."""

    def __init__(
        self,
        in_channels: int,
        skip_channels: int,
        out_channels: int,
        *,
        activate_first: bool,
        batch_norm: bool,
    ) -> None:
        super().__init__()
        self.conv_a = nn.Conv2d(in_channels + skip_channels, out_channels, 3, padding=1)
        self.conv_b = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.norm_a = nn.BatchNorm2d(out_channels) if batch_norm else nn.Identity()
        self.norm_b = nn.BatchNorm2d(out_channels) if batch_norm else nn.Identity()
        self.activate_first = activate_first

    def forward(
        self, x: torch.Tensor, skip: torch.Tensor, *, align_corners: bool, leaky_slope: float
    ) -> torch.Tensor:
        """Return (N, out_channels, h, w) for a skip of (N, skip_channels, h, w)."""
        x = F.interpolate(x, skip.shape[-2:], mode='bilinear', align_corners=align_corners)
        x = self.norm_a(self.conv_a(torch.cat([x, skip], dim=1)))
        if self.activate_first:
            x = F.leaky_relu(x, leaky_slope)
        return F.leaky_relu(self.norm_b(self.conv_b(x)), leaky_slope)


class DenseDepthNet(nn.Module):
    """Encoder and decoder.

    Attributes:
        align_corners: How the decoder's bilinear upsampling places its samples. The released
            weights need True.
        leaky_slope: Slope of the decoder's activations for negative inputs.
        positive_output: The last layer's output is exponentiated: the raw output is positive and
            an error of it is a relative one. The paper's is linear.
        encoder_name: The key of `ENCODERS`.
        variant: 'paper' or 'blog'.
        decoder_width: Channels of the decoder's first layer; each block halves them.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        encoder_name: str,
        variant: str,
        decoder_width: int,
        positive_output: bool = False,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.encoder_name = encoder_name
        self.keras_v1 = isinstance(encoder, KerasResNet50Encoder)
        self.variant = variant
        self.decoder_width = decoder_width
        self.align_corners = True
        self.leaky_slope = LEAKY_SLOPE
        self.positive_output = positive_output
        channels = encoder.channels
        self.encoder = encoder
        self.conv2 = nn.Conv2d(channels[-1], decoder_width, 1)
        widths = [decoder_width // 2**index for index in range(5)]
        self.up_blocks = nn.ModuleList(
            UpBlock(
                widths[index],
                skip,
                widths[index + 1],
                activate_first=variant == 'blog',
                batch_norm=batch_norm,
            )
            for index, skip in enumerate(reversed(channels[:-1]))
        )
        self.conv3 = nn.Conv2d(widths[-1], 1, 3, padding=1)
        self.register_buffer('mean', torch.zeros(1, 3, 1, 1))
        self.register_buffer('std', torch.ones(1, 3, 1, 1))
        for layer in (self.conv2, self.up_blocks, self.conv3):
            layer.apply(_init_like_keras)
        if positive_output and self.conv3.bias is not None:
            nn.init.constant_(self.conv3.bias, math.log(TYPICAL_RAW_OUTPUT))

    def set_normalization(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Subtract `mean` from RGB in [0, 1] and divide by `std` before the encoder.

        The released weights, and the paper's recipe, do neither: that is the default.
        """
        self.mean.copy_(torch.tensor(mean).view(1, 3, 1, 1))
        self.std.copy_(torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the raw output, max_depth / depth.

        Args:
            image: (N, 3, H, W) float RGB in [0, 1].

        Returns:
            (N, 1, H/2, W/2) float, coded depth (depth_coding.py says how).
        """
        *skips, bottom = self.encoder((image - self.mean) / self.std)
        x = self.conv2(bottom)
        for block, skip in zip(self.up_blocks, reversed(skips), strict=True):
            x = block(x, skip, align_corners=self.align_corners, leaky_slope=self.leaky_slope)
        raw: torch.Tensor = self.conv3(x)
        return raw.exp() if self.positive_output else raw


def _init_like_keras(layer: nn.Module) -> None:
    """Glorot-uniform kernels and zero biases, as Keras starts a convolution."""
    if isinstance(layer, nn.Conv2d):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def build_densedepth(
    encoder: str,
    *,
    variant: str = 'paper',
    decoder_width: int | None = None,
    keras_v1: bool = False,
    positive_output: bool | None = None,
) -> DenseDepthNet:
    """Build a network with random weights.

    Args:
        encoder: A key of `ENCODERS`, such as 'densenet169' or 'efficientnet_lite0'.
        variant: 'paper' (what the released weights are: no activation after the first
            convolution of a block, decoder as wide as the encoder) or 'blog' (what the authors'
            later code and the blog are: an activation there, half the width).
        decoder_width: Channels of the decoder's first layer, a multiple of 16; None = the
            variant's own.
        keras_v1: Use Keras' ResNet-50 instead of torchvision's, for weights from Keras.
        positive_output: Exponentiate the last layer; None = only for light encoders. The paper's
            is linear.

    Returns:
        The network, in training mode.

    Raises:
        ConfigError: An unknown encoder or variant, or a width that cannot be halved four times.
    """
    is_light = encoder_kind(encoder).is_light
    if variant not in VARIANTS:
        raise ConfigError(f'unknown variant {variant!r}: use one of {", ".join(VARIANTS)}')
    if keras_v1 and encoder != 'resnet50':
        raise ConfigError(f'keras_v1 is for resnet50, not for {encoder}')
    trunk = KerasResNet50Encoder() if keras_v1 else ENCODERS[encoder]()
    width = decoder_width
    if width is None:
        width = LIGHT_DECODER_WIDTH if is_light else _own_width(trunk, variant=variant)
    if width < 16 or width % 16:
        raise ConfigError(f'decoder_width {width} must be a positive multiple of 16')
    return DenseDepthNet(
        trunk,
        encoder_name=encoder,
        variant=variant,
        decoder_width=width,
        positive_output=is_light if positive_output is None else positive_output,
        batch_norm=is_light,
    )


def _own_width(trunk: Encoder, *, variant: str) -> int:
    """Return the decoder width that a variant has with this encoder."""
    channels = trunk.channels[-1]
    return channels if variant == 'paper' else channels // 2


def num_trainable_parameters(network: nn.Module) -> int:
    """Count the numbers that training changes."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
