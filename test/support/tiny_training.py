"""A data set and settings with which a training run takes a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Dataset

from depth_estimation_ros.training.config import TrainConfig
from depth_estimation_ros.training.model.checkpoint import NetworkInfo
from depth_estimation_ros.training.run import new_network
from depth_estimation_ros.training.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.training.distributed import ProcessGroup

SIZE = (64, 128)
# What test_distributed.py trains with, in one process and in two.
DISTRIBUTED: dict[str, Any] = {'ema_decay': 0.0, 'gradient_clip': 0.0, 'learning_rate': 1e-3}


class BrightIsFar(Dataset[dict[str, torch.Tensor]]):
    """Smooth random images whose depth is their brightness, 1 to 5 m."""

    def __init__(self, num_samples: int = 20, *, first_seed: int = 0, broken: int = -1) -> None:
        self.num_samples = num_samples
        self.first_seed = first_seed
        self.broken = broken

    def __len__(self) -> int:
        return self.num_samples

    def sample_name(self, index: int) -> str:
        return f'blob {index}'

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        generator = torch.Generator().manual_seed(self.first_seed + index)
        coarse = torch.rand(1, 1, 3, 5, generator=generator)
        smooth = torch.nn.functional.interpolate(coarse, SIZE, mode='bilinear')[0]
        depth = 1 + 4 * smooth[0]
        depth[:3, :7] = 0
        image = (smooth * 255).byte().expand(3, *SIZE).contiguous()
        if self.broken >= 0:  # images that are no bytes, one of them without numbers
            image = image.float() * (float('nan') if index == self.broken else 1.0)
        return {
            'image': image,
            'depth': depth,
            'intrinsics': torch.tensor([100.0, 100.0, 63.5, 31.5]),
        }


def tiny_config(**changes: Any) -> TrainConfig:
    """Return settings that use everything: all augmentation, averaging, half-size steps."""
    values: dict[str, Any] = {
        'encoder': 'small',
        'decoder_width': 16,
        'encoder_weights': 'none',
        'image_height': SIZE[0],
        'image_width': SIZE[1],
        'training_fx': 110.0,
        'photometric': 0.5,
        'min_crop_scale': 0.7,
        'loss_domain': 'log',
        'ssim_weight': 0.0,
        'l1_weight': 1.0,
        'batch_size': 4,
        'steps': 6,
        'optimizer': 'adamw',
        'learning_rate': 3e-3,
        'schedule': 'cosine',
        'warmup_fraction': 0.2,
        'gradient_clip': 5.0,
        'ema_decay': 0.9,
        'coarse_fraction': 0.5,
        'num_workers': 0,
        'checkpoint_every': 3,
        'validate_every': 3,
        'log_every': 1,
        'num_validation_images': 4,
    }
    return TrainConfig(**{**values, **changes})


def tiny_trainer(
    folder: Path,
    config: TrainConfig,
    *,
    data: Dataset[Any] | None = None,
    group: ProcessGroup | None = None,
) -> Trainer:
    """Return a trainer on BrightIsFar."""
    network = new_network(config)
    return Trainer(
        network,
        config,
        train_data=BrightIsFar() if data is None else data,
        validation_data=BrightIsFar(4, first_seed=1000),
        folder=folder,
        info=NetworkInfo.of(network, config, training_data='blobs'),
        group=group,
    )
