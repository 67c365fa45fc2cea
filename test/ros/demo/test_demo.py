"""The whole demo: three processes over DDS, then the files and the figures."""

from __future__ import annotations

import json
from pathlib import Path
import signal
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

pytest.importorskip('depth_estimation_ros.msg')
pytest.importorskip('rosbags')

from ros_session import RosSession
from tiny_model import make_tiny_model

from depth_estimation_ros.model_file.model_spec import Target
from depth_estimation_ros.ros.demo.demo import parse_arguments
from depth_estimation_ros.ros.demo.processes import DemoError, NodeProcess, demo_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    import subprocess

pytestmark = [pytest.mark.ros, pytest.mark.slow]

TIMEOUT_SEC = 240.0  # rooms may have to compile their renderer first
FILES = {'preview.png', 'cloud.ply', 'demo.mcap', 'metrics.json'}
KEYS = {
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


@pytest.fixture
def session(tmp_path: Path) -> Iterator[RosSession]:
    with RosSession(tmp_path) as running:
        yield running


def start_demo(session: RosSession, *arguments: str) -> subprocess.Popen[str]:
    return session.start(
        'depth_estimation_ros.ros.demo.demo',
        '--domain-id',
        str(session.domain_id),
        '--output',
        'out',
        *arguments,
    )


def run_demo(session: RosSession, *arguments: str) -> tuple[int, str]:
    process = start_demo(session, *arguments)
    text, _ = process.communicate(timeout=TIMEOUT_SEC)
    return process.returncode, text


def test_a_room_becomes_depth_pictures_and_figures(
    session: RosSession, tmp_path: Path, tiny_model_path: Path
) -> None:
    from rosbags.highlevel import AnyReader

    code, text = run_demo(
        session,
        *('--model', str(tiny_model_path), '--backend', 'onnxruntime', '--seed', '5'),
        *('--duration-sec', '2', '--width', '128', '--height', '96', '--num-frames-ahead', '4'),
        *('--rate-hz', '15'),
    )

    assert code == 0, text
    assert {path.name for path in (tmp_path / 'out').iterdir()} == FILES
    metrics = json.loads((tmp_path / 'out' / 'metrics.json').read_text())
    assert set(metrics) >= KEYS
    assert metrics['backend'] == 'onnxruntime'
    assert metrics['image_size'] == '128x96'
    assert 0 < metrics['frames_received'] <= metrics['frames_sent'] <= 34  # 2 s at 15 Hz
    dropped = metrics['frames_sent'] - metrics['frames_received']
    assert metrics['frames_dropped'] == dropped
    assert metrics['fps'] == pytest.approx(metrics['frames_received'] / 2.0)
    assert 0.0 < metrics['latency_ms_p50'] <= metrics['latency_ms_p95']
    assert metrics['abs_rel'] > 0.0
    assert 0.0 <= metrics['a1'] <= 1.0
    assert 0.0 < metrics['valid_fraction'] <= 1.0
    assert metrics['bare_estimator_fps'] > 0.0
    assert f'{metrics["fps"]:.1f} frames/s' in text
    assert cv2.imread(str(tmp_path / 'out' / 'preview.png')) is not None
    assert (tmp_path / 'out' / 'cloud.ply').read_bytes().startswith(b'ply\n')
    with AnyReader([tmp_path / 'out' / 'demo.mcap']) as reader:
        topics = {connection.topic for connection in reader.connections}
    assert topics >= {'/image', '/depth/image_rect', '/depth/points', '/truth/depth/image_rect'}


def test_a_photo_has_no_truth_and_keeps_its_aspect(
    session: RosSession, tmp_path: Path, tiny_model_path: Path
) -> None:
    photo = np.random.default_rng(0).integers(40, 255, (60, 100, 3), dtype=np.uint8)
    assert cv2.imwrite(str(tmp_path / 'photo.png'), photo)

    code, text = run_demo(
        session,
        *('--input', 'photo.png', '--model', str(tiny_model_path)),
        *('--duration-sec', '1', '--width', '120', '--rate-hz', '15'),
    )

    assert code == 0, text
    metrics = json.loads((tmp_path / 'out' / 'metrics.json').read_text())
    assert metrics['abs_rel'] is None
    assert metrics['a1'] is None
    assert metrics['image_size'] == '120x72'
    assert metrics['frames_received'] > 0
    assert 'not known for this input' in text


def test_a_node_that_cannot_start_is_the_reason_given(session: RosSession, tmp_path: Path) -> None:
    make_tiny_model(tmp_path / 'gpu.onnx', target=Target.TENSORRT)
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'metrics.json').write_text('earlier')

    code, text = run_demo(session, '--model', 'gpu.onnx', '--backend', 'onnxruntime')

    assert code == 1
    last = text.splitlines()[-1]
    assert last.startswith('demo: error: node cannot configure: ')
    assert 'made for target tensorrt' in last
    assert 'Traceback' not in text
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['metrics.json']
    assert (tmp_path / 'out' / 'metrics.json').read_text() == 'earlier'


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('--input', 'nothing.jpg'), "source 'nothing.jpg' does not exist"),
        (('--input', 'empty'), "empty' holds no picture"),
        (('--model', 'nothing.onnx'), 'nothing.onnx: no such model file'),
        (('--model', 'foreign.onnx'), 'foreign.onnx: '),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(
    session: RosSession, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    make_tiny_model(tmp_path / 'tiny.onnx')
    (tmp_path / 'foreign.onnx').write_bytes(b'this is no model')
    (tmp_path / 'empty').mkdir()
    code, text = run_demo(session, *('--model', 'tiny.onnx'), *arguments)

    assert code == 1
    lines = [line for line in text.splitlines() if line.startswith('demo: error: ')]
    assert len(lines) == 1
    assert message in text
    assert 'Traceback' not in text


def test_an_interrupted_demo_leaves_no_process_and_no_file(
    session: RosSession, tmp_path: Path, tiny_model_path: Path
) -> None:
    demo = start_demo(session, '--model', str(tiny_model_path), '--width', '64', '--height', '48')
    names = ('camera_player', 'depth_estimation')
    session.spin_until(lambda: set(names) <= set(session.node.get_node_names()))
    children = _children(demo.pid)
    assert len(children) == 2

    demo.send_signal(signal.SIGTERM)
    text, _ = demo.communicate(timeout=TIMEOUT_SEC)

    assert demo.returncode == 130, text
    assert 'interrupted, nothing was written' in text
    assert not any(Path(f'/proc/{pid}').exists() for pid in children)
    assert not (tmp_path / 'out').exists()


def test_a_process_that_ends_is_reported_with_its_last_words(tmp_path: Path) -> None:
    environment = demo_environment(1, None)
    with NodeProcess(
        'depth_estimation_ros.ros.player.camera_player',
        {'source': 'webcam:97'},
        folder=tmp_path,
        environment=environment,
    ) as process:
        with pytest.raises(DemoError, match='camera_player ended with exit code 1'):
            _check_until_it_raises(process)
        assert 'no webcam 97' in process.tail()


def test_the_environment_keeps_a_profile_of_the_users_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', 'mine.xml')
    monkeypatch.delenv('FASTDDS_DEFAULT_PROFILES_FILE', raising=False)
    monkeypatch.delenv('ROS_DISTRO', raising=False)

    environment = demo_environment(42, tmp_path / 'profile.xml')

    assert environment['ROS_DOMAIN_ID'] == '42'
    assert environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert environment['FASTRTPS_DEFAULT_PROFILES_FILE'] == 'mine.xml'
    assert 'FASTDDS_DEFAULT_PROFILES_FILE' not in environment  # the user's own counts alone


def test_humble_is_kept_on_this_machine_by_its_own_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('ROS_DISTRO', 'humble')
    assert demo_environment(1, None)['ROS_LOCALHOST_ONLY'] == '1'


def test_the_promised_defaults_hold() -> None:
    arguments = parse_arguments([])
    assert arguments.input == 'rooms'
    assert arguments.output == Path('demo_output')
    assert (arguments.duration_sec, arguments.rate_hz, arguments.width) == (10.0, 30.0, 640)


def _check_until_it_raises(process: NodeProcess) -> None:
    for _ in range(10**9):  # ended by the error, or by the test's time limit
        process.check()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]
