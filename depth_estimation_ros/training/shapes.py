"""Sizes of other aspects with as many pixels: what `network_size` auto may choose in use."""

from __future__ import annotations

from typing import Final

ASPECTS: Final = (16 / 9, 1.0, 3 / 4, 9 / 16)  # width / height; 4:3 is what data sets have
SIZE_MULTIPLE: Final = 32


def shapes_of_budget(height: int, width: int) -> list[tuple[int, int]]:
    """Return the (height, width) of other aspects nearest in pixels, multiples of 32 [px]."""
    shapes = []
    for aspect in ASPECTS:
        rows = round((height * width / aspect) ** 0.5 / SIZE_MULTIPLE) * SIZE_MULTIPLE
        columns = round((height * width * aspect) ** 0.5 / SIZE_MULTIPLE) * SIZE_MULTIPLE
        shapes.append((max(SIZE_MULTIPLE, rows), max(SIZE_MULTIPLE, columns)))
    return shapes
