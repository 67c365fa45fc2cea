"""Several data sets as one of torch's, each drawn from as often as its weight says."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Dataset

from depth_estimation_ros.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from depth_estimation_ros.training.data.rgbd_sample import RgbdDataset


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """One data set of a mixture.

    Attributes:
        name: What it is called in logs and reports.
        dataset: Its items.
        weight: How often it is drawn from, in relation to the others; above 0.
    """

    name: str
    dataset: Dataset[Any] | RgbdDataset
    weight: float = 1.0


class Mixture(Dataset[dict[str, Any]]):
    """The items of all data sets one after another, as tensors; each also says its `index`.

    Attributes:
        sources: The data sets.
        sizes: Number of items of each.
        weights: Share of the draws of each, 1 together.
    """

    def __init__(self, sources: Sequence[DataSource]) -> None:
        """Join data sets.

        Raises:
            DataError: One is empty, or has a weight that is not above 0.
        """
        for source in sources:
            if not 0 < source.weight < float('inf'):
                raise DataError(
                    f'data weight {source.weight:g} of {source.name} must be above 0: '
                    'leave the data set out instead'
                )
            if not len(source.dataset):  # type: ignore[arg-type]
                raise DataError('the training data is empty')
        total = sum(source.weight for source in sources)
        self.sources = tuple(sources)
        self.sizes = tuple(len(source.dataset) for source in sources)  # type: ignore[arg-type]
        self.weights = tuple(source.weight / total for source in sources)
        self._ends = list(accumulate(self.sizes))

    @classmethod
    def of(cls, dataset: Dataset[Any] | RgbdDataset) -> Mixture:
        """Return a data set as a mixture of one, or itself if it is a mixture."""
        if isinstance(dataset, Mixture):
            return dataset
        return cls([DataSource(name='data', dataset=dataset)])

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> dict[str, Any]:
        number, local = self._place(index)
        item = {'depth_step': torch.zeros(()), **self.sources[number].dataset[local]}
        return {**{name: torch.as_tensor(value) for name, value in item.items()}, 'index': index}

    def sample_name(self, index: int) -> str:
        """Return what the data set calls a sample, or its index."""
        number, local = self._place(index)
        source = self.sources[number]
        name = getattr(source.dataset, 'sample_name', None)
        own = str(name(local)) if name is not None else f'sample {local}'
        return own if len(self.sources) == 1 else f'{source.name}: {own}'

    def _place(self, index: int) -> tuple[int, int]:
        """Return the data set that an item is in, and which one of it it is."""
        if not 0 <= index < len(self):
            raise IndexError(f'item {index} of {len(self)}')
        number = bisect.bisect_right(self._ends, index)
        return number, index - (self._ends[number] - self.sizes[number])
