"""Optimiser, learning rate and averaged weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from depth_estimation_ros.training.config import TrainConfig


def build_optimizer(network: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Return the optimiser of a run.

    Weight decay spares biases and batch norms, whose size means something. A group's `rate` is
    its share of the learning rate.
    """
    groups = []
    for rate in sorted({1.0, config.encoder_rate}, reverse=True):
        trained = [
            weight
            for name, weight in network.named_parameters()
            if weight.requires_grad
            and rate == (config.encoder_rate if name.startswith('encoder.') else 1.0)
        ]
        kernels = [w for w in trained if w.ndim > 1]
        others = [w for w in trained if w.ndim <= 1]
        groups.append({'params': kernels, 'weight_decay': config.weight_decay, 'rate': rate})
        groups.append({'params': others, 'weight_decay': 0.0, 'rate': rate})
    if config.optimizer == 'adam-amsgrad':
        return torch.optim.Adam(groups, lr=config.learning_rate, amsgrad=True)
    return torch.optim.AdamW(groups, lr=config.learning_rate)


def learning_rate(step: int, *, num_steps: int, config: TrainConfig) -> float:
    """Return the learning rate of a step, counted from 0."""
    num_warmup = round(config.warmup_fraction * num_steps)
    if step < num_warmup:
        return config.learning_rate * (step + 1) / num_warmup
    if config.schedule == 'constant':
        return config.learning_rate
    done = (step - num_warmup) / max(1, num_steps - num_warmup)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


class WeightAverage:
    """An exponential moving average of a network's weights and batch-norm statistics.

    It starts fast, so that the weights of the beginning are soon forgotten.
    """

    def __init__(self, network: nn.Module, *, decay: float) -> None:
        self.decay = decay
        self.weights = {name: value.clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, *, age: int) -> None:
        """Take in the weights after a step.

        Args:
            network: Whose weights.
            age: Steps that the average has taken in before this one and should remember.
        """
        decay = min(self.decay, (1 + age) / (10 + age))
        averaged, current = [], []
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                averaged.append(self.weights[name])
                current.append(value)
            else:
                self.weights[name].copy_(value)
        torch._foreach_lerp_(averaged, current, 1 - decay)
