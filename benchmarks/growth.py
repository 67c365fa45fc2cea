"""How the node's cost grows: with image size, decimation of the cloud, subscribers and cameras.

The node over DDS as in node_rates.py, one thing changed at a time; cameras in one run of the
network (a model exported with --batch) against one run each, without ROS.

    python benchmarks/growth.py [--seconds 5] [--no-torch]
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
import multiprocessing
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import engines
import node_rates
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

if TYPE_CHECKING:
    from collections.abc import Iterator

VGA, FULL_HD = (480, 640), (1080, 1920)
IMAGE_SIZES = ((240, 320), VGA, (720, 1280), FULL_HD)
DECIMATIONS = (1, 2, 4, 8)
NUM_SUBSCRIBERS = (1, 2, 3)
NUM_CAMERAS = (1, 2, 4)
CAMERA_NETWORK = ('small', 'paper', (192, 256))


@dataclass(frozen=True, kw_only=True)
class Grown:
    """One point of a curve."""

    curve: str
    at: str
    rate_hz: float
    cpu_ms: float  # of the node, a frame; of the estimator, an image


def node_points() -> Iterator[tuple[str, str, int, node_rates.Case]]:
    """List curve, where on it, number of subscriber processes, and what is measured."""
    for size in IMAGE_SIZES:
        case = node_rates.Case(size=size, outputs=node_rates.ALL, label='all four')
        yield 'image size', f'{size[1]}x{size[0]}', 1, case
    for decimation in DECIMATIONS:
        case = node_rates.Case(
            size=VGA, outputs=('depth/points',), label='points', decimation=decimation
        )
        yield 'decimation of a 640x480 cloud', str(decimation), 1, case
    for number in NUM_SUBSCRIBERS:
        case = node_rates.Case(size=VGA, outputs=node_rates.ALL, label='all four')
        yield 'subscribers of all four at 640x480', str(number), number, case


def measure_node(seconds: float, environment: dict[str, str]) -> Iterator[Grown]:
    """Measure the curves of the node; ROS is started in this process already."""
    for curve, at, number, case in node_points():
        with ExitStack() as stack:
            for _ in range(number - 1):
                stack.enter_context(_Listener(case.outputs))
            found = node_rates.measure(case, seconds, environment)
        yield Grown(curve=curve, at=at, rate_hz=found['rate_hz'], cpu_ms=found['cpu_ms'])


def measure_cameras(seconds: float) -> Iterator[Grown]:
    """Measure several cameras' images in one run of the network, and in one run each."""
    encoder, variant, size = CAMERA_NETWORK
    images = np.random.default_rng(0).integers(0, 256, (max(NUM_CAMERAS), *VGA, 3), np.uint8)
    with TemporaryDirectory() as folder:
        for number in NUM_CAMERAS:
            path = Path(folder) / f'{number}.onnx'
            engines.exported(path, encoder, variant, size, batch_size=number)
            with DepthEstimator.from_file(path) as estimator:
                yield _timed(estimator, list(images[:number]), seconds)


def _timed(estimator: DepthEstimator, images: list[np.ndarray], seconds: float) -> Grown:
    found = node_rates.repeated(lambda: estimator.estimate_batch(images), seconds)
    return Grown(
        curve='cameras in one run of the network, images of all',
        at=str(len(images)),
        rate_hz=len(images) * 1e3 / found['p50_ms'],
        cpu_ms=found['cpu_ms'] / len(images),
    )


class _Listener:
    """One more subscriber, in a process of its own."""

    def __init__(self, topics: tuple[str, ...]) -> None:
        context = multiprocessing.get_context('spawn')
        self._process = context.Process(target=_listen, args=(topics,), daemon=True)

    def __enter__(self) -> _Listener:
        self._process.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.terminate()
        self._process.join()


def _listen(topics: tuple[str, ...]) -> None:
    rclpy.init(args=[])
    node = Node('bench_listener')
    qos = newest_only(Reliability.RELIABLE, depth=5)
    for topic in topics:
        node.create_subscription(
            node_rates.TYPES[topic], topic, lambda _message: None, qos, raw=True
        )
    with suppress(ExternalShutdownException):  # it is terminated
        rclpy.spin(node)


def table(found: list[dict[str, object]]) -> str:
    """Write the curves as Markdown."""
    rows = ['| grows | at | rate [1/s] | processor a frame [ms] |', '|---|---|---|---|']
    for item in found:
        rows.append(
            f'| {item["curve"]} | {item["at"]} | {item["rate_hz"]:.1f} | {item["cpu_ms"]:.1f} |'
        )
    return '\n'.join(rows)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--seconds', type=float, default=5.0, help='a point (%(default)s)')
    parser.add_argument('--no-torch', action='store_true', help='leave the cameras out')
    args = parser.parse_args()
    environment = node_rates.environment()
    rclpy.init(args=[])
    found = list(measure_node(args.seconds, environment))
    rclpy.try_shutdown()
    if not args.no_torch:
        found += measure_cameras(args.seconds)
    print(table([asdict(item) for item in found]))
    return 0


if __name__ == '__main__':
    sys.exit(main())
