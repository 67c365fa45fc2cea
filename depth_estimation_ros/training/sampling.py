"""Which samples a step trains on: a shuffled stream that can be entered at any step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Dataset, Sampler

if TYPE_CHECKING:
    from collections.abc import Iterator


class ShuffledBatches(Sampler[list[int]]):
    """The indices of each step's batch, or of one process' share of it.

    The stream is one seeded permutation of the data set after another, cut into batches without
    regard to where a permutation ends, so that a step's batch follows from its number alone.
    """

    def __init__(
        self,
        num_samples: int,
        *,
        batch_size: int,
        steps: range,
        seed: int,
        rank: int = 0,
        num_processes: int = 1,
    ) -> None:
        self.num_samples = num_samples
        self.batch_size = batch_size
        self.steps = steps
        self.seed = seed
        share = batch_size // num_processes
        self.own = slice(rank * share, (rank + 1) * share)
        self._permutations: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps:
            yield self.batch(step)[self.own]

    def batch(self, step: int) -> list[int]:
        """Return the indices of a step's whole batch."""
        first = step * self.batch_size
        return [self._index(position) for position in range(first, first + self.batch_size)]

    def _index(self, position: int) -> int:
        """Return the sample at a position of the stream."""
        epoch, offset = divmod(position, self.num_samples)
        if epoch not in self._permutations:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            order = torch.randperm(self.num_samples, generator=generator).tolist()
            kept = {key: value for key, value in self._permutations.items() if key == epoch - 1}
            self._permutations = {**kept, epoch: order}
        return self._permutations[epoch][offset]


class IndexedDataset(Dataset[dict[str, Any]]):
    """A data set whose items also say which one they are, under `index`."""

    def __init__(self, dataset: Dataset[Any]) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {**self.dataset[index], 'index': index}

    def sample_name(self, index: int) -> str:
        """Return what the data set calls a sample, or its index."""
        name = getattr(self.dataset, 'sample_name', None)
        return str(name(index)) if name is not None else f'sample {index}'
