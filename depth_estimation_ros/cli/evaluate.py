"""depth-estimation evaluate: how good a checkpoint or a model file is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.cli.options.arguments import (
    BACKEND_CHOICES,
    add_data_option,
    add_network_size,
    positive_float,
    positive_int,
)
from depth_estimation_ros.cli.options.backend import add_option, option_values

if TYPE_CHECKING:
    from depth_estimation_ros.training.evaluation.data import EvaluationData
    from depth_estimation_ros.training.evaluation.evaluate import EvaluationOptions
    from depth_estimation_ros.training.evaluation.predictors import DepthPredictor

__all__ = ['HELP', 'add_arguments', 'run']

_OPTIONS = ('device', 'num_threads')
HELP = 'measure a checkpoint or a model file on a test set'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        'model', type=Path, metavar='MODEL', help='model file (.onnx) or checkpoint'
    )
    parser.add_argument(
        '--data',
        nargs='+',
        required=True,
        metavar=('KIND', 'PATH'),
        help='nyu-eigen nyu_test.zip (or its folder), nyu-labeled, nyu-densedepth, rgbd-folder '
        '..., each with its path; or rooms: synthetic ones that no training has seen',
    )
    add_data_option(parser)
    parser.add_argument(
        '--split',
        choices=('test', 'validation'),
        default='test',
        help='validation: what train keeps back to choose the checkpoint by (%(default)s)',
    )
    parser.add_argument(
        '--eigen-crop',
        action='store_true',
        help='measure what lies in the Eigen crop of 480x640 images, as the nyu- kinds do',
    )
    parser.add_argument('--output', type=Path, metavar='JSON', help='also write the result there')
    parser.add_argument(
        '--convention',
        choices=('per-image', 'pooled', 'densedepth-head'),
        default='per-image',
        help="metrics of images, averaged; of all pixels; or as DenseDepth's later code has it: "
        'of all pixels, relative to the prediction (%(default)s)',
    )
    parser.add_argument(
        '--flip',
        action=argparse.BooleanOptionalAction,
        help='average with the mirrored prediction of the mirrored image (for NYU, as published)',
    )
    parser.add_argument(
        '--median-scaling',
        action=argparse.BooleanOptionalAction,
        default=False,
        help='scale each prediction to the median of the truth first',
    )
    parser.add_argument(
        '--max-truth', type=positive_float, metavar='M', help='leave out truth beyond this'
    )
    parser.add_argument(
        '--num-images', type=positive_int, metavar='N', help='only the first N images'
    )
    _add_runtime_arguments(parser)


def _add_runtime_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--backend',
        choices=(*BACKEND_CHOICES, 'torch'),
        default='auto',
        help='what runs it; a checkpoint runs in torch (%(default)s)',
    )
    for name in _OPTIONS:
        add_option(parser, name)
    add_network_size(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate and print.

    Raises:
        DepthEstimationError: The model or the data cannot be used.
    """
    if len(args.data) > 2:
        args.usage_error(f'--data takes a kind and a path, not {" ".join(args.data)}')
    import json

    from depth_estimation_ros.backends.base import BackendOptions
    from depth_estimation_ros.files.atomic import atomic_write_text
    from depth_estimation_ros.model_file.network_size import parse_network_size
    from depth_estimation_ros.training.evaluation.data import open_evaluation_data
    from depth_estimation_ros.training.evaluation.open_predictor import open_predictor
    from depth_estimation_ros.training.evaluation.report import as_table

    predictor, input_size = open_predictor(
        args.model,
        backend=args.backend,
        options=BackendOptions(**option_values(args, *_OPTIONS)),
        network_size=parse_network_size(args.network_size),
    )
    try:
        kind, path = args.data[0], Path(args.data[1]) if len(args.data) == 2 else None
        data = open_evaluation_data(
            kind,
            path,
            input_size=input_size,
            split=args.split,
            eigen_crop=args.eigen_crop,
            **dict(args.data_option),
        )
        report = _evaluate(args, predictor, data)
    finally:
        predictor.close()
    print(as_table(report, is_nyu_test=data.is_nyu_test))
    if args.output is not None:
        atomic_write_text(args.output, json.dumps(report, indent=2) + '\n')
    return 0


def _evaluate(
    args: argparse.Namespace, predictor: DepthPredictor, data: EvaluationData
) -> dict[str, object]:
    """Measure, with a progress bar."""
    from itertools import islice

    from tqdm import tqdm

    from depth_estimation_ros.training.evaluation.evaluate import evaluate
    from depth_estimation_ros.training.evaluation.report import as_json

    options = _options(args, data)
    count = min(len(data.samples), args.num_images or len(data.samples))
    samples = islice(data.samples, count)
    with tqdm(samples, total=count, unit='image', disable=None) as progress:
        result = evaluate(predictor, progress, options)
    return as_json(result, model=str(args.model), data=data, options=options, predictor=predictor)


def _options(args: argparse.Namespace, data: EvaluationData) -> EvaluationOptions:
    from depth_estimation_ros.training.evaluation.evaluate import Convention, EvaluationOptions

    return EvaluationOptions(
        convention=Convention(args.convention),
        flip=data.is_nyu_test if args.flip is None else args.flip,
        median_scaling=args.median_scaling,
        crop=data.crop,
        max_truth=args.max_truth,
    )
