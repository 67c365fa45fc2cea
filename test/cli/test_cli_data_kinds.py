"""Every kind of data set through the commands train, evaluate and export.

A recording of one's own, a folder or a bag, is a test set as a whole.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kinds_of_data import KINDS, write_data
import pytest
from small_checkpoint import make_small_checkpoint
import torch

from depth_estimation_ros.cli.main import main
from depth_estimation_ros.model_file.model_spec import read_model_spec
from depth_estimation_ros.training.model.checkpoint import load_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

NUM_FRAMES = 40
NUM_TEST_IMAGES = {
    'nyu-densedepth': 2,
    'nyu-labeled': 2,
    'rgbd-folder': NUM_FRAMES,
    'rosbag': NUM_FRAMES,
}


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp('checkpoint') / 'small.pt'
    make_small_checkpoint(path, input_size=(64, 128))
    return path


@pytest.mark.parametrize('kind', KINDS)
def test_a_kind_of_data_trains_is_measured_and_calibrates(
    kind: str, checkpoint: Path, tmp_path: Path
) -> None:
    data = tmp_path / 'data'
    data.mkdir()
    path = write_data(kind, data, num_frames=NUM_FRAMES)

    train = ['train', '--preset', 'small-rooms', '--data', kind, str(path), '--device', 'cpu']
    train += ['--decoder-width', '16', '--image-height', '64', '--image-width', '128']
    train += ['--batch-size', '2', '--steps', '2', '--validate-every', '2', '--num-workers', '0']
    assert main([*train, '--output', str(tmp_path / 'run')]) == 0
    assert load_checkpoint(tmp_path / 'run' / 'last.pt').training['step'] == 2

    report = tmp_path / 'report.json'
    measure = ['evaluate', str(checkpoint), '--data', kind, str(path), '--output', str(report)]
    assert main(measure) == 0
    measured = json.loads(report.read_text())
    assert (measured['data'], measured['images']) == (kind, NUM_TEST_IMAGES[kind])
    assert 0 < measured['abs_rel'] < 10

    model = tmp_path / 'int8.onnx'
    export = ['export', str(checkpoint), '--precision', 'int8', '--target', 'cpu']
    export += ['--calibration', f'{kind}:{path}', '--num-calibration-images', '3']
    assert main([*export, '--output', str(model)]) == 0
    assert str(read_model_spec(model).precision) == 'int8'
