"""ImageNet weights for the encoders, from torchvision or from a file."""

from __future__ import annotations

from pathlib import Path
import pickle
import re
from typing import TYPE_CHECKING, Final
import urllib.error

import torch
from torch import nn
import torchvision

from depth_estimation_ros.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from depth_estimation_ros.training.model.network import DenseDepthNet

WEIGHTS: Final = {
    'densenet169': 'DenseNet169_Weights.IMAGENET1K_V1',
    'densenet121': 'DenseNet121_Weights.IMAGENET1K_V1',
    'densenet201': 'DenseNet201_Weights.IMAGENET1K_V1',
    'resnet50': 'ResNet50_Weights.IMAGENET1K_V1',
}
# torchvision's files of DenseNet are older than its layers' names.
_OLD_NAME = re.compile(r'^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\..+)$')


def load_encoder_weights(network: DenseDepthNet, source: str) -> None:
    """Put ImageNet weights into the encoder of a network.

    Args:
        network: The network; its decoder is left alone.
        source: 'none', 'imagenet' (torchvision downloads them, or finds them in its cache) or
            the path of a file that torchvision would have downloaded.

    Raises:
        ConfigError: This encoder has no such weights.
        CheckpointError: They cannot be downloaded or read, or are another network's.
    """
    if source == 'none':
        return
    if network.encoder_name not in WEIGHTS or network.keras_v1:
        raise ConfigError(
            f'encoder {network.encoder_name} has no ImageNet weights: use --encoder-weights none'
        )
    state = _download(network.encoder_name) if source == 'imagenet' else _read(Path(source))
    kept = {
        _OLD_NAME.sub(r'\1\2', name): value
        for name, value in state.items()
        if not name.startswith(('classifier.', 'fc.'))
    }
    target: nn.Module = network.encoder
    if network.encoder_name == 'resnet50':
        target = target.trunk  # type: ignore[assignment]
    try:
        missing, unexpected = target.load_state_dict(kept, strict=False)
    except RuntimeError as error:
        raise CheckpointError(f'{source}: {str(error).splitlines()[-1].strip()}') from error
    missing = [name for name in missing if not name.endswith('num_batches_tracked')]
    if missing or unexpected:
        raise CheckpointError(
            f'{source} does not hold the weights of {network.encoder_name}: '
            f'{len(missing)} are missing, {len(unexpected)} are unexpected '
            f'({(missing + unexpected)[0]})'
        )


def _download(encoder: str) -> dict[str, torch.Tensor]:
    """Let torchvision fetch its weights."""
    weights = torchvision.models.get_weight(WEIGHTS[encoder])
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
    if not path.is_file():
        raise CheckpointError(f'there is no file {path} with encoder weights')
    try:
        state = torch.load(path, map_location='cpu', weights_only=True)
    except (
        OSError,
        RuntimeError,
        ValueError,
        EOFError,
        KeyError,
        pickle.UnpicklingError,
    ) as error:
        raise CheckpointError(f'{path} is not a file of weights') from error
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise CheckpointError(f'{path} is not a state dict: it must map names to tensors')
    return state
