"""The executable `snapshot` beside a real camera player and the real node."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

pytest.importorskip('depth_estimation_ros.msg')
pytest.importorskip('matplotlib')

from depth_session import NODE
from ros_session import TIMEOUT_SEC, RosSession
from sensor_msgs.msg import Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.ros


@pytest.fixture
def session(tmp_path: Path) -> Iterator[RosSession]:
    with RosSession(tmp_path) as running:
        yield running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of 96x128, grey, brighter to the right: the tiny model sees a slanted wall."""
    ramp = np.linspace(60, 220, 128).astype(np.uint8)
    path = tmp_path / 'photo.png'
    assert cv2.imwrite(str(path), np.repeat(np.tile(ramp, (96, 1))[..., None], 3, axis=2))
    return path


@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_live_topics_become_one_picture(
    session: RosSession, tmp_path: Path, photo: Path, tiny_model_path: Path, transport: str
) -> None:
    session.start_node(NODE, model_path=tiny_model_path, image_transport=transport)
    session.start_node(
        'player.camera_player',
        source=photo,
        rate_hz=10.0,
        publish_compressed=transport == 'compressed',
    )
    snapshot = session.start_node(
        'demo.snapshot', output='shots/now.png', image_transport=transport, timeout_sec=TIMEOUT_SEC
    )
    text, _ = snapshot.communicate(timeout=2 * TIMEOUT_SEC)

    assert snapshot.returncode == 0, text
    assert 'wrote shots/now.png' in text
    picture = cv2.imread(str(tmp_path / 'shots' / 'now.png'))
    assert picture is not None
    assert min(picture.shape[:2]) > 800
    assert [path.name for path in (tmp_path / 'shots').iterdir()] == ['now.png']


def test_without_publishers_it_says_which_topics_are_silent(
    session: RosSession, tmp_path: Path
) -> None:
    snapshot = session.start_node('demo.snapshot', timeout_sec=1.0)
    text, _ = snapshot.communicate(timeout=TIMEOUT_SEC)

    assert snapshot.returncode == 1
    assert 'snapshot: error: no frame within 1 s: /image: no message, 0 publishers' in text
    assert '/depth/points: no message, 0 publishers' in text
    assert not (tmp_path / 'snapshot.png').exists()


def test_without_depth_it_says_that_images_come(session: RosSession, photo: Path) -> None:
    images = session.listen(Image, 'image')
    session.start_node('player.camera_player', source=photo, rate_hz=20.0)
    session.spin_until(lambda: images)

    snapshot = session.start_node('demo.snapshot', timeout_sec=5.0)
    text, _ = snapshot.communicate(timeout=TIMEOUT_SEC)

    assert snapshot.returncode == 1
    assert '/image: ' in text
    assert 'messages, ' in text
    assert '/depth/image_rect: no message, 0 publishers' in text


def test_an_interrupted_snapshot_writes_nothing(session: RosSession, tmp_path: Path) -> None:
    snapshot = session.start_node('demo.snapshot', timeout_sec=TIMEOUT_SEC)
    session.spin_until(lambda: 'snapshot' in session.node.get_node_names())
    snapshot.send_signal(signal.SIGINT)
    text, _ = snapshot.communicate(timeout=TIMEOUT_SEC)

    assert snapshot.returncode == 130
    assert text == ''
    assert list(tmp_path.iterdir()) == []


def test_a_bad_parameter_is_one_clear_line(session: RosSession) -> None:
    snapshot = session.start_node('demo.snapshot', image_transport='pigeon')
    text, _ = snapshot.communicate(timeout=TIMEOUT_SEC)

    assert snapshot.returncode == 1
    assert "snapshot: error: image_transport is 'pigeon'" in text
    assert 'Traceback' not in text
