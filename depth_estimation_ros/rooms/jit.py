"""The one way kernels of this package are compiled: cached, without the GIL, strict IEEE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar('F', bound='Callable[..., Any]')


def kernel(function: F) -> F:
    """Compile a function with numba: cached on disk, nogil, no fast-math, IEEE division."""
    compiled: F = numba.njit(cache=True, nogil=True, fastmath=False, error_model='numpy')(function)
    return compiled
