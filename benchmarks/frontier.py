"""Accuracy against milliseconds: which encoder, which input size.

    python benchmarks/frontier.py --output frontier.json [--num-calls 30] [--num-threads 0]
    python benchmarks/frontier.py --output frontier.json --plot frontier.png \
        --measured efficientnet_lite0:192x256=metrics-192x256.json ...

Time does not depend on the weights, so networks are timed with random ones. They are timed in
turns, one call of each after the other, so that what else the machine does falls on all of them.
Accuracy is read from what `depth-estimation evaluate --network-size HxW --output JSON` wrote of
networks that were trained.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from itertools import product
import json
from pathlib import Path
import tempfile
import time
from typing import TYPE_CHECKING, Final

from engines import exported
import numpy as np

from depth_estimation_ros.backends.base import BackendName, BackendOptions, load_backend
from depth_estimation_ros.benchmark.hardware import describe_hardware
from depth_estimation_ros.model_file.model_spec import read_model_spec
from depth_estimation_ros.training.model.network import build_densedepth, num_trainable_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from depth_estimation_ros.backends.base import Backend

ENCODERS: Final = (
    'small',
    'efficientnet_lite0',
    'efficientnet_lite1',
    'efficientnet_lite2',
    'resnet50',
    'densenet121',
    'densenet169',
)
SIZES: Final = ((192, 256), (256, 320), (288, 384))
BACKENDS: Final = (BackendName.OPENVINO, BackendName.ONNXRUNTIME)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One network at one size.

    Attributes:
        encoder: A key of `ENCODER_KINDS`; the decoder is the variant's of its kind.
        size: Input as HEIGHTxWIDTH [px].
        millions: Trainable parameters, in millions.
        median_ms: Backend -> median time of a call.
        spread_ms: Backend -> half the distance of its quartiles.
    """

    encoder: str
    size: str
    millions: float
    median_ms: dict[str, float]
    spread_ms: dict[str, float]


def main() -> None:
    """Time what has not been timed, print the table, draw the plot."""
    args = parse()
    if not args.output.exists():
        rows = time_networks(args.encoders, num_calls=args.num_calls, num_threads=args.num_threads)
        report = {
            'hardware': asdict(describe_hardware()),
            'num_threads': args.num_threads,
            'rows': [asdict(row) for row in rows],
        }
        args.output.write_text(json.dumps(report, indent=2) + '\n')
    rows = [Row(**row) for row in json.loads(args.output.read_text())['rows']]
    measured = dict(args.measured)
    print_table(rows, measured)
    if args.plot:
        draw(rows, measured, args.plot)


def parse() -> argparse.Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument('--output', type=Path, required=True, help='times, read if it is there')
    parser.add_argument('--encoders', nargs='+', default=list(ENCODERS), choices=ENCODERS)
    parser.add_argument('--num-calls', type=int, default=30)
    parser.add_argument('--num-threads', type=int, default=0, help='0 = all')
    parser.add_argument('--plot', type=Path, help='picture to draw')
    parser.add_argument(
        '--measured',
        action='append',
        type=read_metrics,
        default=[],
        metavar='ENCODER:HxW=JSON',
        help='accuracy',
    )
    return parser.parse_args()


def time_networks(encoders: Iterable[str], *, num_calls: int, num_threads: int) -> list[Row]:
    """Time every encoder at every size, encoder by encoder."""
    return [
        row
        for encoder in encoders
        for row in time_encoder(encoder, num_calls=num_calls, num_threads=num_threads)
    ]


def time_encoder(encoder: str, *, num_calls: int, num_threads: int) -> list[Row]:
    """Export a network with random weights at each size and time it in each backend."""
    network = build_densedepth(encoder, variant='blog')
    options = BackendOptions(device='cpu', num_threads=num_threads, check_target=False)
    loaded: dict[tuple[tuple[int, int], str], tuple[Backend, np.ndarray]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = exported(Path(folder) / f'{size[0]}x{size[1]}.onnx', encoder, 'blog', size)
            image = np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8)
            for name in BACKENDS:
                backend = load_backend(name, path, read_model_spec(path), options=options)
                backend.infer(image)
                loaded[size, str(name)] = backend, image
        times: dict[tuple[tuple[int, int], str], list[float]] = {key: [] for key in loaded}
        for _ in range(num_calls):
            for key, (backend, image) in loaded.items():
                start = time.perf_counter()
                backend.infer(image)
                times[key].append(1e3 * (time.perf_counter() - start))
        for backend, _ in loaded.values():
            backend.close()
    return [
        Row(
            encoder=encoder,
            size=f'{size[0]}x{size[1]}',
            millions=num_trainable_parameters(network) / 1e6,
            median_ms={str(name): float(np.median(times[size, str(name)])) for name in BACKENDS},
            spread_ms={str(name): half_range(times[size, str(name)]) for name in BACKENDS},
        )
        for size in SIZES
    ]


def half_range(values: list[float]) -> float:
    """Return half the distance of the quartiles."""
    low, high = np.quantile(values, (0.25, 0.75))
    return float(high - low) / 2


def read_metrics(text: str) -> tuple[tuple[str, str], Mapping[str, float]]:
    """Read ENCODER:HEIGHTxWIDTH=JSON."""
    key, _, path = text.partition('=')
    encoder, _, size = key.partition(':')
    if not path or not size:
        raise argparse.ArgumentTypeError(f'{text}: write ENCODER:HEIGHTxWIDTH=JSON')
    return (encoder, size), json.loads(Path(path).read_text())


def print_table(rows: list[Row], measured: Mapping[tuple[str, str], Mapping[str, float]]) -> None:
    """Print it as Markdown."""
    print('| encoder | input | parameters | openvino [ms] | onnxruntime [ms] | AbsRel | a1 |')
    print('|---|---|---|---|---|---|---|')
    for row in rows:
        found = measured.get((row.encoder, row.size))
        accuracy = f'{found["abs_rel"]:.3f} | {found["a1"]:.3f}' if found else ' | '
        times = ' | '.join(
            f'{row.median_ms[name]:.1f} ± {row.spread_ms[name]:.1f}' for name in BACKENDS
        )
        print(f'| {row.encoder} | {row.size} | {row.millions:.1f} M | {times} | {accuracy} |')


def draw(
    rows: list[Row], measured: Mapping[tuple[str, str], Mapping[str, float]], path: Path
) -> None:
    """Draw accuracy against openvino's time; what was not trained is a tick on the time axis."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout='constrained')
    colours = {encoder: f'C{index}' for index, encoder in enumerate(ENCODERS)}
    for encoder, backend in product(ENCODERS, BACKENDS[:1]):
        own = [row for row in rows if row.encoder == encoder]
        known = [row for row in own if (encoder, row.size) in measured]
        axes.plot(
            [row.median_ms[backend] for row in known],
            [measured[encoder, row.size]['abs_rel'] for row in known],
            'o-',
            color=colours[encoder],
        )
        for row in known:
            at = (row.median_ms[backend], measured[encoder, row.size]['abs_rel'])
            axes.annotate(row.size, at, xytext=(4, 5), textcoords='offset points', fontsize=8)
        axes.plot(
            [row.median_ms[backend] for row in own],
            [0.02] * len(own),
            '|',
            markersize=14,
            transform=axes.get_xaxis_transform(),
            color=colours[encoder],
            label=encoder + ('' if known else ' (time only)'),
        )
    axes.set(xscale='log', xlabel='median time of a call in openvino [ms]', ylabel='AbsRel')
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)


if __name__ == '__main__':
    main()
