"""Controls of the page, made of the real node's descriptions; calibration and saving."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import yaml

rclpy = pytest.importorskip('rclpy')
pytest.importorskip('depth_estimation_ros.msg', reason='needs the colcon install')

from depth_estimation_ros.errors import ConfigError, DataError  # noqa: E402
from depth_estimation_ros.ros.live.command_handling import (  # noqa: E402
    NUM_FRAMES,
    PixelCalibration,
)
from depth_estimation_ros.ros.live.controls import LIVE_NAMES, ControlKind, controls_of  # noqa: E402
from depth_estimation_ros.ros.live.frame import (  # noqa: E402
    Frame,
    parameter_file_text,
    save,
)
from depth_estimation_ros.ros.parameters.spec import Change, descriptor  # noqa: E402
from depth_estimation_ros.ros.parameters.values import parameter_specs  # noqa: E402
from depth_estimation_ros.ros.scale.calibration import Correction  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

DESCRIPTORS = {
    name: descriptor(name, default, spec) for name, (default, spec) in parameter_specs().items()
}
DEFAULTS = {name: default for name, (default, _) in parameter_specs().items()}


def test_every_control_is_a_parameter_that_changes_live() -> None:
    controls = controls_of(DESCRIPTORS, DEFAULTS)
    assert [control.name for control in controls] == list(LIVE_NAMES)
    for control in controls:
        assert parameter_specs()[control.name][1].change is Change.LIVE


def test_a_slider_has_the_nodes_own_range_and_words() -> None:
    controls = {control.name: control for control in controls_of(DESCRIPTORS, DEFAULTS)}
    scale = controls['depth_scale']
    assert (scale.low, scale.high, scale.step, scale.value) == (0.01, 100.0, 0.01, 1.0)
    assert scale.description.startswith('Depth is multiplied by this')
    decimation = controls['decimation_x']
    assert (decimation.low, decimation.high, decimation.step) == (1, 64, 1)
    assert controls['max_depth'].step == 0.1
    assert controls['edge_filter_image'].kind is ControlKind.SWITCH


def test_a_parameter_that_the_node_lacks_has_no_control() -> None:
    values = {'max_depth': 3.0, 'depth_scale': 'two'}
    assert [item.name for item in controls_of(DESCRIPTORS, values)] == ['max_depth']
    assert controls_of({}, values) == []


def test_a_wall_at_a_known_distance_gives_the_scale() -> None:
    depth = np.full((100, 200), 9.0, np.float32)
    depth[60:90, 110:160] = 2.0  # the wall that pixel 140, 75 is on
    calibration = PixelCalibration((140, 75), 3.0)
    for _ in range(NUM_FRAMES):
        calibration.add(depth)
    assert calibration.num_missing == 0
    fit, found = calibration.fit(Correction(depth_scale=2.0, depth_offset=0.0))
    assert found == Correction(depth_scale=3.0, depth_offset=0.0)  # 2 m came of 1 m, times 2
    assert fit.num_frames == NUM_FRAMES
    assert fit.median_error == pytest.approx(0.0)


def test_a_target_that_is_not_flat_or_not_seen_is_refused_with_its_pixel() -> None:
    depth = np.full((100, 200), 2.0, np.float32)
    depth[:, 100:] = 4.0
    with pytest.raises(DataError, match='pixels around 100, 50 goes from 2.00 to 4.00 m'):
        PixelCalibration((100, 50), 3.0).add(depth)
    depth[:] = np.nan
    with pytest.raises(DataError, match='no depth in the 16x8 pixels around 20, 30'):
        PixelCalibration((20, 30), 3.0).add(depth)


def test_a_scale_that_the_node_would_refuse_is_not_sent() -> None:
    calibration = PixelCalibration((50, 50), 900.0)
    for _ in range(NUM_FRAMES):
        calibration.add(np.full((100, 200), 1.0, np.float32))
    with pytest.raises(ConfigError, match='depth_scale is 900'):
        calibration.fit(Correction(depth_scale=1.0, depth_offset=0.0))


def test_the_parameters_are_saved_as_a_file_that_ros_reads() -> None:
    values = {'max_depth': 8.0, 'cameras': ['front', ''], 'confidence': False, 'model_path': ''}
    text = parameter_file_text(values, 'Parameters of /node.')
    assert text.startswith(
        '# Parameters of /node.\n/**:\n  ros__parameters:\n    max_depth: 8.0\n'
    )
    assert yaml.safe_load(text) == {'/**': {'ros__parameters': values}}


def test_picture_cloud_and_parameters_are_saved_side_by_side(tmp_path: Path) -> None:
    frame = Frame(
        rgb=np.full((12, 16, 3), 90, np.uint8),
        depth=np.full((12, 16), 2.0, np.float32),
        points=np.array([[0.0, 0.0, 2.0], [0.5, 0.1, 2.0]], np.float32),
        colors=np.array([[1, 2, 3], [4, 5, 6]], np.uint8),
    )
    said = save(tmp_path, 'x', frame, {'max_depth': 8.0}, '/node')
    assert said == f'wrote live_x.yaml, live_x.ply, live_x.png to {tmp_path}'
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'live_x.ply',
        'live_x.png',
        'live_x.yaml',
    ]
    picture = cv2.imread(str(tmp_path / 'live_x.png'))
    assert picture is not None
    assert picture.std() > 1.0
    assert b'element vertex 2\n' in (tmp_path / 'live_x.ply').read_bytes()


def test_without_depth_nothing_is_saved(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='nothing saved: no camera image or no depth'):
        save(tmp_path, 'x', Frame(), {}, '/node')
    assert list(tmp_path.iterdir()) == []
