from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from small_checkpoint import make_small_checkpoint, small_network
from tiny_training import BrightIsFar, tiny_config, tiny_trainer
import torch
from torch.utils.data import default_collate

from depth_estimation_ros.errors import CheckpointError, ConfigError
from depth_estimation_ros.training.distributed import ProcessGroup
from depth_estimation_ros.training.run import new_network
from depth_estimation_ros.training.step.learner import Learner
from depth_estimation_ros.training.step.teacher import Teacher

if TYPE_CHECKING:
    from pathlib import Path

CPU = torch.device('cpu')
CONFIG = tiny_config(min_depth=0.2, training_fx=80.0)  # as make_small_checkpoint has them


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    make_small_checkpoint(tmp_path / 'teacher.pt', input_size=(64, 128))
    return str(tmp_path / 'teacher.pt')


def test_a_teacher_answers_with_its_raw_output_and_learns_nothing(checkpoint: str) -> None:
    network = small_network()
    teacher = Teacher(checkpoint, CONFIG, CPU)
    image = torch.rand(2, 3, 64, 128)
    targets = teacher.targets(image)
    assert not targets.requires_grad
    with torch.no_grad():
        torch.testing.assert_close(targets, network(image))


@pytest.mark.parametrize('weight', [0.0, 0.25, 1.0])
def test_the_loss_is_shared_between_truth_and_teacher(checkpoint: str, weight: float) -> None:
    config = replace(CONFIG, coarse_fraction=0.0, teacher=checkpoint, teacher_weight=weight)
    learner = Learner(new_network(config), config, num_steps=6, group=ProcessGroup())
    learner.network.eval()
    items = default_collate([BrightIsFar()[index] for index in range(4)])
    batch = learner.examples(items, 0)
    assert learner.teacher is not None
    with torch.no_grad():
        raw = learner.network(batch.image)
        truth = learner.loss(raw, batch.target).item()
        taught = learner.loss(raw, learner.teacher.targets(batch.image)).item()
        found = learner.loss_of(items, 0).item()
    assert abs(truth - taught) > 0.01
    assert found == pytest.approx((1 - weight) * truth + weight * taught, rel=1e-5)


def test_a_run_with_a_teacher_ends_and_writes_no_teacher_into_its_checkpoint(
    checkpoint: str, tmp_path: Path
) -> None:
    config = replace(CONFIG, steps=2, validate_every=2, teacher=checkpoint)
    trainer = tiny_trainer(tmp_path / 'run', config)
    assert trainer.run(quiet=True).step == 2
    assert not any('teacher' in name for name in trainer.learner.weights())


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'max_depth': 8.0}, 'has max_depth 10 m, this run 8 m: use --max-depth 10'),
        ({'min_depth': 0.5}, 'has min_depth 0.2 m, this run 0.5 m: use --min-depth 0.2'),
        ({'training_fx': 110.0}, r'training_fx 80.0, this run 110.0: use --training-fx 80.0'),
        ({'training_fx': None}, r'training_fx 80.0, this run None'),
    ],
)
def test_a_teacher_whose_depth_means_something_else_is_refused(
    checkpoint: str, values: dict[str, float | None], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Teacher(checkpoint, replace(CONFIG, **values), CPU)  # type: ignore[arg-type]


def test_a_teacher_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match='there is no checkpoint .*nobody.pt'):
        Teacher(str(tmp_path / 'nobody.pt'), CONFIG, CPU)
