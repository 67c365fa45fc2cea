"""Integer hashing and value noise for procedural textures (numba kernels)."""

from __future__ import annotations

import math

from depth_estimation_ros.rooms.tracer.jit import kernel

_2_TO_MINUS_32 = 1.0 / 4294967296.0


@kernel
def hash01(x: int, y: int, seed: int) -> float:
    """Hash two integers and a seed to a number in [0, 1)."""
    h = (x * 374761393 + y * 668265263 + seed * 1442695041) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 1103515245) & 0xFFFFFFFF
    return (h ^ (h >> 15)) * _2_TO_MINUS_32


@kernel
def value_noise(x: float, y: float, seed: int) -> float:
    """Smooth noise in [0, 1] with a lattice of one unit."""
    fx = math.floor(x)
    fy = math.floor(y)
    ix = int(fx)
    iy = int(fy)
    tx = x - fx
    ty = y - fy
    tx = tx * tx * (3.0 - 2.0 * tx)
    ty = ty * ty * (3.0 - 2.0 * ty)
    top = hash01(ix, iy, seed) * (1.0 - tx) + hash01(ix + 1, iy, seed) * tx
    low = hash01(ix, iy + 1, seed) * (1.0 - tx) + hash01(ix + 1, iy + 1, seed) * tx
    return top * (1.0 - ty) + low * ty


@kernel
def fbm(x: float, y: float, footprint: float, octaves: int, seed: int) -> float:
    """Sum octaves of value noise to about [-1, 1].

    Args:
        x: First coordinate, in lattice units.
        y: Second coordinate, in lattice units.
        footprint: Width of a pixel in lattice units; octaves finer than it are faded out.
        octaves: How many octaves at most.
        seed: Any integer.
    """
    total = 0.0
    amplitude = 0.5
    frequency = 1.0
    for octave in range(octaves):
        fade = 1.5 - 1.5 * frequency * footprint
        if fade <= 0.0:
            break
        noise = value_noise(x * frequency, y * frequency, seed + octave * 101)
        total += amplitude * min(1.0, fade) * (2.0 * noise - 1.0)
        amplitude *= 0.55
        frequency *= 2.03
    return total


@kernel
def line_coverage(x: float, period: float, width: float, footprint: float) -> float:
    """Share of a pixel covered by lines of a width that repeat with a period (box filter)."""
    half = 0.5 * max(footprint, 1e-6)
    cells = math.floor((x + half) / period) - math.floor((x - half) / period)
    high = min((x + half) - math.floor((x + half) / period) * period, width)
    low = min((x - half) - math.floor((x - half) / period) * period, width)
    return min(1.0, max(0.0, (cells * width + high - low) / (2.0 * half)))
