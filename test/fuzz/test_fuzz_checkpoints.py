"""Files of weights: checkpoints of this package and Keras' own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
import zipfile

from fuzzing import damaged, fuzz
import torch

from depth_estimation_ros.training.keras.h5 import KerasFile
from depth_estimation_ros.training.model.checkpoint import (
    Checkpoint,
    NetworkInfo,
    load_checkpoint,
    load_network,
    save_checkpoint,
)

if TYPE_CHECKING:
    from pathlib import Path

INFO = NetworkInfo(
    encoder='small', variant='paper', decoder_width=16, positive_output=True, input_size=(64, 64)
)
KERAS_LAYERS = (
    '{"class_name": "Model", "config": {"name": "m", "layers": ['
    '{"name": "input_1", "class_name": "InputLayer", "config": {"name": "input_1"},'
    ' "inbound_nodes": []},'
    '{"name": "conv", "class_name": "Conv2D", "config": {"name": "conv", "filters": 2},'
    ' "inbound_nodes": [[["input_1", 0, 0, {}]]]}]}}'
)


def _parts(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_damaged_checkpoint_is_refused_unless_it_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / 'a.pt'
    weights = INFO.build().state_dict()
    save_checkpoint(path, Checkpoint(info=INFO, weights=weights))
    whole = path.read_bytes()

    def read(data: bytes) -> None:
        path.write_bytes(data)
        found = load_checkpoint(path)
        assert data == whole
        assert found.info == INFO

    fuzz('checkpoint', damaged([whole], max_changes=3), read, per_mille=20)


def test_what_a_checkpoint_says_in_good_order_is_a_network_or_refused(tmp_path: Path) -> None:
    path = tmp_path / 'a.pt'
    contents = Checkpoint(info=INFO, weights=INFO.build().state_dict(), training={'step': 3})
    save_checkpoint(path, contents)
    parts = _parts(path.read_bytes())
    (pickled,) = (name for name in parts if name.endswith('data.pkl'))

    start = parts[pickled][:600]  # what the network is; after it come the names of tensors
    rest = parts[pickled][600:]

    def read(data: bytes) -> None:
        with zipfile.ZipFile(path, 'w') as archive:  # with the right checksums
            for name, content in {**parts, pickled: data + rest}.items():
                archive.writestr(name, content)
        network, info = load_network(path)
        assert isinstance(network, torch.nn.Module)
        assert info.max_depth > info.min_depth

    fuzz('pickle', damaged([start], max_changes=3), read, per_mille=10)


def test_a_damaged_keras_file_is_a_model_or_refused(tmp_path: Path) -> None:
    import h5py
    import numpy as np

    path = tmp_path / 'a.h5'
    with h5py.File(path, 'w') as file:
        file.attrs['keras_version'] = b'2.2.4'
        file.attrs['model_config'] = KERAS_LAYERS
        group = file.create_group('model_weights')
        group.attrs['layer_names'] = np.array([b'input_1', b'conv'])
        group.create_group('input_1').attrs['weight_names'] = np.array([])
        conv = group.create_group('conv')
        conv.attrs['weight_names'] = np.array([b'conv/kernel:0'])
        conv.create_dataset('conv/kernel:0', data=np.ones((1, 1, 3, 2), np.float32))
    whole = path.read_bytes()

    def read(data: bytes) -> None:
        path.write_bytes(data)
        with KerasFile(path) as keras:
            for array in keras.arrays('conv', {'kernel': (1, 1, 3, 2)}):
                assert array.dtype == np.float32
            keras.check_all_read()

    fuzz('keras', damaged([whole], max_changes=3), read, per_mille=20)
