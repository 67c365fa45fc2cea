"""Pictures of predictions beside the images, and the truth where it is known."""

from __future__ import annotations

from dataclasses import dataclass
import io
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PIL import Image

from depth_estimation_ros.depth.depth_image import colorize
from depth_estimation_ros.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_PICTURE_BYTES: Final = 200_000
NEAREST: Final = 0.3  # limits of the colours [m]
FARTHEST: Final = 8.0
GAP: Final = 6  # white between panels [px]
TITLE_HEIGHT: Final = 22
ERROR_RANGE: Final = 0.5  # relative error painted in full red or blue


@dataclass(frozen=True, kw_only=True)
class Row:
    """One image of the picture.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        prediction: (H, W) float32 depth [m], NaN where there is none.
        truth: (H, W) float32 depth [m], None for a photograph.
    """

    image: NDArray[np.uint8]
    prediction: NDArray[np.float32]
    truth: NDArray[np.float32] | None = None


def encode_sheet(rows: Sequence[Row]) -> bytes:
    """Draw image, predicted depth and, if all rows have it, truth and error, a row each.

    Args:
        rows: Images; they are drawn at the height of the first.

    Returns:
        A PNG of at most MAX_PICTURE_BYTES; it is shrunk until it is.

    Raises:
        DataError: There are no rows.
    """
    if not rows:
        raise DataError('no image to draw')
    picture = Image.fromarray(np.ascontiguousarray(draw_sheet(rows)[..., ::-1]))
    scale = 1.0
    while True:
        # A palette of 256 colours takes a third of the bytes, so that more pixels fit.
        size = (int(picture.width * scale), int(picture.height * scale))
        small = picture.resize(size, Image.Resampling.LANCZOS) if scale < 1.0 else picture
        buffer = io.BytesIO()
        small.quantize(256, dither=Image.Dither.NONE).save(buffer, 'PNG', optimize=True)
        if buffer.tell() <= MAX_PICTURE_BYTES:
            return buffer.getvalue()
        scale *= 0.93


def draw_sheet(rows: Sequence[Row]) -> NDArray[np.uint8]:
    """Return the picture of `encode_sheet` at full size, (H, W, 3) uint8 BGR."""
    height = rows[0].image.shape[0]
    titles = ['image', f'predicted depth, {NEAREST:g} to {FARTHEST:g} m']
    if all(row.truth is not None for row in rows):
        percent = 100 * ERROR_RANGE
        titles += ['true depth', f'error: blue -{percent:.0f} %, red +{percent:.0f} %']
    panels = [_panels(row, height)[: len(titles)] for row in rows]
    width = max(panel.shape[1] for row_panels in panels for panel in row_panels)
    sheet = np.full(
        (TITLE_HEIGHT + len(rows) * (height + GAP), len(titles) * (width + GAP) - GAP, 3),
        255,
        dtype=np.uint8,
    )
    for column, title in enumerate(titles):
        left = column * (width + GAP)
        cv2.putText(
            sheet, title, (left + 2, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA
        )
        for index, row_panels in enumerate(panels):
            top = TITLE_HEIGHT + index * (height + GAP)
            panel = row_panels[column]
            sheet[top : top + height, left : left + panel.shape[1]] = panel
    return sheet


def _panels(row: Row, height: int) -> list[NDArray[np.uint8]]:
    """Return image, prediction, truth and error, (height, W, 3) uint8 BGR each."""
    panels = [
        np.ascontiguousarray(row.image[..., ::-1]),
        colorize(row.prediction, min_depth=NEAREST, max_depth=FARTHEST),
    ]
    if row.truth is not None:
        panels.append(colorize(row.truth, min_depth=NEAREST, max_depth=FARTHEST))
        panels.append(paint_error(row.prediction, row.truth))
    width = round(row.image.shape[1] * height / row.image.shape[0])
    return [
        cv2.resize(panel, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
        for panel in panels
    ]


def paint_error(prediction: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 BGR: white is right, red too far, blue too near, black unknown."""
    known = np.isfinite(truth) & (truth > 0.0) & np.isfinite(prediction)
    error = np.zeros(truth.shape, dtype=np.float32)
    np.divide(prediction - truth, truth, out=error, where=known)
    strength = np.clip(error / ERROR_RANGE, -1.0, 1.0)[..., None]
    white = np.full(3, 255.0)
    ends = np.where(strength > 0.0, np.array([40.0, 30.0, 200.0]), np.array([200.0, 80.0, 20.0]))
    painted = white + (ends - white) * np.abs(strength)
    picture: NDArray[np.uint8] = np.where(known[..., None], painted, 0.0).astype(np.uint8)
    return picture
