"""What one browser on the page costs the node: its rate, and its processor time for a frame.

Run after `make`, with Debian's chromium: `. install/local_setup.bash` and then
`python benchmarks/live_view_cost.py`. A listener takes depth and cloud in both cases, as a robot
would. The browser runs on the same machine and draws by software, so it takes processor time that
a laptop would give: for the rate, what is measured is the worst case. Each row is a pair measured
one after the other, so that what else the machine does weighs on both. The processor time hardly
depends on it.
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
NUM_PAIRS = 3
SPAN_SEC = 8.0
SETTLE_SEC = 6.0
HEADING = """    rate [Hz]     CPU of the node     CPU of live_view
   none    one    none    one [ms/frame]    [ms/frame]
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
        processes = {
            module: stack.enter_context(
                NodeProcess(module, values, folder=folder, environment=environment)
            )
            for module, values in parameters.items()
        }
        pids = processes[NODE_MODULE].pid, processes[VIEW_MODULE].pid
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
        ratios = [_pair(node, stats, folder, pids) for _ in range(NUM_PAIRS)]
    for name, index in (('rate', 0), ("node's CPU time for a frame", 1)):
        ratio = statistics.median(pair[index] for pair in ratios)
        sys.stdout.write(f'{name}, with one browser / with none, median: {ratio:.2f}\n')
    return 0


def _drop(_message: Any) -> None:
    pass


def _pair(
    node: Node, stats: list[DepthStats], folder: Path, pids: tuple[int, int]
) -> tuple[float, float]:
    """Measure without and with a browser; returns the ratios of rate and CPU time for a frame."""
    rate, cpu_ms, _ = _measure(node, stats, pids)
    browser = subprocess.Popen(
        [*CHROMIUM, f'--user-data-dir={folder}/browser'], stderr=subprocess.DEVNULL
    )
    _wait_for_viewers(node, 1)
    watched_rate, watched_cpu_ms, view_ms = _measure(node, stats, pids)
    browser.terminate()
    browser.wait()
    _wait_for_viewers(node, 0)
    sys.stdout.write(
        f'{rate:7.1f} {watched_rate:6.1f} {cpu_ms:7.1f} {watched_cpu_ms:6.1f} {view_ms:24.1f}\n'
    )
    sys.stdout.flush()
    return watched_rate / rate, watched_cpu_ms / cpu_ms


def _measure(
    node: Node, stats: list[DepthStats], pids: tuple[int, int]
) -> tuple[float, float, float]:
    """Return the rate [Hz] and, of both processes, the processor time for a frame [ms]."""
    _spin(node, SETTLE_SEC)
    before = [_cpu_ms(pid) for pid in pids]
    stats.clear()
    _spin(node, SPAN_SEC)
    num_frames = max(1, len(stats))
    node_ms, view_ms = (
        (_cpu_ms(pid) - then) / num_frames for pid, then in zip(pids, before, strict=True)
    )
    return len(stats) / SPAN_SEC, node_ms, view_ms


def _wait_for_viewers(node: Node, count: int) -> None:
    """Wait until live_view subscribes, with its first browser, or does not any more."""
    while True:
        infos = node.get_subscriptions_info_by_topic('/depth/image_rect')
        if sum(info.node_name == 'live_view' for info in infos) == count:
            return
        _spin(node, 0.5)


def _cpu_ms(pid: int) -> float:
    """Return the processor time that a process has taken so far [ms]."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return 1e3 * (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def _spin(node: Node, duration_sec: float) -> None:
    end = time.monotonic() + duration_sec
    while time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)


if __name__ == '__main__':
    sys.exit(main())
