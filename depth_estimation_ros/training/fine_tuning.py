"""Going on from a trained network with other data: its settings become the run's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.training.model.checkpoint import load_checkpoint, load_network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from depth_estimation_ros.training.config import TrainConfig
    from depth_estimation_ros.training.model.checkpoint import NetworkInfo
    from depth_estimation_ros.training.model.network import DenseDepthNet


def start_from(path: str, config: TrainConfig, given: Mapping[str, Any]) -> TrainConfig:
    """Return a configuration with the network of a checkpoint.

    Image size, depth range and focal length are the checkpoint's too, unless they are given.

    Args:
        path: A checkpoint of `train` or `import-keras`.
        config: Everything else, such as a preset.
        given: Settings by name that the user asked for; they are in the result.

    Raises:
        CheckpointError: The file is no checkpoint.
        ConfigError: A given setting asks for another network.
    """
    info = load_checkpoint(path).info
    network = _network_settings(info)
    for name, value in network.items():
        if given.get(name, value) != value:
            raise ConfigError(
                f'{name} {given[name]} does not fit {path}, whose {name} is {value}: leave it out'
            )
    settings = {**network, **_learned_range(info, given), **given, 'initial_checkpoint': path}
    return replace(config, **settings)


def initial_network(path: str, config: TrainConfig) -> DenseDepthNet:
    """Return the network that a run starts from, with its weights.

    Raises:
        CheckpointError: The checkpoint cannot be read.
        ConfigError: The settings are not those of its network.
    """
    network, info = load_network(path)
    for name, value in _network_settings(info).items():
        if getattr(config, name) != value:
            raise ConfigError(
                f'{name} {getattr(config, name)} is not that of {path}, {value}: '
                'make the configuration with start_from'
            )
    return network.train()


def words_for(config: TrainConfig, *, data_name: str, licence: str) -> dict[str, str]:
    """Say what a network was trained on, and under which licence it is.

    Weights that started from others come of their data too, and keep their licence unless
    another is named.

    Returns:
        `training_data` and `licence` of `NetworkInfo`.
    """
    if config.initial_checkpoint is None:
        return {'training_data': data_name, 'licence': licence}
    start = load_checkpoint(config.initial_checkpoint).info
    return {
        'training_data': f'{data_name}; before that, {start.training_data}',
        'licence': start.licence if licence == 'unknown' else licence,
    }


def _network_settings(info: NetworkInfo) -> dict[str, Any]:
    """Return the settings that decide which network it is."""
    return {
        'encoder': info.encoder,
        'variant': info.variant,
        'decoder_width': info.decoder_width,
        'encoder_weights': 'none',
        'imagenet_normalization': any(info.mean),
        'positive_output': info.positive_output,
        'align_corners': info.align_corners,
    }


def _learned_range(info: NetworkInfo, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return image size, depth range and focal length, the latter at the width that is given."""
    height, width = info.input_size
    fx = info.training_fx
    return {
        'image_height': height,
        'image_width': width,
        'min_depth': info.min_depth,
        'max_depth': info.max_depth,
        'training_fx': None if fx is None else fx * given.get('image_width', width) / width,
    }
