"""A checkpoint of a small network with random weights that gives depths in its range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from depth_estimation_ros.training.model.checkpoint import Checkpoint, NetworkInfo, save_checkpoint
from depth_estimation_ros.training.model.network import build_densedepth

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.training.model.network import DenseDepthNet

TRAINING_FX = 80.0


def small_network(seed: int = 0, *, bias: float = 1.4) -> DenseDepthNet:
    """A network whose raw output differs from pixel to pixel: 4 to 15, or 2.5 to 0.7 m of 10 m.

    Args:
        seed: Of the weights.
        bias: Of the last layer: at -0.6 the output is 0.5 to 2, and what is below 1 is no depth.
    """
    torch.manual_seed(seed)
    network = build_densedepth('small', decoder_width=32)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.running_mean.uniform_(-0.3, 0.3)  # type: ignore[union-attr]
                layer.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
                layer.weight.uniform_(0.7, 1.3)
                layer.bias.uniform_(-0.2, 0.2)
        assert network.conv3.bias is not None
        network.conv3.bias.fill_(bias)
    return network.eval()


def make_small_checkpoint(
    path: Path, *, input_size: tuple[int, int], bias: float = 1.4
) -> DenseDepthNet:
    """Write a checkpoint and return its network."""
    network = small_network(bias=bias)
    info = NetworkInfo(
        encoder='small',
        variant='paper',
        decoder_width=32,
        positive_output=True,
        align_corners=network.config.align_corners,
        input_size=input_size,
        min_depth=0.2,
        max_depth=10.0,
        training_fx=TRAINING_FX,
        training_data='nothing: random weights',
        licence='Apache-2.0',
    )
    save_checkpoint(path, Checkpoint(info=info, weights=network.state_dict()))
    return network
