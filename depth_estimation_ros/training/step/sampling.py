"""Which samples a step trains on: a shuffled stream that can be entered at any step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import Sampler

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

GOLDEN_RATIO = 0.5 * (5**0.5 - 1)


class ShuffledBatches(Sampler[list[int]]):
    """The indices of each step's batch, or of one process' share of it.

    Of each data set the stream is one seeded permutation after another, cut into batches without
    regard to where a permutation ends, so that a step's batch follows from its number alone.
    Which data set a position of the stream draws from follows from its number too: steps of the
    golden ratio through the weights, so that every batch has nearly its share of each.
    """

    def __init__(
        self,
        sizes: int | Sequence[int],
        *,
        batch_size: int,
        steps: range,
        seed: int,
        weights: Sequence[float] = (1.0,),
        rank: int = 0,
        num_processes: int = 1,
    ) -> None:
        """Describe the stream.

        Args:
            sizes: Number of samples of each data set; their indices follow one another.
            batch_size: Samples a step, all processes together.
            steps: The steps to yield.
            seed: Of the permutations.
            weights: Share of the draws of each data set, 1 together.
            rank: Of this process.
            num_processes: That share each batch.
        """
        self.sizes = (sizes,) if isinstance(sizes, int) else tuple(sizes)
        self.weights = tuple(weights)
        self.batch_size = batch_size
        self.steps = steps
        self.seed = seed
        share = batch_size // num_processes
        self.own = slice(rank * share, (rank + 1) * share)
        self._offsets = [sum(self.sizes[:number]) for number in range(len(self.sizes))]
        self._permutations: dict[tuple[int, int], list[int]] = {}
        self._sources, self._ordinals = self._draws(steps.stop * batch_size)

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps:
            yield self.batch(step)[self.own]

    def batch(self, step: int) -> list[int]:
        """Return the indices of a step's whole batch."""
        first = step * self.batch_size
        return [self._index(position) for position in range(first, first + self.batch_size)]

    def _draws(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the data set of every position, and how many before it drew from the same."""
        places = (np.arange(count) + 0.5) * GOLDEN_RATIO % 1.0
        ends = np.cumsum(self.weights[:-1])
        sources = np.searchsorted(ends, places, side='right').astype(np.int64)
        ordinals = np.zeros(count, np.int64)
        for number in range(len(self.sizes)):
            chosen = sources == number
            ordinals[chosen] = np.arange(int(chosen.sum()))
        return sources, ordinals

    def _index(self, position: int) -> int:
        """Return the sample at a position of the stream."""
        if position >= len(self._sources):  # a step after the last
            self._sources, self._ordinals = self._draws(2 * position + 1)
        number, ordinal = int(self._sources[position]), int(self._ordinals[position])
        epoch, offset = divmod(ordinal, self.sizes[number])
        key = (number, epoch)
        if key not in self._permutations:
            seed = (self.seed * 1_000_003 + epoch) + 7_919_000_003 * number
            generator = torch.Generator().manual_seed(seed)
            order = torch.randperm(self.sizes[number], generator=generator).tolist()
            others = {
                (one, turn): value
                for (one, turn), value in self._permutations.items()
                if one != number or turn == epoch - 1
            }
            self._permutations = {**others, key: order}
        return self._offsets[number] + self._permutations[key][offset]
