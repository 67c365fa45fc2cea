"""Three-vectors as tuples: free of cost in kernels (numba)."""

from __future__ import annotations

import math

from depth_estimation_ros.rooms.tracer.jit import kernel

Vec = tuple[float, float, float]


@kernel
def dot(a: Vec, b: Vec) -> float:
    """Return the scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@kernel
def along(origin: Vec, t: float, direction: Vec) -> Vec:
    """Return origin + t direction."""
    return (
        origin[0] + t * direction[0],
        origin[1] + t * direction[1],
        origin[2] + t * direction[2],
    )


@kernel
def minus(a: Vec, b: Vec) -> Vec:
    """Return a - b."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@kernel
def times(a: Vec, b: Vec) -> Vec:
    """Return the product element by element (of colours)."""
    return a[0] * b[0], a[1] * b[1], a[2] * b[2]


@kernel
def scaled(a: Vec, gain: float) -> Vec:
    """Return a times a number."""
    return a[0] * gain, a[1] * gain, a[2] * gain


@kernel
def length(a: Vec) -> float:
    """Return the Euclidean length."""
    return math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])
