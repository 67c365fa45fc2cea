"""DenseDepth (Alhashim and Wonka, 2018): a DenseNet encoder and a plain upsampling decoder."""

from __future__ import annotations

import math
from typing import Any, Final

import torch
from torch import nn
import torch.nn.functional as F

from depth_estimation_ros.training.model.efficientnet_lite import EfficientNetLiteEncoder
from depth_estimation_ros.training.model.encoder_kinds import encoder_kind
from depth_estimation_ros.training.model.encoders import (
    DenseNetEncoder,
    Encoder,
    KerasResNet50Encoder,
    ResNet50Encoder,
    SmallDenseNetEncoder,
)
from depth_estimation_ros.training.model.network_config import NetworkConfig, network_config

# Where an exponentiated output starts: a quarter of max_depth, as most of a room is.
TYPICAL_RAW_OUTPUT: Final = 4.0


def build_encoder(config: NetworkConfig) -> Encoder:
    """Build the encoder of a network, with random weights."""
    name = config.encoder
    if name.startswith('densenet'):
        # Late: torch's compiler comes with it, which doubles the time of `import torch`.
        import torchvision

        features = torchvision.models.get_model(name, weights=None).features
        channels = encoder_kind(name).channels
        return DenseNetEncoder(features, channels, final_relu=config.final_relu)
    if name == 'resnet50':
        return KerasResNet50Encoder() if config.keras_v1 else ResNet50Encoder()
    return SmallDenseNetEncoder() if name == 'small' else EfficientNetLiteEncoder(name)


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
        config: What it was built from.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, config: NetworkConfig) -> None:
        """Build a network with random weights, in training mode."""
        super().__init__()
        self.config = config
        self.encoder = build_encoder(config)
        channels = self.encoder.channels
        self.conv2 = nn.Conv2d(channels[-1], config.decoder_width, 1)
        widths = [config.decoder_width // 2**index for index in range(5)]
        self.up_blocks = nn.ModuleList(
            UpBlock(
                widths[index],
                skip,
                widths[index + 1],
                activate_first=config.variant == 'blog',
                batch_norm=encoder_kind(config.encoder).is_light,
            )
            for index, skip in enumerate(reversed(channels[:-1]))
        )
        self.conv3 = nn.Conv2d(widths[-1], 1, 3, padding=1)
        self.register_buffer('mean', torch.tensor(config.mean).view(1, 3, 1, 1))
        self.register_buffer('std', torch.tensor(config.std).view(1, 3, 1, 1))
        for layer in (self.conv2, self.up_blocks, self.conv3):
            layer.apply(_init_like_keras)
        if config.positive_output and self.conv3.bias is not None:
            nn.init.constant_(self.conv3.bias, math.log(TYPICAL_RAW_OUTPUT))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the raw output, max_depth / depth.

        Args:
            image: (N, 3, H, W) float RGB in [0, 1].

        Returns:
            (N, 1, H/2, W/2) float, coded depth (depth_coding.py says how).
        """
        *skips, bottom = self.encoder((image - self.mean) / self.std)
        x = self.conv2(bottom)
        aligned, slope = self.config.align_corners, self.config.leaky_slope
        for block, skip in zip(self.up_blocks, reversed(skips), strict=True):
            x = block(x, skip, align_corners=aligned, leaky_slope=slope)
        raw: torch.Tensor = self.conv3(x)
        return raw.exp() if self.config.positive_output else raw


def _init_like_keras(layer: nn.Module) -> None:
    """Glorot-uniform kernels and zero biases, as Keras starts a convolution."""
    if isinstance(layer, nn.Conv2d):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def build_densedepth(
    encoder: str, *, variant: str = 'paper', decoder_width: int | None = None, **facts: Any
) -> DenseDepthNet:
    """Build a network with random weights.

    Args:
        encoder: A key of `ENCODER_KINDS`, such as 'densenet169' or 'efficientnet_lite0'.
        variant: 'paper' (what the released weights are: no activation after the first
            convolution of a block, decoder as wide as the encoder) or 'blog' (what the authors'
            later code and the blog are: an activation there, half the width).
        decoder_width: Channels of the decoder's first layer, a multiple of 16; None = the
            variant's own.
        facts: What `network_config` takes besides.

    Returns:
        The network, in training mode.

    Raises:
        ConfigError: An unknown encoder or variant, or a width that cannot be halved four times.
    """
    return DenseDepthNet(
        network_config(encoder, variant=variant, decoder_width=decoder_width, **facts)
    )


def num_trainable_parameters(network: nn.Module) -> int:
    """Count the numbers that training changes."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
