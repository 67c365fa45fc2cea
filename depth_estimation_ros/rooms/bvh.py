"""A bounding-volume hierarchy in eight near-first orders, walked without a stack (numba kernels)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .intersect import BOX, CYLINDER, NO_HIT, enter_primitive
from .jit import kernel

if TYPE_CHECKING:
    from .arrays import Array
    from .vector import Vec

_T_MIN = 1e-6


@kernel
def primitive_bounds(prims: Array, kinds: Array) -> Array:
    """Return the (P, 6) axis-aligned boxes (low xyz, high xyz) of primitives [m]."""
    bounds = np.empty((len(prims), 6))
    for i in range(len(prims)):
        row = prims[i]
        for axis in range(3):
            x = abs(row[3 + axis] * row[12])
            y = abs(row[6 + axis] * row[13])
            z = abs(row[9 + axis] * row[14])
            if kinds[i] == BOX:
                reach = x + y + z
            elif kinds[i] == CYLINDER:
                reach = math.sqrt(x * x + y * y) * max(1.0, row[15]) + z
            else:
                reach = math.sqrt(x * x + y * y + z * z)
            bounds[i, axis] = row[axis] - reach - 1e-9
            bounds[i, 3 + axis] = row[axis] + reach + 1e-9
    return bounds


@kernel
def _half_area(low: Array, high: Array) -> float:
    dx = high[0] - low[0]
    dy = high[1] - low[1]
    dz = high[2] - low[2]
    return dx * dy + dy * dz + dz * dx


@kernel
def _sweep(bounds: Array, order: Array, cost: Array, backwards: bool) -> None:
    """Add area x count of every prefix (or suffix) of an order of boxes to cost."""
    low = np.full(3, 1e30)
    high = np.full(3, -1e30)
    n = len(order)
    for step in range(n - 1):
        box = bounds[order[n - 1 - step if backwards else step]]
        for k in range(3):
            low[k] = min(low[k], box[k])
            high[k] = max(high[k], box[3 + k])
        cost[n - 2 - step if backwards else step] += _half_area(low, high) * (step + 1)


@kernel
def _best_split(bounds: Array, members: Array) -> tuple[int, int, Array]:
    """Choose axis, cut and order by the surface-area heuristic."""
    best_cost = 1e300
    best_axis = 0
    best_cut = len(members) // 2
    best_order = members
    for axis in range(3):
        centres = bounds[members, axis] + bounds[members, 3 + axis]
        order = members[np.argsort(centres, kind='mergesort')]
        cost = np.zeros(len(members) - 1)
        _sweep(bounds, order, cost, False)
        _sweep(bounds, order, cost, True)
        cut = np.argmin(cost)
        if cost[cut] < best_cost:
            best_cost = cost[cut]
            best_axis = axis
            best_cut = cut + 1
            best_order = order
    return best_axis, best_cut, best_order


@kernel
def _build_tree(bounds: Array) -> tuple[Array, Array]:
    """Return boxes (2P - 1, 6) and tree (2P - 1, 4): low child, high child, axis, primitive."""
    n = len(bounds)
    boxes = np.empty((2 * n - 1, 6))
    tree = np.full((2 * n - 1, 4), -1)
    order = np.arange(n)
    stack = np.empty((2 * n, 3), np.int64)
    stack[0, 0], stack[0, 1], stack[0, 2] = 0, 0, n
    depth = 1
    used = 1
    while depth > 0:
        depth -= 1
        node, start, stop = stack[depth]
        for k in range(3):
            boxes[node, k] = np.min(bounds[order[start:stop], k])
            boxes[node, 3 + k] = np.max(bounds[order[start:stop], 3 + k])
        if stop - start == 1:
            tree[node, 3] = order[start]
            continue
        axis, cut, members = _best_split(bounds, order[start:stop].copy())
        order[start:stop] = members
        tree[node, 0], tree[node, 1], tree[node, 2] = used, used + 1, axis
        stack[depth, 0], stack[depth, 1], stack[depth, 2] = used, start, start + cut
        stack[depth + 1, 0], stack[depth + 1, 1] = used + 1, start + cut
        stack[depth + 1, 2] = stop
        depth += 2
        used += 2
    return boxes, tree


@kernel
def build_bvh(prims: Array, kinds: Array) -> Array:
    """Return nodes (8, 2P - 1, 8), one depth-first order per octant (see `arrays`)."""
    boxes, tree = _build_tree(primitive_bounds(prims, kinds))
    n = len(boxes)
    nodes = np.empty((8, n, 8))
    size = np.ones(n, np.int64)
    for node in range(n - 1, -1, -1):  # children come after their parents
        if tree[node, 3] < 0:
            size[node] = 1 + size[tree[node, 0]] + size[tree[node, 1]]
    place = np.zeros(n, np.int64)
    for octant in range(8):
        place[0] = 0
        for node in range(n):
            at = place[node]
            nodes[octant, at, :6] = boxes[node]
            nodes[octant, at, 6] = at + size[node]
            nodes[octant, at, 7] = tree[node, 3]
            if tree[node, 3] < 0:
                forward = (octant >> tree[node, 2]) & 1
                first = tree[node, 0] if forward else tree[node, 1]
                second = tree[node, 1] if forward else tree[node, 0]
                place[first] = at + 1
                place[second] = at + 1 + size[first]
    return nodes


@kernel
def _inverse(d: float) -> float:
    if abs(d) > 1e-12:
        return 1.0 / d
    return 1e12 if d > 0.0 else -1e12


@kernel
def trace(
    nodes: Array, prims: Array, origin: Vec, direction: Vec, t_max: float, any_shadow: bool
) -> tuple[float, int]:
    """Find the nearest entering hit, or (any_shadow) some hit that casts a shadow.

    Returns:
        t and the primitive; (NO_HIT, -1) when nothing is hit before t_max.
    """
    ox, oy, oz = origin
    dx, dy, dz = direction
    octant = (1 if dx > 0.0 else 0) | (2 if dy > 0.0 else 0) | (4 if dz > 0.0 else 0)
    near_x, near_y, near_z = (0 if dx > 0.0 else 3), (1 if dy > 0.0 else 4), (2 if dz > 0.0 else 5)
    far_x, far_y, far_z = 3 - near_x, 5 - near_y, 7 - near_z
    ix, iy, iz = _inverse(dx), _inverse(dy), _inverse(dz)
    best = t_max
    found = -1
    i = 0
    n = nodes.shape[1]
    while i < n:
        enter = max(
            max(_T_MIN, (nodes[octant, i, near_x] - ox) * ix),
            max((nodes[octant, i, near_y] - oy) * iy, (nodes[octant, i, near_z] - oz) * iz),
        )
        leave = min(
            min(best, (nodes[octant, i, far_x] - ox) * ix),
            min((nodes[octant, i, far_y] - oy) * iy, (nodes[octant, i, far_z] - oz) * iz),
        )
        if enter > leave:
            i = int(nodes[octant, i, 6])
            continue
        p = int(nodes[octant, i, 7])
        if p >= 0 and (not any_shadow or prims[p, 17] > 0.0):
            t = enter_primitive(prims, p, origin, direction, _T_MIN)
            if _T_MIN < t < best:
                best = t
                found = p
                if any_shadow:
                    break
        i += 1
    return (best, found) if found >= 0 else (NO_HIT, -1)
