"""Learning from a larger network: its depth of the images that a step trains on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.training.model.checkpoint import load_network

if TYPE_CHECKING:
    from depth_estimation_ros.training.config import TrainConfig


class Teacher:
    """A trained network whose raw output another one learns.

    It sees what the learner sees, after augmentation: where the true depth is missing or coarse
    it still says something.
    """

    def __init__(self, path: str, config: TrainConfig, device: torch.device) -> None:
        """Load a checkpoint.

        Raises:
            CheckpointError: It cannot be used.
            ConfigError: Its depth means something else: another range or focal length.
        """
        network, info = load_network(path)
        for name in ('min_depth', 'max_depth'):
            theirs, ours = getattr(info, name), getattr(config, name)
            if theirs != ours:
                raise ConfigError(
                    f'teacher {path} has {name} {theirs:g} m, this run {ours:g} m: '
                    f'use --{name.replace("_", "-")} {theirs:g}, or another teacher'
                )
        if not _same_focal_length(info.training_fx, config.training_fx):
            raise ConfigError(
                f'teacher {path} has training_fx {info.training_fx}, this run '
                f'{config.training_fx}: use --training-fx {info.training_fx}, or another teacher'
            )
        self._network = network.to(device).eval()
        self._network.requires_grad_(False)

    @torch.no_grad()
    def targets(self, image: torch.Tensor) -> torch.Tensor:
        """Return (N, 1, H/2, W/2) coded depth for (N, 3, H, W) float RGB in [0, 1]; 0 = none."""
        raw: torch.Tensor = self._network(image)
        return raw.float().clamp_min(0)


def _same_focal_length(theirs: float | None, ours: float | None) -> bool:
    """Tell whether two focal lengths [px] are known to be the same to a hundredth."""
    if theirs is None or ours is None:
        return theirs is ours
    return abs(theirs - ours) <= 0.01 * ours
