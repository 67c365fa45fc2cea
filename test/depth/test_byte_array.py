from array import array

import numpy as np
import pytest

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.depth import byte_array
from depth_estimation_ros.depth.depth_grid import DepthGrid
from depth_estimation_ros.depth.point_cloud import PointCloudBuilder


def test_an_array_in_bytes_gives_these_bytes_and_no_copy() -> None:
    values = byte_array.zeros((2, 3), np.float32)
    assert values.dtype == np.float32
    assert values.tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    given = byte_array.bytes_of(values)
    values[1, 2] = 1.0
    assert given.tobytes() == bytes(20) + np.float32(1.0).tobytes()


def test_its_views_of_the_same_bytes_give_them_too() -> None:
    values = byte_array.zeros((2, 3), np.float32)
    assert byte_array.bytes_of(values.reshape(3, 2).view(np.uint32)) is byte_array.bytes_of(values)


@pytest.mark.parametrize('part', [np.s_[:1], np.s_[1:], np.s_[:, 1:], np.s_[::-1], np.s_[:, ::2]])
def test_a_part_or_another_order_is_copied(part: object) -> None:
    values = byte_array.zeros((2, 3), np.uint8)
    values[...] = [[0, 1, 2], [3, 4, 5]]
    given = byte_array.bytes_of(values[part])  # type: ignore[call-overload]
    assert given is not byte_array.bytes_of(values)
    assert given.tobytes() == values[part].tobytes()  # type: ignore[call-overload]


def test_any_other_array_is_copied() -> None:
    assert byte_array.bytes_of(np.array([[1, 2], [3, 4]], np.uint8).T).tolist() == [1, 3, 2, 4]
    assert byte_array.bytes_of(np.ndarray(2, np.int16, array('h', (1, 2)))).typecode == 'B'
    assert byte_array.bytes_of(np.zeros((0, 4), np.float32)) == array('B')


def test_depth_and_points_of_a_frame_need_no_copy_to_become_a_message() -> None:
    depth = DepthGrid(samples=np.full((2, 2), 2.0, np.float32)).enlarged((4, 6))
    camera = CameraIntrinsics(width=6, height=4, fx=1.0, fy=1.0, cx=0.0, cy=0.0)
    points = PointCloudBuilder().build(depth, camera)
    for values in (depth, points):
        assert np.shares_memory(values, np.frombuffer(byte_array.bytes_of(values), np.uint8))


def test_the_points_of_a_frame_stay_when_the_next_one_is_made() -> None:
    camera = CameraIntrinsics(width=2, height=1, fx=1.0, fy=1.0, cx=0.0, cy=0.0)
    builder = PointCloudBuilder()
    first = builder.build(np.full((1, 2), 1.0, np.float32), camera)
    builder.build(np.full((1, 2), 5.0, np.float32), camera)
    assert first.tolist() == [[[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]]]
