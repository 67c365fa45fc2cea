"""Every way a Keras file can be wrong is an error that names what is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h5py
from keras_file import densedepth, save
import numpy as np
import pytest

from depth_estimation_ros.errors import CheckpointError
from depth_estimation_ros.training.keras.weights import load_keras

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope='module')
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DenseNet-121, variant B."""
    path = tmp_path_factory.mktemp('keras') / 'model.h5'
    save(densedepth(), path)
    return path


def _delete_array(file: h5py.File) -> None:
    del file['model_weights/conv1/conv/conv1/conv/kernel:0']


def _shorten_weight_names(file: h5py.File) -> None:
    attributes = file['model_weights/up2_convB'].attrs
    attributes['weight_names'] = attributes['weight_names'][:1]


def _add_listed_array(file: h5py.File) -> None:
    group = file['model_weights/up3_convA']
    group.create_dataset('up3_convA/scale:0', data=np.zeros(64, np.float32))
    group.attrs['weight_names'] = [*group.attrs['weight_names'], b'up3_convA/scale:0']


def _add_unlisted_array(file: h5py.File) -> None:
    file['model_weights'].create_dataset('conv9/conv9/kernel:0', data=np.zeros(3, np.float32))


def _replace(name: str, array: NDArray[Any]) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file['model_weights'][name]
        file['model_weights'].create_dataset(name, data=array)

    return change


def _add_layer_name(file: h5py.File) -> None:
    attributes = file['model_weights'].attrs
    attributes['layer_names'] = [*attributes['layer_names'], b'dense_1']


def _drop_layer_name(file: h5py.File) -> None:
    attributes = file['model_weights'].attrs
    attributes['layer_names'] = [n for n in attributes['layer_names'] if n != b'pool3_conv']


def _drop_group(file: h5py.File) -> None:
    del file['model_weights/pool3_conv']


def _drop_config(file: h5py.File) -> None:
    del file.attrs['model_config']


def _break_config(file: h5py.File) -> None:
    file.attrs['model_config'] = '{"class_name": "Sequential"}'


NAN_BIAS = np.full(512, np.nan, np.float32)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (_delete_array, "array 'conv1/conv/kernel:0' of layer 'conv1/conv' is listed but missing"),
        (_shorten_weight_names, r"layer 'up2_convB' lacks \['bias'\]"),
        (_add_listed_array, r"'up3_convA' has \['up3_convA/scale:0'\] too many"),
        (_add_unlisted_array, "array 'conv9/conv9/kernel:0' belongs to no layer"),
        (_replace('conv2/conv2/bias:0', np.zeros(511, np.float32)),
         r"'conv2/bias:0' of layer 'conv2' has shape \(511,\), expected \(512,\)"),
        (_replace('conv2/conv2/bias:0', np.zeros(512, np.int32)), 'conv2/bias:0.* is int32'),
        (_replace('conv2/conv2/bias:0', NAN_BIAS), 'conv2/bias:0.* not finite'),
        (_add_layer_name, "layer 'dense_1' is not in model_config"),
        (_drop_layer_name, "layer 'pool3_conv' is missing from layer_names"),
        (_drop_group, "arrays of layer 'pool3_conv' are missing"),
        (_drop_config, 'no whole Keras model'),
        (_break_config, 'not that of a functional Keras model'),
    ],
)  # fmt: skip
def test_a_wrong_array_is_an_error_that_names_it(
    model_path: Path, tmp_path: Path, change: Callable[..., None], message: str
) -> None:
    path = tmp_path / 'changed.h5'
    path.write_bytes(model_path.read_bytes())
    with h5py.File(path, 'a') as file:
        change(file)
    with pytest.raises(CheckpointError, match=message):
        load_keras(path)


def _change_layer(layer: str, key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(layers: dict[str, Any]) -> None:
        layers[layer]['config'][key] = value

    return change


def _change_input(layer: str, index: int, source: str) -> Callable[[dict[str, Any]], None]:
    def change(layers: dict[str, Any]) -> None:
        layers[layer]['inbound_nodes'][0][index][0] = source

    return change


def _use_twice(layers: dict[str, Any]) -> None:
    layers['conv2']['inbound_nodes'] *= 2


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (_change_layer('conv1/conv', 'strides', [1, 1]), r"'conv1/conv' has strides \(1, 1\)"),
        (_change_layer('up1_convA', 'padding', 'valid'), "'up1_convA' has padding 'valid'"),
        (_change_layer('up1_convA', 'activation', 'relu'), "'up1_convA' has activation 'relu'"),
        (_change_layer('conv1/relu', 'activation', 'tanh'), "'conv1/relu' is not a plain ReLU"),
        (_change_layer('conv1/bn', 'axis', 1), "'conv1/bn' has axis 1"),
        (_change_layer('up1_concat', 'axis', 1), "'up1_concat' has axis 1"),
        (_change_layer('leaky_re_lu_3', 'alpha', 0.1), 'differ in slope'),
        (_change_layer('leaky_re_lu_3', 'alpha', None), "'leaky_re_lu_3' has no slope"),
        (_change_input('up2_concat', 1, 'pool1'), 'expected one Concatenate'),
        (_change_input('up1_convA', 0, 'pool9'), "takes 'pool9', which is not in the model"),
        (_use_twice, "'conv2' is used 2 times"),
    ],
)  # fmt: skip
def test_a_layer_that_is_not_densedepths_is_an_error_that_names_it(
    model_path: Path, tmp_path: Path, change: Callable[..., None], message: str
) -> None:
    path = tmp_path / 'changed.h5'
    path.write_bytes(model_path.read_bytes())
    with h5py.File(path, 'a') as file:
        config = json.loads(file.attrs['model_config'])
        change({layer['name']: layer for layer in config['config']['layers']})
        file.attrs['model_config'] = json.dumps(config)
    with pytest.raises(CheckpointError, match=message):
        load_keras(path)


def test_nearest_upsampling_and_a_layer_too_many_are_refused(tmp_path: Path) -> None:
    model = densedepth(width=64, upsampling='UpSampling2D')
    model.layers['up1_upsampling2d'].config['interpolation'] = 'nearest'
    save(model, tmp_path / 'nearest.h5')
    with pytest.raises(CheckpointError, match="'up1_upsampling2d' upsamples by 'nearest'"):
        load_keras(tmp_path / 'nearest.h5')
    model = densedepth(width=64)
    model.relu('conv3', 'last_relu')
    save(model, tmp_path / 'more.h5')
    with pytest.raises(
        CheckpointError, match=r"'last_relu' \(Activation\) is no part of DenseDepth"
    ):
        load_keras(tmp_path / 'more.h5')


def test_a_file_that_is_no_hdf5_or_cut_short_or_absent_is_refused(
    model_path: Path, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=r'absent\.h5: no such file'):
        load_keras(tmp_path / 'absent.h5')
    (tmp_path / 'page.h5').write_text('<html>quota exceeded</html>')
    with pytest.raises(CheckpointError, match=r'page\.h5: not a Keras \.h5 file'):
        load_keras(tmp_path / 'page.h5')
    (tmp_path / 'cut.h5').write_bytes(model_path.read_bytes()[:1_000_000])
    with pytest.raises(CheckpointError, match=r'cut\.h5: not a Keras \.h5 file, or cut short'):
        load_keras(tmp_path / 'cut.h5')
