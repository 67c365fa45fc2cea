"""One step of training, and everything that it changes."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from depth_estimation_ros.model_file.network_size import fitting_size
from depth_estimation_ros.training.distributed import ProcessGroup, synchronize_batch_norm
from depth_estimation_ros.training.step.augmentation import Augmentation
from depth_estimation_ros.training.step.batches import (
    coded_target,
    relative_step,
    resized,
    to_device,
)
from depth_estimation_ros.training.step.losses import DepthLoss, shrink_target
from depth_estimation_ros.training.step.optimization import (
    WeightAverage,
    build_optimizer,
    learning_rate,
)
from depth_estimation_ros.training.step.teacher import Teacher

if TYPE_CHECKING:
    from depth_estimation_ros.training.config import TrainConfig

# (height, width) of images that are not 4:3, as nearly all training data is [px].
OTHER_CAMERAS: Final = ((720, 1280), (480, 480), (640, 480), (1280, 720))
_AUTOCAST = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}


def autocast_type(precision: str, device: torch.device) -> torch.dtype:
    """Return the type that a precision stands for on a device.

    'auto' is fp32 on a CPU, where autocast only pays on the few that multiply bf16 in hardware
    (seven times slower than fp32 without), and on a GPU bf16 if it has it, otherwise fp16.
    """
    if precision != 'auto':
        return _AUTOCAST[precision]
    if device.type != 'cuda':
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


@dataclass(frozen=True, kw_only=True)
class Examples:
    """What a step learns from.

    Attributes:
        image: (N, 3, H, W) float RGB in [0, 1].
        target: (N, 1, H/2, W/2) float, coded depth; 0 = missing.
        depth_step: (N, 1, H/2, W/2) float, the steps that depth was recorded in as a share of
            it; None = it has none.
    """

    image: torch.Tensor
    target: torch.Tensor
    depth_step: torch.Tensor | None


class Learner:
    """A network with its optimiser, its averaged weights and its loss.

    A step depends on nothing but this state, the batch, the step's number and the seed.
    """

    def __init__(
        self, network: nn.Module, config: TrainConfig, *, num_steps: int, group: ProcessGroup
    ) -> None:
        self.config = config
        self.group = group
        self.num_steps = num_steps
        # The last step is never coarse: a network that saw small images only is of no use.
        self.num_coarse_steps = min(round(config.coarse_fraction * num_steps), num_steps - 1)
        self.share = group.share(config.batch_size)
        self.own = slice(group.rank * self.share, (group.rank + 1) * self.share)
        layout = torch.channels_last if config.channels_last else torch.contiguous_format
        self.network: nn.Module = network.to(group.device).to(memory_format=layout)
        if group.num_processes > 1:
            self.network = synchronize_batch_norm(self.network, group.device)
        self.model = self._wrapped(self.network)
        self.optimizer = build_optimizer(self.network, config)
        self.autocast = autocast_type(config.precision, group.device)
        self.scaler = torch.amp.GradScaler(
            group.device.type, enabled=self.autocast is torch.float16
        )
        self.average = (
            WeightAverage(self.network, decay=config.ema_decay) if config.ema_decay else None
        )
        self.augmentation = Augmentation.from_config(config)
        self.teacher = Teacher(config.teacher, config, group.device) if config.teacher else None
        self.loss = DepthLoss(
            domain=config.loss_domain,
            ssim_weight=config.ssim_weight,
            edge_weight=config.edge_weight,
            l1_weight=config.l1_weight,
            max_value=config.max_depth / config.min_depth,
            edge_scales=config.edge_scales,
        )

    def _wrapped(self, network: nn.Module) -> nn.Module:
        """Return what runs the network forward: shared between processes, compiled, or itself."""
        model = network
        if self.group.num_processes > 1:
            model = DistributedDataParallel(model)
        if self.config.compile:
            model.compile()
        return model

    def image_size(self, step: int) -> tuple[int, int]:
        """Return the (height, width) of the images of a step [px]."""
        divisor = 2 if step < self.num_coarse_steps else 1
        return self.config.image_height // divisor, self.config.image_width // divisor

    def work_done(self, num_steps: int) -> float:
        """Return what so many steps cost, in steps on images of full size."""
        return num_steps - 0.75 * min(num_steps, self.num_coarse_steps)

    def _steps_at_this_size(self, step: int) -> int:
        """Return how many steps before this one had images of the same size.

        The averaged weights forget the others: a network for small images is wrong on large ones.
        """
        return step if step < self.num_coarse_steps else step - self.num_coarse_steps

    def shape(self, step: int) -> tuple[int, int]:
        """Return the (height, width) that a step's images are cut to [px].

        Like `image_size`, or one of the other aspects with as many pixels.
        """
        size = self.image_size(step)
        if not self.config.shape_fraction:
            return size
        dice = torch.Generator().manual_seed(self.config.seed * 1_000_003 + step + 500_009)
        chance, which = torch.rand(2, generator=dice).tolist()
        if chance >= self.config.shape_fraction:
            return size
        camera = OTHER_CAMERAS[int(which * len(OTHER_CAMERAS))]
        return fitting_size(camera, size)

    def examples(self, items: dict[str, Any], step: int) -> Examples:
        """Return what a step learns from."""
        config = self.config
        size = self.image_size(step)
        divisor = config.image_width // size[1]
        training_fx = None if config.training_fx is None else config.training_fx / divisor
        loaded = config.load_size[0] // divisor, config.load_size[1] // divisor
        shape = self.shape(step)
        batch = self.augmentation.apply(
            resized(to_device(items, self.group.device), loaded),
            seed=config.seed * 1_000_003 + step,
            own=self.own,
            num_drawn=config.batch_size,
            size=None if shape == loaded else shape,
        )
        target = shrink_target(
            coded_target(batch, config, training_fx), (shape[0] // 2, shape[1] // 2)
        )
        depth_step = None
        if config.forgive_depth_steps:
            depth_step = relative_step(batch, target, config, training_fx)
        layout = torch.channels_last if config.channels_last else torch.contiguous_format
        return Examples(
            image=batch.image.contiguous(memory_format=layout),
            target=target,
            depth_step=depth_step,
        )

    def loss_of(self, items: dict[str, Any], step: int) -> torch.Tensor:
        """Run the network forward on a batch and compare."""
        batch = self.examples(items, step)
        enabled = self.autocast is not torch.float32
        with torch.autocast(self.group.device.type, self.autocast, enabled=enabled):
            raw = self.model(batch.image)
            taught = None if self.teacher is None else self.teacher.targets(batch.image)
        loss = self.loss(raw.float(), batch.target, batch.depth_step)
        if taught is None:
            return loss
        weight = self.config.teacher_weight
        return (1 - weight) * loss + weight * self.loss(raw.float(), taught)

    def learn(self, items: dict[str, Any], step: int) -> float:
        """Do a step.

        Returns:
            The loss of the whole batch, before the step. When it is not finite nothing is
            changed, in any process.
        """
        rate = learning_rate(step, num_steps=self.num_steps, config=self.config)
        for options in self.optimizer.param_groups:
            options['lr'] = rate * options['rate']
        self.model.train()
        loss = self.loss_of(items, step)
        mean = self.group.mean(loss.detach()).item()
        if not math.isfinite(mean):
            return mean
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(self.scaler.scale(loss))
        if self.config.gradient_clip:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average is not None:
            self.average.update(self.network, age=self._steps_at_this_size(step))
        return mean

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the weights to use: the averaged ones where there are such."""
        return self.average.weights if self.average is not None else self.network.state_dict()

    def state(self) -> dict[str, Any]:
        """Return what a later process needs to go on, as tensors and plain values."""
        return {
            'network': self.network.state_dict(),
            'optimizer': self.optimizer.state_dict(),
            'scaler': self.scaler.state_dict(),
        }

    def load_state(self, state: dict[str, Any], weights: dict[str, torch.Tensor]) -> None:
        """Go on from what `state` and `weights` returned."""
        self.network.load_state_dict(state['network'])
        self.optimizer.load_state_dict(state['optimizer'])
        self.scaler.load_state_dict(state['scaler'])
        if self.average is not None:
            for name, value in weights.items():
                self.average.weights[name].copy_(value)
