"""The camera player as a process, heard over DDS."""

from __future__ import annotations

import re
import signal
import time
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from ros_session import TIMEOUT_SEC, RosSession, stamps_of
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.ros.messages.conversions import rgb_from_message
from depth_estimation_ros.ros.messages.message_reading import (
    depth_from_message,
    intrinsics_from_message,
)
from depth_estimation_ros.ros.player.camera_messages import (
    ENCODINGS,
    build_messages,
    camera_info_message,
)
from depth_estimation_ros.ros.player.image_sources import SourceFrame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.ros

INTRINSICS = CameraIntrinsics(width=4, height=2, fx=3.0, fy=5.0, cx=1.5, cy=0.5)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[RosSession]:
    with RosSession(tmp_path) as running:
        yield running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of 48x64: red left, blue right."""
    rgb = np.zeros((48, 64, 3), dtype=np.uint8)
    rgb[:, :32, 0] = 255
    rgb[:, 32:, 2] = 255
    path = tmp_path / 'photo.png'
    assert cv2.imwrite(str(path), rgb[:, :, ::-1])
    return path


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_every_encoding_says_what_the_picture_shows(encoding: str) -> None:
    rgb = np.zeros((2, 4, 3), dtype=np.uint8)
    rgb[:] = (255, 0, 0)
    frame = SourceFrame(rgb=rgb, intrinsics=INTRINSICS)

    message = build_messages(frame, encoding=encoding, frame_id='eye', compress=False).image

    assert (message.encoding, message.height, message.width) == (encoding, 2, 4)
    assert len(message.data) == message.step * message.height
    expected = (76, 76, 76) if encoding.startswith('mono') else (255, 0, 0)  # 0.299 * 255
    assert rgb_from_message(message)[1, 3].tolist() == list(expected)


def test_all_messages_of_a_frame_share_one_header() -> None:
    depth = np.full((2, 4), 1.5, dtype=np.float32)
    frame = SourceFrame(
        rgb=np.zeros((2, 4, 3), dtype=np.uint8), intrinsics=INTRINSICS, depth=depth
    )

    messages = build_messages(frame, encoding='rgb8', frame_id='eye', compress=True)
    messages.camera_info.header.stamp.sec = 12

    for message in (messages.image, messages.compressed, messages.truth):
        assert message is not None
        assert message.header.stamp.sec == 12
        assert message.header.frame_id == 'eye'


def test_an_unknown_encoding_is_refused() -> None:
    frame = SourceFrame(rgb=np.zeros((2, 4, 3), dtype=np.uint8), intrinsics=INTRINSICS)
    with pytest.raises(ConfigError, match="encoding 'yuv9'"):
        build_messages(frame, encoding='yuv9', frame_id='', compress=False)


def test_camera_info_holds_k_and_p_of_the_intrinsics() -> None:
    message = camera_info_message(Header(frame_id='eye'), INTRINSICS)

    assert message.k.tolist() == [3, 0, 1.5, 0, 5, 0.5, 0, 0, 1]
    assert message.p.tolist() == [3, 0, 1.5, 0, 0, 5, 0.5, 0, 0, 0, 1, 0]
    assert message.r.tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert message.d.tolist() == [0] * 5
    assert intrinsics_from_message(message) == INTRINSICS


def test_a_photo_is_sent_with_camera_info_of_the_same_stamp(
    session: RosSession, photo: Path
) -> None:
    images, infos = session.listen(Image, 'image'), session.listen(CameraInfo, 'camera_info')
    before = time.time()
    player = session.start_node(
        'player.camera_player',
        source=photo,
        num_frames=20,
        rate_hz=20.0,
        wait_for_subscribers_sec=20.0,
    )
    session.spin_until_ended(player)

    assert player.returncode == 0
    # The two topics find this listener one after the other, so the first frames may lack one.
    assert len(set(stamps_of(images)) & set(stamps_of(infos))) >= 10
    assert stamps_of(images)[-1] == stamps_of(infos)[-1]
    assert all(item.header.frame_id == 'camera_optical_frame' for item in (*images, *infos))
    stamps = [item.header.stamp.sec + item.header.stamp.nanosec * 1e-9 for item in images]
    assert before < stamps[0] < stamps[-1] < time.time()
    rgb = rgb_from_message(images[0])
    assert rgb.shape == (48, 64, 3)
    assert rgb[0, 0].tolist() == [255, 0, 0]
    assert rgb[0, 63].tolist() == [0, 0, 255]
    assert (infos[0].width, infos[0].height) == (64, 48)


def test_frames_come_at_the_rate_asked_for(session: RosSession, photo: Path) -> None:
    infos = session.listen(CameraInfo, 'camera_info')
    session.start_node('player.camera_player', source=photo, rate_hz=25.0)
    session.spin_until(lambda: len(infos) >= 52)

    # The first is left out: the timer starts with a tick of its own.
    stamps = [sec + nanosec * 1e-9 for sec, nanosec in stamps_of(infos)][1:]
    # 50 periods without drift; a busy machine may skip some but is never early.
    assert 1.9 < stamps[50] - stamps[0] < 4.0


def test_a_room_comes_with_its_true_depth_under_the_same_stamp(session: RosSession) -> None:
    from depth_estimation_ros.rooms import RoomWalk

    images, truths = (
        session.listen(Image, 'image'),
        session.listen(Image, 'truth/depth/image_rect'),
    )
    infos = session.listen(CameraInfo, 'truth/depth/camera_info')
    session.start_node(
        'player.camera_player',
        source='rooms',
        seed=5,
        width=64,
        height=48,
        rate_hz=10.0,
        num_frames_ahead=3,
        wait_for_subscribers_sec=TIMEOUT_SEC,
    )
    session.spin_until(lambda: len(images) >= 6 and len(truths) >= 6 and len(infos) >= 6)

    by_stamp = dict(zip(stamps_of(images), images, strict=True))
    pairs = [
        (by_stamp[stamp], truth)
        for stamp, truth in zip(stamps_of(truths), truths, strict=True)
        if stamp in by_stamp
    ]
    assert len(pairs) >= 5
    walk = RoomWalk(5, (48, 64))
    views = [walk.frame(index / 10.0) for index in range(3)]
    for image, truth in pairs:
        rgb, depth = rgb_from_message(image), depth_from_message(truth)
        view = next(view for view in views if np.array_equal(view.rgb, rgb))
        np.testing.assert_array_equal(depth, view.depth)
        assert truth.encoding == '32FC1'
    assert intrinsics_from_message(infos[0]).fx == pytest.approx(views[0].intrinsics.fx)


def test_a_folder_played_once_ends_after_its_last_picture(
    session: RosSession, tmp_path: Path
) -> None:
    folder = tmp_path / 'pictures'
    folder.mkdir()
    for level in (10, 20, 30, 40):
        cv2.imwrite(str(folder / f'{level}.png'), np.full((24, 32, 3), level, dtype=np.uint8))
    images = session.listen(Image, 'image')
    player = session.start_node(
        'player.camera_player',
        source=folder,
        loop=False,
        rate_hz=10.0,
        encoding='mono8',
        num_frames_ahead=2,
        wait_for_subscribers_sec=20.0,
    )
    text = session.spin_until_ended(player)

    assert player.returncode == 0
    assert '4 frames sent' in text
    levels = [image.data[0] for image in images]
    assert levels == [10, 20, 30, 40]


def test_compressed_images_share_the_stamp_of_camera_info(
    session: RosSession, photo: Path
) -> None:
    images = session.listen(CompressedImage, 'image/compressed')
    infos = session.listen(CameraInfo, 'camera_info')
    session.start_node('player.camera_player', source=photo, publish_compressed=True, rate_hz=20.0)
    session.spin_until(lambda: len(images) >= 3)

    assert stamps_of(images)[0] in stamps_of(infos)
    assert 'jpeg' in images[0].format
    rgb = rgb_from_message(images[0]).astype(int)
    assert np.abs(rgb[10, 10] - (255, 0, 0)).max() < 12


def test_the_player_waits_for_somebody_to_listen(session: RosSession, photo: Path) -> None:
    player = session.start_node(
        'player.camera_player',
        source=photo,
        num_frames=5,
        rate_hz=50.0,
        wait_for_subscribers_sec=TIMEOUT_SEC,
    )
    infos = session.listen(CameraInfo, 'camera_info')
    names = ('image', 'camera_info')
    session.spin_until(lambda: all(session.node.count_publishers(name) for name in names))
    assert not infos

    session.listen(Image, 'image')
    session.spin_until_ended(player)

    assert player.returncode == 0
    assert infos


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_player_cleanly(
    session: RosSession, photo: Path, number: signal.Signals
) -> None:
    infos = session.listen(CameraInfo, 'camera_info')
    player = session.start_node('player.camera_player', source=photo)
    session.spin_until(lambda: infos)

    player.send_signal(number)
    text, _ = player.communicate(timeout=TIMEOUT_SEC)

    assert player.returncode == 0
    assert 'frames sent' in text
    assert 'Traceback' not in text


def test_an_interrupted_player_does_not_finish_its_room(session: RosSession) -> None:
    player = session.start_node(
        'player.camera_player', width=64, height=48, num_frames_ahead=100_000
    )
    assert player.stdout is not None
    assert 'rendering 100000 frames' in player.stdout.readline()
    player.send_signal(signal.SIGINT)
    player.send_signal(signal.SIGINT)
    text, _ = player.communicate(timeout=TIMEOUT_SEC)

    assert player.returncode == 0
    assert 'Traceback' not in text
    assert 'rror' not in text


@pytest.mark.parametrize(
    ('parameters', 'message'),
    [
        ({'source': 'nothing.jpg'}, "source 'nothing.jpg' does not exist"),
        ({'source': 'webcam:97'}, 'no webcam 97'),
        ({'source': 'broken.mp4'}, "broken.mp4' cannot be read as a picture or a video"),
        ({'source': 'empty'}, "folder 'empty' holds no picture"),
        ({'encoding': 'yuv9'}, 'encoding is .*yuv9'),
        ({'rate_hz': -1.0}, 'rate_hz: .*-1.0'),
    ],
)
def test_what_cannot_be_played_is_one_clear_line_and_exit_code_1(
    session: RosSession, tmp_path: Path, parameters: dict[str, Any], message: str
) -> None:
    (tmp_path / 'broken.mp4').write_bytes(b'this is text')
    (tmp_path / 'empty').mkdir()

    player = session.start_node('player.camera_player', **parameters)
    text, _ = player.communicate(timeout=TIMEOUT_SEC)

    assert player.returncode == 1
    lines = [line for line in text.splitlines() if line.startswith('camera_player: error:')]
    assert len(lines) == 1
    assert re.search(message, lines[0])
    assert 'Traceback' not in text
