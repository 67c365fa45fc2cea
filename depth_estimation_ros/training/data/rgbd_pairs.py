"""Which image of a folder belongs to which depth image."""

from __future__ import annotations

import logging
from pathlib import Path, PurePosixPath
import re
from typing import TYPE_CHECKING, Final

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.archive import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOGGER = logging.getLogger(__name__)

ASSOCIATIONS_NAME: Final = 'associations.txt'
IMAGE_SUFFIXES: Final = frozenset({'.bmp', '.jpeg', '.jpg', '.png', '.ppm', '.webp'})
_DEPTH_WORDS: Final = frozenset({'depth', 'depths'})
_COLOUR_WORDS: Final = frozenset({'rgb', 'color', 'colour', 'colors', 'image', 'images', 'img'})
_OTHER_WORDS: Final = frozenset({'aligned', 'raw', 'registered', 'rect', 'to'})
_WORDS: Final = _DEPTH_WORDS | _COLOUR_WORDS | _OTHER_WORDS

Pair = tuple[Path, Path]


def find_pairs(folder: Path) -> tuple[list[Pair], int]:
    """Return (image, depth) paths in order of their names, and how many files have no partner.

    Raises:
        DataError: There is no pair, two files claim one partner, or associations.txt is wrong.
    """
    listed = folder / ASSOCIATIONS_NAME
    if listed.is_file():
        pairs, num_skipped = _read_associations(listed)
    else:
        pairs, num_skipped = _pairs_by_name(folder)
    if not pairs:
        raise DataError(
            f'{folder}: no pairs of image and depth. Put images in rgb/ and depth PNGs of the '
            f'same names in depth/, call them x_rgb.png and x_depth.png, or list them in '
            f'{ASSOCIATIONS_NAME}'
        )
    if num_skipped:
        _LOGGER.warning('%s: %d files without a partner are left out', folder, num_skipped)
    return pairs, num_skipped


def _read_associations(path: Path) -> tuple[list[Pair], int]:
    """Read lines `stamp image stamp depth`, or without the stamps, depth second or first."""
    pairs = []
    num_missing = 0
    for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), start=1):
        words = line.split('#')[0].split()
        if not words:
            continue
        names = words[1::2] if len(words) == 4 else words
        if len(names) != 2 or not all(is_inside(name) for name in names):
            raise DataError(
                f'{path}: line {number} is {line!r}, expected `stamp image stamp depth`, with '
                'paths inside the folder'
            )
        names.sort(key=_is_depth)
        image, depth = (path.parent / name for name in names)
        if image.is_file() and depth.is_file():
            pairs.append((image, depth))
        else:
            num_missing += 1
    return pairs, num_missing


def _pairs_by_name(folder: Path) -> tuple[list[Pair], int]:
    """Pair files whose paths are equal but for words such as rgb and depth."""
    images: dict[tuple[str, ...], list[Path]] = {}
    depths: dict[tuple[str, ...], list[Path]] = {}
    for path in folder.rglob('*'):
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith('.'):
            continue
        name = path.relative_to(folder).as_posix()
        if not _is_depth(name):
            images.setdefault(_key(name), []).append(path)
        elif path.suffix.lower() == '.png':  # others are pictures of the depth, for people
            depths.setdefault(_key(name), []).append(path)
    if not depths:  # x.jpg with x.png
        depths = {key: _only_pngs(paths) for key, paths in images.items() if _mixed(paths)}
        images = {
            key: list(set(paths) - set(depths.get(key, ()))) for key, paths in images.items()
        }
    shared = sorted(images.keys() & depths.keys(), key=_natural)
    pairs = [(_one(images[key]), _one(depths[key])) for key in shared]
    return pairs, len(images.keys() ^ depths.keys())


def _is_depth(name: str) -> bool:
    """Return whether a file is depth, by the last part of its path that says anything."""
    for part in reversed(PurePosixPath(name).with_suffix('').parts):
        words = set(_words(part))
        if words & _DEPTH_WORDS:
            return True
        if words & _COLOUR_WORDS:
            return False
    return False


def _key(name: str) -> tuple[str, ...]:
    """Return what the two files of a pair have in common."""
    path = PurePosixPath(name).with_suffix('')
    return tuple(word for part in path.parts for word in _words(part) if word not in _WORDS)


def _words(part: str) -> list[str]:
    """Return the words and numbers of a name in lower case."""
    return re.findall(r'[a-z]+|\d+', part.lower())


def _natural(key: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """Order 9 before 10."""
    parts = (part for word in key for part in re.findall(r'\d+|\D+', word))
    return [(0, int(part), '') if part.isdigit() else (1, 0, part) for part in parts]


def _only_pngs(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.suffix.lower() == '.png']


def _mixed(paths: list[Path]) -> bool:
    """Return whether there is one PNG and one other file."""
    return len(paths) == 2 and len(_only_pngs(paths)) == 1


def _one(paths: list[Path]) -> Path:
    """Return the only path.

    Raises:
        DataError: There are several, which nobody can tell apart.
    """
    if len(paths) > 1:
        raise DataError(
            f'{", ".join(map(str, sorted(paths)))}: which of them belongs to the pair? '
            f'List the pairs in {ASSOCIATIONS_NAME}'
        )
    return paths[0]
