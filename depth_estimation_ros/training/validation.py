"""Metrics of a network on a validation split, and what it gives for single items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

from depth_estimation_ros.metrics import DepthMetrics, depth_metrics, mean_metrics
from depth_estimation_ros.training.batches import focal_scale, resized, to_device
from depth_estimation_ros.training.depth_coding import decode_depth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from torch import nn

    from depth_estimation_ros.training.config import TrainConfig


@torch.no_grad()
def predict_depth(
    network: nn.Module, items: dict[str, Any], config: TrainConfig, device: torch.device
) -> NDArray[np.float32]:
    """Return (N, H, W) float32 depth along Z [m], 0 = invalid, at the size of the true depth."""
    batch = resized(to_device(items, device), config.image_size)
    network.eval()
    raw = network(batch.image)
    depth = decode_depth(raw.float(), config.max_depth, config.min_depth)
    depth = depth / focal_scale(batch, config)
    size = items['depth'].shape[-2:]
    full: NDArray[np.float32] = (
        F.interpolate(depth, size, mode='bilinear', align_corners=False)[:, 0].cpu().numpy()
    )
    return full


def validate(
    network: nn.Module,
    batches: Iterable[dict[str, Any]],
    config: TrainConfig,
    device: torch.device,
) -> DepthMetrics:
    """Return the mean of every image's metrics where the true depth is known and in range.

    A pixel that the network gives no depth for counts as the nearest depth, which is wrong: a
    network must not look better for what it leaves out.
    """
    results = []
    for items in batches:
        predictions = predict_depth(network, items, config, device)
        for output, truth in zip(predictions, items['depth'].numpy(), strict=True):
            known = (truth >= config.min_depth) & (truth <= config.max_depth)
            if known.any():
                prediction = np.where(output > 0, output, config.min_depth)
                results.append(depth_metrics(prediction, truth, known))
    return mean_metrics(results)
