"""Which image of a bag goes with which depth: by stamp, or by time of recording without stamps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Nothing is stamped after it was recorded, but for clocks of two machines.
_MAX_LEAD_NS: Final = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class PairedMessages:
    """Messages of two topics in the order of their time.

    Attributes:
        images: (N, 3) time, stamp and time of recording [ns].
        depths: (M, 3) the same.
        pairs: (P, 2) indices of image and depth.
        notice: what is odd about the stamps and what was done about it, empty if nothing is.
    """

    images: NDArray[np.int64]
    depths: NDArray[np.int64]
    pairs: NDArray[np.int64]
    notice: str


def pair_messages(
    images: NDArray[np.int64], depths: NDArray[np.int64], max_difference: int
) -> PairedMessages:
    """Pair by the stamps; by time of recording where stamps are 0, or of another clock.

    Args:
        images: (N, 2) stamp and time of recording of each image [ns].
        depths: (M, 2) the same of each depth.
        max_difference: Largest difference in a pair [ns].
    """
    by_stamp = _paired(images, depths, max_difference, column=0)
    both = np.concatenate([images, depths])
    num_zero = int(np.count_nonzero(both[:, 0] == 0))
    lead = int((both[:, 0] - both[:, 1]).max(initial=0))
    if num_zero:
        what = f'{num_zero} of {len(both)} messages have stamp 0'
    elif lead > _MAX_LEAD_NS:
        what = f'stamps are up to {lead / 1e9:.0f} s later than the recording'
    else:
        return by_stamp
    by_recording = _paired(images, depths, max_difference, column=1)
    if num_zero or len(by_recording.pairs) > len(by_stamp.pairs):
        return _with_notice(by_recording, f'{what}: images and depth are paired by recording time')
    return _with_notice(by_stamp, f'{what}: the clocks differ; images and depth agree')


def _paired(
    images: NDArray[np.int64], depths: NDArray[np.int64], max_difference: int, *, column: int
) -> PairedMessages:
    timed = [
        np.array(sorted([row[column], *row] for row in part.tolist()), np.int64).reshape(-1, 3)
        for part in (images, depths)
    ]
    pairs = pair_stamps(timed[0][:, 0], timed[1][:, 0], max_difference)
    return PairedMessages(images=timed[0], depths=timed[1], pairs=pairs, notice='')


def _with_notice(paired: PairedMessages, notice: str) -> PairedMessages:
    return PairedMessages(
        images=paired.images, depths=paired.depths, pairs=paired.pairs, notice=notice
    )


def pair_stamps(
    images: NDArray[np.int64], depths: NDArray[np.int64], max_difference: int
) -> NDArray[np.int64]:
    """Pair each image with the depth nearest in time; each depth serves once.

    Args:
        images: (N,) stamps in ascending order [ns].
        depths: (M,) stamps in ascending order [ns].
        max_difference: Largest difference in a pair [ns].

    Returns:
        (P, 2) indices of image and depth.
    """
    pairs: list[tuple[int, int]] = []
    if not len(depths):
        return np.zeros((0, 2), np.int64)
    after = np.searchsorted(depths, images).clip(0, len(depths) - 1)
    before = (after - 1).clip(0)
    nearer_before = np.abs(depths[before] - images) <= np.abs(depths[after] - images)
    nearest = np.where(nearer_before, before, after)
    difference = np.abs(depths[nearest] - images)
    for image in np.flatnonzero(difference <= max_difference).tolist():
        depth = int(nearest[image])
        if pairs and pairs[-1][1] == depth:
            if difference[image] >= difference[pairs[-1][0]]:
                continue
            pairs.pop()
        pairs.append((image, depth))
    return np.array(pairs, np.int64).reshape(-1, 2)
