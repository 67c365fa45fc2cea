from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from tiny_training import BrightIsFar, tiny_config, tiny_trainer
import torch
from torch.utils.data import default_collate

from depth_estimation_ros.errors import CheckpointError, ConfigError, DataError
from depth_estimation_ros.training.interruption import StopRequest, out_of_memory
from depth_estimation_ros.training.model.checkpoint import load_checkpoint, load_network
from depth_estimation_ros.training.progress import read_log
from depth_estimation_ros.training.step.learner import autocast_type

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from depth_estimation_ros.training.config import TrainConfig
    from depth_estimation_ros.training.trainer import Trainer


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _assert_equal(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, other[name]), name
        elif isinstance(value, dict):
            _assert_equal(value, other[name])
        else:
            assert value == other[name], name


def _interrupt_after(trainer: Trainer, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C while a trainer does its step of this number, counted from 1."""
    learn = trainer.learner.learn

    def learn_and_interrupt(items: dict[str, Any], number: int) -> float:
        if number == step - 1:
            os.kill(os.getpid(), signal.SIGINT)
        return learn(items, number)

    monkeypatch.setattr(trainer.learner, 'learn', learn_and_interrupt)


@pytest.mark.parametrize(
    'changes',
    [{}, {'optimizer': 'adam-amsgrad', 'ema_decay': 0.0, 'num_workers': 1}],
    ids=['adamw with averaging', 'amsgrad with a worker'],
)
@pytest.mark.parametrize('stop', [2, 4])
def test_a_resumed_run_ends_with_the_same_bits(
    tmp_path: Path, changes: dict[str, Any], stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_config(**changes, checkpoint_every=stop)
    tiny_trainer(tmp_path / 'whole', config).run(quiet=True)
    first = tiny_trainer(tmp_path / 'parts', config)
    _interrupt_after(first, stop, monkeypatch)
    assert first.run(quiet=True).step == stop
    torch.manual_seed(123)  # what another process would have
    second = tiny_trainer(tmp_path / 'parts', config)
    second.resume(tmp_path / 'parts' / 'last.pt')
    assert second.run(quiet=True).step == 6
    whole = load_checkpoint(tmp_path / 'whole' / 'last.pt')
    parts = load_checkpoint(tmp_path / 'parts' / 'last.pt')
    _assert_equal(whole.weights, parts.weights)
    _assert_equal(whole.training['learner'], parts.training['learner'])
    losses = [
        [(r['step'], r['loss']) for r in read_log(tmp_path / run / 'log.jsonl') if 'loss' in r]
        for run in ('whole', 'parts')
    ]
    assert losses[0] == losses[1]
    assert [step for step, _ in losses[0]] == [1, 2, 3, 4, 5, 6]


def test_training_makes_the_loss_smaller(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, tiny_config(steps=60, coarse_fraction=0.8, validate_every=60))
    result = trainer.run(quiet=True)
    losses = [r['loss'] for r in read_log(tmp_path / 'log.jsonl') if 'loss' in r]
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])
    assert result.best is not None
    assert result.stop_reason == ''


def test_the_best_checkpoint_is_of_the_smallest_abs_rel(tmp_path: Path) -> None:
    result = tiny_trainer(tmp_path, tiny_config(validate_every=1)).run(quiet=True)
    log = read_log(tmp_path / 'log.jsonl')
    errors = [record['val/abs_rel'] for record in log if 'val/abs_rel' in record]
    assert len(errors) == 6
    assert result.best is not None
    assert result.best.abs_rel == min(errors[3:])  # the first three steps are of half the size
    network, info = load_network(tmp_path / 'best.pt')
    assert not network.training
    assert info.metrics['abs_rel'] == min(errors[3:])
    assert (info.encoder, info.input_size, info.training_fx) == ('small', (64, 128), 110.0)
    assert info.training_data == 'blobs'


def test_a_loss_that_is_no_number_names_its_batch_and_leaves_the_weights(tmp_path: Path) -> None:
    config = tiny_config(checkpoint_every=1)
    trainer = tiny_trainer(tmp_path, config, data=BrightIsFar(20, broken=7))
    broken = next(s for s in range(6) if 7 in trainer.sampler().batch(s))
    with pytest.raises(DataError, match=rf'loss is nan at step {broken}; .*blob 7\b'):
        trainer.run(quiet=True)
    if broken:
        assert load_checkpoint(tmp_path / 'last.pt').training['step'] == broken
    assert all(weight.isfinite().all() for weight in trainer.learner.network.parameters())


def test_weights_that_ran_away_are_not_blamed_on_the_batch(tmp_path: Path) -> None:
    config = tiny_config(learning_rate=1e34, warmup_fraction=0.0, gradient_clip=0.0)
    with pytest.raises(DataError, match=r'the weights have run away: lower --learning-rate'):
        tiny_trainer(tmp_path, config).run(quiet=True)


def test_ctrl_c_saves_after_the_step(tmp_path: Path) -> None:
    class InterruptedAt(BrightIsFar):
        num_read = 0

        def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
            self.num_read += 1
            if self.num_read == 6:  # in the second batch
                os.kill(os.getpid(), signal.SIGINT)
            return super().__getitem__(index)

    trainer = tiny_trainer(tmp_path, tiny_config(), data=InterruptedAt())
    result = trainer.run(quiet=True)
    assert (result.step, result.stop_reason) == (2, 'stopped by SIGINT')
    assert load_checkpoint(tmp_path / 'last.pt').training['step'] == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_interrupts_at_once() -> None:
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_time_limit_saves_and_stops(tmp_path: Path) -> None:
    result = tiny_trainer(tmp_path, tiny_config()).run(max_minutes=1e-9, quiet=True)
    assert (result.step, result.stop_reason) == (1, 'stopped by the time limit')
    assert load_checkpoint(tmp_path / 'last.pt').training['step'] == 1


@pytest.mark.parametrize(
    ('error', 'batch_size', 'num_processes', 'advice'),
    [
        (torch.cuda.OutOfMemoryError('CUDA out of memory'), 8, 1, 'size 8: try --batch-size 4'),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 6, 2, 'try --batch-size 2'),
        (MemoryError(), 1, 1, 'try a smaller --image-height'),
    ],
)
def test_out_of_memory_says_what_to_try(
    error: BaseException, batch_size: int, num_processes: int, advice: str
) -> None:
    context = out_of_memory(batch_size=batch_size, num_processes=num_processes)
    with pytest.raises(ConfigError, match=advice), context:
        raise error


def test_memory_that_does_not_exist_is_not_a_traceback(tmp_path: Path) -> None:
    class Huge(BrightIsFar):
        def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
            return {**super().__getitem__(index), 'image': torch.empty(2**50, dtype=torch.uint8)}

    with pytest.raises(ConfigError, match='out of memory with batch size 4: try --batch-size 2'):
        tiny_trainer(tmp_path, tiny_config(), data=Huge()).run(quiet=True)


def test_another_error_is_not_called_out_of_memory() -> None:
    with pytest.raises(RuntimeError, match='shapes'), out_of_memory(batch_size=4, num_processes=1):
        raise RuntimeError('shapes differ')


def _resumed(folder: Path, config: TrainConfig, **options: Any) -> None:
    tiny_trainer(folder, config, **options).resume(folder / 'last.pt')


def test_a_run_is_not_resumed_with_other_settings_or_data(tmp_path: Path) -> None:
    tiny_trainer(tmp_path, tiny_config(steps=1)).run(quiet=True)
    with pytest.raises(CheckpointError, match=r'learning_rate was 0.003, is 0.1'):
        _resumed(tmp_path, tiny_config(steps=1, learning_rate=0.1))
    with pytest.raises(CheckpointError, match='num_samples was 20, is 21'):
        _resumed(tmp_path, tiny_config(steps=1), data=BrightIsFar(21))
    _resumed(tmp_path, tiny_config(steps=1))


def test_weights_alone_are_nothing_to_resume(tmp_path: Path) -> None:
    tiny_trainer(tmp_path, tiny_config(steps=1)).run(quiet=True)
    trainer = tiny_trainer(tmp_path, tiny_config(steps=1))
    with pytest.raises(CheckpointError, match=r'best\.pt holds weights only'):
        trainer.resume(tmp_path / 'best.pt')


def test_an_empty_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='the training data is empty'):
        tiny_trainer(tmp_path, tiny_config(), data=BrightIsFar(0))


def test_the_log_is_one_json_record_a_line(tmp_path: Path) -> None:
    tiny_trainer(tmp_path, tiny_config(steps=2)).run(quiet=True)
    lines = (tmp_path / 'log.jsonl').read_text().splitlines()
    record = json.loads(lines[0])
    assert record['step'] == 1
    assert record['learning_rate'] == pytest.approx(3e-3)
    assert record['images_per_sec'] > 0


def test_a_line_that_was_cut_off_is_left_out_of_the_log(tmp_path: Path) -> None:
    path = tmp_path / 'log.jsonl'
    path.write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "lo')
    assert read_log(path) == [{'step': 1, 'loss': 2.0}]


def test_the_time_left_knows_that_small_images_cost_less(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = tiny_trainer(tmp_path, tiny_config())
    assert [trainer.learner.work_done(steps) for steps in (0, 2, 3, 4, 6)] == [
        0.0,
        0.5,  # three steps of a quarter
        0.75,
        1.75,
        3.75,
    ]
    trainer.run()
    text = capsys.readouterr().err
    assert 'step 6/6 100%' in text
    assert 'images/s' in text
    assert 'step 3: validation AbsRel' in text


def test_a_step_in_bf16_learns_too(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, tiny_config(precision='bf16', steps=2))
    before = [weight.clone() for weight in trainer.learner.network.parameters()]
    assert trainer.run(quiet=True).step == 2
    after = list(trainer.learner.network.parameters())
    assert all(weight.dtype == torch.float32 for weight in after)
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))


def test_auto_precision_is_fp32_on_a_cpu() -> None:
    assert autocast_type('auto', torch.device('cpu')) is torch.float32
    assert autocast_type('bf16', torch.device('cpu')) is torch.bfloat16


def test_the_encoder_learns_at_its_share_of_the_rate(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, tiny_config(encoder_rate=0.25, learning_rate=0.01))
    groups = trainer.learner.optimizer.param_groups
    assert [group['rate'] for group in groups] == [1.0, 1.0, 0.25, 0.25]
    encoder = {id(weight) for weight in trainer.learner.network.encoder.parameters()}  # type: ignore[union-attr]
    slow = {id(weight) for group in groups[2:] for weight in group['params']}
    fast = {id(weight) for group in groups[:2] for weight in group['params']}
    assert slow == encoder
    assert len(slow) + len(fast) == len(list(trainer.learner.network.parameters()))
    items = default_collate([trainer.train_data[index] for index in range(4)])
    trainer.learner.learn(items, 1)  # the last step of the warm-up: the whole rate
    rates = [group['lr'] for group in groups]
    assert rates == pytest.approx([0.01, 0.01, 0.0025, 0.0025])


def test_steps_on_other_shapes_follow_from_their_number_and_keep_the_budget(
    tmp_path: Path,
) -> None:
    config = tiny_config(
        shape_fraction=0.5, coarse_fraction=0.0, image_height=192, image_width=256
    )
    learner = tiny_trainer(tmp_path, config).learner
    shapes = [learner.shape(step) for step in range(200)]
    assert shapes == [learner.shape(step) for step in range(200)]
    assert 60 <= shapes.count((192, 256)) <= 140  # half of them: 100 +- 40 is 5.7 deviations
    # As network_size auto has them for cameras of 16:9, 1:1, 3:4 and 9:16
    assert set(shapes) == {(192, 256), (160, 288), (224, 224), (256, 192), (288, 160)}


def test_an_image_of_another_shape_is_learned_at_the_training_focal_length(
    tmp_path: Path,
) -> None:
    config = tiny_config(
        shape_fraction=1.0, coarse_fraction=0.0, load_scale=1.0, min_crop_scale=1.0
    )
    learner = tiny_trainer(tmp_path, config).learner
    step = next(step for step in range(100) if learner.shape(step) == (128, 64))
    item = {
        'image': torch.zeros(3, 64, 128, dtype=torch.uint8),
        'depth': torch.full((64, 128), 2.0),
        'intrinsics': torch.tensor([100.0, 100.0, 63.5, 31.5]),
    }
    batch = learner.examples(default_collate([item] * 4), step)
    assert batch.image.shape == (4, 3, 128, 64)
    # 32x64 px become 64x128: fx 200, and 110 is learned: 2 m * 110 / 200 = 1.1 m, 10 / 1.1
    assert batch.target.shape == (4, 1, 64, 32)
    assert batch.target.mean().item() == pytest.approx(10 / 1.1, rel=1e-5)
