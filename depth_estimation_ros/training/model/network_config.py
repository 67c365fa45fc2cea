"""The facts that decide which network it is, once, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.training.model.encoder_kinds import Triple, encoder_kind

VARIANTS: Final = ('paper', 'blog')
LEAKY_SLOPE: Final = 0.2
LIGHT_DECODER_WIDTH: Final = 128
MAX_DECODER_WIDTH: Final = 4096  # twice what the widest encoder gives


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """What a DenseDepth network is built from.

    Attributes:
        encoder: A key of `ENCODER_KINDS`, such as 'densenet169'.
        variant: Decoder: 'paper' (what the released weights are: no activation after the first
            convolution of a block) or 'blog' (an activation there).
        decoder_width: Channels of the decoder's first layer, a multiple of 16; each block halves
            them.
        keras_v1: The ResNet-50 is Keras', not torchvision's.
        positive_output: The last layer's output is exponentiated: the raw output is positive and
            an error of it is a relative one. The paper's is linear.
        align_corners: How the decoder's bilinear upsampling places its samples. The released
            weights need True.
        leaky_slope: Slope of the decoder's activations for negative inputs.
        final_relu: A DenseNet trunk ends with a ReLU; see `DenseNetEncoder`.
        mean: Subtracted from RGB in [0, 1] before the encoder; the released weights want nothing.
        std: What it is divided by afterwards.

    Raises:
        ConfigError: An unknown encoder or variant, or a width that cannot be halved four times.
    """

    encoder: str
    variant: str
    decoder_width: int
    keras_v1: bool = False
    positive_output: bool = False
    align_corners: bool = True
    leaky_slope: float = LEAKY_SLOPE
    final_relu: bool = True
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        encoder_kind(self.encoder)
        if self.variant not in VARIANTS:
            raise ConfigError(
                f'unknown variant {self.variant!r}: use one of {", ".join(VARIANTS)}'
            )
        if self.keras_v1 and self.encoder != 'resnet50':
            raise ConfigError(f'keras_v1 is for resnet50, not for {self.encoder}')
        if not 16 <= self.decoder_width <= MAX_DECODER_WIDTH or self.decoder_width % 16:
            raise ConfigError(
                f'decoder_width {self.decoder_width} must be a positive multiple of 16, '
                f'{MAX_DECODER_WIDTH} at most'
            )


def network_config(
    encoder: str,
    *,
    variant: str = 'paper',
    decoder_width: int | None = None,
    positive_output: bool | None = None,
    keras_v1: bool = False,
    align_corners: bool = True,
    leaky_slope: float = LEAKY_SLOPE,
    final_relu: bool = True,
    normalized: bool = False,
) -> NetworkConfig:
    """Fill in what an encoder has of its own.

    Args:
        encoder: A key of `ENCODER_KINDS`.
        variant: 'paper' or 'blog'.
        decoder_width: None = the variant's own: as wide as the encoder's last map, for the blog
            half of it; 128 for light encoders.
        positive_output: None = only for light encoders. The paper's is linear.
        keras_v1: See `NetworkConfig`, as the others.
        align_corners: Same.
        leaky_slope: Same.
        final_relu: Same.
        normalized: Normalise images as the encoder's ImageNet weights want it.

    Raises:
        ConfigError: As `NetworkConfig`.
    """
    kind = encoder_kind(encoder)
    width = decoder_width
    if width is None and kind.is_light:
        width = LIGHT_DECODER_WIDTH
    elif width is None:
        width = kind.channels[-1] if variant == 'paper' else kind.channels[-1] // 2
    return NetworkConfig(
        encoder=encoder,
        variant=variant,
        decoder_width=width,
        keras_v1=keras_v1,
        positive_output=kind.is_light if positive_output is None else positive_output,
        align_corners=align_corners,
        leaky_slope=leaky_slope,
        final_relu=final_relu,
        **({'mean': kind.mean, 'std': kind.std} if normalized else {}),
    )
