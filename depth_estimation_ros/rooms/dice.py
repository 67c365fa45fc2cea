"""Seeded random draws, cheap enough for hundreds a room."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar('T')
_BLOCK = 1024


class Dice:
    """Draws from one PCG64 stream; the same seeds give the same draws everywhere."""

    def __init__(self, *seeds: int) -> None:
        """Start the stream that belongs to these non-negative integers."""
        self.generator = np.random.Generator(np.random.PCG64(seeds))
        self._numbers: list[float] = []

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        if not self._numbers:
            self._numbers = self.generator.random(_BLOCK).tolist()
        return self._numbers.pop()

    def uniform(self, low: float, high: float) -> float:
        """Return a number in [low, high)."""
        return low + (high - low) * self.unit()

    def bell(self, mean: float, spread: float) -> float:
        """Return a number around mean, never further than 2.4 spreads away."""
        total = self.unit() + self.unit() + self.unit() + self.unit() - 2.0
        return mean + 1.2 * spread * total

    def integer(self, low: int, high: int) -> int:
        """Return an integer in [low, high], both included."""
        return low + int(self.unit() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return self.unit() < probability

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self.unit() * len(options))]
