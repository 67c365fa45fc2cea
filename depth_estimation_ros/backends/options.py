"""Settings of the backends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress

__all__ = ['DEVICES', 'HARDWARE_COMPATIBILITIES', 'OPENVINO_PRECISIONS', 'BackendOptions']

DEVICES = ('auto', 'cpu', 'cuda')
OPENVINO_PRECISIONS = ('f32', 'bf16')
HARDWARE_COMPATIBILITIES = ('none', 'same_compute_capability', 'ampere_plus')


@dataclass(frozen=True, kw_only=True)
class BackendOptions:
    """Settings of the backends; each reads what concerns it."""

    device: str = 'auto'  # 'cpu' or 'cuda' limits the choice of backends
    num_threads: int = 0  # CPU threads of one inference, 0 = the backend's own choice
    openvino_precision: str = 'f32'  # 'bf16' is faster on CPUs that have it, about 1 % off
    check_target: bool = True  # False lets e.g. onnxruntime evaluate a file meant for tensorrt
    # The rest is tensorrt's.
    engine_cache_dir: Path | None = None  # where engines are kept, None = the user's cache
    max_workspace_mb: int = 0  # GPU memory a layer may use while building, 0 = no limit
    dla_core: int = -1  # of a Jetson, -1 = the GPU
    hardware_compatibility: str = 'none'  # other GPUs that the engine runs on as well
    tf32: bool = True  # let fp32 layers multiply in TF32 on GPUs that have it
    cuda_graph: bool = True  # replay a recorded run: less work for the CPU
    rebuild_engine: bool = False  # build even if an engine is in the cache
    progress: BuildProgress | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is not accepted.
        """
        for name, number, least, meaning in (
            ('num_threads', self.num_threads, 0, 'automatic'),
            ('max_workspace_mb', self.max_workspace_mb, 0, 'no limit'),
            ('dla_core', self.dla_core, -1, 'the GPU'),
        ):
            if number < least:
                raise ConfigError(f'{name} {number}: must be {least} ({meaning}) or more')
        for name, value, accepted in (
            ('device', self.device, DEVICES),
            ('openvino_precision', self.openvino_precision, OPENVINO_PRECISIONS),
            (
                'hardware_compatibility',
                self.hardware_compatibility,
                HARDWARE_COMPATIBILITIES,
            ),
        ):
            if value not in accepted:
                raise ConfigError(f'{name} {value!r}: must be one of {", ".join(accepted)}')
