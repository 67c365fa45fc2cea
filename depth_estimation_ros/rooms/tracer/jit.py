"""The one way kernels of this package are compiled: cached, without the GIL, strict IEEE.

numba's own cache looks at the file of a kernel only, not at the files of the kernels it calls, so
it would go on running old machine code after an update. Here the cache folder is named after the
contents of all kernel files.
"""

from __future__ import annotations

from functools import lru_cache
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar('F', bound='Callable[..., Any]')


def kernel(function: F) -> F:
    """Compile a function that other kernels call.

    It cannot be called from Python: what would unpack its arguments takes a fifth of the time
    that all kernels take to compile.
    """
    return _compile(function, no_cpython_wrapper=True)


def entry_kernel(function: F) -> F:
    """Compile a function that Python calls."""
    return _compile(function, no_cpython_wrapper=False)


def _compile(function: F, *, no_cpython_wrapper: bool) -> F:
    """Compile with numba: cached on disk, nogil, no fast-math, IEEE division."""
    former = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _cache_folder() or former
    try:
        compiled: F = numba.njit(
            cache=True,
            nogil=True,
            fastmath=False,
            error_model='numpy',
            no_cpython_wrapper=no_cpython_wrapper,
            no_cfunc_wrapper=True,
        )(function)
    finally:
        numba.config.CACHE_DIR = former
    return compiled


@lru_cache(maxsize=1)
def _cache_folder() -> str | None:
    """Return the folder for these kernels' machine code; None leaves the choice to numba."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob('*.py')):
        source = path.read_bytes()
        if b'kernel' in source:
            digest.update(source)
    base = os.environ.get('NUMBA_CACHE_DIR') or os.environ.get('XDG_CACHE_HOME')
    try:
        root = Path(base) if base else Path.home() / '.cache'
        folder = root / 'depth_estimation_ros' / f'kernels-{digest.hexdigest()[:16]}'
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home, or not ours to write to
        return None
    return str(folder) if os.access(folder, os.W_OK) else None
