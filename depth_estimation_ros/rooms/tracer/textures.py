"""Procedural textures of true size (numba kernels).

A material is a row of 20 numbers: kind, colour 1 (3), colour 2 (3), parameters p0..p5 (6), mirror,
specular, shininess, emission, seed, world (1: textured by world position, 0: by the primitive's
own), spare. Colours are linear reflectances; u and v are metres on the surface.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from depth_estimation_ros.rooms.tracer.jit import kernel
from depth_estimation_ros.rooms.tracer.noise import fbm, hash01, line_coverage, value_noise

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.tracer.arrays import Array
    from depth_estimation_ros.rooms.tracer.vector import Vec

PLAIN = 0  # p0 blotch size [m], p1 strength, p2 fine grain strength
PLANKS = 1  # p0 width [m], p1 length [m], p2 gap [m], p3 variation
TILES = 2  # p0 width [m], p1 height [m], p2 grout [m], p3 variation, p4 checker, p5 row shift
STRIPES = 3  # p0 period [m], p1 share of colour 2, p2 noise
FABRIC = 4  # p0 thread size [m], p1 strength, p2 blotch strength
GRAIN = 5  # p0 ring width [m], p1 strength, p2 1: along u, 0: along v
PLAID = 6  # p0 period [m]
PICTURE = 7  # p0 half width [m], p1 half height [m]
OUTDOOR = 8  # p0 horizon height [m]
BOOKS = 9  # p0 mean thickness [m], p1 height of the row [m]
SCREEN = 10  # p0 half width [m], p1 half height [m], p2 brightness
LEAVES = 11  # p0 leaf size [m]
MARBLE = 12  # p0 size [m], p1 strength
MOTIF = 13  # p0 period [m], p1 radius share

KIND, COLOR1, COLOR2, PARAM = 0, 1, 4, 7
MIRROR, SPECULAR, SHININESS, EMISSION, SEED, WORLD = 13, 14, 15, 16, 17, 18
NUM_COLUMNS = 20


@kernel
def _mix(m: Array, mi: int, share: float, gain: float) -> Vec:
    rest = 1.0 - share
    return (
        gain * (m[mi, 1] * rest + m[mi, 4] * share),
        gain * (m[mi, 2] * rest + m[mi, 5] * share),
        gain * (m[mi, 3] * rest + m[mi, 6] * share),
    )


@kernel
def _planks(m: Array, mi: int, u: float, v: float, w: float, seed: int) -> Vec:
    row = int(math.floor(v / m[mi, 7]))
    shifted = u + hash01(row, 3, seed) * m[mi, 8]
    board = int(math.floor(shifted / m[mi, 8]))
    tone = hash01(row, board, seed + 1)
    grain = fbm(shifted * 2.5 + 31.0 * tone, v * 45.0 + 17.0 * tone, w * 35.0, 3, seed + board * 7)
    share = min(1.0, max(0.0, 0.5 + m[mi, 10] * (tone - 0.5) + 0.7 * grain))
    gap = line_coverage(v, m[mi, 7], m[mi, 9], w) + line_coverage(shifted, m[mi, 8], m[mi, 9], w)
    return _mix(m, mi, share, 1.0 - 0.75 * min(1.0, gap))


@kernel
def _tiles(m: Array, mi: int, u: float, v: float, w: float, seed: int) -> Vec:
    row = int(math.floor(v / m[mi, 8]))
    shifted = u + (m[mi, 12] * m[mi, 7] if row & 1 else 0.0)
    column = int(math.floor(shifted / m[mi, 7]))
    tone = 1.0 + m[mi, 10] * (hash01(row, column, seed) - 0.5)
    tone += 0.5 * m[mi, 10] * fbm(u * 9.0 + 7 * column, v * 9.0 + 5 * row, w * 9.0, 3, seed)
    if m[mi, 11] > 0.0 and (row + column) & 1:
        tone *= 1.0 - m[mi, 11]
    grout = line_coverage(v, m[mi, 8], m[mi, 9], w) + line_coverage(shifted, m[mi, 7], m[mi, 9], w)
    grout = min(1.0, grout)
    return (
        m[mi, 1] * tone * (1.0 - grout) + m[mi, 4] * grout,
        m[mi, 2] * tone * (1.0 - grout) + m[mi, 5] * grout,
        m[mi, 3] * tone * (1.0 - grout) + m[mi, 6] * grout,
    )


@kernel
def _picture(m: Array, mi: int, u: float, v: float, seed: int) -> Vec:
    x = u / m[mi, 7]
    y = v / m[mi, 8]
    share = min(1.0, max(0.0, 0.5 + 0.4 * y + 0.5 * fbm(x * 2.0, y * 2.0, 0.02, 4, seed)))
    r, g, b = _mix(m, mi, share, 1.0)
    for i in range(5):
        cx = 1.8 * hash01(i, 1, seed) - 0.9
        cy = 1.8 * hash01(i, 2, seed) - 0.9
        size = 0.1 + 0.45 * hash01(i, 3, seed)
        dx = abs(x - cx)
        dy = abs(y - cy) * (0.6 + hash01(i, 8, seed))
        round_shape = hash01(i, 4, seed) < 0.5
        if (round_shape and dx * dx + dy * dy < size * size) or (
            not round_shape and max(dx, dy) < size
        ):
            r = 0.3 * r + 0.5 * hash01(i, 5, seed)
            g = 0.3 * g + 0.5 * hash01(i, 6, seed)
            b = 0.3 * b + 0.5 * hash01(i, 7, seed)
    return r, g, b


@kernel
def _outdoor(m: Array, mi: int, u: float, v: float, seed: int) -> Vec:
    """Sky above a skyline of houses or trees, and ground below the horizon; out of focus."""
    sky = min(1.0, max(0.0, (v - m[mi, 7]) * 0.5))
    cloud = 0.5 + 0.5 * fbm(u * 1.3, v * 2.5, 0.2, 3, seed + 5)
    r, g, b = _mix(m, mi, min(1.0, 0.4 * sky + 0.5 * cloud), 1.0)
    block = int(math.floor(u * 2.2))
    if hash01(block >> 2, 9, seed) < 0.5:  # a house
        top = m[mi, 7] + 0.7 * hash01(block, 1, seed) - 0.1
        red, green, blue = 0.30, 0.27, 0.24
    else:  # a tree
        top = m[mi, 7] + 0.5 * fbm(u * 4.0, 0.5, 0.1, 3, seed) + 0.25
        red, green, blue = 0.10, 0.17, 0.06
    if v < top:
        tone = 0.7 + 0.8 * hash01(block, 2, seed) + 0.5 * fbm(u * 9.0, v * 9.0, 0.1, 3, seed)
        r, g, b = red * tone, green * tone, blue * tone
    if v < m[mi, 7] - 0.2:
        tone = 0.22 + 0.08 * fbm(u * 4.0, v * 7.0, 0.1, 3, seed)
        r, g, b = tone * 0.9, tone, tone * 0.75
    return r, g, b


@kernel
def _books(m: Array, mi: int, u: float, v: float, w: float, seed: int) -> Vec:
    x = u / m[mi, 7] + 0.35 * math.sin(u * 31.0 + seed % 17)
    book = int(math.floor(x))
    share = hash01(book, 1, seed)
    tone = 0.25 + 1.1 * hash01(book, 2, seed)
    edge = x - book
    height = m[mi, 8] * (0.72 + 0.28 * hash01(book, 3, seed))
    if v > height - 0.5 * m[mi, 8]:
        return 0.015, 0.013, 0.012
    if edge < 0.08 or edge > 0.94:
        tone *= 0.35
    band = abs(v - (hash01(book, 4, seed) - 0.5) * 0.5 * m[mi, 8]) < 0.018
    if band and w < 0.02:
        return 0.6, 0.57, 0.5
    r, g, b = _mix(m, mi, share, tone)
    hue = hash01(book, 5, seed)
    return (r * (0.4 + 1.2 * hue), g * (0.5 + 0.8 * hash01(book, 6, seed)), b * (1.5 - 1.1 * hue))


@kernel
def _screen(m: Array, mi: int, u: float, v: float, w: float, seed: int) -> Vec:
    """A dark screen, or windows with lines of text."""
    x = u / m[mi, 7]
    y = v / m[mi, 8]
    if m[mi, 9] <= 0.0:
        return 0.012, 0.012, 0.014
    r, g, b = _mix(m, mi, 0.5 + 0.5 * y, m[mi, 9])
    for i in range(2):
        left = -0.9 + 0.9 * hash01(i, 1, seed)
        right = left + 0.5 + 0.5 * hash01(i, 2, seed)
        if left < x < right and abs(y) < 0.5 + 0.4 * hash01(i, 3, seed):
            row = int(math.floor(v / 0.018))
            text = (v / 0.018 - row) < 0.5 and x < left + (right - left) * hash01(row, i, seed)
            paper = 0.75 * m[mi, 9] if hash01(i, 4, seed) < 0.6 else 0.03
            ink = 0.4 * paper + 0.04
            r = g = b = ink if text and w < 0.03 else paper
    return r, g, b


@kernel
def _plain(m: Array, mi: int, u: float, v: float, w: float, seed: int) -> Vec:
    gain = 1.0
    if m[mi, 8] > 0.0:
        gain += m[mi, 8] * fbm(u / m[mi, 7], v / m[mi, 7], w / m[mi, 7], 3, seed)
    if m[mi, 9] > 0.0:
        gain += m[mi, 9] * fbm(u * 160.0, v * 160.0, w * 160.0, 2, seed + 3)
    return m[mi, 1] * gain, m[mi, 2] * gain, m[mi, 3] * gain


@kernel
def _simple(m: Array, mi: int, kind: int, u: float, v: float, w: float, seed: int) -> Vec:
    """Textures that mix the two colours by one share."""
    gain = 1.0
    if kind == FABRIC:
        thread = fbm(u / m[mi, 7], v / m[mi, 7], w / m[mi, 7], 2, seed)
        share = 0.5 + m[mi, 8] * thread + m[mi, 9] * fbm(u * 5.0, v * 5.0, w * 5.0, 3, seed + 7)
    elif kind == STRIPES:
        share = line_coverage(u, m[mi, 7], m[mi, 7] * m[mi, 8], w)
        gain += m[mi, 9] * fbm(u * 40.0, v * 40.0, w * 40.0, 3, seed)
    elif kind == GRAIN:
        along, across = (u, v) if m[mi, 9] > 0.5 else (v, u)
        warp = fbm(along * 1.5, across * 6.0, w * 6.0, 3, seed)
        ring = math.sin((across / m[mi, 7] + 2.5 * warp) * 6.2832)
        share = 0.5 + m[mi, 8] * (0.35 * ring / (1.0 + 3.0 * w / m[mi, 7]) + 0.5 * warp)
        share += 0.3 * m[mi, 8] * fbm(along * 6.0, across * 120.0, w * 90.0, 2, seed + 9)
    elif kind == PLAID:
        share = 0.5 * line_coverage(u, m[mi, 7], 0.5 * m[mi, 7], w)
        share += 0.5 * line_coverage(v, m[mi, 7], 0.5 * m[mi, 7], w)
    elif kind == LEAVES:
        share = 0.5 + fbm(u / m[mi, 7], v / m[mi, 7], w / m[mi, 7], 2, seed)
        gain = 0.55 + 0.9 * value_noise(u * 2.0 / m[mi, 7], v / m[mi, 7], seed + 4)
    elif kind == MARBLE:
        warp = fbm(u / m[mi, 7], v / m[mi, 7], w / m[mi, 7], 4, seed)
        share = m[mi, 8] * (1.0 - min(1.0, 6.0 * abs(warp + 0.1)))
    else:  # MOTIF
        x = u / m[mi, 7] - math.floor(u / m[mi, 7]) - 0.5
        y = v / m[mi, 7] - math.floor(v / m[mi, 7]) - 0.5
        edge = m[mi, 8] - math.sqrt(x * x + y * y)
        share = min(1.0, max(0.0, 0.5 + edge * m[mi, 7] / max(w, 1e-4)))
        share *= 1.0 / (1.0 + 4.0 * w / m[mi, 7])
    return _mix(m, mi, min(1.0, max(0.0, share)), gain)


@kernel
def albedo(m: Array, mi: int, u: float, v: float, w: float, offset: int) -> Vec:
    """Evaluate a texture.

    Args:
        m: (M, 20) float64, the materials.
        mi: Which of them.
        u: First surface coordinate [m].
        v: Second surface coordinate [m].
        w: Width of the pixel on the surface [m].
        offset: Makes primitives of one material differ (0 for world textures).

    Returns:
        Linear red, green, blue reflectance.
    """
    kind = int(m[mi, 0])
    seed = int(m[mi, 17]) + offset * 131
    if kind == PLAIN:
        return _plain(m, mi, u, v, w, seed)
    if kind == PLANKS:
        return _planks(m, mi, u, v, w, seed)
    if kind == TILES:
        return _tiles(m, mi, u, v, w, seed)
    if kind == PICTURE:
        return _picture(m, mi, u, v, seed)
    if kind == OUTDOOR:
        return _outdoor(m, mi, u, v, seed)
    if kind == BOOKS:
        return _books(m, mi, u, v, w, seed)
    if kind == SCREEN:
        return _screen(m, mi, u, v, w, seed)
    return _simple(m, mi, kind, u, v, w, seed)
