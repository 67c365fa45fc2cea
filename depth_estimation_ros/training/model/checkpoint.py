"""Files of trained networks: what a network is, its weights, and the state of its training."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
import math
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

import torch

from depth_estimation_ros.errors import CheckpointError, ConfigError
from depth_estimation_ros.files.atomic import atomic_path
from depth_estimation_ros.files.reading import printable, reading
from depth_estimation_ros.training.model.network import DenseDepthNet
from depth_estimation_ros.training.model.network_config import NetworkConfig
from depth_estimation_ros.training.model.tensor_file import one_line, read_tensors, seal

if TYPE_CHECKING:
    import os

    from depth_estimation_ros.training.config import TrainConfig

FORMAT: Final = 'depth_estimation_ros checkpoint'
FORMAT_VERSION: Final = 1
MAX_INPUT_PX: Final = 16384
_TUPLES: Final = ('input_size', 'mean', 'std')


@dataclass(frozen=True, kw_only=True)
class NetworkInfo(NetworkConfig):
    """What has to be known of a network to build it, use it and export it.

    Attributes:
        input_size: (height, width) that it was trained at [px].
        min_depth: Nearest depth that it gives [m].
        max_depth: Furthest depth, which it codes as 1 [m].
        training_fx: Focal length that its depth is for [px at input width]; None = unknown.
        training_data: What it was trained on, in words.
        licence: Licence of the weights, in words.
        metrics: What was measured of it, by name.
        metrics_data: What that was measured on, in words.
    """

    input_size: tuple[int, int]
    min_depth: float = 0.1
    max_depth: float = 10.0
    training_fx: float | None = None
    training_data: str = 'unknown'
    licence: str = 'unknown'
    metrics: dict[str, float] = field(default_factory=dict)
    metrics_data: str = ''

    def __post_init__(self) -> None:
        """Check the values: a file may say anything.

        Raises:
            ConfigError: One cannot be true of a network.
        """
        super().__post_init__()
        if len(self.input_size) != 2 or not all(
            isinstance(side, int) and 0 < side <= MAX_INPUT_PX for side in self.input_size
        ):
            raise ConfigError(
                f'input_size {self.input_size} must be two numbers in 1..{MAX_INPUT_PX} [px]'
            )
        if not 0.0 < self.min_depth < self.max_depth < math.inf:
            raise ConfigError(f'depth range {self.min_depth}..{self.max_depth} [m]')
        if self.training_fx is not None and not 0.0 < self.training_fx < math.inf:
            raise ConfigError(f'training_fx {self.training_fx} must be above 0 [px]')
        if (
            len(self.mean) != 3
            or len(self.std) != 3
            or not all(math.isfinite(value) for value in (*self.mean, *self.std, self.leaky_slope))
        ):
            raise ConfigError(
                f'mean {self.mean}, std {self.std} and leaky_slope {self.leaky_slope} must be '
                'three, three and one finite numbers'
            )

    @classmethod
    def of(cls, network: DenseDepthNet, config: TrainConfig, **words: Any) -> NetworkInfo:
        """Describe a network that is trained with a configuration."""
        return cls(
            **asdict(network.config),
            input_size=config.image_size,
            min_depth=config.min_depth,
            max_depth=config.max_depth,
            training_fx=config.training_fx,
            **words,
        )

    def build(self) -> DenseDepthNet:
        """Build the network, with random weights."""
        facts = {item.name: getattr(self, item.name) for item in fields(NetworkConfig)}
        return DenseDepthNet(NetworkConfig(**facts))


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A file's contents.

    Attributes:
        info: What the network is.
        weights: State dict of the network to use (averaged, where training averages).
        training: State of the training that wrote it; empty in a file that only holds weights.
    """

    info: NetworkInfo
    weights: dict[str, torch.Tensor]
    training: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Write a checkpoint, complete or not at all: a file that was there before stays until then.

    It ends with the SHA-256 of all its bytes.

    Raises:
        CheckpointError: It cannot be written, for example because the disk is full.
    """
    info = asdict(checkpoint.info)
    info |= {name: list(info[name]) for name in _TUPLES}
    contents = {
        'format': FORMAT,
        'format_version': FORMAT_VERSION,
        'info': info,
        'weights': {name: value.cpu() for name, value in checkpoint.weights.items()},
        'training': checkpoint.training,
    }
    failures: list[OSError] = []
    try:
        with atomic_path(path) as temporary, temporary.open('x+b') as file:
            torch.save(contents, cast('IO[bytes]', _Writer(file, failures)))
            seal(file)
    except (OSError, RuntimeError) as error:
        reason = failures[0].strerror if failures else _reason(error)
        raise CheckpointError(
            f'cannot save the checkpoint {path}: {reason}; '
            'a file that was there before is unchanged'
        ) from error


class _Writer:
    """A file that remembers why it could not be written: PyTorch forgets."""

    def __init__(self, file: IO[bytes], failures: list[OSError]) -> None:
        self._file = file
        self._failures = failures
        self.flush = file.flush

    def write(self, data: bytes) -> int:
        """Write some bytes."""
        try:
            return self._file.write(data)
        except OSError as error:
            self._failures.append(error)
            raise


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint, once it is known to be whole. Nothing in the file is executed.

    Raises:
        CheckpointError: The file is missing, damaged, or no checkpoint of this package.
    """
    if not Path(path).exists():
        raise CheckpointError(f'there is no checkpoint {printable(path)}')
    contents = read_tensors(path, 'checkpoint of this package')
    if not isinstance(contents, dict) or contents.get('format') != FORMAT:
        raise CheckpointError(
            f'{printable(path)} is not a checkpoint of depth_estimation_ros: '
            'it must come from `depth-estimation train` or `import-keras`'
        )
    with reading(path, 'checkpoint of this package', CheckpointError):
        version = contents['format_version']
        if version != FORMAT_VERSION:
            raise CheckpointError(
                f'{printable(path)} has checkpoint format {version}, '
                f'this version reads {FORMAT_VERSION}'
            )
        weights, training = dict(contents['weights']), dict(contents['training'])
        for name, value in weights.items():
            if not isinstance(name, str) or not isinstance(value, torch.Tensor):
                raise ValueError(f'weight {name!r} is no tensor')
        return Checkpoint(info=_read_info(contents, path), weights=weights, training=training)


def _read_info(contents: dict[str, Any], path: str | os.PathLike[str]) -> NetworkInfo:
    """Read what a checkpoint says of its network.

    Raises:
        CheckpointError: It names no network that can be built.
    """
    values = dict(contents['info'])
    for name in ('mean', 'std'):  # older files have them among the weights only
        if name not in values and name in contents['weights']:
            values[name] = contents['weights'][name].flatten().tolist()
    values |= {name: tuple(values[name]) for name in _TUPLES if name in values}
    try:
        return NetworkInfo(**values)
    except (ConfigError, TypeError) as error:
        raise CheckpointError(f'{printable(path)}: {_reason(error)}') from error


def load_network(path: str | os.PathLike[str]) -> tuple[DenseDepthNet, NetworkInfo]:
    """Read a trained network, in evaluation mode on the CPU, and what it is.

    Raises:
        CheckpointError: The file cannot be used; the message says why.
    """
    checkpoint = load_checkpoint(path)
    network = checkpoint.info.build()
    load_weights(network, checkpoint.weights, source=str(path))
    return network.eval(), checkpoint.info


def load_weights(
    network: torch.nn.Module, weights: dict[str, torch.Tensor], *, source: str
) -> None:
    """Put weights into a network that must fit them exactly.

    Raises:
        CheckpointError: A weight is missing, unexpected, or has another shape.
    """
    expected = network.state_dict()
    problems = [f'{name} is missing' for name in expected if name not in weights]
    problems += [f'{name} is unexpected' for name in weights if name not in expected]
    problems += [
        f'{name} has shape {tuple(weights[name].shape)}, not {tuple(value.shape)}'
        for name, value in expected.items()
        if name in weights and weights[name].shape != value.shape
    ]
    if problems:
        raise CheckpointError(
            f'{source} is of another architecture: {problems[0]}'
            + (f' (and {len(problems) - 1} more)' if len(problems) > 1 else '')
        )
    network.load_state_dict(weights)


def _reason(error: BaseException) -> str:
    """Return the first line of an error's message."""
    return one_line(str(error)) or type(error).__name__
