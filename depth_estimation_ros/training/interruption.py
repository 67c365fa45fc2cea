"""Stopping a run in good order: Ctrl-C, a time limit, too little memory, a loss that is NaN."""

from __future__ import annotations

from contextlib import contextmanager
import signal
import time
from typing import TYPE_CHECKING, Any

import torch

from depth_estimation_ros.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from torch import nn

_RUNAWAY_WEIGHT = 1e6
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Turns the first Ctrl-C (or SIGTERM) into a request to stop after the step.

    A second one interrupts at once.

    Attributes:
        reason: Why the run should stop; empty while it should not.
    """

    def __init__(self, *, max_minutes: float | None = None) -> None:
        self.reason = ''
        self._deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        for number in _SIGNALS:
            self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.reason:
            raise KeyboardInterrupt
        self.reason = f'stopped by {signal.Signals(number).name}'

    def is_set(self) -> bool:
        """Whether the run should stop."""
        if not self.reason and self._deadline is not None and time.monotonic() > self._deadline:
            self.reason = 'stopped by the time limit'
        return bool(self.reason)


def ignore_signals(_worker: int) -> None:
    """Let a data loader's worker outlive a Ctrl-C in the terminal: the main process ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def out_of_memory(*, batch_size: int, num_processes: int) -> Iterator[None]:
    """Turn running out of memory into advice.

    Raises:
        ConfigError: Memory ran out inside the block.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
        smaller = max(batch_size // 2 // num_processes, 1) * num_processes
        advice = (
            f'try --batch-size {smaller}'
            if smaller < batch_size
            else 'try a smaller --image-height and --image-width, or --precision bf16'
        )
        raise ConfigError(f'out of memory with batch size {batch_size}: {advice}') from error


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a GPU or not."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return 'out of memory' in text or "can't allocate memory" in text


def bad_loss(loss: float, *, step: int, names: list[str], network: nn.Module) -> DataError:
    """Return the error of a loss that is no number.

    Args:
        loss: Of the batch, NaN or infinite.
        step: Of the run.
        names: Of the batch's samples.
        network: As it is now. Weights of absurd size say that the cause lies in earlier steps, and
            not in these samples.
    """
    sound = all(weight.abs().max() < _RUNAWAY_WEIGHT for weight in network.parameters())
    advice = (
        'Look at these samples'
        if sound
        else 'The reason lies before it, the weights have run away: lower --learning-rate'
    )
    return DataError(
        f'the loss is {loss} at step {step}; the batch is {", ".join(names)}. {advice}'
    )
