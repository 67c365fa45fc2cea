"""What the demo records, measures and writes, from messages made by hand."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from depth_estimation_ros.errors import DataError, DepthEstimationError
from depth_estimation_ros.files.stamp import header_stamp
from depth_estimation_ros.ros.demo.recording import (
    NUM_WARM_UP_FRAMES,
    Recording,
    Topic,
    Window,
    latencies_ms,
)

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000_000


def cdr(stamp_ns: int, payload: bytes = b'') -> bytes:
    """A serialised message as far as the recording looks at it."""
    return b'\x00\x01\x00\x00' + struct.pack('<iI', *divmod(stamp_ns, SECOND)) + payload


def test_the_stamp_is_read_from_both_byte_orders() -> None:
    assert header_stamp(cdr(5 * SECOND + 7)) == 5 * SECOND + 7
    big = b'\x00\x00\x00\x00' + struct.pack('>iI', 5, 7)
    assert header_stamp(big) == 5 * SECOND + 7


def test_a_kept_frame_is_complete_whatever_the_order_of_its_messages() -> None:
    recording = Recording(keep_period_sec=1.0)
    for topic in (Topic.IMAGE, Topic.TRUTH, Topic.DEPTH, Topic.POINTS, Topic.COLOR):
        recording.add(topic, cdr(SECOND, topic.value.encode()))

    kept = {message.topic: message.data for message in recording.kept}
    assert set(kept) == {Topic.IMAGE, Topic.TRUTH, Topic.DEPTH, Topic.POINTS, Topic.COLOR}
    assert kept[Topic.IMAGE].endswith(b'image')


def test_large_messages_are_kept_at_the_rate_asked_for_and_all_are_counted() -> None:
    recording = Recording(keep_period_sec=0.5)
    for index in range(20):
        stamp = index * SECOND // 10
        for topic in (Topic.CAMERA_INFO, Topic.IMAGE, Topic.DEPTH, Topic.STATS):
            recording.add(topic, cdr(stamp))

    assert len(recording.arrivals[Topic.IMAGE]) == 20
    assert list(recording.kept_of(Topic.IMAGE)) == [0, SECOND // 2, SECOND, 3 * SECOND // 2]
    assert list(recording.kept_of(Topic.DEPTH)) == [0, SECOND // 2, SECOND, 3 * SECOND // 2]
    assert len(recording.kept_of(Topic.STATS)) == 20


def test_the_span_begins_with_the_first_depth_whose_image_was_seen() -> None:
    recording = Recording(keep_period_sec=1.0)
    assert not recording.has_started
    with pytest.raises(DataError, match='no depth image'):
        recording.window(2.0)

    recording.add(Topic.DEPTH, cdr(1 * SECOND))  # sent before the recorder listened
    assert not recording.has_started
    recording.add(Topic.CAMERA_INFO, cdr(2 * SECOND))
    recording.add(Topic.DEPTH, cdr(2 * SECOND))

    window = recording.window(2.0)
    assert window == Window(start_ns=2 * SECOND, end_ns=4 * SECOND)
    assert 2 * SECOND in window
    assert 4 * SECOND not in window


def test_latency_leaves_out_the_first_frames_and_those_outside() -> None:
    recording = Recording(keep_period_sec=1.0)
    arrivals = recording.arrivals[Topic.DEPTH]
    for index in range(NUM_WARM_UP_FRAMES):
        arrivals[index] = index + 900_000_000  # 900 ms: a cold start
    arrivals[50] = 50 + 20_000_000
    arrivals[51] = 51 + 30_000_000
    arrivals[100] = 100 + 500_000_000

    assert latencies_ms(recording, Window(start_ns=0, end_ns=100)) == [20.0, 30.0]


class TestReport:
    """Figures and files of a short recording of real messages."""

    @pytest.fixture(autouse=True)
    def _needs_messages(self) -> None:
        pytest.importorskip('depth_estimation_ros.msg')
        pytest.importorskip('rosbags')

    @pytest.fixture
    def recording(self) -> Recording:
        """Ten frames at 10 Hz, the odd ones without depth: depth is 2 m where truth is 2.5 m."""
        return make_recording()

    def test_every_figure_is_what_was_recorded(self, recording: Recording) -> None:
        from depth_estimation_ros.ros.demo.metrics import measure

        metrics = measure(recording, 1.0, bare_estimator_fps=9.0)

        assert (metrics.frames_sent, metrics.frames_received, metrics.frames_dropped) == (10, 5, 5)
        assert metrics.fps == pytest.approx(5.0)
        assert metrics.camera_rate_hz == pytest.approx(10.0)
        assert metrics.abs_rel == pytest.approx(0.2)  # 0.5 / 2.5
        assert metrics.a1 == pytest.approx(0.0)  # a factor of exactly 1.25 is not under 1.25
        assert metrics.backend == 'openvino'
        assert metrics.valid_fraction == pytest.approx(0.75)
        assert metrics.image_size == '8x6'
        assert metrics.bare_estimator_fps == 9.0
        assert metrics.share_of_bare == pytest.approx(5.0 / 9.0)  # the camera is faster

    def test_the_json_has_the_promised_keys(self, recording: Recording) -> None:
        from depth_estimation_ros.ros.demo.metrics import measure

        values = json.loads(measure(recording, 1.0, bare_estimator_fps=9.0).to_json())

        assert set(values) >= {
            'frames_sent',
            'frames_received',
            'fps',
            'latency_ms_p50',
            'latency_ms_p95',
            'abs_rel',
            'a1',
            'backend',
            'valid_fraction',
        }

    def test_without_truth_the_scores_are_null(self) -> None:
        from depth_estimation_ros.ros.demo.metrics import format_table, measure

        metrics = measure(make_recording(truth=False), 1.0, bare_estimator_fps=9.0)

        values = json.loads(metrics.to_json())
        assert values['abs_rel'] is None
        assert values['a1'] is None
        assert 'not known for this input' in format_table(metrics)

    def test_the_bag_gives_back_every_message_with_its_definition(
        self, recording: Recording, tmp_path: Path
    ) -> None:
        from rosbags.highlevel import AnyReader

        write_report_of(recording, tmp_path)

        with AnyReader([tmp_path / 'demo.mcap']) as reader:
            topics = {connection.topic: connection for connection in reader.connections}
            stats = topics['/depth/stats']
            assert stats.msgtype == 'depth_estimation_ros/msg/DepthStats'
            assert 'float32 valid_fraction' in stats.msgdef.data
            assert topics['/depth/points'].msgtype == 'sensor_msgs/msg/PointCloud2'
            read = [
                (connection.topic, reader.deserialize(data, connection.msgtype))
                for connection, _, data in reader.messages()
            ]
        assert len(read) == len(recording.kept)
        backends = {message.backend for topic, message in read if topic == '/depth/stats'}
        assert backends == {'openvino'}
        depth = next(message for topic, message in read if topic == '/depth/image_rect')
        assert np.frombuffer(depth.data, np.float32).tolist() == [2.0] * 48

    def test_all_files_are_written_and_no_other(
        self, recording: Recording, tmp_path: Path
    ) -> None:
        from depth_estimation_ros.ros.demo.report import REPORT_FILES

        write_report_of(recording, tmp_path)

        assert {path.name for path in tmp_path.iterdir()} == set(REPORT_FILES)

    def test_a_report_that_fails_leaves_the_earlier_one(self, tmp_path: Path) -> None:
        (tmp_path / 'metrics.json').write_text('earlier')

        with pytest.raises(DepthEstimationError, match='no frame is complete'):
            write_report_of(make_recording(points=False), tmp_path)

        assert [path.name for path in tmp_path.iterdir()] == ['metrics.json']
        assert (tmp_path / 'metrics.json').read_text() == 'earlier'


def write_report_of(recording: Recording, folder: Path) -> None:
    from depth_estimation_ros.ros.demo.metrics import measure
    from depth_estimation_ros.ros.demo.report import write_report

    metrics = measure(recording, 1.0, bare_estimator_fps=9.0)
    write_report(folder, recording, metrics, model_notes='a model')


def make_recording(*, truth: bool = True, points: bool = True) -> Recording:
    recording = Recording(keep_period_sec=0.0)
    for index in range(10):
        messages = frame_messages(SECOND + index * SECOND // 10)
        if not truth:
            del messages[Topic.TRUTH]
        if not points:
            del messages[Topic.POINTS]
        has_depth = index % 2 == 0
        for topic, data in messages.items():
            if has_depth or topic in (Topic.CAMERA_INFO, Topic.IMAGE, Topic.TRUTH):
                recording.add(topic, data)
    return recording


def frame_messages(stamp_ns: int) -> dict[Topic, bytes]:
    """Everything that goes with one frame of 6x8 pixels, serialised, depth and cloud last."""
    from builtin_interfaces.msg import Time
    from rclpy.serialization import serialize_message
    from sensor_msgs.msg import CameraInfo
    from std_msgs.msg import Header

    from depth_estimation_ros.msg import DepthStats
    from depth_estimation_ros.ros.messages.conversions import cloud_message, image_message

    sec, nanosec = divmod(stamp_ns, SECOND)
    header = Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id='camera_optical_frame')
    shape = (6, 8)
    points = np.full((*shape, 4), 2.0, dtype=np.float32)
    messages: dict[Topic, Any] = {
        Topic.CAMERA_INFO: CameraInfo(header=header, height=6, width=8),
        Topic.IMAGE: image_message(header, np.zeros((*shape, 3), dtype=np.uint8), 'rgb8'),
        Topic.TRUTH: image_message(header, np.full(shape, 2.5, dtype=np.float32), '32FC1'),
        Topic.STATS: DepthStats(header=header, backend='openvino', valid_fraction=0.75),
        Topic.DEPTH: image_message(header, np.full(shape, 2.0, dtype=np.float32), '32FC1'),
        Topic.POINTS: cloud_message(header, points, is_dense=True),
    }
    return {topic: serialize_message(message) for topic, message in messages.items()}
