"""Camera images between two processes over DDS, with and without the shipped Fast DDS profile.

For each image size and each reliability of the subscriber, one process sends rgb8 images at a
camera's rate and another receives them, in turn without and with config/fastdds_profile.xml, for
several rounds. Told are the share that arrived, the median time from the stamp to the callback,
and the two settings' ratio, which other programs on the machine disturb less than the times.

With --ways it compares instead, with the profile, what rclpy makes of a Full HD image with bytes
that are serialised by hand: processor time of the sender and of the receiver, an image.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
import statistics
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from node_rates import CDR_HEADER_BYTES, STAMP
import numpy as np
import rclpy
from rclpy.duration import Duration
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from depth_estimation_ros.ros.launching.arguments import DDS_VARIABLES
from depth_estimation_ros.ros.messages.conversions import image_message
from depth_estimation_ros.ros.messages.qos import Reliability, newest_only
from depth_estimation_ros.startup import keep_freed_memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

PROFILE = Path(__file__).parents[1] / 'config' / 'fastdds_profile.xml'
TOPIC = 'image'
SIZES = ((480, 640), (720, 1280))
DISCOVERY_SEC = 30.0
QUIET_SEC = 3.0  # without a message the stream is over
SENDER_DEPTH = 5
FULL_HD = (1080, 1920)
COUNT = struct.Struct('<I')  # of the bytes that follow
MESSAGE, BYTES = 'message', 'bytes'  # what is published, and what the subscriber gets


def main() -> int:
    """Run the benchmark, or one of its two processes."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--num-images', type=int, default=90, help='a round (%(default)s)')
    parser.add_argument('--rate-hz', type=float, default=30.0, help='(%(default)s)')
    parser.add_argument('--rounds', type=int, default=3, help='of each setting (%(default)s)')
    parser.add_argument('--domain-id', type=int, default=77, help='(%(default)s)')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures here')
    parser.add_argument('--role', choices=('send', 'receive'), help=argparse.SUPPRESS)
    parser.add_argument('--size', type=int, nargs=2, default=SIZES[0], help=argparse.SUPPRESS)
    parser.add_argument('--reliability', default='reliable', help=argparse.SUPPRESS)
    parser.add_argument('--ways', action='store_true', help='compare messages with bytes')
    parser.add_argument('--way', default=MESSAGE, help=argparse.SUPPRESS)
    args = parser.parse_args()
    keep_freed_memory()
    if args.role == 'send':
        send(args)
    elif args.role == 'receive':
        receive(args)
    elif args.ways:
        compare_ways(args)
    else:
        compare(args)
    return 0


def compare_ways(args: argparse.Namespace) -> None:
    """Measure messages and bytes in turns; prints medians of the rounds."""
    case = ('--size', *map(str, FULL_HD), '--reliability', Reliability.RELIABLE.value, '--way')
    rounds: dict[str, list[dict[str, float]]] = {MESSAGE: [], BYTES: []}
    for _ in range(args.rounds):
        for way, found in rounds.items():
            found.append(measure(args, (*case, way), has_profile=True))
    print('| 1920x1080 rgb8 | received | sender [ms] | receiver [ms] |')
    print('|---|---|---|---|')
    for way, found in rounds.items():
        figures = summary(found)
        print(
            f'| {way} | {100 * figures["share"]:.0f} % | {figures["send_cpu_ms"]:.2f} '
            f'| {figures["cpu_ms"]:.2f} |'
        )


def compare(args: argparse.Namespace) -> None:
    """Measure every case without and with the profile, side by side."""
    report = []
    print('| image | subscriber | default | profile | time, default : profile |')
    print('|---|---|---|---|---|')
    for height, width in SIZES:
        for reliability in Reliability:
            rounds: dict[bool, list[dict[str, float]]] = {False: [], True: []}
            for _ in range(args.rounds):
                for has_profile in rounds:
                    case = ('--size', str(height), str(width), '--reliability', reliability.value)
                    rounds[has_profile].append(measure(args, case, has_profile=has_profile))
            default, profile = (summary(rounds[key]) for key in (False, True))
            ratio = default['median_ms'] / profile['median_ms'] if default['share'] else 0.0
            print(
                f'| {width}x{height} | {reliability.value} | {told(default)} | {told(profile)} '
                f'| {ratio:.1f} |',
                flush=True,
            )
            report.append(
                {
                    'size': [height, width],
                    'subscriber': reliability.value,
                    'default': default,
                    'profile': profile,
                }
            )
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + '\n')


def told(figures: dict[str, float]) -> str:
    """Word the figures of one setting."""
    return f'{100 * figures["share"]:.0f} % received, {figures["median_ms"]:.1f} ms'


def summary(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Take the median of the rounds."""
    return {key: statistics.median(item[key] for item in rounds) for key in rounds[0]}


def measure(
    args: argparse.Namespace, case: tuple[str, ...], *, has_profile: bool
) -> dict[str, float]:
    """Run a sender and a receiver; returns what both found."""
    environment = {key: text for key, text in os.environ.items() if key not in DDS_VARIABLES}
    environment['ROS_DOMAIN_ID'] = str(args.domain_id)
    environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    if has_profile:
        environment |= dict.fromkeys(DDS_VARIABLES, str(PROFILE))
    common = [sys.executable, __file__, '--num-images', str(args.num_images)]
    common += ['--rate-hz', str(args.rate_hz), *case, '--role']
    with (
        subprocess.Popen(
            [*common, 'receive'], env=environment, stdout=subprocess.PIPE, text=True
        ) as receiver,
        subprocess.Popen(
            [*common, 'send'], env=environment, stdout=subprocess.PIPE, text=True
        ) as sender,
    ):
        received, _ = receiver.communicate()
        sent, _ = sender.communicate()
    figures: dict[str, float] = json.loads(received) | json.loads(sent)
    return figures


def send(args: argparse.Namespace) -> None:
    """Publish images at the rate, reliably, as camera drivers mostly do."""
    rclpy.init(args=[])
    node = rclpy.create_node('sender')
    publisher = node.create_publisher(
        Image, TOPIC, newest_only(Reliability.RELIABLE, depth=SENDER_DEPTH)
    )
    pixels = np.zeros((*args.size, 3), np.uint8)
    header = Header(frame_id='camera')
    deadline = time.monotonic() + DISCOVERY_SEC
    while not publisher.get_subscription_count() and time.monotonic() < deadline:
        rclpy.spin_once(node, timeout_sec=0.1)
    time.sleep(1.0)  # the other side has found this one, too
    due, cpu = time.monotonic(), time.process_time()
    for _ in range(args.num_images):
        header.stamp = node.get_clock().now().to_msg()
        made = _serialised if args.way == BYTES else image_message
        publisher.publish(made(header, pixels, 'rgb8'))
        due += 1.0 / args.rate_hz
        time.sleep(max(0.0, due - time.monotonic()))
    cpu = time.process_time() - cpu
    publisher.wait_for_all_acked(Duration(seconds=2))
    print(json.dumps({'send_cpu_ms': 1e3 * cpu / args.num_images}))
    rclpy.shutdown()


def _serialised(header: Header, pixels: NDArray[np.uint8], encoding: str) -> bytes:
    """Give the bytes that rclpy would send of `image_message`, pixels copied once."""
    height, width = pixels.shape[:2]
    small = image_message(header, pixels[:1, :1], encoding)
    small.height, small.width, small.step = height, width, 3 * width
    start = serialize_message(small)[: -COUNT.size - len(small.data)]
    return b''.join((start, COUNT.pack(pixels.nbytes), pixels.data.cast('B')))


def receive(args: argparse.Namespace) -> None:
    """Count images and their ages until no more come; prints the figures as JSON."""
    rclpy.init(args=[])
    node = rclpy.create_node('receiver')
    ages_ms: list[float] = []
    clock = node.get_clock()

    def on_image(message: Any) -> None:
        if args.way == BYTES:
            sec, nanosec = STAMP.unpack_from(message, CDR_HEADER_BYTES)
        else:
            sec, nanosec = message.header.stamp.sec, message.header.stamp.nanosec
        ages_ms.append((clock.now().nanoseconds - (sec * 10**9 + nanosec)) * 1e-6)

    qos = newest_only(Reliability(args.reliability), depth=SENDER_DEPTH)
    node.create_subscription(Image, TOPIC, on_image, qos, raw=args.way == BYTES)
    cpu = time.process_time()
    last = time.monotonic() + DISCOVERY_SEC
    while len(ages_ms) < args.num_images and time.monotonic() < last + QUIET_SEC:
        num_before = len(ages_ms)
        rclpy.spin_once(node, timeout_sec=0.1)
        if len(ages_ms) > num_before:
            last = time.monotonic()
    median_ms = statistics.median(ages_ms) if ages_ms else 0.0
    cpu_ms = 1e3 * (time.process_time() - cpu) / max(1, len(ages_ms))
    share = len(ages_ms) / args.num_images
    print(json.dumps({'share': share, 'median_ms': median_ms, 'cpu_ms': cpu_ms}))
    rclpy.shutdown()


if __name__ == '__main__':
    sys.exit(main())
