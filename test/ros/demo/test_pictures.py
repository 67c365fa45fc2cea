"""Pictures, PLY files and what messages become before they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.files.ply import write_ply
from depth_estimation_ros.ros.demo.cloud_view import BACKGROUND, CloudView, draw_cloud
from depth_estimation_ros.ros.demo.pictures import Scene, depth_limits, draw_preview, draw_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RED = (255, 0, 0)
GREEN = (0, 255, 0)


def cloud(*points: tuple[float, float, float]) -> NDArray[np.float32]:
    return np.array(points, dtype=np.float32)


def colors(*rgb: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.array(rgb, dtype=np.uint8)


def scene(*, truth: bool) -> Scene:
    """A wall at 2 m with a strip without depth, seen by a camera of 48x64."""
    depth = np.full((48, 64), 2.0, dtype=np.float32)
    depth[:4] = np.nan
    v, u = np.mgrid[0:48, 0:64].astype(np.float32)
    points = np.stack([(u - 31.5) / 60 * depth, (v - 23.5) / 60 * depth, depth], axis=2)
    return Scene(
        rgb=np.full((48, 64, 3), 128, dtype=np.uint8),
        depth=depth,
        points=points.reshape(-1, 3),
        colors=np.full((48 * 64, 3), 128, dtype=np.uint8),
        truth=np.full((48, 64), 3.1, dtype=np.float32) if truth else None,
    )


def test_from_the_side_forward_is_right_and_up_is_up() -> None:
    # 1 m ahead and 0.5 m over the camera (y points down).
    drawn = draw_cloud(
        cloud((-0.1, -0.5, 1.0)),
        colors(RED),
        view=CloudView.SIDE,
        size=(100, 210),
        max_depth=10.0,
    )

    assert drawn.extent is not None
    left, right, bottom, top = drawn.extent
    # 10.5 m over 210 px: 20 px a metre, along both axes.
    assert (right - left) / 210 == pytest.approx(0.05)
    assert (top - bottom) / 100 == pytest.approx(0.05)
    rows, columns = np.nonzero((drawn.rgb == RED).all(axis=2))
    assert columns.mean() == pytest.approx((1.0 - left) / 0.05, abs=1.0)
    assert rows.mean() == pytest.approx((top - 0.5) / 0.05, abs=1.0)


def test_from_above_forward_is_up_and_right_is_right() -> None:
    drawn = draw_cloud(
        cloud((1.0, 0.2, 2.0)),
        colors(RED),
        view=CloudView.ABOVE,
        size=(108, 200),
        max_depth=10.0,
    )

    assert drawn.extent is not None
    left, _, _, top = drawn.extent
    rows, columns = np.nonzero((drawn.rgb == RED).all(axis=2))
    # 10.8 m over 108 px: 10 px a metre.
    assert columns.mean() == pytest.approx((1.0 - left) * 10, abs=1.0)
    assert rows.mean() == pytest.approx((top - 2.0) * 10, abs=1.0)


def test_the_nearer_point_covers_the_farther() -> None:
    # From above, the point with the smaller y is the nearer.
    points = cloud((0.0, -0.5, 2.0), (0.0, 1.0, 2.0))
    for order in (slice(None), slice(None, None, -1)):
        drawn = draw_cloud(
            points[order],
            colors(RED, GREEN)[order],
            view=CloudView.ABOVE,
            size=(108, 200),
            max_depth=10.0,
        )
        assert (drawn.rgb == RED).all(axis=2).sum() == 9  # 3x3 px
        assert not (drawn.rgb == GREEN).all(axis=2).any()


@pytest.mark.parametrize(
    ('point', 'view'),
    [
        ((0.5, 0.0, 2.0), CloudView.SIDE),  # right half
        ((0.0, -2.0, 2.0), CloudView.ABOVE),  # ceiling
        ((-0.1, 0.0, 11.0), CloudView.SIDE),  # beyond the scale
        ((np.nan, np.nan, np.nan), CloudView.SIDE),
        ((-0.1, 0.0, np.inf), CloudView.SIDE),
        ((0.0, 0.0, -3.0), CloudView.BEHIND),  # behind the viewer
    ],
)
def test_points_that_are_cut_away_are_not_drawn(
    point: tuple[float, float, float], view: CloudView
) -> None:
    drawn = draw_cloud(cloud(point), colors(RED), view=view, size=(60, 80), max_depth=10.0)
    assert (drawn.rgb == BACKGROUND).all()


def test_from_behind_a_point_on_the_axis_of_view_is_in_the_middle_column() -> None:
    drawn = draw_cloud(
        cloud((0.0, 0.0, 3.0)), colors(RED), view=CloudView.BEHIND, size=(60, 80), max_depth=10.0
    )
    _, columns = np.nonzero((drawn.rgb == RED).all(axis=2))
    assert columns.mean() == pytest.approx(40.0, abs=1.0)


def test_the_scale_holds_depth_and_truth_in_half_metres() -> None:
    assert depth_limits(scene(truth=False)) == (2.0, 2.5)
    assert depth_limits(scene(truth=True)) == (2.0, 3.5)


def test_the_scale_of_no_depth_at_all_is_a_metre() -> None:
    nothing = scene(truth=False)
    nothing.depth[:] = np.nan
    assert depth_limits(nothing) == (0.0, 1.0)


@pytest.mark.parametrize('truth', [True, False])
def test_a_preview_is_a_picture_of_four_panels(tmp_path: Path, *, truth: bool) -> None:
    path = tmp_path / 'preview.png'
    draw_preview(path, scene(truth=truth), title='Title', notes='one\ntwo')

    picture = cv2.imread(str(path))
    assert picture is not None
    height, width = picture.shape[:2]
    assert (height, width) > (1000, 1200)
    # The camera's grey is in the upper left quarter, the depth's colours in the upper right.
    assert (picture[: height // 2, : width // 2] == 128).all(axis=2).mean() > 0.3
    upper_right = picture[: height // 2, width // 2 :].astype(np.int16)
    assert (np.ptp(upper_right, axis=2) > 60).mean() > 0.3


def test_the_truth_stands_under_the_estimate_in_the_same_size(tmp_path: Path) -> None:
    path = tmp_path / 'preview.png'
    draw_preview(path, scene(truth=True), title='Title', notes='')
    picture = cv2.imread(str(path))
    assert picture is not None
    height, width = picture.shape[:2]
    columns = []
    for half in (picture[: height // 2], picture[height // 2 :]):
        colours, counts = np.unique(
            half[:, width // 2 :].reshape(-1, 3), axis=0, return_counts=True
        )
        # The wall's one colour is the commonest after the background's.
        wall = (half == colours[np.argsort(counts)[-2]]).all(axis=2).any(axis=0)
        columns.append((int(wall.argmax()), int(wall.sum())))
    assert columns[0] == columns[1]
    assert columns[0][1] > 400


def test_a_snapshot_can_be_drawn_without_any_depth(tmp_path: Path) -> None:
    nothing = scene(truth=False)
    nothing.depth[:] = np.nan
    nothing.points[:] = np.nan
    path = tmp_path / 'snapshot.png'
    draw_snapshot(path, nothing, title='Title', notes='')
    assert cv2.imread(str(path)) is not None


def test_a_ply_file_holds_the_valid_points_and_their_colours(tmp_path: Path) -> None:
    path = tmp_path / 'cloud.ply'
    points = cloud((1.0, 2.0, 3.0), (np.nan, 0.0, 0.0), (-1.5, 0.0, np.inf), (4.0, 5.0, 6.0))
    num_written = write_ply(path, points, colors(RED, GREEN, GREEN, (1, 2, 3)))

    assert num_written == 2
    header, _, body = path.read_bytes().partition(b'end_header\n')
    assert header.startswith(b'ply\nformat binary_little_endian 1.0\n')
    assert b'element vertex 2\n' in header
    assert header.count(b'property float') == 3
    assert header.count(b'property uchar') == 3
    assert len(body) == 2 * 15  # three floats and three bytes a point
    assert np.frombuffer(body[:12], '<f4').tolist() == [1.0, 2.0, 3.0]
    assert tuple(body[12:15]) == RED
    assert np.frombuffer(body[15:27], '<f4').tolist() == [4.0, 5.0, 6.0]
    assert tuple(body[27:30]) == (1, 2, 3)


class TestMessages:
    """What messages become before they are drawn."""

    @pytest.fixture(autouse=True)
    def _needs_ros(self) -> None:
        pytest.importorskip('sensor_msgs')

    def test_padded_and_big_endian_depth_is_read(self) -> None:
        from sensor_msgs.msg import Image

        from depth_estimation_ros.ros.messages.message_reading import depth_from_message

        rows = np.zeros((2, 5), dtype='>f4')
        rows[:, :3] = [[1.0, 2.0, np.nan], [4.0, 5.0, 6.0]]
        message = Image(height=2, width=3, encoding='32FC1', is_bigendian=1, step=20)
        message.data.frombytes(rows.tobytes())

        depth = depth_from_message(message)

        assert depth.dtype == np.float32
        np.testing.assert_array_equal(depth, [[1.0, 2.0, np.nan], [4.0, 5.0, 6.0]])

    def test_millimetres_become_metres_and_zero_none(self) -> None:
        from sensor_msgs.msg import Image

        from depth_estimation_ros.ros.messages.message_reading import depth_from_message

        message = Image(height=1, width=3, encoding='16UC1', step=6)
        message.data.frombytes(np.array([0, 1500, 2], dtype='<u2').tobytes())

        np.testing.assert_allclose(depth_from_message(message), [[np.nan, 1.5, 0.002]])

    def test_a_colour_image_is_no_depth(self) -> None:
        from sensor_msgs.msg import Image

        from depth_estimation_ros.ros.messages.message_reading import depth_from_message

        with pytest.raises(ImageError, match="encoding 'rgb8'"):
            depth_from_message(Image(encoding='rgb8'))

    def test_points_and_colours_come_out_of_a_cloud(self) -> None:
        from std_msgs.msg import Header

        from depth_estimation_ros.ros.messages.conversions import cloud_message
        from depth_estimation_ros.ros.messages.message_reading import points_from_message

        packed = np.array([0x010203, 0xFF8000], dtype=np.uint32).view(np.float32)
        buffer = np.zeros((1, 2, 4), dtype=np.float32)
        buffer[0, :, :3] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
        buffer[0, :, 3] = packed

        points, rgb = points_from_message(cloud_message(Header(), buffer, is_dense=False))

        assert points.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
        assert rgb.tolist() == [[1, 2, 3], [255, 128, 0]]

    def test_a_cloud_without_colours_is_coloured_by_depth(self) -> None:
        from std_msgs.msg import Header

        from depth_estimation_ros.ros.messages.conversions import cloud_message
        from depth_estimation_ros.ros.messages.message_reading import points_from_message

        buffer = np.array([[[0.0, 0.0, 1.0], [0.0, 0.0, 5.0]]], dtype=np.float32)

        _, rgb = points_from_message(cloud_message(Header(), buffer, is_dense=True))

        assert rgb[0, 0] > rgb[0, 2]  # near is red
        assert rgb[1, 2] > rgb[1, 0]  # far is blue

    def test_a_cloud_without_z_is_refused(self) -> None:
        from sensor_msgs.msg import PointCloud2, PointField

        from depth_estimation_ros.ros.messages.message_reading import points_from_message

        fields = [PointField(name=name, datatype=PointField.FLOAT32, count=1) for name in 'xy']
        with pytest.raises(ImageError, match='no float32 field z'):
            points_from_message(PointCloud2(fields=fields))
