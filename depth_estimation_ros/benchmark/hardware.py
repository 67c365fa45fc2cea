"""The machine in words: processor, cores, memory, GPU, versions. No figure says much without.

Nothing here needs root or a GPU; what cannot be found out is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import metadata
import os
from pathlib import Path
import platform
import subprocess

from depth_estimation_ros.backends.processor import INT8_FLAGS, cpu_flags, cpu_info
from depth_estimation_ros.version import VERSION

__all__ = ['Gpu', 'Hardware', 'describe_hardware', 'gpu_memory_used_mb', 'has_bf16']

_FEATURES = ('avx2', 'avx512f', *sorted(INT8_FLAGS), 'avx512_bf16', 'amx_bf16')
_BF16_FEATURES = {'avx512_bf16', 'amx_bf16'}
_PACKAGES = (
    'numpy',
    'opencv-python-headless',
    'opencv-python',
    'onnxruntime',
    'onnxruntime-gpu',
    'openvino',
    'tensorrt',
    'cuda-python',
)
_TOOL_TIMEOUT_SEC = 20
_BYTES_PER_MB = 1e6


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """An NVIDIA GPU, by nvidia-smi or by the CUDA runtime."""

    name: str
    driver: str | None = None
    memory_mb: float | None = None


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """What figures were measured on."""

    cpu: str
    machine: str  # x86_64, aarch64
    num_cores: int
    num_usable_cores: int  # by affinity: a container may have fewer
    cpu_features: tuple[str, ...]  # those that inference gains by
    memory_mb: float | None
    board: str | None  # of a Jetson or another device-tree machine
    power_mode: str | None  # of a Jetson, by nvpmodel
    gpu: Gpu | None
    load_average: float  # processes at work when asked, last minute
    system: str
    python: str
    versions: dict[str, str] = field(hash=False)

    @property
    def is_busy(self) -> bool:
        """Others are at work: times will be too long."""
        return self.load_average > 0.5 * self.num_usable_cores

    def lines(self) -> list[str]:
        """For people."""
        memory = f', {self.memory_mb / 1e3:.1f} GB' if self.memory_mb else ''
        usable = self.num_usable_cores
        cores = f'{usable} of {self.num_cores}' if usable != self.num_cores else f'{usable}'
        features = f' ({" ".join(self.cpu_features)})' if self.cpu_features else ''
        text = [f'{self.cpu}{features}, {cores} cores{memory}, {self.machine}']
        text += [item for item in (self.board, self.power_mode) if item]
        if self.gpu is None:
            text.append('no NVIDIA GPU')
        else:
            driver = f', driver {self.gpu.driver}' if self.gpu.driver else ''
            text.append(f'{self.gpu.name}{driver}')
        versions = ', '.join(f'{name} {version}' for name, version in self.versions.items())
        text.append(f'{self.system}, Python {self.python}, {versions}')
        return text


def describe_hardware() -> Hardware:
    """Look at the machine."""
    flags = cpu_flags()
    return Hardware(
        cpu=cpu_info().get('model name') or platform.processor() or platform.machine(),
        machine=platform.machine(),
        num_cores=os.cpu_count() or 1,
        num_usable_cores=_num_usable_cores(),
        cpu_features=tuple(name for name in _FEATURES if name in flags),
        memory_mb=_memory_mb(),
        board=_text('/proc/device-tree/model'),
        power_mode=_power_mode(),
        gpu=_gpu_by_smi() or _gpu_by_runtime(),
        load_average=round(os.getloadavg()[0], 2),
        system=platform.platform(),
        python=platform.python_version(),
        versions=_versions(),
    )


def has_bf16(hardware: Hardware) -> bool:
    """Tell whether the processor computes in bf16."""
    return bool(_BF16_FEATURES & set(hardware.cpu_features))


def gpu_memory_used_mb() -> float | None:
    """Memory in use on the first GPU, by all processes [MB]; None without one.

    By nvidia-smi, so that asking makes no CUDA context; a Jetson's has no figures, and there the
    CUDA runtime tells, whose memory is the board's own.
    """
    text = _output_of('nvidia-smi', '--query-gpu=memory.used', '--format=csv,noheader,nounits')
    first = (text or '').partition('\n')[0].strip()
    if first.isdigit():
        return int(first) * 1.048576  # MiB
    found = _runtime_memory()
    return None if found is None else (found[1] - found[0]) / _BYTES_PER_MB


def _num_usable_cores() -> int:
    if hasattr(os, 'sched_getaffinity'):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_mb() -> float | None:
    names = os.sysconf_names
    if 'SC_PHYS_PAGES' not in names:
        return None
    return os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / _BYTES_PER_MB


def _power_mode() -> str | None:
    text = _output_of('nvpmodel', '-q')
    lines = [line.strip() for line in (text or '').splitlines() if 'Power Mode' in line]
    return lines[0] if lines else None


def _gpu_by_smi() -> Gpu | None:
    query = '--query-gpu=name,driver_version,memory.total'
    text = _output_of('nvidia-smi', query, '--format=csv,noheader,nounits')
    parts = [part.strip() for part in (text or '').partition('\n')[0].split(',')]
    if len(parts) != 3 or not parts[0]:
        return None
    memory_mb = int(parts[2]) * 1.048576 if parts[2].isdigit() else None
    return Gpu(name=parts[0], driver=parts[1], memory_mb=memory_mb)


def _gpu_by_runtime() -> Gpu | None:
    memory = _runtime_memory()
    if memory is None:
        return None
    from cuda.bindings import runtime

    _, properties = runtime.cudaGetDeviceProperties(0)
    return Gpu(name=properties.name.decode(), memory_mb=memory[1] / _BYTES_PER_MB)


def _runtime_memory() -> tuple[int, int] | None:
    """Free and total memory by the CUDA runtime [bytes]; None without it or a GPU."""
    try:
        from cuda.bindings import runtime
    except ImportError:
        return None
    try:
        error, free, total = runtime.cudaMemGetInfo()
    except RuntimeError:  # its library is not installed
        return None
    return (free, total) if error == runtime.cudaError_t.cudaSuccess else None


def _versions() -> dict[str, str]:
    found = {'depth_estimation_ros': VERSION}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _output_of(*command: str) -> str | None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=_TOOL_TIMEOUT_SEC
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding='utf-8', errors='replace').strip('\0\n ')
    except OSError:
        return None
