"""HDF5 files are read in a child first: a damaged one can hold its library for ever, or end it."""

from __future__ import annotations

from contextlib import suppress
import os
import resource
import signal
from typing import TYPE_CHECKING, Any, Final
import warnings

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.errors import DepthEstimationError

__all__ = ['check_hdf5']

# Of the processor: 10,000 small arrays took 7 s, NYU's 2.8 GB hold fewer and may take 285 s.
_MAX_CPU_SEC: Final = 5
_MAX_CPU_SEC_PER_MB: Final = 0.1


def check_hdf5(path: Path, error: type[DepthEstimationError]) -> None:
    """Walk through groups, attributes and the first numbers of a file in a child process.

    What merely raises there is left to the reader, who can say what is missing.

    Args:
        path: The file.
        error: Raised when the child does not come back.

    Raises:
        DepthEstimationError: The library hangs or crashes over the file.
    """
    max_cpu_sec = round(_MAX_CPU_SEC + _MAX_CPU_SEC_PER_MB * path.stat().st_size / 1e6)
    with warnings.catch_warnings():
        # From 3.12 on: other threads might hold locks. None of them uses HDF5.
        warnings.simplefilter('ignore', DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            _limit(max_cpu_sec)
            with suppress(Exception):
                _walk(path)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        is_endless = number in (signal.SIGXCPU, signal.SIGKILL)
        what = f'takes more than {max_cpu_sec} s' if is_endless else f'crashes (signal {number})'
        raise error(f'{path}: damaged: HDF5 {what} over it; fetch it anew')


def _limit(max_cpu_sec: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (max_cpu_sec, max_cpu_sec + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _walk(path: Path) -> None:
    import h5py

    def look(_name: str, item: Any) -> None:
        for key in item.attrs:
            with suppress(Exception):
                item.attrs[key]
        if isinstance(item, h5py.Dataset):
            with suppress(Exception):
                item[(slice(0, 1),) * item.ndim]

    with h5py.File(path, 'r') as file:
        look('', file)
        for key in ('keras_version', 'model_config'):  # sought by name, on another way
            with suppress(Exception):
                file.attrs.get(key)
        file.visititems(look)
