"""What a precision costs and buys: error on held-out rooms, time an image, file size.

    python benchmarks/precisions.py CHECKPOINT [--num-rooms 200] [--num-threads 2]

Exports the checkpoint in every precision and measures each file in every backend of this machine.
The int8 file for TensorRT runs in onnxruntime here, which computes it rightly.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
import platform
import tempfile
import time
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.backends.base import BackendOptions
from depth_estimation_ros.export.calibration import calibration_images
from depth_estimation_ros.export.export_model import ExportOptions, export_model
from depth_estimation_ros.model_file.model_spec import Precision, Target
from depth_estimation_ros.training.evaluation.data import open_evaluation_data
from depth_estimation_ros.training.evaluation.evaluate import EvaluationOptions, evaluate
from depth_estimation_ros.training.evaluation.predictors import ModelFilePredictor
from depth_estimation_ros.training.model.checkpoint import load_checkpoint

if TYPE_CHECKING:
    from depth_estimation_ros.training.data.rgbd_sample import RgbdSample

FLAVOURS = (
    (Precision.FP32, Target.ANY),
    (Precision.FP16, Target.ANY),
    (Precision.INT8, Target.CPU),
    (Precision.INT8, Target.TENSORRT),
)
NUM_TIMED = 50


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One file in one backend."""

    abs_rel: float
    a1: float
    median_ms: float


def main() -> None:
    """Export, measure, print a table."""
    args = parse()
    info = load_checkpoint(args.checkpoint).info
    height, width = info.input_size
    images = calibration_images(
        args.calibration, height=height, width=width, num_images=args.num_calibration_images
    )
    data = open_evaluation_data('rooms', args.cache, input_size=info.input_size)
    samples = list(islice(data.samples, args.num_rooms))
    options = BackendOptions(device='cpu', num_threads=args.num_threads, check_target=False)
    print(f'{platform.processor() or platform.machine()}, {args.num_threads} threads')
    print(f'{len(samples)} held-out rooms, {height}x{width}, {len(images)} calibration images')
    print('file             backend       MB   abs_rel    change      a1   median ms')
    base: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for precision, target in FLAVOURS:
            path = Path(folder) / f'{precision}_{target}.onnx'
            export_model(
                args.checkpoint,
                path,
                ExportOptions(precision=precision, target=target),
                calibration=images if precision is Precision.INT8 else (),
            )
            for backend in backends(target):
                found = measure(path, backend, options, samples)
                reference = base.setdefault(backend, found.abs_rel)
                print(
                    f'{path.stem:<16} {backend:<11} {path.stat().st_size / 1e6:>5.2f}'
                    f'{found.abs_rel:>10.5f}{100 * (found.abs_rel / reference - 1):>+9.2f}%'
                    f'{found.a1:>8.4f}{found.median_ms:>11.1f}',
                    flush=True,
                )


def parse() -> argparse.Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('--num-rooms', type=int, default=200)
    parser.add_argument('--num-threads', type=int, default=2)
    parser.add_argument('--calibration', default='rooms')
    parser.add_argument('--num-calibration-images', type=int, default=128)
    parser.add_argument('--cache', type=Path, help='rooms rendered before')
    return parser.parse_args()


def backends(target: Target) -> list[str]:
    """Return the CPU backends that compute a flavour rightly."""
    return ['onnxruntime'] if target is Target.TENSORRT else ['onnxruntime', 'openvino']


def measure(
    path: Path, backend: str, options: BackendOptions, samples: list[RgbdSample]
) -> Measured:
    """Evaluate a file, then time it."""
    predictor = ModelFilePredictor(path, backend=backend, options=options)
    result = evaluate(predictor, samples, EvaluationOptions())
    times = []
    for sample in (samples * NUM_TIMED)[:NUM_TIMED]:
        start = time.perf_counter()
        predictor.predict([sample.image], sample.intrinsics)
        times.append(1e3 * (time.perf_counter() - start))
    predictor.close()
    return Measured(
        abs_rel=result.metrics.abs_rel, a1=result.metrics.a1, median_ms=float(np.median(times))
    )


if __name__ == '__main__':
    main()
