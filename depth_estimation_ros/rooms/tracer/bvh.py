"""A bounding-volume hierarchy in eight near-first orders, walked without a stack (kernels)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.rooms.tracer.intersect import BOX, CYLINDER, NO_HIT, enter_primitive
from depth_estimation_ros.rooms.tracer.jit import entry_kernel, kernel

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.tracer.arrays import Array
    from depth_estimation_ros.rooms.tracer.vector import Vec

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
def _grow(box: Array, row: int, other: Array, i: int) -> None:
    for k in range(3):
        box[row, k] = min(box[row, k], other[i, k])
        box[row, 3 + k] = max(box[row, 3 + k], other[i, 3 + k])


@kernel
def _reset(box: Array, row: int) -> None:
    for k in range(3):
        box[row, k] = 1e30
        box[row, 3 + k] = -1e30


@kernel
def _sort(bounds: Array, order: Array, start: int, stop: int, axis: int) -> None:
    """Sort order[start:stop] by the middle of the boxes along an axis (stable, by insertion)."""
    for i in range(start + 1, stop):
        member = order[i]
        middle = bounds[member, axis] + bounds[member, 3 + axis]
        j = i - 1
        while j >= start and bounds[order[j], axis] + bounds[order[j], 3 + axis] > middle:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = member


@kernel
def _add_costs(bounds: Array, order: Array, start: int, stop: int, cost: Array) -> None:
    """Set cost[i] to the area x count of order[start:i + 1] plus that of the rest."""
    box = np.empty((1, 6))
    for backwards in range(2):
        _reset(box, 0)
        for step in range(stop - start - 1):
            _grow(box, 0, bounds, order[stop - 1 - step if backwards else start + step])
            dx, dy, dz = box[0, 3] - box[0, 0], box[0, 4] - box[0, 1], box[0, 5] - box[0, 2]
            area = (dx * dy + dy * dz + dz * dx) * (step + 1)
            if backwards:
                cost[stop - 2 - step] += area
            else:
                cost[start + step] = area


@kernel
def _split(bounds: Array, order: Array, start: int, stop: int, cost: Array) -> tuple[int, int]:
    """Sort order[start:stop] for the best cut by the surface-area heuristic.

    Returns:
        The axis of the cut and where the second part starts.
    """
    best_cost = 1e300
    best_axis = 0
    best_cut = start + 1
    former = order.copy()
    for turn in range(4):
        axis = turn if turn < 3 else best_axis
        for i in range(start, stop):
            order[i] = former[i]
        _sort(bounds, order, start, stop, axis)
        if turn == 3:
            break
        _add_costs(bounds, order, start, stop, cost)
        for i in range(start, stop - 1):
            if cost[i] < best_cost:
                best_cost, best_axis, best_cut = cost[i], axis, i + 1
    return best_axis, best_cut


@kernel
def _build_tree(bounds: Array) -> tuple[Array, Array]:
    """Return boxes (2P - 1, 6) and tree (2P - 1, 4): low child, high child, axis, primitive."""
    n = len(bounds)
    boxes = np.empty((2 * n - 1, 6))
    tree = np.full((2 * n - 1, 4), -1)
    order = np.arange(n)
    cost = np.zeros(n)
    ranges = np.zeros((2 * n - 1, 2), np.int64)
    ranges[0, 1] = n
    used = 1
    for node in range(2 * n - 1):  # children come after their parents
        start, stop = ranges[node, 0], ranges[node, 1]
        _reset(boxes, node)
        for i in range(start, stop):
            _grow(boxes, node, bounds, order[i])
        if stop - start == 1:
            tree[node, 3] = order[start]
            continue
        axis, cut = _split(bounds, order, start, stop, cost)
        tree[node, 0], tree[node, 1], tree[node, 2] = used, used + 1, axis
        ranges[used, 0], ranges[used, 1] = start, cut
        ranges[used + 1, 0], ranges[used + 1, 1] = cut, stop
        used += 2
    return boxes, tree


@entry_kernel
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
