"""Which samples are trained on and which choose the best checkpoint.

Frames of one scene look alike: a scene is on one side only, whole. The choice follows from the
names alone, so it is the same in every run and on every machine.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from depth_estimation_ros.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

SPLITS: Final = ('train', 'validation', 'test')


def check_split(split: str) -> str:
    """Return the split's name; 'val' is short for 'validation'.

    Raises:
        DataError: There is no such split.
    """
    split = 'validation' if split == 'val' else split
    if split not in SPLITS:
        raise DataError(f'unknown split {split!r}: use one of {", ".join(SPLITS)}')
    return split


def scene_split(scenes: Sequence[str], split: str, *, validation_fraction: float) -> list[int]:
    """Return the samples of the training or the validation part of a training set.

    Args:
        scenes: The scene of every sample.
        split: 'train' or 'validation'.
        validation_fraction: Share of the samples, at least, that validation gets.

    Raises:
        DataError: The share is not in (0, 1), or there are not two scenes to tell apart.
    """
    _check_fraction(validation_fraction)
    counts: dict[str, int] = {}
    for scene in scenes:
        counts[scene] = counts.get(scene, 0) + 1
    if len(counts) < 2:
        if split == 'train':
            return list(range(len(scenes)))
        raise DataError(
            f'a validation split needs samples of two scenes or more, here are {len(counts)}'
        )
    order = sorted(counts, key=lambda scene: hashlib.sha256(scene.encode()).digest())
    held_out: set[str] = set()
    num_held_out = 0
    for scene in order[:-1]:
        held_out.add(scene)
        num_held_out += counts[scene]
        if num_held_out >= validation_fraction * len(scenes):
            break
    wanted = split == 'validation'
    return [index for index, scene in enumerate(scenes) if (scene in held_out) == wanted]


def number_runs(names: Sequence[str]) -> list[str]:
    """Return the run of consecutive numbers that each name ends in, by its first name.

    Where numbers are missing between two files the scene has changed, as in a part of a data set
    that was split by scenes.

    Raises:
        DataError: A name does not end in a number.
    """
    runs: list[str] = []
    last: int | None = None
    for name in names:
        digits = re.search(r'(\d+)$', name)
        if digits is None:
            raise DataError(f'{name!r} does not end in a number: leave split_runs out')
        number = int(digits[1])
        runs.append(runs[-1] if last is not None and number == last + 1 else name)
        last = number
    return runs


def block_split(num_samples: int, split: str, *, validation_fraction: float) -> range:
    """Return a part of one recording: the end is for validation, all of it for 'test'.

    Raises:
        DataError: The share is not in (0, 1), or there are not two samples.
    """
    _check_fraction(validation_fraction)
    if split == 'test':
        return range(num_samples)
    if num_samples < 2:
        raise DataError(f'{num_samples} sample(s) cannot be split into training and validation')
    num_validation = min(num_samples - 1, max(1, round(validation_fraction * num_samples)))
    first = num_samples - num_validation
    return range(first, num_samples) if split == 'validation' else range(first)


def _check_fraction(validation_fraction: float) -> None:
    if not 0 < validation_fraction < 1:
        raise DataError(f'validation_fraction {validation_fraction} must be between 0 and 1')
