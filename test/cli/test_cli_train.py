from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch

from depth_estimation_ros.cli.main import main
from depth_estimation_ros.training.model.checkpoint import load_checkpoint, load_network

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ['--preset', 'small-rooms', '--decoder-width', '16', '--image-height', '64']
SMALL += ['--image-width', '64', '--batch-size', '2', '--steps', '2', '--num-workers', '0']
SMALL += ['--validate-every', '2', '--device', 'cpu', '--training-fx', '60']


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A folder of 20 images with depth in millimetres."""
    folder = tmp_path / 'recording'
    generator = np.random.default_rng(0)
    for kind in ('rgb', 'depth'):
        (folder / kind).mkdir(parents=True)
    for index in range(20):
        depth = cv2.resize(generator.uniform(1000, 4000, (3, 4)), (80, 60))
        image = np.repeat((depth / 4000 * 255).astype(np.uint8)[..., None], 3, axis=2)
        cv2.imwrite(str(folder / 'rgb' / f'{index:04d}.png'), image)
        cv2.imwrite(str(folder / 'depth' / f'{index:04d}.png'), depth.astype(np.uint16))
    return folder


def test_training_on_a_recording_writes_a_network_and_a_report(
    recording: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    output = tmp_path / 'run'
    command = ['train', *SMALL, '--data', 'rgbd-folder', str(recording), '--output', str(output)]
    command += ['--data-name', 'my corridor', '--licence', 'CC0']
    assert main(command) == 0
    network, info = load_network(output / 'best.pt')
    assert network(torch.rand(1, 3, 64, 64)).shape == (1, 1, 32, 32)
    assert (info.training_data, info.licence, info.decoder_width) == ('my corridor', 'CC0', 16)
    assert json.loads((output / 'report' / 'metrics.json').read_text())['steps'] == 2


def test_a_stopped_run_goes_on_with_resume(recording: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    command = ['train', *SMALL, '--data', 'rgbd-folder', str(recording)]
    command += ['--output', str(tmp_path / 'run')]
    assert main([*command, '--max-minutes', '1e-9']) == 0
    assert load_checkpoint(tmp_path / 'run' / 'last.pt').training['step'] == 1
    assert main([*command, '--resume']) == 0
    assert load_checkpoint(tmp_path / 'run' / 'last.pt').training['step'] == 2


def test_a_run_goes_on_from_the_checkpoint_of_another(recording: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    command = ['train', *SMALL, '--data', 'rgbd-folder', str(recording), '--licence', 'CC0']
    assert main([*command, '--output', str(tmp_path / 'first')]) == 0
    command = ['train', '--preset', 'small-rooms', '--batch-size', '2', '--steps', '1']
    command += ['--num-workers', '0', '--device', 'cpu', '--data', 'rgbd-folder', str(recording)]
    command += ['--initial-checkpoint', str(tmp_path / 'first' / 'best.pt')]
    assert main([*command, '--output', str(tmp_path / 'second')]) == 0
    info = load_checkpoint(tmp_path / 'second' / 'last.pt').info
    assert (info.decoder_width, info.input_size, info.training_fx) == (16, (64, 64), 60.0)
    assert info.training_data == 'rgbd-folder; before that, rgbd-folder'
    assert info.licence == 'CC0'
    assert main([*command, '--encoder', 'resnet50', '--output', str(tmp_path / 'third')]) == 1
    assert not (tmp_path / 'third').exists()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--batch-size', '0'], 'batch_size 0 must be above 0'),
        (['--image-height', '50'], 'image_height 50 must be a multiple of 32'),
        (['--data', 'kitti', 'x'], "unknown data set 'kitti'"),
        (['--data', 'nyu-labeled'], 'data set nyu-labeled needs a path'),
        (['--data', 'rgbd-folder', '/nowhere'], '/nowhere'),
        (['--device', 'cuda:77'], 'device cuda:77'),
        (['--resume', '--output', '/nowhere/run'], '/nowhere/run/last.pt to resume from'),
        (['--encoder-weights', 'imagenet'], 'small has no ImageNet weights'),
        (['--initial-checkpoint', '/nowhere/a.pt'], 'there is no checkpoint /nowhere/a.pt'),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_1(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ['train', *SMALL, '--output', str(tmp_path / 'run')]
    assert main([*command, *arguments]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith('depth-estimation: error: ')
    assert message in lines[0]
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--preset', 'best'], "invalid choice: 'best'"),
        (['--steps', 'many'], 'argument --steps: invalid int value'),
        (['--data', 'rooms', 'a', 'b'], '--data takes a kind and a path, not rooms a b'),
        (['--max-minutes', '0'], 'argument --max-minutes: 0 is not a number above 0'),
    ],
)
def test_wrong_usage_is_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(['train', *arguments])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_help_names_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(['train', '--help'])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    for flag in ('--encoder-weights', '--coarse-fraction', '--no-channels-last', '--ema-decay'):
        assert flag in text


def test_two_data_sets_are_learned_together_and_measured_apart(
    recording: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    output = tmp_path / 'run'
    command = ['train', *SMALL, '--output', str(output)]
    command += ['--data', 'rgbd-folder', str(recording), '--data-weight', '3']
    command += ['--data-option', 'frame_px=2', '--data', 'rgbd-folder', str(recording)]
    assert main(command) == 0
    log = [json.loads(line) for line in (output / 'log.jsonl').read_text().splitlines()]
    measured = next(record for record in log if 'val/abs_rel' in record)
    assert measured['val/rgbd-folder-2/abs_rel'] > 0
    checkpoint = load_checkpoint(output / 'last.pt')
    assert checkpoint.training['data'] == [[18, 0.75], [18, 0.25]]  # of 20 two validate
    assert checkpoint.info.metrics_data == '2 images of the validation split of rgbd-folder-1'
    assert checkpoint.info.training_data == 'rgbd-folder-1 and rgbd-folder-2'


def test_a_mixture_of_other_weights_is_not_resumed(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.set_num_threads(1)
    data = ['--data', 'rgbd-folder', str(recording)]
    command = ['train', *SMALL, '--output', str(tmp_path / 'run')]
    assert main([*command, *data, *data, '--max-minutes', '1e-9']) == 0
    assert main([*command, *data, '--data-weight', '3', *data, '--resume']) == 1
    message = capsys.readouterr().err
    assert 'data was [[18, 0.5], [18, 0.5]], is [[18, 0.75], [18, 0.25]]' in message
