"""What calibrate-scale says when it cannot find a scale: each a process of its own, over DDS."""

from __future__ import annotations

import array
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip('depth_estimation_ros.msg')

from calibration_session import BODY_IN_OPTICAL, QUICK, Calibration, StandIn
from depth_session import camera_info, grey_image
from ros_session import RosSession
from sensor_msgs.msg import Image, LaserScan, PointCloud2
from std_msgs.msg import Header

from depth_estimation_ros.cli.main import main
from depth_estimation_ros.ros.messages.conversions import cloud_message, image_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp('stand_in')) as session:
        yield session


def depth_image(depth: float = 2.0) -> Image:
    """A wall of 48x64 pixels."""
    return image_message(Header(), np.full((48, 64), depth, np.float32), '32FC1')


def sloping_depth() -> Image:
    rows = np.tile(np.linspace(1.0, 9.0, 64, dtype=np.float32), (48, 1))
    return image_message(Header(), rows, '32FC1')


def short_image() -> Image:
    message = depth_image()
    message.data = array.array('B', b'few')
    return message


def cloud_behind() -> PointCloud2:
    points = np.full((1, 5, 3), -1.0, np.float32)
    return cloud_message(depth_image().header, points, is_dense=True)


def laser_elsewhere() -> LaserScan:
    scan = LaserScan(ranges=[1.0], range_max=9.0)
    scan.header.frame_id = 'laser'
    return scan


REFERENCE = ('--reference-topic', 'other')


@pytest.mark.parametrize(
    ('arguments', 'depth', 'other', 'message'),
    [
        (('--distance', '2'), sloping_depth, None, 'error: the target is not flat: depth in the'),
        (('--distance', '2'), lambda: depth_image(np.nan), None, 'error: no depth in the 13x10'),
        (
            ('--distance', '2', '--min-samples', '391'),
            depth_image,
            None,
            'error: 390 samples in 3 frames are too few, at least 391',
        ),
        (
            ('--distance', '999'),
            depth_image,
            None,
            'error: depth_scale is 499.5, but it must be from 0.01 to 100',
        ),
        (('--distance', '2'), short_image, None, 'error: depth: image data has 3 bytes'),
        (
            ('--distance', '2'),
            lambda: grey_image(9),
            None,
            "error: depth: depth image has encoding 'rgb8'; expected 32FC1 or 16UC1",
        ),
        (
            REFERENCE,
            depth_image,
            lambda: grey_image(9),
            "error: other: depth image has encoding 'rgb8'; expected 32FC1 or 16UC1",
        ),
        (REFERENCE, depth_image, lambda: depth_image(np.nan), 'error: no overlap: other measured'),
        (
            REFERENCE,
            depth_image,
            laser_elsewhere,
            "error: other is in frame 'laser', the depth in",
        ),
        (
            (*REFERENCE, '--transform', *BODY_IN_OPTICAL),
            depth_image,
            cloud_behind,
            'error: no overlap: other measured nothing where the image has depth',
        ),
        (
            (*REFERENCE, '--offset'),
            depth_image,
            depth_image,
            'error: the depths, 2.00 to 2.00 m, are too much alike to tell an offset',
        ),
        (
            (*REFERENCE, '--transform', '1', '2'),
            depth_image,
            depth_image,
            'error: transform 1 2: 2 numbers, expected X Y Z ROLL PITCH YAW',
        ),
        (
            REFERENCE,
            depth_image,
            camera_info,
            'error: /other is of type sensor_msgs/msg/CameraInfo, but must be sensor_msgs/msg/',
        ),
    ],
)
def test_what_tells_no_scale_is_one_line(
    tmp_path: Path,
    arguments: tuple[str, ...],
    depth: Callable[[], Image],
    other: Callable[[], Any] | None,
    message: str,
) -> None:
    with StandIn(tmp_path) as session:
        calibration = Calibration(session, *arguments, *QUICK)

        def send() -> None:
            others = [('other', other())] if other else []
            if other is cloud_behind or other is laser_elsewhere:
                others.append(('depth/camera_info', camera_info()))
            session.send(depth(), *others)

        code, text = calibration.run(send)
    assert code == 1
    errors = [line for line in text.splitlines() if line.startswith('depth-estimation: error: ')]
    assert len(errors) == 1, text
    assert message in errors[0]
    assert 'Traceback' not in text
    assert not (tmp_path / 'depth_scale.yaml').exists()


def test_stamps_that_never_meet_are_named(stand_in: StandIn) -> None:
    code, text = Calibration(stand_in, *REFERENCE, '--timeout-sec', '3').run(
        lambda: stand_in.send(depth_image(), ('other', depth_image()), late_sec=1000)
    )
    assert code == 1
    assert 'nothing to compare within 3 s: no message on other has the time of a depth' in text
    assert 's are allowed' in text


def test_a_scanner_without_a_calibrated_camera_is_told_so(stand_in: StandIn) -> None:
    code, text = Calibration(stand_in, '--reference-topic', 'laser', '--timeout-sec', '3').run(
        lambda: stand_in.send(depth_image(), ('laser', laser_elsewhere()))
    )
    assert code == 1
    assert 'nothing to compare within 3 s: no camera_info of the depth images' in text


def test_a_silent_publisher_is_named(stand_in: StandIn) -> None:
    code, text = Calibration(stand_in, '--distance', '2', '--timeout-sec', '3').run(lambda: None)
    assert code == 1
    assert 'depth/image_rect has a publisher, /listener, but no image comes' in text


def test_without_a_publisher_topics_of_its_kind_are_named(stand_in: StandIn) -> None:
    arguments = ('--distance', '2', '--depth-topic', 'front/depth', '--timeout-sec', '3')
    code, text = Calibration(stand_in, *arguments).run(lambda: None)
    assert code == 1
    assert 'nobody publishes /front/depth within 3 s; topics of its kind: /depth/image' in text


def test_a_publisher_that_is_no_depth_node_is_refused(tmp_path: Path) -> None:
    with RosSession(tmp_path) as session:
        session.node.create_publisher(Image, 'depth/image_rect', 5)
        code, text = Calibration(session, '--distance', '2', *QUICK).run(lambda: None)
    assert code == 1
    assert '/listener, which publishes depth/image_rect, has no parameters depth_scale and' in text


def test_ctrl_c_ends_it_at_once_and_writes_nothing(stand_in: StandIn, tmp_path: Path) -> None:
    output = tmp_path / 'scale.yaml'
    calibration = Calibration(
        stand_in, '--distance', '2', '--num-frames', '100000', '--output', str(output)
    )

    def interrupt_when_it_listens() -> None:
        stand_in.send(depth_image())
        if stand_in.depths.get_subscription_count():
            calibration.interrupt()

    code, text = calibration.run(interrupt_when_it_listens)
    assert code == 130
    assert text == 'depth-estimation: error: interrupted\n'
    assert not output.exists()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ((), 'one of the arguments --distance --reference-topic is required'),
        (('--distance', '0'), '0 is not a number above 0'),
        (('--distance', '2', '--region', '1.5'), '1.5 is above 1'),
        (('--distance', '2', '--offset'), '--offset needs --reference-topic'),
        (('--distance', '2', '--depth-invalid', '0'), '--depth-invalid needs --reference-topic'),
        (('--distance', '2', '--transform', '1'), '--transform needs --reference-topic'),
    ],
)
def test_wrong_usage_exits_with_2(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(['calibrate-scale', *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_without_ros_it_says_what_to_source(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, 'rclpy', None)
    assert main(['calibrate-scale', '--distance', '2']) == 1
    text = capsys.readouterr().err
    assert 'error: calibrate-scale listens to a running node and needs ROS 2' in text
    assert 'install/local_setup.bash' in text
