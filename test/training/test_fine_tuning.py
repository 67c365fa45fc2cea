"""A run that starts from a trained network takes all of it, and says where it comes from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from small_checkpoint import TRAINING_FX, make_small_checkpoint
from tiny_training import SIZE, BrightIsFar, tiny_config
import torch

from depth_estimation_ros.errors import CheckpointError, ConfigError
from depth_estimation_ros.training.distributed import ProcessGroup
from depth_estimation_ros.training.fine_tuning import start_from
from depth_estimation_ros.training.model.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_network,
    save_checkpoint,
)
from depth_estimation_ros.training.presets import PRESETS
from depth_estimation_ros.training.run import TrainingData, new_network, train

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.training.config import TrainConfig


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    """A checkpoint of the small network, 64x128, 0.2 to 10 m."""
    path = tmp_path / 'start.pt'
    make_small_checkpoint(path, input_size=SIZE)
    return str(path)


def fine_tune(
    config: TrainConfig, folder: Path, *, resume: bool = False, max_minutes: float | None = None
) -> None:
    train(
        config,
        TrainingData(train=BrightIsFar(), validation=BrightIsFar(4), name='blobs'),
        folder=folder,
        group=ProcessGroup(),
        resume=resume,
        max_minutes=max_minutes,
    )


def test_it_starts_with_the_weights_of_the_checkpoint(checkpoint: str) -> None:
    network = new_network(start_from(checkpoint, PRESETS['modern'], {}))
    expected = load_checkpoint(checkpoint).weights
    assert network.training
    assert all(torch.equal(value, expected[name]) for name, value in network.state_dict().items())


def test_the_network_and_what_it_was_trained_for_come_from_the_checkpoint(checkpoint: str) -> None:
    config = start_from(checkpoint, PRESETS['modern'], {})
    assert (config.encoder, config.variant, config.decoder_width) == ('small', 'paper', 32)
    assert (config.positive_output, config.align_corners) == (True, True)
    assert (config.encoder_weights, config.imagenet_normalization) == ('none', False)
    assert (config.image_size, config.min_depth, config.max_depth) == (SIZE, 0.2, 10.0)
    assert config.training_fx == TRAINING_FX
    assert (config.learning_rate, config.batch_size) == (4e-4, 16)


def test_what_is_given_wins_and_the_focal_length_follows_the_width(checkpoint: str) -> None:
    given = {'image_width': 256, 'image_height': 128, 'max_depth': 5.0, 'decoder_width': 32}
    config = start_from(checkpoint, PRESETS['modern'], given)
    assert (config.image_size, config.max_depth) == ((128, 256), 5.0)
    assert config.training_fx == 2 * TRAINING_FX
    assert start_from(checkpoint, PRESETS['modern'], {'training_fx': 70.0}).training_fx == 70.0


def test_a_network_that_was_normalised_stays_so(tmp_path: Path, checkpoint: str) -> None:
    loaded = load_checkpoint(checkpoint)
    info = replace(loaded.info, mean=(0.5, 0.5, 0.5))
    normalised = replace(loaded, info=info, weights=info.build().state_dict())
    save_checkpoint(tmp_path / 'normalised.pt', normalised)
    config = start_from(str(tmp_path / 'normalised.pt'), PRESETS['small-rooms'], {})
    assert config.imagenet_normalization
    assert new_network(config).mean.flatten().tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (
            {'encoder': 'densenet121'},
            'encoder densenet121 does not fit .*, whose encoder is small',
        ),
        ({'decoder_width': 64}, r'decoder_width 64 does not fit .*, whose decoder_width is 32'),
        ({'encoder_weights': 'imagenet'}, 'encoder_weights imagenet does not fit'),
        ({'imagenet_normalization': True}, 'imagenet_normalization True does not fit'),
    ],
)
def test_a_setting_that_asks_for_another_network_is_refused(
    checkpoint: str, given: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        start_from(checkpoint, PRESETS['modern'], given)


def test_a_configuration_of_another_network_is_refused(checkpoint: str) -> None:
    config = tiny_config(initial_checkpoint=checkpoint)
    with pytest.raises(ConfigError, match=r'decoder_width 16 is not that of .*start.pt, 32'):
        new_network(config)


def test_the_logarithm_of_a_linear_output_is_refused_with_what_to_use(checkpoint: str) -> None:
    loaded = load_checkpoint(checkpoint)
    info = replace(loaded.info, encoder='densenet121', positive_output=False)
    save_checkpoint(checkpoint, Checkpoint(info=info, weights=loaded.weights))
    with pytest.raises(ConfigError, match='needs positive_output, .*: use loss_domain raw'):
        start_from(checkpoint, PRESETS['modern'], {})
    assert not start_from(checkpoint, PRESETS['paper'], {}).positive_output


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match='there is no checkpoint'):
        start_from(str(tmp_path / 'none.pt'), PRESETS['paper'], {})


def test_what_comes_of_it_names_both_data_sets_and_keeps_the_licence(
    tmp_path: Path, checkpoint: str
) -> None:
    config = start_from(checkpoint, tiny_config(), {'steps': 1})
    fine_tune(config, tmp_path / 'run')
    _, info = load_network(tmp_path / 'run' / 'best.pt')
    assert info.training_data == 'blobs; before that, nothing: random weights'
    assert info.licence == 'Apache-2.0'


def test_a_resumed_run_keeps_what_no_setting_says_of_the_network(
    tmp_path: Path, checkpoint: str
) -> None:
    loaded = load_checkpoint(checkpoint)
    info = replace(loaded.info, leaky_slope=0.3)
    save_checkpoint(checkpoint, Checkpoint(info=info, weights=loaded.weights))
    config = start_from(checkpoint, tiny_config(), {'steps': 2})
    folder = tmp_path / 'run'
    fine_tune(config, folder, max_minutes=1e-9)
    fine_tune(config, folder, resume=True)
    resumed = load_checkpoint(folder / 'last.pt')
    assert (resumed.training['step'], resumed.info.leaky_slope) == (2, 0.3)
