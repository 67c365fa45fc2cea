"""Keras' arithmetic in plain numpy, channels last, to compare a loaded network with.

`Mistakes` switches on one at a time what a port gets wrong: a test shows that each is caught.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from collections.abc import Callable

    from keras_file import KerasModel, Layer
    from numpy.typing import NDArray

    Map = NDArray[np.float32]


ZERO = np.zeros(1, np.float32)


@dataclass(frozen=True, kw_only=True)
class Mistakes:
    """Deviations from Keras; the defaults are none."""

    imagenet_input: bool = False
    bgr_input: bool = False
    drop_layers: tuple[str, ...] = ()  # layers whose output is their input
    extra_leaky: tuple[str, ...] = ()  # layers that get a LeakyReLU 0.2 behind them
    skip_first: bool = False
    transposed_kernels: bool = False
    epsilon: float | None = None
    slope: float | None = None
    half_pixel: bool = False
    skip_before_relu: bool = False


def run(model: KerasModel, image: Map, mistakes: Mistakes | None = None) -> Map:
    """Return the last layer's output for one image, (H, W, 3) float32 in [0, 1]."""
    wrong = mistakes or Mistakes()
    if wrong.bgr_input:
        image = image[..., ::-1]
    if wrong.imagenet_input:
        mean, std = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)
        image = (image - mean) / std
    outputs: dict[str, Map] = {}
    for layer in model.layers.values():
        inputs = [outputs[name] for name in layer.inputs] or [image]
        if layer.name == 'up4_concat' and wrong.skip_before_relu:
            inputs[1] = outputs['conv1/bn']
        if layer.name.startswith('up') and layer.class_name == 'Concatenate' and wrong.skip_first:
            inputs.reverse()
        if layer.name in wrong.drop_layers:
            outputs[layer.name] = inputs[0]
            continue
        outputs[layer.name] = _OPERATIONS[layer.class_name](layer, inputs, wrong)
        if layer.name in wrong.extra_leaky:
            value = outputs[layer.name]
            outputs[layer.name] = np.where(value > 0, value, np.float32(0.2) * value)
    return outputs[layer.name]


def _conv(layer: Layer, inputs: list[Map], wrong: Mistakes) -> Map:
    kernel = layer.arrays['kernel:0']
    if wrong.transposed_kernels:
        kernel = kernel.transpose(1, 0, 2, 3)
    x, size, stride = inputs[0], kernel.shape[0], layer.config['strides'][0]
    if size == 1:
        result: Map = x[::stride, ::stride] @ kernel[0, 0]
        return result + layer.arrays.get('bias:0', ZERO)
    if layer.config['padding'] == 'same':
        x = np.pad(x, ((size // 2,) * 2, (size // 2,) * 2, (0, 0)))
    windows = sliding_window_view(x, (size, size), axis=(0, 1))[::stride, ::stride]
    result = np.tensordot(windows, kernel, axes=([3, 4, 2], [0, 1, 2]))
    return result + layer.arrays.get('bias:0', ZERO)


def _batch_norm(layer: Layer, inputs: list[Map], wrong: Mistakes) -> Map:
    gamma, beta, mean, variance = layer.arrays.values()
    epsilon = np.float32(wrong.epsilon or layer.config['epsilon'])
    result: Map = gamma * (inputs[0] - mean) / np.sqrt(variance + epsilon) + beta
    return result


def _leaky(layer: Layer, inputs: list[Map], wrong: Mistakes) -> Map:
    slope = np.float32(wrong.slope or layer.config['alpha'])
    result: Map = np.maximum(inputs[0], 0) + slope * np.minimum(inputs[0], 0)
    return result


def _pad(layer: Layer, inputs: list[Map], _wrong: Mistakes) -> Map:
    return np.pad(inputs[0], (*layer.config['padding'], (0, 0)))


def _pool(layer: Layer, inputs: list[Map], _wrong: Mistakes) -> Map:
    size, stride = layer.config['pool_size'], layer.config['strides'][0]
    windows = sliding_window_view(inputs[0], size, axis=(0, 1))[::stride, ::stride]
    result: Map = windows.max((3, 4)) if 'Max' in layer.class_name else windows.mean((3, 4))
    return result


def _upsample(layer: Layer, inputs: list[Map], wrong: Mistakes) -> Map:
    half_pixel = wrong.half_pixel or layer.class_name == 'UpSampling2D'
    wide = _stretch(inputs[0], half_pixel=half_pixel).swapaxes(0, 1)
    result: Map = _stretch(wide, half_pixel=half_pixel).swapaxes(0, 1)
    return result


def _stretch(x: Map, *, half_pixel: bool) -> Map:
    """Double the rows by linear interpolation."""
    rows = len(x)
    if half_pixel:
        at = np.clip((np.arange(2 * rows) + 0.5) / 2 - 0.5, 0, rows - 1)
    else:
        at = np.linspace(0, rows - 1, 2 * rows)
    low = np.minimum(at.astype(int), max(rows - 2, 0))
    weight = (at - low).astype(np.float32)[:, None, None]
    result: Map = x[low] * (1 - weight) + x[np.minimum(low + 1, rows - 1)] * weight
    return result


_OPERATIONS: dict[str, Callable[[Layer, list[Map], Mistakes], Map]] = {
    'InputLayer': lambda _layer, inputs, _wrong: inputs[0],
    'ZeroPadding2D': _pad,
    'Conv2D': _conv,
    'BatchNormalization': _batch_norm,
    'Activation': lambda _layer, inputs, _wrong: np.maximum(inputs[0], 0),
    'LeakyReLU': _leaky,
    'MaxPooling2D': _pool,
    'AveragePooling2D': _pool,
    'Concatenate': lambda _layer, inputs, _wrong: np.concatenate(inputs, axis=-1),
    'Add': lambda _layer, inputs, _wrong: inputs[0] + inputs[1],
    'BilinearUpSampling2D': _upsample,
    'UpSampling2D': _upsample,
}
