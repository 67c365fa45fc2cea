"""What an engine was built from and for: the key of the cache and the sidecar beside an engine."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.version import VERSION

if TYPE_CHECKING:
    import os

__all__ = ['ENGINE_SUFFIXES', 'EngineKey', 'Sidecar', 'read_sidecar', 'sha256_of_file']

ENGINE_SUFFIXES = ('.engine', '.plan', '.trt')
_FORMAT = 1
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class EngineKey:
    """Everything an engine depends on: another value of any of it needs another engine.

    Attributes:
        model_sha256: Of the ONNX file.
        batch_size: Images a call takes.
        height: Of the input [px].
        width: Of the input [px].
        tensorrt: Version, in full.
        gpu: Its name, or the GPUs that the engine is compatible with.
        compute_capability: '8.7', or the lowest that the engine is compatible with.
        cuda_driver: CUDA version of the driver, '12.6'.
        max_workspace_mb: Limit for one layer, 0 = none.
        dla_core: -1 = the GPU.
        hardware_compatibility: A choice of BackendOptions.
        tf32: Whether fp32 layers may compute in TF32.
    """

    model_sha256: str
    batch_size: int
    height: int
    width: int
    tensorrt: str
    gpu: str
    compute_capability: str
    cuda_driver: str
    max_workspace_mb: int
    dla_core: int
    hardware_compatibility: str
    tf32: bool

    @property
    def digest(self) -> str:
        """A short name for all of it."""
        return _digest(asdict(self))

    @property
    def machine_digest(self) -> str:
        """A short name for what timings depend on: TensorRT, GPU and driver."""
        names = ('tensorrt', 'gpu', 'compute_capability', 'cuda_driver')
        return _digest({name: getattr(self, name) for name in names})

    def differences(self, other: EngineKey) -> list[str]:
        """Say in which facts an engine of this key differs from what `other` asks for."""
        return [
            f'{item.name} {getattr(self, item.name)}, here {getattr(other, item.name)}'
            for item in fields(self)
            if getattr(self, item.name) != getattr(other, item.name)
        ]


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """The JSON file beside an engine.

    Attributes:
        key: What the engine depends on.
        model: Name of the ONNX file.
        engine_sha256: Of the engine's bytes.
        engine_bytes: How many they are.
        built_at: UTC, ISO 8601.
        build_sec: How long it took [s].
        created_by: Program and version.
    """

    key: EngineKey
    model: str
    engine_sha256: str
    engine_bytes: int
    built_at: str
    build_sec: float
    created_by: str = f'depth_estimation_ros {VERSION}'

    def to_json(self) -> str:
        """Write it for people and for `from_json`."""
        return json.dumps({'format': _FORMAT, **asdict(self)}, indent=2) + '\n'

    @classmethod
    def from_json(cls, text: str) -> Sidecar:
        """Inverse of `to_json`.

        Raises:
            ValueError: It is damaged or of another format.
        """
        values = json.loads(text)
        if not isinstance(values, dict) or values.pop('format', None) != _FORMAT:
            raise ValueError(f'not a sidecar of format {_FORMAT}')
        try:
            return cls(**{**values, 'key': EngineKey(**values['key'])})
        except (KeyError, TypeError) as err:
            raise ValueError(f'incomplete: {err}') from err

    def describes(self, engine: bytes) -> bool:
        """Whether these are the bytes that it was written for."""
        return (
            len(engine) == self.engine_bytes
            and hashlib.sha256(engine).hexdigest() == self.engine_sha256
        )


def sidecar_path(engine_path: Path) -> Path:
    """Where the sidecar of an engine lies."""
    return engine_path.with_suffix(engine_path.suffix + '.json')


def read_sidecar(engine_path: Path) -> Sidecar | None:
    """Read the sidecar of an engine; None if it is missing or damaged.

    Raises:
        OSError: It is there but cannot be read.
    """
    try:
        return Sidecar.from_json(sidecar_path(engine_path).read_text(encoding='utf-8'))
    except (FileNotFoundError, ValueError, RecursionError):
        return None


def sha256_of_file(path: str | os.PathLike[str]) -> str:
    """Hash a file's bytes.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with Path(path).open('rb') as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _digest(values: dict[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode('utf-8')).hexdigest()[:20]
