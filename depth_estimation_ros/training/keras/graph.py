"""Following the layers of a Keras model from its input, checking each against what is expected.

Layers are found by how they connect, because the names of activations and poolings count on with
every model of a Keras session. Nothing is assumed: a stride, a padding or a skip that is not what
the network is known to have stops the import, with the layer's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from depth_estimation_ros.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from depth_estimation_ros.training.keras.h5 import KerasLayer

# What Keras leaves out of a configuration when it is older than the argument.
_DEFAULTS: Final[dict[str, Any]] = {
    'dilation_rate': (1, 1),
    'groups': 1,
    'activation': 'linear',
    'data_format': 'channels_last',
}
_PLAIN_CONV: Final = {'dilation_rate': (1, 1), 'groups': 1, 'activation': 'linear'}


class KerasGraph:
    """The layers of a Keras model, and the torch parameters that each layer's arrays become.

    Attributes:
        slots: Layer name -> names of the torch tensors its arrays become, in Keras' order.
        epsilons: Torch prefix of a batch norm -> its epsilon.
    """

    def __init__(self, layers: Iterable[KerasLayer]) -> None:
        self.layers = {layer.name: layer for layer in layers}
        self.slots: dict[str, tuple[str, ...]] = {}
        self.epsilons: dict[str, float] = {}
        self._visited: set[str] = set()
        self._users: dict[str, list[KerasLayer]] = {name: [] for name in self.layers}
        for layer in self.layers.values():
            for source in layer.inputs:
                if source not in self.layers:
                    raise CheckpointError(
                        f'layer {layer.name!r} takes {source!r}, which is not in the model'
                    )
                self._users[source].append(layer)

    def input(self) -> KerasLayer:
        """Return the model's one input layer."""
        found = [layer for layer in self.layers.values() if layer.class_name == 'InputLayer']
        if len(found) != 1:
            raise CheckpointError(f'the model has {len(found)} inputs, expected 1')
        return self._visit(found[0])

    def users(self, layer: KerasLayer, *class_names: str) -> list[KerasLayer]:
        """Return the layers of these classes that take a layer's output."""
        return [user for user in self._users[layer.name] if user.class_name in class_names]

    def take(
        self, after: KerasLayer, *class_names: str, where: str = '', **expected: Any
    ) -> KerasLayer:
        """Return the layer of a class that follows another, and check its configuration.

        Args:
            after: The layer before it.
            class_names: What its class may be.
            where: What the layer is, for messages.
            expected: Values its configuration must have; `filters` also chooses between two
                convolutions of one input.

        Raises:
            CheckpointError: None or several such layers follow, or the configuration differs.
        """
        found = self.users(after, *class_names)
        if len(found) > 1 and 'filters' in expected:
            found = [user for user in found if user.config.get('filters') == expected['filters']]
        if len(found) != 1:
            users = [f'{user.class_name} {user.name!r}' for user in self._users[after.name]]
            raise CheckpointError(
                f'after layer {after.name!r} expected one {" or ".join(class_names)}'
                f'{where and f" ({where})"}, found {", ".join(users) or "nothing"}'
            )
        layer = found[0]
        for key, value in expected.items():
            actual = layer.config.get(key, _DEFAULTS.get(key))
            if actual != value:
                raise CheckpointError(
                    f'layer {layer.name!r} has {key} {actual!r}, expected {value!r}'
                )
        return self._visit(layer)

    def convolution(
        self, after: KerasLayer, target: str, *, size: int, stride: int = 1, **expected: Any
    ) -> KerasLayer:
        """Take a convolution without activation, whose arrays become `target`'s."""
        layer = self.take(
            after,
            'Conv2D',
            where=f'{size}x{size}, stride {stride}',
            kernel_size=(size, size),
            strides=(stride, stride),
            data_format='channels_last',
            **_PLAIN_CONV,
            **expected,
        )
        tensors = ('weight', 'bias') if layer.config['use_bias'] else ('weight',)
        self.slots[layer.name] = tuple(f'{target}.{name}' for name in tensors)
        return layer

    def batch_norm(self, after: KerasLayer, target: str) -> KerasLayer:
        """Take a batch norm over channels, whose arrays become `target`'s."""
        layer = self.take(after, 'BatchNormalization', center=True, scale=True)
        if layer.config.get('axis') not in (3, -1, (3,), (-1,)):
            raise CheckpointError(
                f'layer {layer.name!r} has axis {layer.config.get("axis")!r}, expected 3'
            )
        tensors = ('weight', 'bias', 'running_mean', 'running_var')
        self.slots[layer.name] = tuple(f'{target}.{name}' for name in tensors)
        self.epsilons[target] = float(layer.config['epsilon'])
        return layer

    def relu(self, after: KerasLayer) -> KerasLayer:
        """Take a plain ReLU."""
        layer = self.take(after, 'Activation', 'ReLU')
        config = layer.config
        plain = config.get('activation', 'relu') == 'relu' and config.get('max_value') is None
        if not plain or config.get('negative_slope') or config.get('threshold'):
            raise CheckpointError(f'layer {layer.name!r} is not a plain ReLU: {dict(config)}')
        return layer

    def padding(self, after: KerasLayer, num_pixels: int) -> KerasLayer:
        """Take a zero padding of so many pixels on every side."""
        pads = (num_pixels, num_pixels)
        return self.take(after, 'ZeroPadding2D', padding=(pads, pads))

    def concatenation(self, *inputs: KerasLayer) -> KerasLayer:
        """Take the layer that joins these layers' channels, in this order."""
        names = tuple(layer.name for layer in inputs)
        found = [user for user in self.users(inputs[-1], 'Concatenate') if user.inputs == names]
        if len(found) != 1:
            joins = {user.name: user.inputs for user in self.users(inputs[-1], 'Concatenate')}
            raise CheckpointError(
                f'after layer {names[-1]!r} expected one Concatenate of {names}, found {joins}'
            )
        if found[0].config.get('axis', -1) not in (-1, 3):
            raise CheckpointError(
                f'layer {found[0].name!r} has axis {found[0].config["axis"]}, expected 3'
            )
        return self._visit(found[0])

    def check_all_visited(self) -> None:
        """Raise when the model has a layer that the network has not.

        Raises:
            CheckpointError: Names the layer.
        """
        for layer in self.layers.values():
            if layer.name not in self._visited:
                raise CheckpointError(
                    f'layer {layer.name!r} ({layer.class_name}) is no part of DenseDepth'
                )

    def _visit(self, layer: KerasLayer) -> KerasLayer:
        self._visited.add(layer.name)
        return layer


def leaky_slope(layer: KerasLayer) -> float:
    """Return a LeakyReLU's slope for negative inputs.

    Raises:
        CheckpointError: The layer has none.
    """
    value = layer.config.get('alpha', layer.config.get('negative_slope'))
    if isinstance(value, dict):  # some Keras versions write an array here
        value = value.get('value')
    if not isinstance(value, float | int):
        raise CheckpointError(f'layer {layer.name!r} has no slope: {dict(layer.config)}')
    return round(float(value), 6)  # 0.2 is stored as 0.20000000298023224


def corner_alignment(layer: KerasLayer) -> bool | None:
    """Return an upsampling layer's align_corners, None when it does not say.

    Raises:
        CheckpointError: It is not bilinear.
    """
    if layer.class_name == 'BilinearUpSampling2D':
        return None
    if layer.config.get('interpolation') != 'bilinear':
        raise CheckpointError(
            f'layer {layer.name!r} upsamples by {layer.config.get("interpolation", "nearest")!r}, '
            "expected 'bilinear'"
        )
    return False
