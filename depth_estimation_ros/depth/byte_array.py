"""Arrays in the memory of an array.array, which a ROS message takes without a copy."""

from __future__ import annotations

from array import array
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = ['bytes_of', 'zeros']


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Make an array of zeros, C-contiguous, whose bytes `bytes_of` gives without a copy."""
    num_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    made: NDArray[Any] = np.ndarray(shape, dtype, buffer=array('B', (0,)) * num_bytes)
    return made


def bytes_of(values: NDArray[Any]) -> array[int]:
    """Give an array's bytes as what a uint8[] field takes without a copy.

    Args:
        values: Any array.

    Returns:
        Its memory itself if it was made by `zeros` and is whole, else a copy.
    """
    owner: Any = values
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, array) and _is_whole(values, owner):
        return owner
    copied = array('B')
    if values.size:  # an empty memoryview cannot be cast
        copied.frombytes(np.ascontiguousarray(values).data.cast('B'))
    return copied


def _is_whole(values: NDArray[Any], owner: array[int]) -> bool:
    return owner.typecode == 'B' and values.flags.c_contiguous and values.nbytes == len(owner)
