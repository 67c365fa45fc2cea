"""Rendered rooms on disk: memory-mapped shards that can be filled by many processes and resumed.

A shard holds ROOMS_PER_SHARD consecutive seeds: `rgb_N.npy` (n, H, W, 3) uint8, `depth_N.npy`
(n, H, W) uint16 [mm] and `camera_N.npy` (n, 4) float32 fx, fy, cx, cy [px]. Each file appears by a
rename and the camera file last, so a shard whose camera file is there is whole.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
import multiprocessing
from typing import TYPE_CHECKING, Any

import numpy as np

from depth_estimation_ros.files.atomic import atomic_write_array
from depth_estimation_ros.files.reading import reading
from depth_estimation_ros.rooms.render import render_room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from depth_estimation_ros.rooms.tracer.arrays import Array

ROOMS_PER_SHARD = 100
PICTURE_VERSION = 2  # counts up when the same seed gives other pixels


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Rendered views, memory-mapped: rgb, depth [mm], camera (fx, fy, cx, cy) [px]."""

    rgb: Array
    depth_mm: Array
    camera: Array


@dataclass(frozen=True, kw_only=True)
class RoomShards:
    """The shards of one image size below a folder."""

    folder: Path
    size: tuple[int, int]  # (height, width) [px]
    views_per_room: int = 1

    @property
    def root(self) -> Path:
        """Folder of this size, number of views and version of the pictures."""
        height, width = self.size
        return self.folder / f'{height}x{width}-views{self.views_per_room}-v{PICTURE_VERSION}'

    def locate(self, seed: int, view: int) -> tuple[int, int]:
        """Return the shard and the row in it where a view is kept."""
        shard, room = divmod(seed, ROOMS_PER_SHARD)
        return shard, room * self.views_per_room + view

    def is_complete(self, shard: int) -> bool:
        """Tell whether a shard has been rendered to its end."""
        return self._path('camera', shard).exists()

    def open(self, shard: int) -> Shard:
        """Map a complete shard.

        Raises:
            DataError: A file of it is damaged.
        """
        count = ROOMS_PER_SHARD * self.views_per_room
        return Shard(
            rgb=self._map('rgb', shard, (count, *self.size, 3), np.dtype(np.uint8)),
            depth_mm=self._map('depth', shard, (count, *self.size), np.dtype(np.uint16)),
            camera=self._map('camera', shard, (count, 4), np.dtype(np.float32)),
        )

    def fill(self, shard: int) -> int:
        """Render a shard unless it is there.

        Returns:
            The shard's number.
        """
        if self.is_complete(shard):
            return shard
        self.root.mkdir(parents=True, exist_ok=True)
        count = ROOMS_PER_SHARD * self.views_per_room
        rgb = np.empty((count, *self.size, 3), np.uint8)
        depth = np.empty((count, *self.size), np.uint16)
        camera = np.empty((count, 4), np.float32)
        for row in range(count):
            room, view = divmod(row, self.views_per_room)
            shot = render_room(shard * ROOMS_PER_SHARD + room, view=view, size=self.size)
            rgb[row] = shot.rgb
            depth[row] = np.clip(np.rint(shot.depth * 1000.0), 0.0, 65535.0)
            k = shot.intrinsics
            camera[row] = (k.fx, k.fy, k.cx, k.cy)
        for name, array in (('rgb', rgb), ('depth', depth), ('camera', camera)):
            self._write(name, shard, array)
        return shard

    def _path(self, name: str, shard: int) -> Path:
        return self.root / f'{name}_{shard:08d}.npy'

    def _map(self, name: str, shard: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        path = self._path(name, shard)
        with reading(path, 'shard of rooms'):
            array: Array = np.load(path, mmap_mode='r', allow_pickle=False)
            if array.shape != shape or array.dtype != dtype:
                raise ValueError(f'{array.shape} {array.dtype}, expected {shape} {dtype}')
            return array

    def _write(self, name: str, shard: int, array: Array) -> None:
        atomic_write_array(self._path(name, shard), array)


def fill_shards(
    shards: RoomShards, numbers: Iterable[int], *, num_workers: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:  # fmt: skip
    """Render the missing shards of `numbers` with worker processes.

    Args:
        shards: Where they are kept.
        numbers: Which shards.
        num_workers: Processes; 0 renders in this one.
        progress: Called with the number of complete shards and of all.
    """
    wanted = list(numbers)
    missing = [number for number in wanted if not shards.is_complete(number)]
    done = len(wanted) - len(missing)
    report = progress or _say_nothing
    report(done, len(wanted))
    if num_workers <= 0:
        for number in missing:
            shards.fill(number)
            done += 1
            report(done, len(wanted))
        return
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(num_workers, mp_context=context) as pool:
        jobs = [pool.submit(partial(shards.fill, number)) for number in missing]
        try:
            for job in as_completed(jobs):
                job.result()
                done += 1
                report(done, len(wanted))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _say_nothing(done: int, total: int) -> None:
    del done, total
