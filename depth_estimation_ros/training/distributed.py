"""One run on several processes, started by `torchrun`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
import os
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed, nn

from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, kw_only=True)
class ProcessGroup:
    """This process among those of the run."""

    rank: int = 0
    num_processes: int = 1
    device: torch.device = field(default_factory=lambda: torch.device('cpu'))

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def share(self, batch_size: int) -> int:
        """Return how many images of a batch this process takes.

        Raises:
            ConfigError: The batch cannot be shared equally.
        """
        if batch_size % self.num_processes:
            raise ConfigError(
                f'batch_size {batch_size} cannot be shared by {self.num_processes} processes: '
                'use a multiple of their number'
            )
        return batch_size // self.num_processes

    def mean(self, value: torch.Tensor) -> torch.Tensor:
        """Return the mean of a tensor over the processes."""
        if self.num_processes > 1:
            value = value.clone()
            distributed.all_reduce(value)
            value /= self.num_processes
        return value

    def any(self, flag: bool) -> bool:
        """Whether a flag is set in any process."""
        if self.num_processes == 1:
            return flag
        value = torch.tensor(float(flag), device=self.device)
        distributed.all_reduce(value)
        return value.item() > 0


@contextmanager
def process_group(device: str = 'auto') -> Iterator[ProcessGroup]:
    """Join the processes that `torchrun` started, or be the only one.

    Args:
        device: 'auto' takes a GPU if there is one; or 'cpu', 'cuda', 'cuda:1', ...

    Raises:
        ConfigError: A GPU is asked for that is not there.
    """
    num_processes = int(os.environ.get('WORLD_SIZE', '1'))
    chosen = choose_device(device, local_rank=int(os.environ.get('LOCAL_RANK', '0')))
    if num_processes == 1:
        yield ProcessGroup(device=chosen)
        return
    distributed.init_process_group('nccl' if chosen.type == 'cuda' else 'gloo')
    try:
        yield ProcessGroup(rank=distributed.get_rank(), num_processes=num_processes, device=chosen)
    finally:
        distributed.destroy_process_group()


def choose_device(name: str, *, local_rank: int = 0) -> torch.device:
    """Return the device of a process.

    Raises:
        ConfigError: There is no such device here.
    """
    if name == 'auto':
        name = 'cuda' if torch.cuda.is_available() else 'cpu'
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f'device {name!r} is unknown: use auto, cpu or cuda') from error
    if device.type == 'cuda':
        if not torch.cuda.is_available():
            raise ConfigError(f'device {name}: PyTorch finds no GPU here, use --device cpu')
        device = torch.device('cuda', local_rank if device.index is None else device.index)
        torch.cuda.set_device(device)
    return device


def synchronize_batch_norm(network: nn.Module, device: torch.device) -> nn.Module:
    """Let batch norms see the whole batch, not one process' share of it.

    PyTorch's own does this on GPUs only; the stand-in for CPUs is below.
    """
    if device.type == 'cuda':
        convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm
        converted: nn.Module = convert(network)
        return converted
    for layer in network.modules():
        if type(layer) is nn.BatchNorm2d:
            layer.__class__ = SharedBatchNorm2d
    return network


class _SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over the processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(_context: Any, value: torch.Tensor) -> torch.Tensor:
        """Add up the values."""
        total = value.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, gradient: torch.Tensor) -> torch.Tensor:
        """Add up the gradients."""
        total = gradient.clone()
        distributed.all_reduce(total)
        return total


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch norm over the shares of all processes, on any device."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise (N, C, H, W)."""
        if not self.training:
            return super().forward(x)
        count = x.numel() // x.shape[1] * distributed.get_world_size()
        mean = _SumOverProcesses.apply(x.sum((0, 2, 3))) / count
        centred = x - mean.view(1, -1, 1, 1)
        variance = _SumOverProcesses.apply(centred.square().sum((0, 2, 3))) / count
        self._update_statistics(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        output: torch.Tensor = centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return output

    @torch.no_grad()
    def _update_statistics(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        """Move the running statistics as PyTorch's batch norm does."""
        momentum = 0.1 if self.momentum is None else self.momentum
        statistics: list[tuple[Any, torch.Tensor]] = [
            (self.running_mean, mean),
            (self.running_var, variance),
        ]
        for running, current in statistics:
            running.lerp_(current, momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
