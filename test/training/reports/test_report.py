from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from tiny_training import BrightIsFar, tiny_config
import torch
import yaml

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.training.distributed import ProcessGroup
from depth_estimation_ros.training.model.checkpoint import load_checkpoint
from depth_estimation_ros.training.reports.run_report import draw_curves, draw_predictions
from depth_estimation_ros.training.run import TrainingData, common_focal_length, train

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.training.config import TrainConfig


def _train(folder: Path, config: TrainConfig, *, resume: bool = False) -> None:
    torch.set_num_threads(1)
    data = TrainingData(
        train=BrightIsFar(), validation=BrightIsFar(7, first_seed=99), name='blobs', licence='CC0'
    )
    train(config, data, folder=folder, group=ProcessGroup(), resume=resume)


@pytest.fixture(scope='module')
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp('run')
    _train(folder, tiny_config())
    return folder


def test_a_finished_run_leaves_a_report(run: Path) -> None:
    text = (run / 'report' / 'report.md').read_text()
    metrics = json.loads((run / 'report' / 'metrics.json').read_text())
    assert metrics['steps'] == 6
    assert metrics['images'] == 24
    assert metrics['training_sec'] > 0
    assert metrics['config']['batch_size'] == 4
    assert f'{metrics["abs_rel"]:.4f}' in text
    assert '- Data: blobs' in text
    assert '6 steps of 4 images' in text


def test_the_pictures_of_a_report_are_not_empty(run: Path) -> None:
    for name in ('learning_curves.png', 'predictions.png'):
        picture = cv2.imread(str(run / 'report' / name))
        assert picture is not None
        assert min(picture.shape[:2]) > 300
        assert picture.std() > 10


def test_the_settings_are_beside_the_results(run: Path) -> None:
    assert yaml.safe_load((run / 'config.yaml').read_text()) == tiny_config().to_dict()
    info = load_checkpoint(run / 'best.pt').info
    assert (info.training_data, info.licence, info.training_fx) == ('blobs', 'CC0', 110.0)


def test_tensorboard_finds_the_run(run: Path) -> None:
    accumulator = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    events = accumulator.EventAccumulator(str(run / 'tensorboard'))
    events.Reload()
    assert {'loss', 'learning_rate', 'val/abs_rel'} <= set(events.Tags()['scalars'])
    assert [event.step for event in events.Scalars('loss')] == [1, 2, 3, 4, 5, 6]


def test_a_run_is_not_overwritten_by_mistake(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'last\.pt exists: add --resume to go on, or give'):
        _train(run, tiny_config())
    with pytest.raises(ConfigError, match=r'there is no .*last\.pt to resume from'):
        _train(tmp_path, tiny_config(), resume=True)


def test_the_focal_length_of_the_data_is_noted_when_none_is_chosen(tmp_path: Path) -> None:
    _train(tmp_path, tiny_config(training_fx=None, steps=1))
    assert load_checkpoint(tmp_path / 'last.pt').info.training_fx == 100.0


def test_a_focal_length_that_not_all_share_is_not_noted() -> None:
    class Zoomed(BrightIsFar):
        def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
            item = super().__getitem__(index)
            return {**item, 'intrinsics': item['intrinsics'] * (1 + 0.1 * (index % 2))}

    class Unknown(BrightIsFar):
        def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
            return {**super().__getitem__(index), 'intrinsics': torch.zeros(4)}

    assert common_focal_length(BrightIsFar(), width=64) == 50.0
    assert common_focal_length(Zoomed(), width=128) is None
    assert common_focal_length(Unknown(), width=128) is None


def test_curves_of_an_empty_log_are_drawn_all_the_same(tmp_path: Path) -> None:
    draw_curves([], tmp_path / 'curves.png')
    assert (tmp_path / 'curves.png').stat().st_size > 1000


def test_a_sheet_of_depth_that_is_missing_everywhere_is_drawn(tmp_path: Path) -> None:
    images = np.zeros((2, 6, 8, 3), np.uint8)
    depth = np.zeros((2, 6, 8), np.float32)
    draw_predictions(images, depth, depth, tmp_path / 'sheet.png', max_depth=10.0)
    assert (tmp_path / 'sheet.png').stat().st_size > 1000
