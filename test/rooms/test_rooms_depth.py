"""Depth of primitives at pixels whose depth can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.rooms.tracer.scene import CameraPose, Scene, camera_row, yaw_rotation
from depth_estimation_ros.rooms.tracer.shading import cast_depth

# Pixel (30, 20) is the axis; pixel x = 30 + 100 tan(angle to the right).
CAMERA = CameraIntrinsics(width=64, height=48, fx=100.0, fy=100.0, cx=30.0, cy=20.0)
AHEAD = CameraPose(position=(0.0, 0.0, 1.0))  # looks along +x, left is +y, up is +z
MM = 1e-3


def depth_of(scene: Scene, pose: CameraPose = AHEAD) -> npt.NDArray[np.float32]:
    xs = np.arange(CAMERA.width, dtype=np.float64)
    ys = np.arange(CAMERA.height, dtype=np.float64)
    depth = cast_depth(scene.arrays(), camera_row(pose, CAMERA), xs, ys)
    return np.asarray(depth, np.float32)


def test_a_wall_three_metres_away_is_three_metres_deep_in_every_pixel() -> None:
    scene = Scene()
    scene.box((3.1, 0.0, 1.0), (0.2, 20.0, 20.0))
    depth = depth_of(scene)
    assert depth.shape == (48, 64)
    assert depth.dtype == np.float32
    # Along Z, not along the ray: the corner's ray is 4 % longer, its depth is the same.
    np.testing.assert_allclose(depth, 3.0, atol=MM)


def test_nothing_in_front_of_the_camera_is_depth_zero() -> None:
    scene = Scene()
    scene.box((-3.0, 0.0, 1.0), (1.0, 1.0, 1.0))
    assert not depth_of(scene).any()


def test_a_box_hides_the_wall_behind_it_between_its_edges() -> None:
    scene = Scene()
    scene.box((5.5, 0.0, 1.0), (1.0, 20.0, 20.0))
    scene.box((2.5, -0.2, 1.1), (1.0, 0.2, 0.2))  # front at x = 2, y -0.3..-0.1, z 1.0..1.2
    depth = depth_of(scene)
    # Right is -y: the front spans pixels 30 + 100 * 0.1/2 = 35 to 45, rows 20 - 10 to 20.
    assert depth[15, 40] == pytest.approx(2.0, abs=MM)
    assert depth[15, 36] == pytest.approx(2.0, abs=MM)
    assert depth[15, 46] == pytest.approx(5.0, abs=MM)
    assert depth[22, 40] == pytest.approx(5.0, abs=MM)
    # Between pixel 30 + 100 * 0.1/3 = 33.3 and 35 the ray enters the left side, y = -0.1:
    # pixel 34 has slope 0.04, so it gets there at 0.1 / 0.04 = 2.5 m.
    assert depth[15, 34] == pytest.approx(2.5, abs=MM)


def test_a_box_turned_by_45_degrees_shows_its_edge() -> None:
    scene = Scene()
    scene.box((3.0, 0.0, 1.0), (1.0, 1.0, 1.0), rotation=yaw_rotation(math.pi / 4))
    # The edge is half a diagonal nearer than the centre: 3 - sqrt(0.5); a pixel aside with slope
    # 0.1 the face is met where x = 3 - sqrt(0.5) + 0.1 x.
    depth = depth_of(scene)
    assert depth[20, 30] == pytest.approx(3.0 - math.sqrt(0.5), abs=MM)
    assert depth[20, 40] == pytest.approx((3.0 - math.sqrt(0.5)) / 0.9, abs=MM)


def test_a_sphere_is_nearest_in_its_middle() -> None:
    scene = Scene()
    scene.ellipsoid((4.0, 0.0, 1.0), (1.0, 1.0, 1.0))
    depth = depth_of(scene)
    assert depth[20, 30] == pytest.approx(3.5, abs=MM)
    # Slope 0.1: 1.01 t^2 - 8 t + 15.75 = 0.
    assert depth[20, 40] == pytest.approx((8.0 - math.sqrt(64.0 - 63.63)) / 2.02, abs=MM)
    assert depth[20, 44] == 0.0  # slope 0.14 is wider than 0.5 / sqrt(16 - 0.25) = 0.126


def test_an_ellipsoid_is_a_squeezed_sphere() -> None:
    scene = Scene()
    scene.ellipsoid((4.0, 0.0, 1.0), (2.0, 0.5, 0.5))
    assert depth_of(scene)[20, 30] == pytest.approx(3.0, abs=MM)


def test_an_upright_cylinder_is_round_across_and_straight_along() -> None:
    scene = Scene()
    scene.cylinder((4.0, 0.0, 1.0), (1.0, 1.0, 4.0))
    depth = depth_of(scene)
    assert depth[20, 30] == pytest.approx(3.5, abs=MM)
    assert depth[5, 30] == pytest.approx(3.5, abs=MM)
    assert depth[20, 40] == pytest.approx((8.0 - math.sqrt(64.0 - 63.63)) / 2.02, abs=MM)


def test_a_cone_tapers_towards_its_top() -> None:
    scene = Scene()
    scene.cylinder((4.0, 0.0, 1.0), (2.0, 2.0, 2.0), taper=0.5)
    # Radius 0.75 at mid height; slope 0.1 up: radius 0.75 - 0.25 * 0.1 t = 4 - t.
    depth = depth_of(scene)
    assert depth[20, 30] == pytest.approx(3.25, abs=MM)
    assert depth[10, 30] == pytest.approx(3.25 / 0.975, abs=MM)


def test_the_cap_of_a_cylinder_is_flat() -> None:
    scene = Scene()
    scene.cylinder((2.0, 0.0, 0.25), (2.0, 2.0, 0.5))
    down = CameraPose(position=(2.0, 0.0, 2.0), pitch=-math.pi / 2)
    np.testing.assert_allclose(depth_of(scene, down)[10:30, 20:40], 1.5, atol=MM)


@pytest.mark.parametrize('pitch_deg', [20.0, 35.0])
def test_a_pitched_camera_sees_the_floor_at_height_over_sine(pitch_deg: float) -> None:
    scene = Scene()
    scene.box((0.0, 0.0, -0.5), (200.0, 200.0, 1.0))
    pitch = math.radians(pitch_deg)
    depth = depth_of(scene, CameraPose(position=(0.0, 0.0, 1.0), pitch=-pitch))
    assert depth[20, 30] == pytest.approx(1.0 / math.sin(pitch), abs=MM)
    # Ten rows below: 1 / (sin + 0.1 cos), the same in the whole row.
    below = 1.0 / (math.sin(pitch) + 0.1 * math.cos(pitch))
    np.testing.assert_allclose(depth[30], below, atol=MM)


def test_roll_turns_the_picture_clockwise_for_a_camera_that_leans_left() -> None:
    scene = Scene()
    scene.box((0.0, 0.0, -0.5), (200.0, 200.0, 1.0))
    rolled = CameraPose(position=(0.0, 0.0, 1.0), roll=math.pi / 2)
    # The camera's right is the world's down: the floor is in the right half of the picture.
    depth = depth_of(scene, rolled)
    assert depth[20, 40] == pytest.approx(10.0, abs=MM)
    assert depth[20, 20] == 0.0


def test_yaw_turns_the_camera_to_the_left() -> None:
    scene = Scene()
    scene.box((0.0, 2.5, 1.0), (1.0, 1.0, 1.0))
    left = CameraPose(position=(0.0, 0.0, 1.0), yaw=math.pi / 2)
    assert depth_of(scene, left)[20, 30] == pytest.approx(2.0, abs=MM)


def test_many_primitives_give_the_depth_of_the_nearest_one() -> None:
    rng = np.random.default_rng(3)
    scene, nearest = Scene(), np.full((48, 64), np.inf, np.float32)
    for kind in range(90):
        center = (*rng.uniform((2.0, -1.5, 0.0), (6.0, 1.5, 2.0)),)
        size = (*rng.uniform(0.05, 0.5, 3),)
        rotation = yaw_rotation(float(rng.uniform(0.0, 6.0)))
        alone = Scene()
        for target in (scene, alone):
            add = (target.box, target.cylinder, target.ellipsoid)[kind % 3]
            add(center, size, rotation=rotation)
        depth = depth_of(alone)
        nearest = np.where((depth > 0.0) & (depth < nearest), depth, nearest)
    nearest[np.isinf(nearest)] = 0.0
    np.testing.assert_array_equal(depth_of(scene), nearest)
