"""The encoders of DenseDepth: five feature maps of one image, from 1/2 to 1/32 of its size.

Every encoder is a module with `channels`, the channels of the five maps, and a `forward` that
takes RGB (N, 3, H, W) and returns the maps at 1/2, 1/4, 1/8, 1/16 and 1/32. Parameters keep
torchvision's names, so that its ImageNet weights load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
import torch.nn.functional as F

if TYPE_CHECKING:
    from collections.abc import Sequence

KERAS_DENSENET_EPSILON = 1.001e-5
KERAS_RESNET_EPSILON = 1e-3


def set_batch_norm(
    module: nn.Module, *, epsilon: float | None = None, momentum: float | None = None
) -> None:
    """Set the epsilon and the momentum of every batch norm in a module; None leaves it."""
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eps = layer.eps if epsilon is None else epsilon
            layer.momentum = layer.momentum if momentum is None else momentum


class Encoder(nn.Module):
    """What turns an image into five maps.

    Attributes:
        channels: Channels of the maps at 1/2, 1/4, 1/8, 1/16 and 1/32.
    """

    channels: tuple[int, ...]


class DenseNetEncoder(Encoder):
    """The features of a torchvision DenseNet, with the skips that DenseDepth takes.

    They are the stem after its ReLU, the pooled stem, the first two transitions after their
    pooling, and the last dense block after its batch norm and ReLU (torchvision's own features
    end before that ReLU). Batch norms use Keras' epsilon, 1.001e-5, so that the authors' weights
    give the authors' numbers; against torchvision's 1e-5 it changes nothing one could measure.

    Attributes:
        final_relu: Whether the last map passes a ReLU. False is for weights that were trained with
            keras_applications before 1.0.6, which had none there; the released ones need True.
    """

    def __init__(
        self, features: nn.Sequential, channels: Sequence[int], *, final_relu: bool = True
    ) -> None:
        super().__init__()
        self.features = features
        self.channels = tuple(channels)
        self.final_relu = final_relu
        set_batch_norm(self, epsilon=KERAS_DENSENET_EPSILON)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of the image."""
        layers: Any = self.features
        stem = F.relu(layers.norm0(layers.conv0(image)))
        quarter = layers.pool0(stem)
        eighth = layers.transition1(layers.denseblock1(quarter))
        sixteenth = layers.transition2(layers.denseblock2(eighth))
        bottom = layers.denseblock4(layers.transition3(layers.denseblock3(sixteenth)))
        bottom = layers.norm5(bottom)
        return [stem, quarter, eighth, sixteenth, F.relu(bottom) if self.final_relu else bottom]


class ResNet50Encoder(Encoder):
    """The trunk of torchvision's ResNet-50, with skips where the blog took them.

    The skips at 1/8 and 1/16 are the raw output of the strided convolution of the stage that
    follows. In torchvision that is the 3x3 of the first block (in Keras, the 1x1 before it).
    """

    channels = (64, 64, 128, 256, 2048)
    strided_conv = 'conv2'

    def __init__(self) -> None:
        super().__init__()
        import torchvision  # late: see build_encoder

        trunk: Any = torchvision.models.resnet50(weights=None)
        del trunk.fc, trunk.avgpool
        self.trunk: Any = trunk

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of the image."""
        trunk = self.trunk
        stem = F.relu(trunk.bn1(trunk.conv1(image)))
        quarter = trunk.maxpool(stem)
        x = trunk.layer1(quarter)
        skips = []
        for stage in (trunk.layer2, trunk.layer3):
            skip, x = self._strided_block(stage[0], x)
            skips.append(skip)
            x = stage[1:](x)
        return [stem, quarter, *skips, trunk.layer4(x)]

    def _strided_block(
        self, block: nn.Module, x: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Run the first bottleneck of a stage; also return its raw strided convolution."""
        layers: Any = block
        first = layers.conv1(x)
        second = layers.conv2(F.relu(layers.bn1(first)))
        third = layers.conv3(F.relu(layers.bn2(second)))
        output = F.relu(layers.bn3(third) + layers.downsample(x))
        return (first if self.strided_conv == 'conv1' else second), output


class KerasResNet50Encoder(ResNet50Encoder):
    """ResNet-50 exactly as Keras has it, for weights that were trained there.

    Against torchvision's: the stride of a stage is in its first 1x1 convolution, every
    convolution has a bias, and batch norm's epsilon is 1e-3. Parameters keep torchvision's names.
    """

    strided_conv = 'conv1'

    def __init__(self) -> None:
        super().__init__()
        for stage in (self.trunk.layer2, self.trunk.layer3, self.trunk.layer4):
            stage[0].conv1.stride = (2, 2)
            stage[0].conv2.stride = (1, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                layer.bias = nn.Parameter(torch.zeros(layer.out_channels))
        set_batch_norm(self, epsilon=KERAS_RESNET_EPSILON)


class DenseLayer(nn.Module):
    """Batch norm, ReLU, 1x1, batch norm, ReLU, 3x3: the channels one layer adds to its block."""

    def __init__(self, in_channels: int, *, bottleneck: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, bottleneck, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bottleneck)
        self.conv2 = nn.Conv2d(bottleneck, growth, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the input with the new channels behind it."""
        y = self.conv1(F.relu(self.norm1(x), inplace=True))
        y = self.conv2(F.relu(self.norm2(y), inplace=True))
        return torch.cat([x, y], dim=1)


def _transition(in_channels: int, out_channels: int) -> nn.Sequential:
    """Batch norm, ReLU, 1x1 convolution and 2x2 average pooling."""
    return nn.Sequential(
        nn.BatchNorm2d(in_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
        nn.AvgPool2d(2, 2),
    )


class SmallDenseNetEncoder(Encoder):
    """A DenseNet for CPUs and small boards, trained from nothing.

    It starts thin, because a channel at half resolution costs as much as 256 of them at the
    bottom; blocks grow wider and deeper downwards, where a layer sees most of the image.
    """

    def __init__(
        self,
        *,
        stem: int = 16,
        growth: Sequence[int] = (16, 24, 32, 48),
        blocks: Sequence[int] = (2, 4, 8, 10),
        compressed: Sequence[int] = (32, 64, 128),
        bottleneck: int = 2,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(inplace=True),
        )
        self.pool = nn.MaxPool2d(3, 2, padding=1)
        self.blocks = nn.ModuleList()
        self.transitions = nn.ModuleList()
        width = stem
        for index, (num_layers, rate) in enumerate(zip(blocks, growth, strict=True)):
            layers: list[nn.Module] = []
            for _ in range(num_layers):
                layers.append(DenseLayer(width, bottleneck=bottleneck * rate, growth=rate))
                width += rate
            self.blocks.append(nn.Sequential(*layers))
            if index < len(compressed):
                self.transitions.append(_transition(width, compressed[index]))
                width = compressed[index]
        self.norm = nn.BatchNorm2d(width)
        self.channels = (stem, stem, compressed[0], compressed[1], width)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of the image."""
        stem = self.stem(image)
        maps = [stem, self.pool(stem)]
        x = maps[-1]
        for block, transition in zip(self.blocks, self.transitions, strict=False):
            x = transition(block(x))
            maps.append(x)
        bottom = self.blocks[-1](maps.pop())
        return [*maps, F.relu(self.norm(bottom))]
