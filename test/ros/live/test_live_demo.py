"""What `make live` runs: a camera, the node and the page, and nothing left of them afterwards."""

from __future__ import annotations

import http.client
import signal
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')
pytest.importorskip('depth_estimation_ros.msg', reason='needs the colcon install')
pytest.importorskip('viser')

from ros_session import RosSession
from sensor_msgs.msg import Image

from depth_estimation_ros.ros.live.live_demo import main

if TYPE_CHECKING:
    from pathlib import Path
    import subprocess

pytestmark = pytest.mark.ros

MODULE = 'depth_estimation_ros.ros.live.live_demo'
NAMES = {'camera_player', 'depth_estimation', 'live_view'}


def start(session: RosSession, *arguments: str) -> subprocess.Popen[str]:
    domain = ('--domain-id', str(session.domain_id))
    return session.start(MODULE, *arguments, *domain, '--port', '0')


@pytest.mark.slow
def test_a_photo_is_shown_until_ctrl_c_ends_all_three(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / 'photo.png'), np.full((48, 64, 3), 51, np.uint8))
    with RosSession(tmp_path) as session:
        names = session.node.get_node_names
        log = session.listen_to_log()
        depth = session.listen(Image, 'depth/image_rect')
        # Both paths are seen from where the command is typed.
        (tmp_path / 'model.onnx').symlink_to(tiny_model_path)
        process = start(session, '--input', 'photo.png', '--model', 'model.onnx')
        said = ''

        def is_shown() -> bool:
            nonlocal said
            said = next((line.msg for line in log if 'the page is at' in line.msg), '')
            return bool(said and depth) and set(names()) >= NAMES

        session.spin_until(is_shown)
        connection = http.client.HTTPConnection(said.rpartition('/')[2], timeout=20)
        connection.request('GET', '/')
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(signal.SIGINT)
        session.spin_until_ended(process)
        session.spin_until(lambda: not NAMES & set(names()))
    assert process.returncode == 0


def test_a_camera_that_is_not_there_ends_all_with_its_own_words(tmp_path: Path) -> None:
    with RosSession(tmp_path) as session:
        process = start(session, '--input', 'webcam:77')
        output = session.spin_until_ended(process)
        session.spin_until(lambda: not NAMES & set(session.node.get_node_names()))
    assert process.returncode == 1
    assert 'live_demo: error: camera_player ended with exit code 1' in output
    assert "error: no webcam 77: '/dev/video77' is missing, busy or not readable" in output


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('--input', '/nowhere.jpg'), "source '/nowhere.jpg' does not exist"),
        (('--model', 'nowhere.onnx'), 'nowhere.onnx: no such model file'),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_starts(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ''
