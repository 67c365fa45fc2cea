"""Settings of the backends, each declared once.

The node's parameters (ros/parameters/backend_parameters.py) and the arguments of the commands
(cli/options/backend.py) are made of these declarations.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress

__all__ = ['BackendOptions', 'OptionFacts', 'option_default', 'option_facts']

_FACTS = 'facts'


@dataclass(frozen=True, kw_only=True)
class OptionFacts:
    """What is said of a setting wherever it can be given.

    Attributes:
        description: one sentence without its full stop.
        unit: of the value, empty for a bare number or a text.
        limits: lowest and highest value accepted, both included.
        least_means: what the lowest value stands for.
        choices: the texts accepted.
    """

    description: str
    unit: str = ''
    limits: tuple[int, int] | None = None
    least_means: str = ''
    choices: tuple[str, ...] = ()

    def check(self, name: str, value: Any) -> None:
        """Check a value.

        Raises:
            ConfigError: It is not accepted.
        """
        if self.choices and value not in self.choices:
            raise ConfigError(f'{name} {value!r}: must be one of {", ".join(self.choices)}')
        if self.limits is None:
            return
        least, most = self.limits
        if value < least:
            raise ConfigError(f'{name} {value}: must be {least} ({self.least_means}) or more')
        if value > most:
            raise ConfigError(f'{name} {value}: must be {most} or less')


def _option(default: Any, description: str, **facts: Any) -> Any:
    said = OptionFacts(description=description, **facts)
    return field(default=default, metadata={_FACTS: said})


@dataclass(frozen=True, kw_only=True)
class BackendOptions:
    """Settings of the backends; each reads what concerns it.

    Attributes:
        check_target: False lets e.g. onnxruntime evaluate a file meant for tensorrt.
        rebuild_engine: build even if an engine is in the cache.
        progress: told what takes long while an engine is built, asked whether to go on.
    """

    device: str = _option(
        'auto', 'limits the backends that auto may take', choices=('auto', 'cpu', 'cuda')
    )
    num_threads: int = _option(
        0,
        'processor threads for the network; 0: the backend decides',
        limits=(0, 256),
        least_means='the backend decides',
    )
    openvino_precision: str = _option(
        'f32',
        'arithmetic of the openvino backend; bf16 is faster on processors that have it and about '
        '1 % off',
        choices=('f32', 'bf16'),
    )
    engine_cache_dir: Path | None = _option(  # noqa: RUF009 - a field, made by _option
        None, 'folder for TensorRT engines; empty: ~/.cache/depth_estimation_ros'
    )
    max_workspace_mb: int = _option(
        0,
        'GPU memory that one layer may use while a TensorRT engine is built, for Jetsons of 4 to '
        '8 GB; 0: no limit',
        unit='MB',
        limits=(0, 65_536),
        least_means='no limit',
    )
    dla_core: int = _option(
        -1,
        'DLA core of a Jetson that TensorRT uses; -1: the GPU',
        limits=(-1, 7),
        least_means='the GPU',
    )
    hardware_compatibility: str = _option(
        'none',
        'other GPUs that the TensorRT engine shall run on as well, at some cost',
        choices=('none', 'same_compute_capability', 'ampere_plus'),
    )
    tf32: bool = _option(
        True, 'let TensorRT compute fp32 models in TF32: faster, and a little less exact'
    )
    cuda_graph: bool = _option(
        True, 'record a run of TensorRT once and replay it: less work for the processor'
    )
    check_target: bool = True
    rebuild_engine: bool = False
    progress: BuildProgress | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is not accepted.
        """
        for item in fields(self):
            if _FACTS in item.metadata:
                item.metadata[_FACTS].check(item.name, getattr(self, item.name))


_FIELDS = {item.name: item for item in fields(BackendOptions)}


def option_facts(name: str) -> OptionFacts:
    """Return what is said of a setting."""
    facts: OptionFacts = _FIELDS[name].metadata[_FACTS]
    return facts


def option_default(name: str) -> Any:
    """Return the value that a setting has where none is given."""
    return _FIELDS[name].default
