"""The node's rate and age with live_view idle, and with one browser on its page.

Run after `make`, with Debian's chromium: `. install/local_setup.bash` and then
`python benchmarks/live_view_cost.py`. A listener takes depth and cloud in both cases, as a robot
would. The browser runs on the same machine and draws by software, so it takes processor time that
a laptop would give: what is measured is the worst case.
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
SPAN_SEC = 20.0
SETTLE_SEC = 10.0
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
            PLAYER_MODULE: {},
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
        sys.stdout.write('browsers  depth [Hz]  latency p50 [ms]  age p50 [ms]\n')
        _measure(node, stats, 'none')
        browser = subprocess.Popen(
            [*CHROMIUM, f'--user-data-dir={folder}/browser'], stderr=subprocess.DEVNULL
        )
        _measure(node, stats, 'one ')
        browser.terminate()
        browser.wait()
    return 0


def _drop(_message: Any) -> None:
    pass


def _measure(node: Node, stats: list[DepthStats], browsers: str) -> None:
    _spin(node, SETTLE_SEC)
    stats.clear()
    _spin(node, SPAN_SEC)
    latency_ms = 1e3 * statistics.median(item.total_time for item in stats)
    age_ms = 1e3 * statistics.median(item.age for item in stats)
    rate = len(stats) / SPAN_SEC
    sys.stdout.write(f'{browsers:8}  {rate:10.1f}  {latency_ms:16.1f}  {age_ms:12.1f}\n')
    sys.stdout.flush()


def _spin(node: Node, duration_sec: float) -> None:
    end = time.monotonic() + duration_sec
    while time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)


if __name__ == '__main__':
    sys.exit(main())
