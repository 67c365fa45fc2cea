"""Metrics of a network on a validation split, and what it gives for single items."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Subset

from depth_estimation_ros.depth.metrics import (
    DepthMetrics,
    depth_metrics,
    fill_missing,
    mean_metrics,
)
from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.mixture import Mixture
from depth_estimation_ros.training.evaluation.predictors import MIN_VALID_SHARE
from depth_estimation_ros.training.interruption import ignore_signals
from depth_estimation_ros.training.model.depth_coding import decode_depth
from depth_estimation_ros.training.step.batches import focal_scale, resized, to_device

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn
    from torch.utils.data import Dataset

    from depth_estimation_ros.training.config import TrainConfig
    from depth_estimation_ros.training.data.rgbd_sample import RgbdDataset

VALIDATION_BATCH_SIZE = 8


@torch.no_grad()
def predict_depth(
    network: nn.Module,
    items: dict[str, Any],
    config: TrainConfig,
    device: torch.device,
    *,
    size: tuple[int, int],
) -> NDArray[np.float32]:
    """Run the network at a size (height, width).

    Returns:
        (N, H, W) float32 depth along Z [m], 0 = invalid, at the size of the true depth.
    """
    batch = resized(to_device(items, device), size)
    network.eval()
    raw = network(batch.image)
    depth = decode_depth(raw.float(), config.max_depth, config.min_depth)
    fx = config.training_fx
    depth = depth / focal_scale(batch, fx and fx * size[1] / config.image_width)
    full_size = items['depth'].shape[-2:]
    full: NDArray[np.float32] = _enlarged(depth, full_size)[:, 0].cpu().numpy()
    return full


def _enlarged(depth: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Enlarge depth (N, 1, h, w) linearly between the pixels that have any; 0 = invalid."""

    def enlarge(values: torch.Tensor) -> torch.Tensor:
        return F.interpolate(values, size, mode='bilinear', align_corners=False)

    valid = depth > 0
    if valid.all():
        return enlarge(depth)
    share = enlarge(valid.float())
    return torch.where(share >= MIN_VALID_SHARE, enlarge(depth) / share, 0.0)


def validate(
    network: nn.Module,
    batches: Iterable[dict[str, Any]],
    config: TrainConfig,
    device: torch.device,
    *,
    size: tuple[int, int],
) -> DepthMetrics:
    """Return the mean of every image's metrics where the true depth is known and in range.

    A pixel that the network gives no depth for counts as `fill_missing` says, as it does in the
    evaluation of the model file.
    """
    results = []
    for items in batches:
        predictions = predict_depth(network, items, config, device, size=size)
        for output, truth in zip(predictions, items['depth'].numpy(), strict=True):
            known = (truth >= config.min_depth) & (truth <= config.max_depth)
            if known.any():
                prediction = fill_missing(output, max_depth=config.max_depth)
                results.append(depth_metrics(prediction, truth, known))
    return mean_metrics(results)


class Validator:
    """Measures weights on a validation split, or on evenly spread images of it."""

    def __init__(
        self,
        network: nn.Module,
        data: Dataset[Any] | RgbdDataset,
        config: TrainConfig,
        *,
        device: torch.device,
    ) -> None:
        """Take a copy of a network and choose the images.

        Raises:
            DataError: There is no image.
        """
        available = len(data)  # type: ignore[arg-type]
        if not available:
            raise DataError('the validation data is empty')
        self.num_images = min(available, config.num_validation_images)
        chosen = [index * available // self.num_images for index in range(self.num_images)]
        self._network = copy.deepcopy(network).to(device)
        self._config = config
        self._device = device
        self._loader = DataLoader(
            Subset(Mixture.of(data), chosen),
            batch_size=min(config.batch_size, VALIDATION_BATCH_SIZE),
            num_workers=config.num_workers,
            worker_init_fn=ignore_signals,
        )

    def measure(self, weights: dict[str, torch.Tensor], *, size: tuple[int, int]) -> DepthMetrics:
        """Return the metrics of weights with images of a size (height, width)."""
        self._network.load_state_dict(weights)
        return validate(self._network, self._loader, self._config, self._device, size=size)
