"""Measures what DepthEstimator adds to the network: resize in, depth out, cloud.

    python benchmarks/estimator_overhead.py [MODEL] [--width 640 --height 480] [--json FILE]

Prints least, median and 95th percentile in milliseconds (on a busy machine, look at the least).
Without a model file the network is left out (a backend that answers at once), which measures the
same overhead.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import time
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.backends.base import BackendName
from depth_estimation_ros.backends.networks import NetworkPool
from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.depth.depth_image import colorize, to_16uc1
from depth_estimation_ros.depth.point_cloud import PointCloudBuilder
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.model_file.model_spec import ModelSpec, Probe
from depth_estimation_ros.model_file.network_size import ImageFitter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

NUM_WARM_UP = 10
INPUT_SIZE = (192, 256)
OUTPUT_SIZE = (96, 128)


class InstantBackend:
    """Answers with one depth image, some of it invalid."""

    name = BackendName.ONNXRUNTIME
    description = 'no network'
    compute_precision = None

    def __init__(self, invalid_fraction: float) -> None:
        rows = np.linspace(1.0, 9.0, OUTPUT_SIZE[0], dtype=np.float32)
        self._depth = np.repeat(rows[:, None], OUTPUT_SIZE[1], axis=1)[None]
        self._depth[:, : int(invalid_fraction * OUTPUT_SIZE[0])] = 0.0

    def infer(self, images_nhwc: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See backends.base.Backend."""
        del images_nhwc
        return self._depth

    def close(self) -> None:
        """Nothing to free."""


def instant_estimator(invalid_fraction: float) -> DepthEstimator:
    """Make an estimator without a network."""
    probe = Probe(seed=0, grid_step=16, reference=np.zeros((1, 6, 8), dtype=np.float32))
    spec = ModelSpec(
        encoder='none',
        variant='paper',
        decoder_width=1,
        input_size=INPUT_SIZE,
        output_size=OUTPUT_SIZE,
        min_depth=0.1,
        max_depth=10.0,
        training_fx=220.0,
        probes={INPUT_SIZE: probe},
    )
    networks = NetworkPool(spec, lambda _name, _spec: InstantBackend(invalid_fraction))
    return DepthEstimator(networks, ImageFitter(spec=spec))


def measure(work: Callable[[], object], num_runs: int) -> dict[str, float]:
    """Least, median and 95th percentile of the wall time of a call [ms]."""
    times_ms = []
    for _ in range(NUM_WARM_UP + num_runs):
        started = time.perf_counter()
        work()
        times_ms.append(1e3 * (time.perf_counter() - started))
    least, p50, p95 = np.percentile(times_ms[NUM_WARM_UP:], [0, 50, 95])
    return {
        'min_ms': round(float(least), 3),
        'p50_ms': round(float(p50), 3),
        'p95_ms': round(float(p95), 3),
    }


def measure_all(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Time every step on one image size."""
    size = {'height': args.height, 'width': args.width}
    rgb = np.random.default_rng(0).integers(0, 256, (*size.values(), 3), dtype=np.uint8)
    camera = CameraIntrinsics.from_hfov(**size, hfov_deg=60.0)
    results = {}
    for share in (0.0, 0.1):
        estimator = instant_estimator(share)
        label = f'estimate without network, {share:.0%} invalid'
        results[label] = measure(lambda e=estimator: e.estimate(rgb, camera), args.runs)
    depth = instant_estimator(0.1).estimate(rgb, camera).depth
    for step in (1, 4):
        builder = PointCloudBuilder(decimation_x=step, decimation_y=step)
        for label, colors in (('XYZ', None), ('XYZRGB', rgb)):
            results[f'{label} cloud, decimation {step}'] = measure(
                lambda b=builder, c=colors: b.build(depth, camera, c), args.runs
            )
    results['to_16uc1'] = measure(lambda: to_16uc1(depth), args.runs)
    results['colorize'] = measure(
        lambda: colorize(depth, min_depth=0.5, max_depth=10.0), args.runs
    )
    if args.model is not None:
        with DepthEstimator.from_file(args.model) as loaded:
            label = f'whole estimate, {loaded.backend_description}'
            results[label] = measure(lambda: loaded.estimate(rgb, camera), args.runs)
    return results


def main() -> None:
    """Measure, print, and write JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('model', type=Path, nargs='?', help='model file to run as well')
    parser.add_argument('--width', type=int, default=640)
    parser.add_argument('--height', type=int, default=480)
    parser.add_argument('--runs', type=int, default=100)
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    args = parser.parse_args()
    results = measure_all(args)
    print(f'{"[ms]":<50}{"least":>10}{"median":>10}{"p95":>10}')
    for name, figures in results.items():
        columns = ''.join(f'{figures[key]:10.3f}' for key in ('min_ms', 'p50_ms', 'p95_ms'))
        print(f'{name:<50}{columns}')
    if args.json is not None:
        args.json.write_text(json.dumps(results, indent=2) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
