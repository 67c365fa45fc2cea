"""The data sets that evaluation knows, each as samples with the protocol it is measured by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.datasets import open_dataset
from depth_estimation_ros.training.data.nyu.eigen_test import Crop, EigenTest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from depth_estimation_ros.training.data.rgbd_sample import RgbdDataset, RgbdSample

NYU_EIGEN: Final = 'nyu-eigen'
# The part of a 480x640 NYU image that Eigen et al. measure, both ends included.
EIGEN_CROP: Final = Crop(top=20, bottom=459, left=24, right=615)


class Samples(Protocol):
    """Images with truth; can be read again."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[RgbdSample]: ...

    def sample_name(self, index: int) -> str:
        """Return what the sample at this place is called."""


@dataclass(frozen=True, kw_only=True)
class EvaluationData:
    """A data set and how it is measured.

    Attributes:
        name: For the report.
        samples: Images with truth.
        crop: Part of the images that counts, None = all.
        is_nyu_test: The published rows are of these 654 images.
    """

    name: str
    samples: Samples
    crop: Crop | None = None
    is_nyu_test: bool = False


def open_evaluation_data(
    kind: str,
    path: Path | None,
    *,
    input_size: tuple[int, int],
    split: str = 'test',
    eigen_crop: bool = False,
    **options: Any,
) -> EvaluationData:
    """Open the part of a data set that is measured on.

    Args:
        kind: 'nyu-eigen' (DenseDepth's nyu_test.zip), or a kind of `open_dataset`.
        path: Its file or folder; None for rooms.
        input_size: (height, width) of the network's input, at which rooms are rendered [px].
            Other data is measured at the size it was recorded at.
        split: 'test', or 'validation', which may have chosen the checkpoint.
        eigen_crop: Measure as on the NYU test images: only what lies in Eigen's crop of 480x640.
        options: See `open_dataset`.

    Raises:
        DataError: No such data set, or its file cannot be used.
    """
    if kind == NYU_EIGEN:
        if path is None:
            raise DataError(f'--data {kind}: give its path too, nyu_test.zip or its folder')
        eigen = EigenTest(path)
        return EvaluationData(name=kind, samples=eigen, crop=eigen.crop, is_nyu_test=True)
    is_nyu = kind.startswith('nyu-')
    size = input_size if kind == 'rooms' else None
    dataset = open_dataset(kind, path, split=split, size=size, **options)
    return EvaluationData(
        name=kind if split == 'test' else f'{kind} {split}',
        samples=_DatasetSamples(dataset),
        crop=EIGEN_CROP if eigen_crop or (is_nyu and _has_eigens_size(dataset)) else None,
        is_nyu_test=is_nyu and split == 'test',
    )


def _has_eigens_size(dataset: RgbdDataset) -> bool:
    """Tell whether images are of the size that Eigen's crop is for, as those of NYU are."""
    return dataset.read(0).depth.shape == (480, 640)


class _DatasetSamples:
    """The samples of a data set, in its order."""

    def __init__(self, dataset: RgbdDataset) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    def __iter__(self) -> Iterator[RgbdSample]:
        return map(self._dataset.read, range(len(self)))

    def sample_name(self, index: int) -> str:
        return self._dataset.sample_name(index)
