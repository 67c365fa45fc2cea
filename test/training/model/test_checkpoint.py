from __future__ import annotations

from dataclasses import replace
import os
from pathlib import Path
import pickle
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from depth_estimation_ros.errors import CheckpointError
from depth_estimation_ros.training.model.checkpoint import (
    Checkpoint,
    NetworkInfo,
    load_checkpoint,
    load_network,
    save_checkpoint,
)
from depth_estimation_ros.training.model.network import build_densedepth
from depth_estimation_ros.training.random_state import rng_state, set_rng_state

INFO = NetworkInfo(
    encoder='small',
    variant='paper',
    decoder_width=16,
    positive_output=True,
    align_corners=False,
    leaky_slope=0.3,
    input_size=(64, 128),
    min_depth=0.5,
    max_depth=20.0,
    training_fx=110.0,
    training_data='blobs',
    licence='CC0',
    metrics={'abs_rel': 0.1},
    metrics_data='other blobs',
)


def _save(path: Path, info: NetworkInfo = INFO) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    weights = INFO.build().state_dict()
    save_checkpoint(path, Checkpoint(info=info, weights=weights))
    return weights


def test_a_network_comes_back_as_it_was(tmp_path: Path) -> None:
    weights = _save(tmp_path / 'a.pt')
    network, info = load_network(tmp_path / 'a.pt')
    assert info == INFO
    assert not network.training
    assert (network.config.align_corners, network.config.leaky_slope) == (False, 0.3)
    for name, value in network.state_dict().items():
        assert torch.equal(value, weights[name])


def test_an_older_file_has_its_normalisation_among_the_weights(tmp_path: Path) -> None:
    info = replace(INFO, mean=(0.5, 0.25, 0.125), std=(0.5, 0.5, 0.25))
    save_checkpoint(tmp_path / 'a.pt', Checkpoint(info=info, weights=info.build().state_dict()))
    contents = torch.load(tmp_path / 'a.pt', weights_only=True)
    del contents['info']['mean'], contents['info']['std']
    torch.save(contents, tmp_path / 'old.pt')
    network, found = load_network(tmp_path / 'old.pt')
    assert (found.mean, found.std) == ((0.5, 0.25, 0.125), (0.5, 0.5, 0.25))
    assert network.mean.flatten().tolist() == [0.5, 0.25, 0.125]


def test_training_state_survives(tmp_path: Path) -> None:
    weights = build_densedepth('small', decoder_width=16).state_dict()
    state = {'step': 3, 'rng': rng_state(), 'nested': {'list': [1.5, 'x']}}
    save_checkpoint(tmp_path / 'a.pt', Checkpoint(info=INFO, weights=weights, training=state))
    drawn = random.random(), np.random.rand(), torch.rand(1).item()  # noqa: S311, NPY002
    loaded = load_checkpoint(tmp_path / 'a.pt').training
    set_rng_state(loaded['rng'])
    again = random.random(), np.random.rand(), torch.rand(1).item()  # noqa: S311, NPY002
    assert drawn == again
    assert (loaded['step'], loaded['nested']) == (3, {'list': [1.5, 'x']})


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    _save(tmp_path / 'a.pt', replace(INFO, decoder_width=32))
    with pytest.raises(
        CheckpointError, match=r'a\.pt is of another architecture: conv2.weight has'
    ):
        load_network(tmp_path / 'a.pt')


def test_an_encoder_that_is_not_known_is_refused(tmp_path: Path) -> None:
    _save(tmp_path / 'a.pt')
    contents = torch.load(tmp_path / 'a.pt', weights_only=True)
    contents['info']['encoder'] = 'vgg'
    torch.save(contents, tmp_path / 'a.pt')
    with pytest.raises(CheckpointError, match=r"a\.pt: unknown encoder 'vgg'"):
        load_network(tmp_path / 'a.pt')


def test_a_missing_and_an_unexpected_weight_are_named(tmp_path: Path) -> None:
    weights = INFO.build().state_dict()
    weights['extra'] = weights.pop('conv3.bias')
    save_checkpoint(tmp_path / 'a.pt', Checkpoint(info=INFO, weights=weights))
    with pytest.raises(CheckpointError, match=r'conv3.bias is missing \(and 1 more\)'):
        load_network(tmp_path / 'a.pt')


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ('executed',)


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
def test_a_pickle_that_is_no_checkpoint_is_refused_and_not_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'plain.pt').write_bytes(pickle.dumps(Malicious()))
    torch.save(Malicious(), tmp_path / 'zipped.pt')
    for name in ('plain.pt', 'zipped.pt'):
        with pytest.raises(CheckpointError, match=f'{name} is not a checkpoint'):
            load_checkpoint(tmp_path / name)
    assert not (tmp_path / 'executed').exists()


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'text.pt').write_text('hello')
    (tmp_path / 'empty.pt').write_bytes(b'')
    torch.save({'state_dict': {}}, tmp_path / 'foreign.pt')
    torch.save([1, 2], tmp_path / 'list.pt')
    for name in ('text.pt', 'empty.pt', 'foreign.pt', 'list.pt'):
        with pytest.raises(CheckpointError, match=f'{name} is not a checkpoint'):
            load_checkpoint(tmp_path / name)
    with pytest.raises(CheckpointError, match=r'there is no checkpoint .*none\.pt'):
        load_checkpoint(tmp_path / 'none.pt')


def test_a_checkpoint_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    _save(tmp_path / 'a.pt')
    content = (tmp_path / 'a.pt').read_bytes()
    (tmp_path / 'a.pt').write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match=r'a\.pt is not a checkpoint of this package, or is'):
        load_checkpoint(tmp_path / 'a.pt')


def test_a_checkpoint_of_a_later_format_is_refused(tmp_path: Path) -> None:
    contents = {'format': 'depth_estimation_ros checkpoint', 'format_version': 99}
    torch.save(contents, tmp_path / 'a.pt')
    with pytest.raises(CheckpointError, match='checkpoint format 99, this version reads 1'):
        load_checkpoint(tmp_path / 'a.pt')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'format_version': None}, r'a\.pt has checkpoint format None'),
        ({'info': 7}, r"a\.pt: damaged, or no checkpoint of this package \('int'"),
        ({'info': {}}, r'a\.pt: .*missing 4 required'),
        ({'weights': [1]}, r'a\.pt: damaged, or no checkpoint'),
        ({'weights': {'conv2.weight': 'text'}}, r"weight 'conv2.weight' is no tensor"),
        ({'training': None}, r'a\.pt: damaged, or no checkpoint'),
        ({'info': {'decoder_width': 10**9 + 16}}, r'a\.pt: decoder_width 1000000016 must be'),
        ({'info': {'decoder_width': '16'}}, r"a\.pt: '<=' not supported"),
        ({'info': {'input_size': [64]}}, r'a\.pt: input_size \(64,\) must be two numbers'),
        ({'info': {'max_depth': float('nan')}}, r'a\.pt: depth range 0.5..nan'),
        ({'info': {'training_fx': -1.0}}, r'a\.pt: training_fx -1.0 must be above 0'),
        ({'info': {'mean': [0.5]}}, r'a\.pt: mean \(0.5,\), std .* must be three'),
    ],
)  # fmt: skip
def test_a_field_that_is_not_what_it_must_be_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    _save(tmp_path / 'a.pt')
    contents = torch.load(tmp_path / 'a.pt', weights_only=True)
    for key, value in change.items():
        keeps = isinstance(value, dict) and value
        contents[key] = {**contents[key], **value} if keeps else value
    torch.save(contents, tmp_path / 'a.pt')
    with pytest.raises(CheckpointError, match=message):
        load_network(tmp_path / 'a.pt')


def test_a_damaged_checkpoint_is_refused_by_whatever_uses_one(tmp_path: Path) -> None:
    _save(tmp_path / 'a.pt')
    data = bytearray((tmp_path / 'a.pt').read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / 'a.pt').write_bytes(data)
    for read in (load_checkpoint, load_network):
        with pytest.raises(CheckpointError, match=r'a\.pt: damaged: its SHA-256 is'):
            read(tmp_path / 'a.pt')


FULL_DISK = """
import resource, signal, sys
sys.path[:0] = {path!r}
from test_checkpoint import INFO, _save
from depth_estimation_ros.errors import CheckpointError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from pathlib import Path
try:
    _save(Path({file!r}))
except CheckpointError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / 'a.pt'
    _save(file)
    good = file.read_bytes()
    code = FULL_DISK.format(path=[str(Path(__file__).parent), *sys.path], file=str(file))
    result = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True, timeout=300
    )
    assert f'cannot save the checkpoint {file}' in result.stdout
    assert 'File too large' in result.stdout
    assert 'a file that was there before is unchanged' in result.stdout
    assert file.read_bytes() == good
    assert [path.name for path in tmp_path.iterdir()] == ['a.pt']
