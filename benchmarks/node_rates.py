"""What the node makes of a camera: frames, latency and processor time, over DDS.

camera_player, the node (or a tutorial's) and this process, which only takes the messages. Each
case is a camera's size, an image transport and a set of outputs; beside it stands the bare
estimator in a process of its own, with nothing else running.

    python benchmarks/node_rates.py [--seconds 5] [--rounds 1]
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
import os
from pathlib import Path
import struct
import sys
from tempfile import TemporaryDirectory
import time
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import rclpy
import rclpy.executors
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2

from depth_estimation_ros.ros.demo.demo import find_dds_profile
from depth_estimation_ros.ros.demo.processes import NodeProcess, demo_environment
from depth_estimation_ros.ros.demo.session import NODE_MODULE, PLAYER_MODULE
from depth_estimation_ros.ros.messages.qos import Reliability, newest_only
from depth_estimation_ros.startup import keep_freed_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOMAIN_ID = 94
RATE_HZ = 30.0
START_SEC = 180.0  # loading torch on a busy machine
TICKS_PER_SEC = os.sysconf('SC_CLK_TCK')
TYPES = {
    'depth/image_rect': Image,
    'depth/camera_info': CameraInfo,
    'depth/points': PointCloud2,
    'depth/image_color': Image,
    'depth/points_nav': PointCloud2,
    'depth/scan': LaserScan,
}
ALL = ('depth/image_rect', 'depth/camera_info', 'depth/points', 'depth/image_color')
NAV = ('depth/points_nav', 'depth/scan')
SIZES = ((480, 640), (720, 1280), (1080, 1920))
TUTORIAL = 'tutorial_node'
CDR_HEADER_BYTES = 4  # of a serialised message; the header's stamp comes next
STAMP = struct.Struct('<iI')


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is measured."""

    size: tuple[int, int]  # (height, width) of the camera [px]
    outputs: tuple[str, ...]  # the first one is counted
    label: str
    transport: str = 'raw'
    depth_size: str = 'camera'
    decimation: int = 2
    module: str = NODE_MODULE

    @property
    def name(self) -> str:
        """For tables."""
        return f'{self.size[1]}x{self.size[0]} {self.transport}, {self.label}'


def cases() -> Iterator[Case]:
    """All of them, those that are compared first."""
    for size in SIZES:
        yield Case(size=size, outputs=ALL, label='depth, camera_info, points, colours')
        yield Case(size=size, outputs=ALL[:1], label='depth')
    size = SIZES[-1]
    yield Case(size=size, outputs=ALL, label='all four, depth_size network', depth_size='network')
    yield Case(size=size, outputs=NAV, label='points_nav, scan')
    yield Case(size=size, outputs=NAV, label='points_nav, scan', transport='compressed')
    yield Case(size=size, outputs=ALL[:1], label='depth', transport='compressed')
    yield Case(size=SIZES[0], outputs=ALL, label='a tutorial node, all four', module=TUTORIAL)


def quick_cases() -> list[Case]:
    """Those whose ratios are compared with the committed ones."""
    return [
        case for case in cases() if case.label.startswith('depth, c') and case.size != SIZES[1]
    ]


def measure(case: Case, seconds: float, environment: dict[str, str]) -> dict[str, float]:
    """Run camera, node and subscriber; ROS is started in this process already.

    Returns:
        rate_hz received, p50_ms and p95_ms from stamp to arrival, cpu_ms a frame of the node.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix='depth_bench_')))
        start = partial(NodeProcess, folder=folder, environment=environment)
        node = stack.enter_context(start(case.module, node_parameters(case)))
        stack.enter_context(start(PLAYER_MODULE, player_parameters(case, folder)))
        ages_ms: list[float] = []
        subscriber = Node('bench_subscriber')
        stack.callback(subscriber.destroy_node)
        clock = subscriber.get_clock()

        def on_counted(data: bytes) -> None:
            now_ns = clock.now().nanoseconds
            sec, nanosec = STAMP.unpack_from(data, CDR_HEADER_BYTES)
            ages_ms.append((now_ns - sec * 10**9 - nanosec) * 1e-6)

        qos = newest_only(Reliability.RELIABLE, depth=5)
        for index, topic in enumerate(case.outputs):
            callback: Any = on_counted if index == 0 else _drop
            subscriber.create_subscription(TYPES[topic], topic, callback, qos, raw=True)
        _spin(subscriber, START_SEC, lambda: len(ages_ms) >= 10)
        node.check()
        ages_ms.clear()
        cpu = cpu_sec(node.pid)
        started = time.monotonic()
        _spin(subscriber, seconds, lambda: False)
        spent = time.monotonic() - started
        cpu = cpu_sec(node.pid) - cpu
        if not ages_ms:
            return {'rate_hz': 0.0, 'p50_ms': 0.0, 'p95_ms': 0.0, 'cpu_ms': 0.0}
        return {
            'rate_hz': len(ages_ms) / spent,
            'p50_ms': float(np.percentile(ages_ms, 50)),
            'p95_ms': float(np.percentile(ages_ms, 95)),
            'cpu_ms': 1e3 * cpu / len(ages_ms),
        }


def node_parameters(case: Case) -> dict[str, object]:
    """Return what a case asks of the node; the tutorial's has no parameters."""
    if case.module == TUTORIAL:
        return {}
    return {
        'image_transport': case.transport,
        'depth_size': case.depth_size,
        'decimation_x': case.decimation,
        'decimation_y': case.decimation,
    }


def player_parameters(case: Case, folder: Path) -> dict[str, object]:
    """A picture of blobs of the camera's size, which costs the player nothing."""
    height, width = case.size
    picture = folder / 'picture.png'
    coarse = np.random.default_rng(0).integers(0, 256, (height // 40, width // 40, 3), np.uint8)
    cv2.imwrite(str(picture), cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
    return {
        'source': str(picture),
        'rate_hz': RATE_HZ,
        'num_frames_ahead': 2,
        'publish_compressed': case.transport == 'compressed',
    }


def bare_estimator(size: tuple[int, int], seconds: float) -> dict[str, float]:
    """Run the estimator alone, without ROS, on images of the size."""
    from depth_estimation_ros.estimator import DepthEstimator
    from depth_estimation_ros.model_file.default_model import find_model

    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    with DepthEstimator.from_file(find_model('', backend='auto')) as estimator:
        return repeated(lambda: estimator.estimate(rgb), seconds)


def repeated(run: Callable[[], object], seconds: float) -> dict[str, float]:
    """Run something again and again in this process, five times before the clock starts."""
    for _ in range(5):
        run()
    times_ms = []
    started, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - started < seconds:
        begun = time.perf_counter()
        run()
        times_ms.append(1e3 * (time.perf_counter() - begun))
    spent, cpu = time.perf_counter() - started, time.process_time() - cpu
    return {
        'rate_hz': len(times_ms) / spent,
        'p50_ms': float(np.percentile(times_ms, 50)),
        'p95_ms': float(np.percentile(times_ms, 95)),
        'cpu_ms': 1e3 * cpu / len(times_ms),
    }


def cpu_sec(pid: int) -> float:
    """Processor time of a process and its threads so far [s]."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SEC


def _drop(_message: Any) -> None:
    pass


def _spin(node: Node, seconds: float, is_done: Callable[[], bool]) -> None:
    executor = rclpy.executors.SingleThreadedExecutor()
    executor.add_node(node)
    end = time.monotonic() + seconds
    while time.monotonic() < end and not is_done():
        executor.spin_once(timeout_sec=0.1)
    executor.remove_node(node)
    executor.shutdown()


def environment() -> dict[str, str]:
    """Set this process up for DDS as the node's, and return that for the others."""
    keep_freed_memory()
    made = demo_environment(DOMAIN_ID, find_dds_profile())
    # For the tutorial node, which is no part of the package.
    here = str(Path(__file__).parent)
    made['PYTHONPATH'] = os.pathsep.join(filter(None, (here, made.get('PYTHONPATH'))))
    os.environ.update(made)
    return made


def main() -> int:
    """Print a row for each case."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--seconds', type=float, default=5.0, help='a case (%(default)s)')
    parser.add_argument('--quick', action='store_true', help='two cases only')
    args = parser.parse_args()
    given = environment()
    rclpy.init(args=[])
    for size in SIZES:
        figures = bare_estimator(size, args.seconds)
        print(f'{size[1]}x{size[0]}, bare estimator: {told(figures)}', flush=True)
    for case in quick_cases() if args.quick else cases():
        print(f'{case.name}: {told(measure(case, args.seconds, given))}', flush=True)
    rclpy.try_shutdown()
    return 0


def told(figures: dict[str, float]) -> str:
    """Word the figures of a case."""
    return (
        f'{figures["rate_hz"]:.1f} /s, {figures["p50_ms"]:.1f} / {figures["p95_ms"]:.1f} ms, '
        f'{figures["cpu_ms"]:.1f} ms of processor a frame'
    )


if __name__ == '__main__':
    sys.exit(main())
