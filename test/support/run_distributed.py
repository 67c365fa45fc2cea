"""One process of the run that test_distributed.py starts with torchrun."""

from __future__ import annotations

import logging
from pathlib import Path
import sys
from typing import TYPE_CHECKING

from tiny_training import DISTRIBUTED, tiny_config, tiny_trainer
import torch
from torch.nn.parallel import DistributedDataParallel

from depth_estimation_ros.training.distributed import (
    ProcessGroup,
    process_group,
    synchronize_batch_norm,
)
from depth_estimation_ros.training.model.network import build_densedepth

if TYPE_CHECKING:
    from depth_estimation_ros.training.trainer import Trainer


def save_gradients(trainer: Trainer, path: Path) -> None:
    """Write the gradients of the step that was done last."""
    weights = trainer.learner.network.named_parameters()
    torch.save({name: weight.grad for name, weight in weights}, path)


def double_gradients(group: ProcessGroup) -> dict[str, torch.Tensor]:
    """Return the gradients of a smooth loss in double precision, where nothing is rounding."""
    torch.manual_seed(3)
    network: torch.nn.Module = build_densedepth('small', decoder_width=16).double()
    images = torch.rand(4, 3, 64, 96, dtype=torch.float64)
    share = group.share(4)
    if group.num_processes > 1:
        network = synchronize_batch_norm(network, group.device)
    model = DistributedDataParallel(network) if group.num_processes > 1 else network
    own = images[group.rank * share : (group.rank + 1) * share]
    torch.autograd.backward(model(own).square().mean())
    return {name: weight.grad for name, weight in network.named_parameters()}  # type: ignore[misc]


def main() -> None:
    """Train for a step, and for a few; the main process saves."""
    folder = Path(sys.argv[1])
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    with process_group('cpu') as group:
        doubles = double_gradients(group)
        for steps in (1, 6):
            config = tiny_config(**DISTRIBUTED, steps=steps)
            trainer = tiny_trainer(folder / str(steps), config, group=group)
            trainer.run(quiet=True)
            if group.is_main:
                torch.save(doubles, folder / 'doubles.pt')
                save_gradients(trainer, folder / f'gradients_{steps}.pt')


if __name__ == '__main__':
    main()
