"""How long a room takes: this package's ray caster beside Embree, in one run, on one core.

    pip install embreex
    python benchmarks/renderers.py

Both get the same rooms (curved primitives as triangles for Embree) and the same rays: one a pixel
for depth, one shadow ray to a light and one bounce from every pixel. Times are CPU milliseconds of
one thread, medians over the rooms. The last row is a whole picture as training uses it (layout,
hierarchy, choice of a view, all rays, textures, light, photograph), which Embree does not draw.

2026-11, AMD EPYC, 2 virtual cores without AVX-512 that other work kept busy, numba 0.68,
embreex 4.4, 12 rooms of 192x256 (medians of 121 primitives, 7992 triangles):

| CPU ms        | ray caster | Embree |
|---------------|------------|--------|
| hierarchy     | 0.6        | 16.6   |
| pixel rays    | 10.5       | 7.3    |
| shadow rays   | 8.7        | 3.9    |
| bounce rays   | 13.5       | 9.3    |
| sum           | 33.3       | 37.1   |
| whole picture | 85.6       |        |

Embree traces faster, and loses it again building the hierarchy of a room that is seen once; it
would still need the shading, and spheres would be faceted. So there is no dependency on it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import pairwise
import math
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import numpy.typing as npt

from depth_estimation_ros.rooms.dice import Dice
from depth_estimation_ros.rooms.layout import build_room
from depth_estimation_ros.rooms.pose import draw_view
from depth_estimation_ros.rooms.render import draw_intrinsics, render_room
from depth_estimation_ros.rooms.tracer.bvh import trace
from depth_estimation_ros.rooms.tracer.intersect import BOX, CYLINDER
from depth_estimation_ros.rooms.tracer.scene import camera_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from depth_estimation_ros.rooms.tracer.arrays import SceneArrays

Array = npt.NDArray[Any]
SIDES = 24  # of a cylinder made of triangles


@dataclass(frozen=True, kw_only=True)
class Rays:
    """Origins and directions, (N, 3) float64, and how far they go, in directions."""

    origins: Array
    directions: Array
    reach: float


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _trace_all(
    scene: SceneArrays, origins: Array, directions: Array, reach: float, any_hit: bool
) -> Array:
    hits = np.empty(len(origins))
    for i in range(len(origins)):
        origin = (origins[i, 0], origins[i, 1], origins[i, 2])
        direction = (directions[i, 0], directions[i, 1], directions[i, 2])
        hits[i], _ = trace(scene.nodes, scene.prims, origin, direction, reach, any_hit)
    return hits


def cpu_ms(work: Callable[[], Any], repeats: int = 3) -> float:
    """Return the least CPU time of this thread over some runs [ms]."""
    times = []
    for _ in range(repeats):
        start = time.thread_time()
        work()
        times.append(1e3 * (time.thread_time() - start))
    return min(times)


def _grid(quads: Array) -> Array:
    """Return (2 N, 3, 3) triangles of (N, 4, 3) quads."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def unit_box() -> Array:
    """Return the triangles of the cube -1..1."""
    face = np.array([[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]], float)
    turns = [np.roll(face * sign, k, axis=1) for k in range(3) for sign in (-1, 1)]
    return _grid(np.stack(turns))


def unit_round(taper: float, *, ball: bool) -> Array:
    """Return the triangles of a unit sphere or of a cylinder of height -1..1."""
    angles = np.linspace(0.0, 2.0 * math.pi, SIDES + 1)
    ring = np.stack([np.cos(angles), np.sin(angles), np.zeros(SIDES + 1)], axis=1)
    up = np.array([0.0, 0.0, 1.0])
    levels = [(0.0, -1.0), (1.0, -1.0), (taper, 1.0), (0.0, 1.0)]
    if ball:
        levels = [(math.cos(a), math.sin(a)) for a in np.linspace(-math.pi / 2, math.pi / 2, 13)]
    rings = [radius * ring + height * up for radius, height in levels]
    quads = [
        np.stack([low[:-1], low[1:], high[1:], high[:-1]], axis=1) for low, high in pairwise(rings)
    ]
    return _grid(np.concatenate(quads))


def triangles(scene: SceneArrays) -> Array:
    """Return (N, 3, 3) float32 triangles of a scene."""
    parts = []
    for row in scene.prims:
        kind = int(row[16])
        shape = unit_box() if kind == BOX else unit_round(row[15], ball=kind != CYLINDER)
        rotation = row[3:12].reshape(3, 3)
        parts.append((shape * row[12:15]) @ rotation + row[:3])
    return np.concatenate(parts).astype(np.float32)


def make_rays(scene: SceneArrays, camera: Array, depth_of: Callable[[Rays], Array]) -> list[Rays]:
    """Return pixel rays (192x256), shadow rays to a lamp and bounces from what the pixels see."""
    y, x = np.mgrid[0:192, 0:256].reshape(2, -1)
    a, b = (x - camera[14]) / camera[12], (y - camera[15]) / camera[13]
    ways = a[:, None] * camera[3:6] + b[:, None] * camera[6:9] + camera[9:12]
    first = Rays(origins=np.tile(camera[:3], (len(ways), 1)), directions=ways, reach=1e4)
    points = first.origins + (depth_of(first) * (1.0 - 1e-4))[:, None] * ways
    lamp = scene.lights[1, :3] + scene.lights[1, 9:12] * 0.1
    around = np.random.default_rng(0).normal(size=points.shape)
    bounce = -ways / np.linalg.norm(ways, axis=1, keepdims=True)
    bounce = bounce + around / np.linalg.norm(around, axis=1, keepdims=True)
    return [
        first,
        Rays(origins=points, directions=lamp - points, reach=0.95),
        Rays(origins=points, directions=bounce, reach=1e4),
    ]


def embree_of(mesh: Array) -> Any:
    """Return an Embree scene of triangles."""
    from embreex import mesh_construction, rtcore_scene  # type: ignore[import-untyped]

    scene = rtcore_scene.EmbreeScene()
    mesh_construction.TriangleMesh(scene, mesh)
    scene.run(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32))  # builds the hierarchy
    return scene


def embree_ms(scene: Any, rays: Rays, *, any_hit: bool) -> float:
    """Return the time Embree takes for rays [ms]."""
    origins = rays.origins.astype(np.float32)
    directions = rays.directions.astype(np.float32)
    reach = np.full(len(origins), rays.reach, np.float32)
    query = 'OCCLUDED' if any_hit else 'INTERSECT'
    return cpu_ms(lambda: scene.run(origins, directions, query=query, dists=reach.copy()))


def measure(seed: int) -> dict[str, tuple[float, float]]:
    """Return rows of (ray caster, Embree) [ms] for a room."""
    room = build_room(seed)
    scene = room.scene.arrays()
    dice = Dice(seed, 0, 11)
    intrinsics = draw_intrinsics(dice, height=192, width=256)
    camera = camera_row(draw_view(room, scene, intrinsics, dice), intrinsics)

    def cast(rays: Rays, any_hit: bool = False) -> Array:
        hits: Array = _trace_all(scene, rays.origins, rays.directions, rays.reach, any_hit)
        return hits

    primary, shadow, bounce = make_rays(scene, camera, cast)
    mesh = triangles(scene)
    other = embree_of(mesh)
    rows = {
        'hierarchy': (cpu_ms(room.scene.arrays), cpu_ms(lambda: embree_of(mesh))),
        'pixel rays': (cpu_ms(lambda: cast(primary)), embree_ms(other, primary, any_hit=False)),
        'shadow rays': (
            cpu_ms(lambda: cast(shadow, True)),
            embree_ms(other, shadow, any_hit=True),
        ),
        'bounce rays': (cpu_ms(lambda: cast(bounce)), embree_ms(other, bounce, any_hit=False)),
        'whole picture': (cpu_ms(lambda: render_room(seed)), math.nan),
    }
    rows['primitives / triangles'] = (float(len(scene.prims)), float(len(mesh)))
    return rows


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description='Compare ray casters on synthetic rooms.')
    parser.add_argument('--rooms', type=int, default=12, help='how many rooms (default 12)')
    options = parser.parse_args(argv)
    try:
        import embreex  # noqa: F401
    except ImportError:
        print('embreex is missing: pip install embreex', file=sys.stderr)
        return 1
    measure(0)  # compiles the kernels
    results = [measure(seed) for seed in range(1, options.rooms + 1)]
    print(f'192x256, {options.rooms} rooms, CPU ms, median   ray caster    Embree')
    for name in results[0]:
        ours = statistics.median(row[name][0] for row in results)
        theirs = statistics.median(row[name][1] for row in results)
        print(f'{name:38s} {ours:12.1f} ' + ('' if math.isnan(theirs) else f'{theirs:9.1f}'))
    return 0


if __name__ == '__main__':
    sys.exit(main())
