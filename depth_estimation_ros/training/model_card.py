"""Pictures and numbers for the card of a model: `python -m ...training.model_card MODEL --help`.

Held-out rooms only: no training ever sees their seeds.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import io
from itertools import islice
import json
from pathlib import Path
import sys
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from depth_estimation_ros.atomic_file import atomic_write_bytes, atomic_write_text
from depth_estimation_ros.backends.base import BackendOptions
from depth_estimation_ros.depth_image import colorize
from depth_estimation_ros.errors import DataError, DepthEstimationError
from depth_estimation_ros.training.evaluate import EvaluationOptions, evaluate, predict_sample
from depth_estimation_ros.training.evaluation_data import open_evaluation_data
from depth_estimation_ros.training.evaluation_report import as_json, as_table
from depth_estimation_ros.training.open_predictor import open_predictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from depth_estimation_ros.training.eigen_test import EvaluationSample
    from depth_estimation_ros.training.evaluation_data import EvaluationData
    from depth_estimation_ros.training.predictors import DepthPredictor

MAX_PICTURE_BYTES: Final = 200_000
NUM_ROOMS: Final = 200
NUM_ROWS: Final = 5
NEAREST: Final = 0.3  # limits of the colours [m]
FARTHEST: Final = 8.0
GAP: Final = 6  # white between panels [px]
TITLE_HEIGHT: Final = 22
ERROR_RANGE: Final = 0.5  # relative error painted in full red or blue


@dataclass(frozen=True, kw_only=True)
class Row:
    """One room of the picture.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        truth: (H, W) float32 depth [m].
        prediction: (H, W) float32 depth [m].
    """

    image: NDArray[np.uint8]
    truth: NDArray[np.float32]
    prediction: NDArray[np.float32]


def main(argv: Sequence[str] | None = None) -> int:
    """Write metrics.json and predictions.png for a model.

    Returns:
        0, or 1 after an error.
    """
    args = _parse(argv)
    try:
        predictor, input_size = open_predictor(
            args.model, backend=args.backend, options=BackendOptions(device='cpu')
        )
        data = open_evaluation_data('rooms', args.cache, input_size=input_size)
        reports = _measure(args, predictor, data)
        rows = [_row(predictor, sample) for sample in islice(data.samples, NUM_ROWS)]
        predictor.close()
        atomic_write_text(args.output / 'metrics.json', json.dumps(reports, indent=2) + '\n')
        atomic_write_bytes(args.output / 'predictions.png', encode_sheet(rows))
    except DepthEstimationError as err:
        sys.stderr.write(f'model_card: error: {err}\n')
        return 1
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m depth_estimation_ros.training.model_card', description=__doc__
    )
    parser.add_argument('model', type=Path, help='model file or checkpoint')
    parser.add_argument(
        '--output', type=Path, required=True, metavar='DIR', help='metrics.json, predictions.png'
    )
    parser.add_argument('--backend', default='auto', help='what runs a model file')
    parser.add_argument('--num-rooms', type=int, default=NUM_ROOMS, metavar='N')
    parser.add_argument('--cache', type=Path, metavar='DIR', help='rooms rendered before')
    return parser.parse_args(argv)


def _measure(
    args: argparse.Namespace, predictor: DepthPredictor, data: EvaluationData
) -> dict[str, object]:
    """Measure as it is and with the scale given away, and print both."""
    reports: dict[str, object] = {}
    for name, scaled in (('metric', False), ('median_scaled', True)):
        count = min(args.num_rooms, len(data.samples))
        options = EvaluationOptions(median_scaling=scaled)
        with tqdm(islice(data.samples, count), total=count, desc=name, disable=None) as samples:
            result = evaluate(predictor, samples, options)
        report = as_json(
            result, model=args.model.name, data=data, options=options, predictor=predictor
        )
        sys.stdout.write(as_table(report, is_nyu_test=False) + '\n')
        reports[name] = report
    return reports


def _row(predictor: DepthPredictor, sample: EvaluationSample) -> Row:
    prediction = predict_sample(predictor, sample, flip=False)
    return Row(image=sample.image, truth=sample.depth, prediction=prediction)


def encode_sheet(rows: Sequence[Row]) -> bytes:
    """Draw image, true depth, predicted depth and error side by side, a room a row.

    Args:
        rows: Rooms, all of one size.

    Returns:
        A PNG of at most MAX_PICTURE_BYTES; it is shrunk until it is.

    Raises:
        DataError: There are no rows.
    """
    if not rows:
        raise DataError('no room to draw')
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
    panels = [
        [
            np.ascontiguousarray(row.image[..., ::-1]),
            colorize(row.truth, min_depth=NEAREST, max_depth=FARTHEST),
            colorize(row.prediction, min_depth=NEAREST, max_depth=FARTHEST),
            paint_error(row.prediction, row.truth),
        ]
        for row in rows
    ]
    height, width = panels[0][0].shape[:2]
    titles = (
        'image',
        f'true depth, {NEAREST:g} to {FARTHEST:g} m',
        'predicted depth',
        f'error: blue -{100 * ERROR_RANGE:.0f} %, red +{100 * ERROR_RANGE:.0f} %',
    )
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
            sheet[top : top + height, left : left + width] = row_panels[column]
    return sheet


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


if __name__ == '__main__':
    sys.exit(main())
