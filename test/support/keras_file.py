"""DenseDepth as Keras 2.2.4 describes and saves it, with random weights.

Written from the format's facts and not from the package's reader: a list of layers with their
configurations, inputs and arrays, and a writer that lays it out in HDF5 as Keras does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import json
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DENSENET_BLOCKS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
BATCH_NORM_ARRAYS = ('gamma:0', 'beta:0', 'moving_mean:0', 'moving_variance:0')


@dataclass
class Layer:
    name: str
    class_name: str
    inputs: list[str]
    config: dict[str, Any]
    arrays: dict[str, NDArray[np.float32]] = field(default_factory=dict)


class KerasModel:
    """Layers in graph order; names without one count up from `first_counter`."""

    def __init__(self, seed: int = 0, *, first_counter: int = 1) -> None:
        self.layers: dict[str, Layer] = {}
        self.channels: dict[str, int] = {}
        self.rng = np.random.default_rng(seed)
        self.first_counter = first_counter
        self.counters: dict[str, int] = {}

    def add(self, kind: str, inputs: list[str], name: str = '', **config: Any) -> str:
        if not name:
            base = {'LeakyReLU': 'leaky_re_lu', 'ZeroPadding2D': 'zero_padding2d'}.get(kind)
            base = base or {'MaxPooling2D': 'max_pooling2d'}.get(kind, kind.lower())
            count = self.counters.get(base, self.first_counter)
            self.counters[base] = count + 1
            name = f'{base}_{count}'
        joined = sum(self.channels[source] for source in inputs)
        self.channels[name] = joined if kind == 'Concatenate' else self.channels.get(
            inputs[0] if inputs else '', 3
        )  # fmt: skip
        self.layers[name] = Layer(name, kind, inputs, {'name': name, 'trainable': True, **config})
        return name

    def conv(
        self, x: str, name: str, filters: int, size: int, *, stride: int = 1,
        padding: str = 'valid', bias: bool, gain: float = 1.4,
    ) -> str:  # fmt: skip
        shape = (size, size, self.channels[x], filters)
        name = self.add(
            'Conv2D', [x], name, filters=filters, kernel_size=[size, size],
            strides=[stride, stride], padding=padding, data_format='channels_last',
            dilation_rate=[1, 1], activation='linear', use_bias=bias,
        )  # fmt: skip
        scale = np.sqrt(gain / (size * size * shape[2]))
        arrays = {'kernel:0': self.rng.standard_normal(shape, np.float32) * np.float32(scale)}
        if bias:
            arrays['bias:0'] = self.rng.normal(0, 0.1, filters).astype(np.float32)
        self.layers[name].arrays = arrays
        self.channels[name] = filters
        return name

    def batch_norm(self, x: str, name: str, epsilon: float) -> str:
        self.add('BatchNormalization', [x], name, axis=3, momentum=0.99, epsilon=epsilon,
                 center=True, scale=True)  # fmt: skip
        # Some variances are as small as epsilon: a wrong epsilon then shows.
        variance = 10 ** self.rng.uniform(-6, 0, self.channels[x])
        values = (
            np.sqrt(variance + epsilon) * self.rng.uniform(0.5, 1.2, self.channels[x]),
            self.rng.normal(0, 0.15, self.channels[x]),
            self.rng.normal(0, 0.2, self.channels[x]) * np.sqrt(variance),
            variance,
        )
        named = zip(BATCH_NORM_ARRAYS, values, strict=True)
        self.layers[name].arrays = {key: value.astype(np.float32) for key, value in named}
        return name

    def relu(self, x: str, name: str = '') -> str:
        return self.add('Activation', [x], name, activation='relu')


def _stem(
    model: KerasModel, conv: str, norm: str, relu: str, epsilon: float, *, bias: bool
) -> str:
    x = model.add('InputLayer', [], batch_input_shape=[None, None, None, 3], dtype='float32')
    x = model.add('ZeroPadding2D', [x], padding=[[3, 3], [3, 3]])
    x = model.batch_norm(model.conv(x, conv, 64, 7, stride=2, bias=bias), norm, epsilon)
    return model.relu(x, relu)


def _pool(model: KerasModel, x: str, name: str) -> str:
    x = model.add('ZeroPadding2D', [x], padding=[[1, 1], [1, 1]])
    return model.add('MaxPooling2D', [x], name, pool_size=[3, 3], strides=[2, 2], padding='valid')


def densenet(model: KerasModel, depth: int, *, epsilon: float, final_relu: bool) -> list[str]:
    """Add a DenseNet; return its output and the skips, deepest first."""
    half = _stem(model, 'conv1/conv', 'conv1/bn', 'conv1/relu', epsilon, bias=False)
    x = _pool(model, half, 'pool1')
    skips = [half, x]
    for stage, num_layers in enumerate(DENSENET_BLOCKS[depth], start=2):
        for index in range(1, num_layers + 1):
            n = f'conv{stage}_block{index}'
            y = model.relu(model.batch_norm(x, f'{n}_0_bn', epsilon), f'{n}_0_relu')
            y = model.conv(y, f'{n}_1_conv', 128, 1, bias=False)
            y = model.relu(model.batch_norm(y, f'{n}_1_bn', epsilon), f'{n}_1_relu')
            y = model.conv(y, f'{n}_2_conv', 32, 3, padding='same', bias=False)
            x = model.add('Concatenate', [x, y], f'{n}_concat', axis=3)
        if stage < 5:
            n = f'pool{stage}'
            x = model.relu(model.batch_norm(x, f'{n}_bn', epsilon), f'{n}_relu')
            x = model.conv(x, f'{n}_conv', model.channels[x] // 2, 1, bias=False)
            x = model.add('AveragePooling2D', [x], f'{n}_pool', pool_size=[2, 2],
                          strides=[2, 2], padding='valid')  # fmt: skip
            skips.append(x)
    x = model.batch_norm(x, 'bn', epsilon)
    return [model.relu(x, 'relu') if final_relu else x, *skips[-2::-1]]


def resnet50(model: KerasModel, *, epsilon: float) -> list[str]:
    """Add Keras' ResNet-50 v1; return its output and the blog's skips, deepest first."""
    half = _stem(model, 'conv1', 'bn_conv1', '', epsilon, bias=True)
    x = _pool(model, half, '')
    skips = [half, x]
    for stage, num_blocks in enumerate((3, 4, 6, 3), start=2):
        width = 2 ** (stage + 4)
        for index in range(num_blocks):
            n = f'{stage}{"abcdef"[index]}_branch'
            stride = 2 if index == 0 and stage > 2 else 1
            y = model.conv(x, f'res{n}2a', width, 1, stride=stride, bias=True)
            if index == 0 and stage in (3, 4):
                skips.append(y)
            y = model.relu(model.batch_norm(y, f'bn{n}2a', epsilon))
            y = model.conv(y, f'res{n}2b', width, 3, padding='same', bias=True)
            y = model.relu(model.batch_norm(y, f'bn{n}2b', epsilon))
            y = model.conv(y, f'res{n}2c', 4 * width, 1, bias=True)
            y = model.batch_norm(y, f'bn{n}2c', epsilon)
            if index == 0:
                x = model.conv(x, f'res{n}1', 4 * width, 1, stride=stride, bias=True)
                x = model.batch_norm(x, f'bn{n}1', epsilon)
            x = model.relu(model.add('Add', [y, x]))
    return [x, *skips[::-1]]


def densedepth(
    encoder: str = 'densenet121', variant: str = 'blog', *, width: int | None = None,
    epsilon: float | None = None, slope: float = 0.20000000298023224, final_relu: bool = True,
    upsampling: str = 'BilinearUpSampling2D', seed: int = 0, first_counter: int = 1,
) -> KerasModel:  # fmt: skip
    """Describe a DenseDepth network with random weights."""
    model = KerasModel(seed, first_counter=first_counter)
    if encoder == 'resnet50':
        x, *skips = resnet50(model, epsilon=epsilon or 1e-3)
    else:
        depth = int(encoder.removeprefix('densenet'))
        x, *skips = densenet(model, depth, epsilon=epsilon or 1.001e-5, final_relu=final_relu)
    width = width or model.channels[x] // (1 if variant == 'paper' else 2)
    x = model.conv(x, 'conv2', width, 1, padding='same', bias=True, gain=2.4)
    for index, skip in enumerate(skips, start=1):
        extra = {'interpolation': 'bilinear'} if upsampling == 'UpSampling2D' else {}
        up = model.add(upsampling, [x], f'up{index}_upsampling2d', size=[2, 2],
                       data_format='channels_last', **extra)  # fmt: skip
        x = model.add('Concatenate', [up, skip], f'up{index}_concat', axis=-1)
        for part in 'AB':
            name = f'up{index}_conv{part}'
            filters = width // 2**index
            x = model.conv(x, name, filters, 3, padding='same', bias=True, gain=2.4)
            if part == 'B' or variant == 'blog':
                x = model.add('LeakyReLU', [x], alpha=slope)
    model.conv(x, 'conv3', 1, 3, padding='same', bias=True, gain=2.4)
    return model


def save(model: KerasModel, path: Path, *, keras_version: str = '2.2.4') -> None:
    """Write a model as `model.save()` of Keras 2.2.4 does."""
    layers = [
        {
            'name': layer.name,
            'class_name': layer.class_name,
            'config': layer.config,
            'inbound_nodes': [[[source, 0, 0, {}] for source in layer.inputs]]
            if layer.inputs
            else [],
        }
        for layer in model.layers.values()
    ]
    config = {'class_name': 'Model', 'config': {'name': 'model_1', 'layers': layers}}
    with h5py.File(path, 'w') as file:
        file.attrs['keras_version'] = keras_version.encode()
        file.attrs['backend'] = b'tensorflow'
        file.attrs['model_config'] = json.dumps(config)
        weights = file.create_group('model_weights')
        weights.attrs['layer_names'] = np.array([name.encode() for name in model.layers])
        for layer in model.layers.values():
            group = weights.create_group(layer.name)
            names = [f'{layer.name}/{name}' for name in layer.arrays]
            group.attrs['weight_names'] = np.array([name.encode() for name in names], 'S') if (
                names
            ) else np.array([])  # fmt: skip
            for name, array in zip(names, layer.arrays.values(), strict=True):
                group.create_dataset(name, data=array)
