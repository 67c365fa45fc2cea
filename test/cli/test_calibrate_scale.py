"""depth-estimation calibrate-scale as a process of its own, over DDS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

pytest.importorskip('depth_estimation_ros.msg')

from calibration_session import BODY_IN_OPTICAL, QUICK, TIMEOUT_SEC, Calibration
from depth_session import NODE, DepthSession, camera_info, grey_image, image_of, pixels_of
from ros_session import RosSession, stamps_of
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2

from depth_estimation_ros.depth.metrics import depth_metrics
from depth_estimation_ros.model_file.default_model import default_model_path
from depth_estimation_ros.ros.messages.conversions import cloud_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from std_msgs.msg import Header

pytestmark = pytest.mark.ros


def parameters_of(path: Path) -> dict[str, float]:
    """Read a parameter file."""
    values: dict[str, float] = yaml.safe_load(path.read_text())['/**']['ros__parameters']
    return values


@pytest.fixture(scope='module')
def real(
    tmp_path_factory: pytest.TempPathFactory, tiny_model_path: Path
) -> Iterator[DepthSession]:
    """The real node, which sees a grey of 51 at 2 m."""
    folder = tmp_path_factory.mktemp('node')
    with DepthSession(folder, model_path=tiny_model_path) as session:
        session.wait_ready()
        yield session


def send_grey(session: DepthSession, grey: int, *others: Callable[[Header], None]) -> None:
    """Send an image, its camera_info and what else belongs to its stamp."""
    image, info = grey_image(grey), camera_info()
    image.header = info.header = session.stamp()
    session.infos.publish(info)
    for other in others:
        other(image.header)
    session.images.publish(image)


def test_a_wall_at_a_known_distance_gives_the_scale(real: DepthSession, tmp_path: Path) -> None:
    path = tmp_path / 'scale.yaml'
    code, text = Calibration(real, '--distance', '3.0', '--output', str(path), *QUICK).run(
        lambda: send_grey(real, 51)
    )
    assert code == 0, text
    assert parameters_of(path) == {'depth_scale': 1.5, 'depth_offset': 0.0}
    assert 'depth_scale    1.5 (was 1)' in text
    # Seen at 2 m, truly at 3 m.
    assert 'AbsRel         0.3333 before, 0.0000 after' in text
    # The middle fifth of 64x48 pixels is 13x10.
    assert 'samples        390 in 3 frames' in text
    assert '    depth_scale: 1.5\n' in text
    assert f'written: {path}' in text


def test_a_scale_that_is_set_already_is_replaced_and_applied(
    real: DepthSession, tmp_path: Path
) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text('/**:\n  ros__parameters:\n    depth_scale: 2.0\n    depth_offset: 0.5\n')
    assert real.set_parameter('depth_scale', 2.0) == (True, '')
    assert real.set_parameter('depth_offset', 0.5) == (True, '')
    arguments = ('--distance', '3.5', '--output', str(path), '--apply')
    code, text = Calibration(real, *arguments, *QUICK).run(lambda: send_grey(real, 51))
    assert code == 0, text
    # 2 m by the network: 3.5 m = 1.5 x 2 m + 0.5 m.
    assert parameters_of(path) == {'depth_scale': 1.5, 'depth_offset': 0.5}
    assert 'changed: ' in text
    assert text.endswith('set on the running node\n')
    real.hear('depth/image_rect')
    real.wait_ready()
    depth = real.exchange(grey_image(51), topics=('depth/image_rect',))['depth/image_rect']
    np.testing.assert_allclose(pixels_of(depth), 3.5, rtol=1e-4)
    real.set_parameter('depth_scale', 1.0)
    real.set_parameter('depth_offset', 0.0)


def test_a_laser_scanner_beside_the_camera_gives_the_scale(
    real: DepthSession, tmp_path: Path
) -> None:
    scans = real.node.create_publisher(LaserScan, 'scan', 5)

    def send_scan(header: Header) -> None:
        """A wall at x = 2.4 m in front of the laser."""
        angles = np.linspace(-0.4, 0.4, 81)
        scan = LaserScan(angle_min=-0.4, angle_max=0.4, angle_increment=0.01)
        scan.range_min, scan.range_max = 0.1, 10.0
        scan.header.stamp, scan.header.frame_id = header.stamp, 'laser'
        scan.ranges = (2.4 / np.cos(angles)).tolist()
        scans.publish(scan)

    # The laser stands 0.1 m in front of the camera: the wall is 2.5 m away.
    transform = (*BODY_IN_OPTICAL[:2], '0.1', *BODY_IN_OPTICAL[3:])
    path = tmp_path / 'scale.yaml'
    code, text = Calibration(
        real,
        *('--reference-topic', 'scan', '--transform', *transform),
        *('--min-samples', '50', '--output', str(path), *QUICK),
    ).run(lambda: send_grey(real, 51, send_scan))
    assert code == 0, text
    assert parameters_of(path)['depth_scale'] == pytest.approx(1.25, rel=1e-4)


def test_a_cloud_tells_scale_and_offset(real: DepthSession, tmp_path: Path) -> None:
    clouds = real.node.create_publisher(PointCloud2, 'lidar', 5)
    # The left half of the image is 2 m away for the network, the right half 6 m.
    pixels = np.full((48, 64, 3), 51, np.uint8)
    pixels[:, 32:] = 153

    def send() -> None:
        image, info = image_of(pixels, 'rgb8'), camera_info()
        image.header = info.header = real.stamp()
        v, u = np.mgrid[4:44, 4:60]
        z = np.where(u < 32, 1.5 * 2.0 + 0.2, 1.5 * 6.0 + 0.2)
        points = np.stack([(u - 32) / 50 * z, (v - 24) / 50 * z, z], axis=2)
        clouds.publish(cloud_message(image.header, points.astype(np.float32), is_dense=True))
        real.infos.publish(info)
        real.images.publish(image)

    path = tmp_path / 'scale.yaml'
    arguments = ('--reference-topic', 'lidar', '--offset', '--output', str(path))
    code, text = Calibration(real, *arguments, *QUICK).run(send)
    assert code == 0, text
    assert parameters_of(path)['depth_scale'] == pytest.approx(1.5, abs=1e-3)
    assert parameters_of(path)['depth_offset'] == pytest.approx(0.2, abs=5e-3)


def test_a_depth_camera_with_its_own_calibration_gives_the_scale(
    real: DepthSession, tmp_path: Path
) -> None:
    images = real.node.create_publisher(Image, 'tof/image', 5)
    infos = real.node.create_publisher(CameraInfo, 'tof/camera_info', 5)

    def send_depth(header: Header) -> None:
        """Half the resolution, another frame, 16-bit millimetres: a wall at 2 m, and three holes.

        The sensor's word for none is 4000: taken as 4 m, two columns of it would be 48 of 768
        points at twice the distance.
        """
        pixels = np.full((24, 32), 2000, np.uint16)
        pixels[:, :2], pixels[0, 31], pixels[1, 31] = 4000, 65535, 0
        message = image_of(pixels, '16UC1')
        message.step, message.header.stamp = 64, header.stamp
        message.header.frame_id = 'tof'
        info = camera_info(height=24, width=32)
        info.k = [25.0, 0.0, 16.0, 0.0, 25.0, 12.0, 0.0, 0.0, 1.0]
        info.header = message.header
        infos.publish(info)
        images.publish(message)

    path = tmp_path / 'scale.yaml'
    code, text = Calibration(
        real,
        *('--reference-topic', 'tof/image', '--reference-camera-info', 'tof/camera_info'),
        *('--transform', '0', '0', '0.5', '0', '0', '0', '1', '--output', str(path), *QUICK),
        *('--depth-invalid', '4000'),
    ).run(lambda: send_grey(real, 51, send_depth))
    assert code == 0, text
    assert parameters_of(path)['depth_scale'] == pytest.approx(1.25)
    # 2 x 24 of 4000 and one of 65535 in each of 3 frames; 0 is what it should be.
    assert 'left out       147 pixels of the reference: a mark for none' in text
    assert 'AbsRel         0.2000 before, 0.0000 after' in text


@pytest.mark.slow
def test_depth_of_a_lens_the_model_does_not_know_becomes_metric(tmp_path: Path) -> None:
    """A wide lens, whose focal length the node is told to leave out of account."""
    pytest.importorskip('numba')
    with RosSession(tmp_path) as session:
        depths = session.listen(Image, 'depth/image_rect')
        truths = session.listen(Image, 'truth/depth/image_rect')
        node = {'model_path': default_model_path(), 'focal_normalization': False}
        first = session.start_node(NODE, **node)
        session.start_node(
            'player.camera_player',
            **{'hfov_deg': 95.0, 'width': 256, 'height': 192, 'rate_hz': 5.0},
            num_frames_ahead=12,
            seed=11,
        )

        def score() -> float:
            """Mean AbsRel of the next frames."""
            depths.clear()
            truths.clear()
            session.spin_until(lambda: len(common(depths, truths)) >= 8, TIMEOUT_SEC)
            pairs = common(depths, truths)
            return float(np.mean([depth_metrics(*pair).abs_rel for pair in pairs]))

        before = score()
        code, text = Calibration(
            session,
            *('--reference-topic', 'truth/depth/image_rect', '--num-frames', '12'),
            *('--timeout-sec', '60', '--output', 'lens.yaml'),
        ).run(lambda: None)
        assert code == 0, text
        first.terminate()
        session.spin_until(lambda: first.poll() is not None)
        given = [part for key, value in node.items() for part in ('-p', f'{key}:={value}')]
        session.start(
            NODE,
            '--ros-args',
            *given,
            '--params-file',
            'lens.yaml',
        )
        after = score()

    # The network takes the room for 1.7 times as large as it is.
    assert parameters_of(tmp_path / 'lens.yaml')['depth_scale'] < 0.85
    assert after < 0.7 * before, text
    assert 'AbsRel ' in text


def common(depths: list[Image], truths: list[Image]) -> list[tuple[Any, Any]]:
    """Depth and truth of the frames that have both."""
    by_stamp = dict(zip(stamps_of(truths), truths, strict=True))
    return [
        (pixels_of(depth), pixels_of(by_stamp[stamp]))
        for stamp, depth in zip(stamps_of(depths), depths, strict=True)
        if stamp in by_stamp
    ]
