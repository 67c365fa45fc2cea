"""`make bench` and `make bench-quick`: measure, write benchmarks/README.md, compare ratios.

    python benchmarks/bench.py            # engines, node, stages, growth, training
    python benchmarks/bench.py --quick    # ratios only, against benchmarks/figures.json

A ratio of two figures of one run moves less than either with what else the machine does, so
ratios are compared; each is measured in several rounds, which give its spread.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path
import statistics
import sys
from tempfile import TemporaryDirectory
from typing import Any

import engines
import growth
import node_rates
import rclpy
import roofline
import stages

from depth_estimation_ros.benchmark.hardware import describe_hardware
from depth_estimation_ros.model_file.default_model import default_model_path

HERE = Path(__file__).parent
FIGURES, PAGE, PLOT = HERE / 'figures.json', HERE / 'README.md', HERE / 'node.png'
QUICK_ROUNDS, QUICK_SEC, QUICK_RUNS = 3, 4.0, 15
FULL_HD = (1080, 1920)
TRAINED_PRESET = 'small-rooms'
LEAST_SPREAD = 0.05  # of a ratio: less than that is noise anywhere


def quick_ratios(rounds: int, seconds: float, num_runs: int) -> dict[str, list[float]]:
    """Measure the ratios that are compared, one value a round each."""
    environment = node_rates.environment()
    rclpy.init(args=[])
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for case in node_rates.quick_cases():
            bare = node_rates.bare_estimator(case.size, seconds / 2)
            node = node_rates.measure(case, seconds, environment)
            size = f'{case.size[1]}x{case.size[0]}'
            most = min(node_rates.RATE_HZ, bare['rate_hz'])
            found.setdefault(f'{size}: node rate / min(30 Hz, bare estimator)', []).append(
                node['rate_hz'] / most
            )
            found.setdefault(f'{size}: node processor time / bare estimator', []).append(
                node['cpu_ms'] / bare['cpu_ms']
            )
        for name, item in stages.measure(*FULL_HD, num_runs).items():
            found.setdefault(f'{name}: time / limit by memory', []).append(item['times'])
    rclpy.try_shutdown()
    return found


def summarised(values: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Take median and spread (half of greatest minus least) of each."""
    return {
        name: {
            'median': round(statistics.median(given), 3),
            'spread': round((max(given) - min(given)) / 2.0, 3),
        }
        for name, given in values.items()
    }


def compare(now: dict[str, dict[str, float]], then: dict[str, dict[str, float]]) -> list[str]:
    """Say which ratios moved by more than both spreads together."""
    moved = []
    for name, item in now.items():
        old = then.get(name)
        if old is None:
            moved.append(f'new    {name}: {item["median"]:.2f}')
            continue
        allowed = item['spread'] + old['spread'] + LEAST_SPREAD * old['median']
        if abs(item['median'] - old['median']) > allowed:
            moved.append(
                f'moved  {name}: {old["median"]:.2f} -> {item["median"]:.2f} '
                f'(spread {old["spread"]:.2f}, {item["spread"]:.2f})'
            )
    return moved


def node_rows(seconds: float) -> dict[str, dict[str, float]]:
    """Measure the bare estimator and the node in every case."""
    environment = node_rates.environment()
    rclpy.init(args=[])
    rows = {
        f'{size[1]}x{size[0]} bare estimator': node_rates.bare_estimator(size, seconds)
        for size in node_rates.SIZES
    }
    for case in node_rates.cases():
        rows[case.name] = node_rates.measure(case, seconds, environment)
        print(f'{case.name}: {node_rates.told(rows[case.name])}', flush=True)
    rclpy.try_shutdown()
    return rows


def growth_rows(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure how the cost grows with sizes, decimation, subscribers and cameras."""
    environment = node_rates.environment()
    rclpy.init(args=[])
    found = list(growth.measure_node(args.seconds / 2, environment))
    rclpy.try_shutdown()
    if not args.no_torch:
        found += growth.measure_cameras(args.seconds / 2)
    return [asdict(item) for item in found]


def training_rows() -> dict[str, dict[str, float]]:
    """Measure the loaders of all kinds of data, and training in one process and in two."""
    import data_loading

    args = data_loading.parse(['--train', TRAINED_PRESET])
    return data_loading.measure(args, (args.height, args.width))


def full(args: argparse.Namespace) -> None:
    """Measure everything and write figures, page and plot."""
    with TemporaryDirectory() as folder:
        measured = engines.measure(Path(folder), num_runs=args.runs, with_torch=not args.no_torch)
    ratios = summarised(quick_ratios(args.rounds, args.seconds / 2, args.runs))
    figures: dict[str, Any] = {
        'hardware': describe_hardware().lines(),
        'is_busy': describe_hardware().is_busy,
        'engines': [asdict(item) for item in measured],
        'node': node_rows(args.seconds),
        'stages': stages.measure(*FULL_HD, args.runs),
        'growth': growth_rows(args),
        'training': {} if args.no_torch else training_rows(),
        'ratios': ratios,
    }
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / FIGURES.name).write_text(json.dumps(figures, indent=1) + '\n')
    (args.output / PAGE.name).write_text(page(figures))
    plot(figures['node'], args.output / PLOT.name)
    print(f'wrote {FIGURES.name}, {PAGE.name} and {PLOT.name} to {args.output}/')


def page(figures: dict[str, Any]) -> str:
    """Write benchmarks/README.md."""
    work = roofline.work_of(default_model_path(), (160, 288))
    busy = '\n**Measured while other programs ran: times are too long.**\n'
    node = '\n'.join(
        f'| {name} | {item["rate_hz"]:.1f} | {item["p50_ms"]:.1f} / {item["p95_ms"]:.1f} '
        f'| {item["cpu_ms"]:.1f} |'
        for name, item in figures['node'].items()
    )
    training = '\n'.join(
        f'| {name} | {item["images_per_sec"]:.1f} | {item["cpu_ms"]:.1f} |'
        for name, item in figures.get('training', {}).items()
    )
    ratios = '\n'.join(
        f'| {name} | {item["median"]:.2f} | {item["spread"]:.2f} |'
        for name, item in figures['ratios'].items()
    )
    return f"""\
# Measured by `make bench`

{chr(10).join(f'- {line}' for line in figures['hardware'])}
{busy if figures['is_busy'] else ''}
## Engines

An image of 640x480 to depth of 640x480, one process each; 256x320 and random weights for the
DenseDepth networks. `python benchmarks/engines.py`

{engines.table(figures['engines'])}

## Node

A camera at 30 Hz over DDS in a process of its own, one light subscriber. The tutorial node is
[tutorial_node.py](tutorial_node.py). `python benchmarks/node_rates.py`

| case | received [1/s] | p50 / p95 stamp to arrival, or a call [ms] | processor a frame [ms] |
|---|---|---|---|
{node}

![rates](node.png)

## Stages of a 1920x1080 frame

`python benchmarks/stages.py`

{stages.table(figures['stages'])}

## Growth

One thing changed at a time, the rest as above; the cloud is decimated by 2 where nothing is said.
`python benchmarks/growth.py`

{growth.table(figures.get('growth', []))}

## Training

What reading data gives, two processes, and what training takes on random images, each alone.
`python benchmarks/data_loading.py --train {TRAINED_PRESET}`

| | images/s | processor an image [ms] |
|---|---|---|
{training}

## Ratios, which `make bench-quick` compares

| ratio | median | spread |
|---|---|---|
{ratios}

## Computed, not measured: other machines

{work.flop / 1e9:.2f} GFLOP and {work.num_bytes / 1e6:.1f} MB (fp16) an image of 160x288; published
peaks, which no runtime reaches. `depth-estimation benchmark` measures on your machine.
`python benchmarks/roofline.py`

{roofline.table(work)}
"""


def plot(rows: dict[str, dict[str, float]], path: Path) -> None:
    """Draw rate and processor time of every case."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    names = list(reversed(rows))
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 0.35 * len(names) + 1), sharey=True)
    for axis, key, label in zip(
        axes, ('rate_hz', 'cpu_ms'), ('frames/s', 'processor a frame [ms]'), strict=True
    ):
        axis.barh(names, [rows[name][key] for name in names])
        axis.set_xlabel(label)
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def quick() -> int:
    """Compare with the committed ratios; 1 when some moved."""
    now = summarised(quick_ratios(QUICK_ROUNDS, QUICK_SEC, QUICK_RUNS))
    for name, item in now.items():
        print(f'{item["median"]:8.2f} +- {item["spread"]:.2f}  {name}')
    if not FIGURES.is_file():
        print(f'nothing to compare with: {FIGURES} comes from make bench')
        return 0
    moved = compare(now, json.loads(FIGURES.read_text())['ratios'])
    print('\n'.join(moved) or 'nothing moved by more than its spread')
    return 1 if any(line.startswith('moved') for line in moved) else 0


def main() -> int:
    """Measure; see the module."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--quick', action='store_true', help='compare ratios (under 3 minutes)')
    parser.add_argument('--seconds', type=float, default=6.0, help='a case (%(default)s)')
    parser.add_argument('--rounds', type=int, default=3, help='of the ratios (%(default)s)')
    parser.add_argument('--runs', type=int, default=30, help='a stage or engine (%(default)s)')
    parser.add_argument('--no-torch', action='store_true', help='leave out what needs torch')
    parser.add_argument('--output', type=Path, default=HERE, help='folder (%(default)s)')
    args = parser.parse_args()
    if args.quick:
        return quick()
    full(args)
    return 0


if __name__ == '__main__':
    sys.exit(main())
