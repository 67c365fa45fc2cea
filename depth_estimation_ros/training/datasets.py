"""Data sets by name: one function that opens any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from depth_estimation_ros.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from torch.utils.data import Dataset

HELD_OUT_ROOM = 1_000_000_000
NUM_HELD_OUT_ROOMS = 200


def open_dataset(
    kind: str,
    path: Path | None,
    *,
    split: str,
    size: tuple[int, int],
    num_rooms: int = 30000,
) -> Dataset[Any]:
    """Open a data set.

    Args:
        kind: 'rooms'.
        path: Its file or folder; for rooms the cache, None = render each time.
        split: 'train', 'validation' or 'test'.
        size: (height, width) of the images [px].
        num_rooms: Rooms to train on.

    Raises:
        DataError: No such data set.
    """
    if kind != 'rooms':
        raise DataError(f'unknown data {kind!r}: use rooms')
    from depth_estimation_ros.training.synthetic_rooms import SyntheticRooms

    seeds = {
        'train': (0, num_rooms),
        'validation': (HELD_OUT_ROOM + NUM_HELD_OUT_ROOMS, NUM_HELD_OUT_ROOMS),
        'test': (HELD_OUT_ROOM, NUM_HELD_OUT_ROOMS),
    }
    first, count = seeds[split]
    return SyntheticRooms(count, first_seed=first, size=size, cache_dir=path)
