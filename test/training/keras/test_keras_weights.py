"""Weights from Keras, compared with Keras' own arithmetic, and with what a port gets wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
from keras_file import KerasModel, densedepth, save
from keras_reference import Mistakes, run
import numpy as np
import pytest
import torch

from depth_estimation_ros.training.keras.weights import load_keras

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

IMAGE = np.random.default_rng(1).random((32, 64, 3), dtype=np.float32)


def _infer(path: Path, **options: Any) -> NDArray[np.float32]:
    """Run the loaded network on IMAGE; (16, 32, 1) raw output."""
    network = load_keras(path, **options)
    with torch.inference_mode():
        raw = network(torch.from_numpy(IMAGE.transpose(2, 0, 1)[None]))
    assert raw.shape == (1, 1, 16, 32)
    output: NDArray[np.float32] = raw[0].permute(1, 2, 0).numpy()
    return output


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.abs(one - other).max())


@pytest.mark.parametrize(
    ('options', 'tolerance'),
    [
        ({'encoder': 'densenet169', 'variant': 'paper'}, 2e-4),
        ({'encoder': 'densenet201', 'width': 64}, 2e-4),
        ({'width': 1024}, 2e-4),
        ({'encoder': 'resnet50'}, 1e-3),
        ({'encoder': 'resnet50', 'epsilon': 1.001e-5}, 1e-3),
        ({'width': 64, 'slope': 0.1, 'first_counter': 41}, 2e-4),
        ({'width': 64, 'final_relu': False}, 2e-4),
        ({'width': 64, 'epsilon': 1e-3}, 2e-4),
        ({'width': 64, 'upsampling': 'UpSampling2D'}, 2e-4),
    ],
    ids=str,
)
def test_a_loaded_network_gives_the_numbers_of_keras(
    tmp_path: Path, options: dict[str, Any], tolerance: float
) -> None:
    model = densedepth(**options)
    save(model, tmp_path / 'model.h5')
    assert _difference(_infer(tmp_path / 'model.h5'), run(model, IMAGE)) < tolerance


@pytest.fixture(scope='module')
def model() -> KerasModel:
    """DenseNet-121, variant B."""
    return densedepth()


@pytest.fixture(scope='module')
def model_path(model: KerasModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('keras') / 'model.h5'
    save(model, path)
    return path


@pytest.fixture(scope='module')
def output(model_path: Path) -> NDArray[np.float32]:
    return _infer(model_path)


@pytest.mark.parametrize(
    'mistake',
    [
        {'imagenet_input': True},
        {'bgr_input': True},
        {'drop_layers': ('relu',)},
        {'drop_layers': tuple(f'leaky_re_lu_{number}' for number in (1, 3, 5, 7))},
        {'drop_layers': ('leaky_re_lu_2',)},
        {'extra_leaky': ('conv2',)},
        {'skip_first': True},
        {'transposed_kernels': True},
        {'epsilon': 1e-3},
        {'epsilon': 1e-5},
        {'slope': 0.01},
        {'half_pixel': True},
        {'skip_before_relu': True},
    ],
    ids=str,
)
def test_every_known_mistake_of_a_port_exceeds_the_tolerance(
    model: KerasModel, output: NDArray[np.float32], mistake: dict[str, Any]
) -> None:
    assert _difference(output, run(model, IMAGE, Mistakes(**mistake))) > 2e-4


def test_half_pixel_upsampling_is_a_choice_of_the_user(
    model: KerasModel, model_path: Path
) -> None:
    wanted = run(model, IMAGE, Mistakes(half_pixel=True))
    assert _difference(_infer(model_path, align_corners=False), wanted) < 2e-4


def test_a_network_is_what_the_file_says(model_path: Path) -> None:
    network = load_keras(model_path)
    found = network.config
    assert (found.encoder, found.variant, found.decoder_width) == (
        'densenet121', 'blog', 512,
    )  # fmt: skip
    assert found.align_corners
    assert not network.training


def _newer_keras(file: h5py.File) -> None:
    """Strings for bytes, a top level group, an optimiser's state."""
    file.attrs['keras_version'] = '2.15.0'
    weights = file['model_weights']
    weights.attrs['layer_names'] = [name.decode() for name in weights.attrs['layer_names']]
    top = weights.create_group('top_level_model_weights')
    top.attrs['weight_names'] = np.array([])
    file.create_dataset('optimizer_weights/Adam/iterations:0', data=7)
    file.attrs['training_config'] = '{}'


def _chunked_names(file: h5py.File) -> None:
    weights = file['model_weights']
    names = weights.attrs['layer_names']
    del weights.attrs['layer_names']
    weights.attrs['layer_names0'] = names[:100]
    weights.attrs['layer_names1'] = names[100:]


def _suffixed_names(file: h5py.File) -> None:
    """A second network in a session: `up1_convA_1/kernel:0`."""
    group = file['model_weights/up1_convA']
    group.move('up1_convA', 'up1_convA_1')
    group.attrs['weight_names'] = [b'up1_convA_1/kernel:0', b'up1_convA_1/bias:0']


@pytest.mark.parametrize('change', [_newer_keras, _chunked_names, _suffixed_names])
def test_what_other_versions_of_keras_write_loads_the_same(
    model_path: Path, output: NDArray[np.float32], tmp_path: Path, change: Callable[..., None]
) -> None:
    path = tmp_path / 'changed.h5'
    path.write_bytes(model_path.read_bytes())
    with h5py.File(path, 'a') as file:
        change(file)
    assert _difference(_infer(path), output) == 0.0
