from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import pytest
from run_distributed import double_gradients, save_gradients
from tiny_training import DISTRIBUTED, tiny_config, tiny_trainer
import torch

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.training.distributed import ProcessGroup, choose_device, process_group
from depth_estimation_ros.training.model.checkpoint import load_checkpoint
from depth_estimation_ros.training.progress import read_log

pytestmark = pytest.mark.slow


def _torchrun(folder: Path, *, num_processes: int) -> None:
    root = Path(__file__).parents[2]
    support = root / 'test' / 'support'
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone']
    command += ['--nproc-per-node', str(num_processes), str(support / 'run_distributed.py')]
    path = os.pathsep.join([str(root), str(support)])
    subprocess.run(
        [*command, str(folder)],
        check=True,
        timeout=900,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': path},
    )


@pytest.fixture(scope='module')
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder of the same two runs, of 1 and of 6 steps, by one process and by two."""
    two = tmp_path_factory.mktemp('two')
    _torchrun(two, num_processes=2)
    torch.set_num_threads(1)
    one = tmp_path_factory.mktemp('one')
    for steps in (1, 6):
        trainer = tiny_trainer(one / str(steps), tiny_config(**DISTRIBUTED, steps=steps))
        trainer.run(quiet=True)
        save_gradients(trainer, one / f'gradients_{steps}.pt')
    return one, two


def test_two_processes_have_the_gradients_of_one_with_the_same_batch(
    runs: tuple[Path, Path],
) -> None:
    one = double_gradients(ProcessGroup())
    two = torch.load(runs[1] / 'doubles.pt', weights_only=True)
    assert len(one) > 100
    for name, gradient in one.items():
        torch.testing.assert_close(two[name], gradient, rtol=1e-9, atol=1e-11, msg=name)


def test_a_whole_step_of_two_processes_has_the_gradients_of_one(
    runs: tuple[Path, Path],
) -> None:
    # In single precision: weights that differ by 1e-7 move them by 1.3 % too (measured), because
    # the loss is of absolute values and some of them change sign.
    one, two = (torch.load(run / 'gradients_1.pt', weights_only=True) for run in runs)
    whole = torch.cat([gradient.flatten() for gradient in one.values()])
    apart = torch.cat([(one[name] - two[name]).flatten() for name in one])
    assert apart.norm() < 0.03 * whole.norm()


def test_two_processes_see_the_batch_norm_statistics_of_the_whole_batch(
    runs: tuple[Path, Path],
) -> None:
    one, two = (load_checkpoint(run / '1' / 'last.pt').weights for run in runs)
    names = [name for name in one if 'running_' in name]
    assert len(names) > 40
    for name in names:
        torch.testing.assert_close(two[name], one[name], rtol=1e-4, atol=1e-6)


def test_two_processes_go_the_way_of_one(runs: tuple[Path, Path]) -> None:
    logs = [read_log(run / '6' / 'log.jsonl') for run in runs]
    one, two = ([record['loss'] for record in log if 'loss' in record] for log in logs)
    assert len(two) == 6
    # The same weights: only sums in another order differ, by half a unit in the last place (6e-8)
    # for each of up to 1000 terms in the worst case, by its root (32) on average, in each of some
    # 50 layers: 50 * 32 * 6e-8 = 1e-4.
    assert two[0] == pytest.approx(one[0], rel=1e-4)
    # Adam's first steps are the signs of gradients: where one is all rounding, so is its step.
    # That the gradients are the same but for rounding is shown in double precision, above.
    assert two == pytest.approx(one, rel=0.01)
    assert load_checkpoint(runs[1] / '6' / 'last.pt').training['step'] == 6


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(ConfigError, match='batch_size 5 cannot be shared by 2 processes'):
        ProcessGroup(num_processes=2).share(5)


def test_without_torchrun_a_process_is_alone() -> None:
    with process_group('cpu') as group:
        assert (group.rank, group.num_processes, group.is_main) == (0, 1, True)
        assert group.mean(torch.tensor(3.0)).item() == 3.0
        assert group.any(True)
        assert not group.any(False)


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="device 'tpu9' is unknown: use auto, cpu or cuda"):
        choose_device('tpu9')
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match='device cuda: PyTorch finds no GPU here'):
            choose_device('cuda')
    assert choose_device('cpu') == torch.device('cpu')
