"""Pictures and numbers for the card of a model: `python -m ...reports.model_card MODEL --help`.

Held-out rooms only: no training ever sees their seeds.
"""

from __future__ import annotations

import argparse
from itertools import islice
import json
from pathlib import Path
import sys
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

from depth_estimation_ros.backends.base import BackendOptions
from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.files.atomic import atomic_write_bytes, atomic_write_text
from depth_estimation_ros.files.image import read_frames
from depth_estimation_ros.training.evaluation.data import open_evaluation_data
from depth_estimation_ros.training.evaluation.evaluate import (
    EvaluationOptions,
    evaluate,
    predict_sample,
)
from depth_estimation_ros.training.evaluation.open_predictor import open_predictor
from depth_estimation_ros.training.evaluation.report import as_json, as_table
from depth_estimation_ros.training.reports.prediction_sheet import Row, encode_sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from depth_estimation_ros.training.data.rgbd_sample import RgbdSample
    from depth_estimation_ros.training.evaluation.data import EvaluationData
    from depth_estimation_ros.training.evaluation.predictors import DepthPredictor

VARIANTS: Final = {
    'metric': EvaluationOptions(),
    'flip_averaged': EvaluationOptions(flip=True),
    'median_scaled': EvaluationOptions(median_scaling=True),
}
NUM_ROOMS: Final = 200
NUM_ROWS: Final = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Write metrics.json, predictions.png and photos.png for a model.

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
        photos = [_photo_row(predictor, path) for path in args.photo]
        predictor.close()
        atomic_write_text(args.output / 'metrics.json', json.dumps(reports, indent=2) + '\n')
        atomic_write_bytes(args.output / 'predictions.png', encode_sheet(rows))
        if photos:
            atomic_write_bytes(args.output / 'photos.png', encode_sheet(photos))
    except DepthEstimationError as err:
        sys.stderr.write(f'model_card: error: {err}\n')
        return 1
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m depth_estimation_ros.training.reports.model_card', description=__doc__
    )
    parser.add_argument('model', type=Path, help='model file or checkpoint')
    parser.add_argument(
        '--output', type=Path, required=True, metavar='DIR', help='metrics.json, predictions.png'
    )
    parser.add_argument('--backend', default='auto', help='what runs a model file')
    parser.add_argument('--num-rooms', type=int, default=NUM_ROOMS, metavar='N')
    parser.add_argument('--cache', type=Path, metavar='DIR', help='rooms rendered before')
    parser.add_argument(
        '--photo', type=Path, action='append', default=[], metavar='FILE', help='into photos.png'
    )
    return parser.parse_args(argv)


def _measure(
    args: argparse.Namespace, predictor: DepthPredictor, data: EvaluationData
) -> dict[str, object]:
    """Measure as it is, averaged with mirrored images, and with the scale given away."""
    reports: dict[str, object] = {}
    count = min(args.num_rooms, len(data.samples))
    for name, options in VARIANTS.items():
        with tqdm(islice(data.samples, count), total=count, desc=name, disable=None) as samples:
            result = evaluate(predictor, samples, options)
        report = as_json(
            result, model=args.model.name, data=data, options=options, predictor=predictor
        )
        sys.stdout.write(as_table(report, is_nyu_test=False) + '\n')
        reports[name] = report
    return reports


def _row(predictor: DepthPredictor, sample: RgbdSample) -> Row:
    prediction = predict_sample(predictor, sample, flip=False)
    return Row(image=sample.image, truth=sample.depth, prediction=prediction)


def _photo_row(predictor: DepthPredictor, path: Path) -> Row:
    """Predict a photograph, taken for one of the lens that the model was trained for."""
    image = next(iter(read_frames(path))).rgb_hwc
    return Row(image=image, prediction=predictor.predict([image], None)[0])


if __name__ == '__main__':
    sys.exit(main())
