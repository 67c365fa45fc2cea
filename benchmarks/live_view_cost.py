"""The node's rate and latency with live_view idle and with one browser on its page, in turns.

Run after `make`, with Debian's chromium: `. install/local_setup.bash` and then
`python benchmarks/live_view_cost.py`. A listener takes depth and cloud in both cases, as a robot
would. The browser runs on the same machine and draws by software, so it takes processor time that
a laptop would give: what is measured is the worst case. Each row is a pair measured one after
the other, so that what else the machine does weighs on both; the last line is the median of the
ratios.
"""

from __future__ import annotations

from contextlib import ExitStack
import os
from pathlib import Path
import shutil
import statistics
import subprocess
import sys
from tempfile import TemporaryDirectory
import time
from typing import Any

import rclpy
from rclpy.node import Node
from sensor_msgs.msg import Image, PointCloud2

from depth_estimation_ros.msg import DepthStats
from depth_estimation_ros.ros.demo.demo import find_dds_profile
from depth_estimation_ros.ros.demo.processes import NodeProcess, demo_environment
from depth_estimation_ros.ros.demo.session import NODE_MODULE, PLAYER_MODULE
from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

DOMAIN_ID = 93
PORT = 8093
NUM_PAIRS = 4
SPAN_SEC = 8.0
SETTLE_SEC = 6.0
HEADING = """       rate [Hz]   latency p50 [ms]
pair  none    one    none    one
"""
VIEW_MODULE = 'depth_estimation_ros.ros.live.live_view'
CHROMIUM = (
    'chromium',
    '--headless=new',
    '--no-sandbox',
    '--no-first-run',
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
    '--remote-debugging-port=0',
    f'http://127.0.0.1:{PORT}',
)


def main() -> int:
    """Print a row for each case."""
    if shutil.which('chromium') is None:
        sys.stderr.write('error: needs chromium (Debian: apt install chromium)\n')
        return 1
    environment = demo_environment(DOMAIN_ID, find_dds_profile())
    os.environ.update(environment)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        parameters: dict[str, dict[str, object]] = {
            NODE_MODULE: {},
            PLAYER_MODULE: {'num_frames_ahead': 4},
            VIEW_MODULE: {'port': PORT},
        }
        for module, values in parameters.items():
            stack.enter_context(
                NodeProcess(module, values, folder=folder, environment=environment)
            )
        rclpy.init(args=[])
        stack.callback(rclpy.try_shutdown)
        node = Node('listener')
        stats: list[DepthStats] = []
        qos = newest_only(Reliability.RELIABLE, depth=5)
        node.create_subscription(DepthStats, 'depth/stats', stats.append, qos)
        for topic, kind in (('depth/image_rect', Image), ('depth/points', PointCloud2)):
            node.create_subscription(kind, topic, _drop, qos, raw=True)
        while not stats:
            rclpy.spin_once(node, timeout_sec=1.0)
        sys.stdout.write(
            '       rate [Hz]      latency p50 [ms]\npair  none    one    none    one\n'
        )
        ratios = [_pair(node, stats, folder, number) for number in range(NUM_PAIRS)]
    sys.stdout.write(f'rate with one browser / rate with none: {statistics.median(ratios):.2f}\n')
    return 0


def _drop(_message: Any) -> None:
    pass


def _pair(node: Node, stats: list[DepthStats], folder: Path, number: int) -> float:
    """Measure without and with a browser; returns the ratio of the rates."""
    rate, latency_ms = _measure(node, stats)
    browser = subprocess.Popen(
        [*CHROMIUM, f'--user-data-dir={folder}/browser'], stderr=subprocess.DEVNULL
    )
    watched_rate, watched_latency_ms = _measure(node, stats)
    browser.terminate()
    browser.wait()
    sys.stdout.write(
        f'{number:4}  {rate:4.1f}   {watched_rate:4.1f}  '
        f'{latency_ms:6.0f} {watched_latency_ms:6.0f}\n'
    )
    sys.stdout.flush()
    return watched_rate / rate


def _measure(node: Node, stats: list[DepthStats]) -> tuple[float, float]:
    """Return the rate [Hz] and the median latency [ms] of a span."""
    _spin(node, SETTLE_SEC)
    stats.clear()
    _spin(node, SPAN_SEC)
    return len(stats) / SPAN_SEC, 1e3 * statistics.median(item.total_time for item in stats)


def _spin(node: Node, duration_sec: float) -> None:
    end = time.monotonic() + duration_sec
    while time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)


if __name__ == '__main__':
    sys.exit(main())
