"""Reading a Keras .h5 model with h5py alone: its layer graph and each layer's arrays.

A file is written by `model.save()` of Keras 2. The layers and how they connect are JSON in the
attribute `model_config`; the arrays are found by following `layer_names` to a layer's group, its
`weight_names` to the datasets. Names have slashes, so groups nest: they are never walked to find
a layer, only at the end to see that nothing was left unread.
"""

from __future__ import annotations

from dataclasses import dataclass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from depth_estimation_ros.errors import CheckpointError
from depth_estimation_ros.files.hdf5_trial import check_hdf5
from depth_estimation_ros.files.reading import check_regular, reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    import numpy.typing as npt

# Keras 2.4 and newer write it beside the layers; it holds nothing of theirs.
TOP_LEVEL_GROUP: Final = 'top_level_model_weights'


@dataclass(frozen=True, kw_only=True)
class KerasLayer:
    """One layer of a functional model.

    Attributes:
        name: Unique in the model.
        class_name: 'Conv2D', 'BatchNormalization', ...
        config: The layer's arguments; lists are tuples here.
        inputs: Names of the layers whose outputs it takes, in order.
    """

    name: str
    class_name: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]


class KerasFile:
    """An open Keras .h5 file with a whole model (a context manager).

    Attributes:
        path: The file.
        layers: The model's layers in the order of the file.
        keras_version: The Keras that wrote it, '' when it does not say.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a file and read its layer graph.

        Raises:
            CheckpointError: No such file, not HDF5, or not a whole functional Keras model.
        """
        self.path = Path(path)
        if not self.path.exists():
            raise CheckpointError(f'{self.path}: no such file')
        check_regular(self.path, CheckpointError)
        check_hdf5(self.path, CheckpointError)
        try:
            self._file = h5py.File(self.path, 'r')
        except Exception as err:  # h5py raises more than OSError
            raise CheckpointError(
                f'{self.path}: not a Keras .h5 file, or cut short ({err})'
            ) from err
        try:
            with reading(self.path, 'Keras .h5 file', CheckpointError):
                self.keras_version = _text(self._file.attrs.get('keras_version', ''))
                self.layers = self._read_layers()
                self._weights = self._file['model_weights']
                self._layer_names = _name_list(self._weights, 'layer_names', self.path)
                self._check_layer_names()
        except BaseException:
            self._file.close()
            raise
        self._read: set[str] = set()

    def __enter__(self) -> KerasFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def arrays(
        self, layer: str, shapes: Mapping[str, tuple[int, ...]]
    ) -> list[npt.NDArray[np.float32]]:
        """Return a layer's arrays in the order of the file.

        Args:
            layer: The layer's name.
            shapes: What each array is and its shape, in the order that Keras stores them.

        Returns:
            As many float32 arrays as `shapes` has.

        Raises:
            CheckpointError: An array is missing, too many, of another shape or type, or has
                values that are not finite.
        """
        with reading(self.path, 'Keras .h5 file', CheckpointError):
            return self._arrays(layer, shapes)

    def _arrays(
        self, layer: str, shapes: Mapping[str, tuple[int, ...]]
    ) -> list[npt.NDArray[np.float32]]:
        group = self._weights.get(layer)
        if not isinstance(group, h5py.Group):
            raise CheckpointError(f'{self.path}: the arrays of layer {layer!r} are missing')
        names = _name_list(group, 'weight_names', self.path)
        if len(names) != len(shapes):
            missing, extra = list(shapes)[len(names) :], names[len(shapes) :]
            problem = f'lacks {missing}' if missing else f'has {extra} too many'
            raise CheckpointError(
                f'{self.path}: layer {layer!r} {problem}: it lists {names}, '
                f'expected {list(shapes)}'
            )
        return [
            self._array(group, layer, name, shape)
            for name, shape in zip(names, shapes.values(), strict=True)
        ]

    def check_all_read(self) -> None:
        """Raise when the file holds an array that no layer asked for.

        Raises:
            CheckpointError: Names the array.
        """
        with reading(self.path, 'Keras .h5 file', CheckpointError):
            names = _datasets(self._weights)
        for name in names:
            if name not in self._read and not name.startswith(f'{TOP_LEVEL_GROUP}/'):
                raise CheckpointError(f'{self.path}: array {name!r} belongs to no layer')

    def _array(
        self, group: h5py.Group, layer: str, name: str, shape: tuple[int, ...]
    ) -> npt.NDArray[np.float32]:
        dataset = group.get(name)
        label = f'{self.path}: array {name!r} of layer {layer!r}'
        if not isinstance(dataset, h5py.Dataset):
            raise CheckpointError(f'{label} is listed but missing')
        if dataset.shape != shape:
            raise CheckpointError(f'{label} has shape {dataset.shape}, expected {shape}')
        if dataset.dtype.kind != 'f':
            raise CheckpointError(f'{label} is {dataset.dtype}, expected float32')
        try:
            values = np.asarray(dataset[()], np.float32)
        except OSError as err:
            raise CheckpointError(f'{label} cannot be read: the file is damaged ({err})') from err
        if not np.isfinite(values).all():
            raise CheckpointError(f'{label} has values that are not finite')
        self._read.add(dataset.name.removeprefix('/model_weights/'))
        return values

    def _read_layers(self) -> tuple[KerasLayer, ...]:
        if 'model_config' not in self._file.attrs or 'model_weights' not in self._file:
            raise CheckpointError(
                f'{self.path}: holds no whole Keras model (no model_config and model_weights; '
                'a file of save_weights() lacks the first): save it with model.save()'
            )
        try:
            config = json.loads(_text(self._file.attrs['model_config']))
            return tuple(_layer(entry) for entry in config['config']['layers'])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as err:
            raise CheckpointError(
                f'{self.path}: model_config is not that of a functional Keras model ({err!r})'
            ) from err

    def _check_layer_names(self) -> None:
        """Compare the layers of the graph with those of the arrays."""
        graph = {layer.name for layer in self.layers}
        arrays = set(self._layer_names)
        for name in sorted(arrays - graph):
            raise CheckpointError(f'{self.path}: layer {name!r} is not in model_config')
        for name in sorted(graph - arrays):
            raise CheckpointError(f'{self.path}: layer {name!r} is missing from layer_names')


def _layer(entry: dict[str, Any]) -> KerasLayer:
    """Read one entry of model_config's layers."""
    nodes = entry.get('inbound_nodes', [])
    if len(nodes) > 1:
        raise ValueError(f'layer {entry["name"]!r} is used {len(nodes)} times')
    return KerasLayer(
        name=entry.get('name') or entry['config']['name'],
        class_name=entry['class_name'],
        config=_plain(entry['config']),
        inputs=tuple(_histories(nodes)),
    )


def _histories(node: Any) -> Iterator[str]:
    """Yield the layer names in an inbound node: Keras 2's nested lists or Keras 3's dicts."""
    if isinstance(node, dict):
        history = node.get('keras_history')
        if history:
            yield history[0]
        else:
            for value in node.values():
                yield from _histories(value)
    elif isinstance(node, list):
        if len(node) >= 3 and isinstance(node[0], str):
            yield node[0]
        else:
            for value in node:
                yield from _histories(value)


def _plain(value: Any) -> Any:
    """Turn JSON lists into tuples, so that configurations compare and hash."""
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _text(value: Any) -> str:
    """Return an attribute as text: old h5py and old files give bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _name_list(group: h5py.Group, attribute: str, path: Path) -> list[str]:
    """Read a list of names, which Keras cuts into attributes 0, 1, ... when it is long."""
    if attribute in group.attrs:
        # A layer without arrays has an empty list of float64.
        return [_text(name) for name in group.attrs[attribute]]
    names: list[str] = []
    index = 0
    while f'{attribute}{index}' in group.attrs:
        names += [_text(name) for name in group.attrs[f'{attribute}{index}']]
        index += 1
    if index == 0:
        raise CheckpointError(f'{path}: group {group.name!r} has no attribute {attribute!r}')
    return names


def _datasets(group: h5py.Group) -> list[str]:
    """Return the paths of all datasets under a group, relative to it."""
    names: list[str] = []

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            names.append(name)

    group.visititems(visit)
    return names
