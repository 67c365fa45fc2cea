"""Which image of a folder belongs to which depth image."""

from __future__ import annotations

import logging
from pathlib import Path, PurePosixPath
import re
from typing import TYPE_CHECKING, Final
import unicodedata

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.files.image import IMAGE_SUFFIXES
from depth_estimation_ros.files.reading import printable, reading
from depth_estimation_ros.training.data.archive import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable

_logger = logging.getLogger(__name__)

ASSOCIATIONS_NAME: Final = 'associations.txt'
_DEPTH_WORDS: Final = frozenset({'depth', 'depths'})
_COLOUR_WORDS: Final = frozenset({'rgb', 'color', 'colour', 'colors', 'colours'})
_IMAGE_WORDS: Final = frozenset({'image', 'images', 'img', 'imgs'})  # of depth too, in many names
_OTHER_WORDS: Final = frozenset({'aligned', 'raw', 'registered', 'rect', 'to'})
_KIND_WORDS: Final = _DEPTH_WORDS | _COLOUR_WORDS
_WORDS: Final = _KIND_WORDS | _IMAGE_WORDS | _OTHER_WORDS
# Letters of any alphabet, numbers, and every sign that does not just separate them.
_TOKEN: Final = re.compile(r'[^\W\d_]+|\d+|[^\w\s.\-]')

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
        _logger.warning('%s: %d files without a partner are left out', folder, num_skipped)
    return pairs, num_skipped


def _read_associations(path: Path) -> tuple[list[Pair], int]:
    """Read lines `stamp image stamp depth`, or without the stamps, depth second or first."""
    pairs = []
    num_missing = 0
    with reading(path, 'list of pairs'):
        text = path.read_text(encoding='utf-8', errors='surrogateescape')
    for number, line in enumerate(text.splitlines(), start=1):
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
    images: dict[tuple[tuple[str, ...], ...], list[Path]] = {}
    depths: dict[tuple[tuple[str, ...], ...], list[Path]] = {}
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
    """Return whether a file is depth, by its path.

    A folder whose name says nothing else (depth, rgb_raw) decides, the nearest first; then the
    file's own name, then folders that say more (room1_depth). The words image and img decide
    nothing: rgb/image_1.png goes with depth/image_1.png.
    """
    *folders, file = (_words(part) for part in PurePosixPath(name).with_suffix('').parts)
    folders.reverse()
    plain = [words for words in folders if set(words) <= _WORDS]
    for words in (*plain, file, *folders):
        if _DEPTH_WORDS & set(words):
            return True
        if _COLOUR_WORDS & set(words):
            return False
    return False


def _key(name: str) -> tuple[tuple[str, ...], ...]:
    """Return what the two files of a pair have in common: folder by folder, then the name.

    Left out are words such as rgb and depth, and such as aligned beside them or in a file's name.
    """
    *folders, file = (_words(part) for part in PurePosixPath(name).with_suffix('').parts)
    kept = []
    for words in folders:
        removed = _WORDS if set(words) & (_KIND_WORDS | _IMAGE_WORDS) else frozenset()
        kept.append(tuple(word for word in words if word not in removed))
    kept.append(tuple(word for word in file if word not in _WORDS))
    return tuple(words for words in kept if words)


def _words(part: str) -> list[str]:
    """Return the words, numbers and signs of a name in lower case."""
    return _TOKEN.findall(unicodedata.normalize('NFC', part).casefold())


def _natural(key: tuple[tuple[str, ...], ...]) -> list[tuple[int, int, str]]:
    """Order 9 before 10."""
    words = (word for part in key for word in part)
    return [(0, int(word), '') if word.isdecimal() else (1, 0, word) for word in words]


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
            f'{", ".join(map(printable, sorted(paths)))}: which of them belongs to the pair? '
            f'List the pairs in {ASSOCIATIONS_NAME}'
        )
    return paths[0]
