"""What others measured on the 654 NYU images, to print beside one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """One row of a published table.

    Attributes:
        name: What was measured, by whom.
        source: Where it stands.
        metrics: Metric -> value; what was not published is absent.
        median_scaling: True where predictions were scaled to the truth's median first.
    """

    name: str
    source: str
    metrics: dict[str, float]
    median_scaling: bool = False


def _row(
    name: str, source: str, values: tuple[float, ...], *, median_scaling: bool = False
) -> PublishedRow:
    keys = ('a1', 'a2', 'a3', 'abs_rel', 'rmse', 'log10')
    metrics = dict(zip(keys, values, strict=True))
    return PublishedRow(name=name, source=source, metrics=metrics, median_scaling=median_scaling)


NYU_EIGEN: Final = (
    _row(
        'paper, DenseNet-169',
        'arXiv 1812.11941, as quoted in ialhashim/DenseDepth#75',
        (0.846, 0.974, 0.994, 0.123, 0.465, 0.053),
    ),
    _row(
        'paper, DenseNet-169, scaled',
        'arXiv 1812.11941, table 1 (from memory, not verified)',
        (0.895, 0.980, 0.996, 0.103, 0.390, 0.043),
        median_scaling=True,
    ),
    _row(
        'released nyu.h5, 2019',
        "ialhashim/DenseDepth#75, the repository's code with TensorFlow 1.14",
        (0.8471, 0.9731, 0.9937, 0.1274, 0.5485, 0.0535),
    ),
    _row(
        'released nyu.h5, 2021',
        'ialhashim/DenseDepth#189, run by a user',
        (0.8166, 0.9665, 0.9926, 0.1479, 0.5916, 0.0602),
    ),
)
