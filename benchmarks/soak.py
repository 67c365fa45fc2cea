"""Runs the node for long beside a camera, and holds it to the promises of docs/reliability.md.

    make soak MINUTES=30
    make soak MINUTES=30 ARGS='--rate-hz 10 --parameter network_size=96x128'  # on a busy machine

Node and camera are processes of their own. After a warm-up the node is left alone for half of the
time; then come lifecycle cycles and parameter changes while images flow, and a last steady span.
Memory, descriptors and times of spans before and after are compared. Leaves soak.json and
soak.png. Exit status 1 and the reason where a promise is broken.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
import json
import os
from pathlib import Path
import signal
import sys
from tempfile import TemporaryDirectory
import time
from typing import TYPE_CHECKING, Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParametersAtomically
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from soak_promises import (
    OtherWork,
    Run,
    Sample,
    activations_of,
    draw,
    judge,
    report,
    rss_mb,
    stamp_ns,
)
import yaml

from depth_estimation_ros.msg import DepthStats
from depth_estimation_ros.ros.demo.demo import find_dds_profile
from depth_estimation_ros.ros.demo.processes import DemoError, NodeProcess, demo_environment
from depth_estimation_ros.ros.demo.session import NODE_MODULE, PLAYER_MODULE
from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

if TYPE_CHECKING:
    from collections.abc import Callable

DOMAIN_ID = 94
SAMPLE_SEC = 0.5
ANSWER_SEC = 120.0
DEPTH_SEC = 600.0  # rendering the room included
RATE_HZ = 30.0
NUM_CYCLES = 50
CHANGES_A_CYCLE = 10
NUM_WARM_UP = 5  # cycles and changes that belong to the warm-up, the first loads of all libraries
DOWN_AND_UP = (
    Transition.TRANSITION_DEACTIVATE,
    Transition.TRANSITION_CLEANUP,
    Transition.TRANSITION_CONFIGURE,
    Transition.TRANSITION_ACTIVATE,
)
# Each is live and leaves the work of a frame as it was.
CHANGES: tuple[tuple[str, object, object], ...] = (
    ('depth_scale', 1.0, 1.1),
    ('max_depth', 0.0, 9.0),
    ('nav_max_range', 5.0, 4.0),
    ('point_cloud_color', True, False),
    ('range_policy', 'rep117', 'nan'),
)


class Listener(Node):
    """Hears what the camera sends and what the node makes of it, and asks the node for changes."""

    def __init__(self) -> None:
        super().__init__('soak')
        self.sent_ns: list[int] = []
        self.stats: list[tuple[float, DepthStats]] = []
        qos = newest_only(Reliability.RELIABLE, depth=1000)
        self.create_subscription(CameraInfo, 'camera_info', self._on_sent, qos)
        self.create_subscription(DepthStats, 'depth/stats', self._on_stats, qos)
        large = newest_only(Reliability.RELIABLE, depth=5)
        for topic, kind in (('depth/image_rect', Image), ('depth/points', PointCloud2)):
            self.create_subscription(kind, topic, lambda _: None, large, raw=True)
        self.state = self.create_client(ChangeState, 'depth_estimation/change_state')
        self.setter = self.create_client(
            SetParametersAtomically, 'depth_estimation/set_parameters_atomically'
        )

    def _on_sent(self, message: CameraInfo) -> None:
        self.sent_ns.append(stamp_ns(message))

    def _on_stats(self, message: DepthStats) -> None:
        self.stats.append((time.monotonic(), message))


class Soak:
    """One run."""

    def __init__(self, node: NodeProcess, player: NodeProcess) -> None:
        self._processes = (node, player)
        self._pid = node.pid
        self.listener = Listener()
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.listener)
        self.samples: list[Sample] = []
        self.failures: list[str] = []
        self.num_cycles = 0
        self.num_changes = 0
        self._busy = OtherWork((node.pid, player.pid, os.getpid()))

    def run(self, minutes: float, *, num_cycles: int) -> Run:
        """Warm up, leave the node alone for half of the time, trouble it, compare the spans."""
        started = time.monotonic()
        self._spin_until(lambda: len(self.listener.stats) > 0, DEPTH_SEC, 'no depth came')
        span = min(60.0, 60.0 * minutes / 6.0)
        self._trouble(NUM_WARM_UP, NUM_WARM_UP * CHANGES_A_CYCLE, 0.0)
        self._spin(span / 4.0)
        self.num_cycles = self.num_changes = 0
        self.samples.clear()
        first = self._steady(span)
        self._spin(max(0.0, started + 30.0 * minutes - span - time.monotonic()))
        calm = self._steady(span)
        left = started + 60.0 * minutes - 1.25 * span - time.monotonic()
        self._trouble(num_cycles, num_cycles * CHANGES_A_CYCLE, left)
        self._spin(span / 4.0)
        last = self._steady(span)
        return Run(
            first=first,
            calm=calm,
            last=last,
            samples=tuple(self.samples),
            latencies=tuple((at, float(item.total_time)) for at, item in self.listener.stats),
            activations=activations_of(
                [item for _, item in self.listener.stats], self.listener.sent_ns
            ),
            num_cycles=self.num_cycles,
            num_changes=self.num_changes,
            failures=tuple(self.failures),
        )

    def _steady(self, seconds: float) -> tuple[float, float]:
        start = time.monotonic()
        self._spin(seconds)
        return start, time.monotonic()

    def _trouble(self, num_cycles: int, num_changes: int, seconds: float) -> None:
        """Spread cycles and parameter changes over a time, which may become longer."""
        start = time.monotonic()
        changes_a_cycle = num_changes // num_cycles
        for cycle in range(num_cycles):
            for change in range(changes_a_cycle):
                name, usual, other = CHANGES[change % len(CHANGES)]
                is_even = (change // len(CHANGES)) % 2 == 0
                self._set_parameter(name, other if is_even else usual)
            for transition in DOWN_AND_UP:
                request = ChangeState.Request(transition=Transition(id=transition))
                if not self._ask(self.listener.state, request).success:
                    self.failures.append(f'cycle {cycle}: transition {transition} refused')
            self.num_cycles += 1
            self._spin(max(0.2, start + seconds * (cycle + 1) / num_cycles - time.monotonic()))
        for name, usual, _ in CHANGES:
            self._set_parameter(name, usual)

    def _set_parameter(self, name: str, value: object) -> None:
        request = SetParametersAtomically.Request()
        request.parameters = [Parameter(name, value=value).to_parameter_msg()]
        result = self._ask(self.listener.setter, request).result
        if not result.successful:
            self.failures.append(f'{name} = {value!r} refused: {result.reason}')
        self.num_changes += 1

    def _ask(self, client: Any, request: Any) -> Any:
        self._spin_until(client.service_is_ready, ANSWER_SEC, f'no service {client.srv_name}')
        future = client.call_async(request)
        self._spin_until(future.done, ANSWER_SEC, f'no answer from {client.srv_name}')
        return future.result()

    def _spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0.0:
            self._step(min(left, 0.1))

    def _spin_until(self, is_true: Callable[[], bool], timeout_sec: float, reason: str) -> None:
        end = time.monotonic() + timeout_sec
        while not is_true():
            if time.monotonic() > end:
                said = self._processes[0].tail()
                raise DemoError(f'{reason} within {timeout_sec:g} s; the node said last:\n{said}')
            self._step(0.1)

    def _step(self, seconds: float) -> None:
        self._executor.spin_once(timeout_sec=seconds)
        now = time.monotonic()
        if self.samples and now - self.samples[-1].time_sec < SAMPLE_SEC:
            return
        for process in self._processes:
            process.check()
        self.samples.append(
            Sample(
                time_sec=now,
                rss_mb=rss_mb(self._pid),
                num_descriptors=len(list(Path(f'/proc/{self._pid}/fd').iterdir())),
                num_frames=len(self.listener.stats),
                busy_by_others=self._busy.share(),
            )
        )


def _parameter(text: str) -> tuple[str, object]:
    name, equals, value = text.partition('=')
    if not (name and equals):
        raise argparse.ArgumentTypeError(f'{text!r} is not NAME=VALUE')
    return name, yaml.safe_load(value)


def main() -> int:
    """Run, write, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('--minutes', type=float, default=30.0)
    parser.add_argument('--rate-hz', type=float, default=RATE_HZ)
    parser.add_argument('--cycles', type=int, default=NUM_CYCLES, help='lifecycle cycles')
    parser.add_argument(
        '--untimed', action='store_true', help='judge nothing that other work can change'
    )
    parser.add_argument(
        '--parameter',
        action='append',
        default=[],
        metavar='NAME=VALUE',
        type=_parameter,
        help="of the node, which has its defaults otherwise: 'network_size=96x128'",
    )
    parser.add_argument('--output', type=Path, default=Path('soak_output'))
    arguments = parser.parse_args()
    if arguments.minutes < 1.0:
        parser.error(f'--minutes is {arguments.minutes:g}, at least 1 is needed')
    environment = demo_environment(DOMAIN_ID, find_dds_profile())
    os.environ.update(environment)
    player = {'rate_hz': arguments.rate_hz, 'num_frames_ahead': 20}
    parameters: dict[str, dict[str, object]] = {
        NODE_MODULE: dict(arguments.parameter),
        PLAYER_MODULE: player,
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix='depth_soak_')))
        processes = [
            stack.enter_context(
                NodeProcess(module, values, folder=folder, environment=environment)
            )
            for module, values in parameters.items()
        ]
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        stack.callback(rclpy.try_shutdown)
        try:
            run = Soak(processes[0], processes[1]).run(
                arguments.minutes, num_cycles=arguments.cycles
            )
        except DemoError as err:
            sys.stderr.write(f'soak: error: {err}\n')
            return 1
        except KeyboardInterrupt:
            return 130
    verdicts = judge(run, is_timed=not arguments.untimed)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / 'soak.json').write_text(json.dumps(report(run, verdicts), indent=1) + '\n')
    draw(run, arguments.output / 'soak.png')
    for line in [*run.failures, *map(str, verdicts)]:
        print(line)
    return int(any(verdict.kept is False for verdict in verdicts))


if __name__ == '__main__':
    sys.exit(main())
