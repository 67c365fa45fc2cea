"""Synthetic rooms as a data set, rendered on demand or once into a cache."""

from __future__ import annotations

from functools import lru_cache
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.rooms.render import render_room
from depth_estimation_ros.rooms.shards import ROOMS_PER_SHARD, RoomShards, Shard, fill_shards
from depth_estimation_ros.training.data.rgbd_sample import RgbdDataset, RgbdSample

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_TRAINING_FX_SHARE = 0.86  # of the width: about 60 degrees


def default_training_fx(width: int) -> float:
    """Return the canonical focal length [px] for images of a width [px]."""
    return DEFAULT_TRAINING_FX_SHARE * width


class SyntheticRooms(RgbdDataset):
    """Rooms of consecutive seeds, as many views of each as asked.

    No depth is missing. It is the true depth; what a model with `training_fx` learns is
    depth * training_fx / fx.

    With a cache folder, what has been rendered there is read (depth to the millimetre); the rest
    is rendered on demand, so a cache may still be filling while it is used.
    """

    def __init__(
        self,
        num_rooms: int,
        *,
        first_seed: int = 0,
        views_per_room: int = 1,
        size: tuple[int, int] = (192, 256),
        training_fx: float | None = None,
        cache_dir: str | Path | None = None,
    ) -> None:
        """Describe the rooms; nothing is rendered yet.

        Args:
            num_rooms: How many rooms, >= 1.
            first_seed: Seed of the first; from rooms.render.HELD_OUT_SEED on they are held out.
            views_per_room: Cameras in each room, >= 1.
            size: (height, width) [px].
            training_fx: Canonical focal length [px]; None = `default_training_fx(width)`.
            cache_dir: Folder for rendered rooms; None renders each time.

        Raises:
            ValueError: A count is not positive or the first seed is negative.
        """
        if num_rooms < 1 or views_per_room < 1 or first_seed < 0:
            raise ValueError(
                f'num_rooms={num_rooms}, views_per_room={views_per_room}, first_seed='
                f'{first_seed}: need at least one of each, '
                'and a seed that is not negative'
            )
        self.num_rooms = num_rooms
        self.first_seed = first_seed
        self.views_per_room = views_per_room
        super().__init__(size)
        self._size = size
        self.training_fx = training_fx or default_training_fx(size[1])
        self._shards: RoomShards | None = None
        if cache_dir is not None:
            self._shards = RoomShards(
                folder=Path(cache_dir), size=size, views_per_room=views_per_room
            )

    def __len__(self) -> int:
        """Return the number of views."""
        return self.num_rooms * self.views_per_room

    def sample_name(self, index: int) -> str:
        """Return the seed of the room, and which view of it."""
        room, view = divmod(index, self.views_per_room)
        return f'room {self.first_seed + room}, view {view}'

    def read(self, index: int) -> RgbdSample:
        """Render a view, or read it from the cache."""
        room, view = divmod(index, self.views_per_room)
        seed = self.first_seed + room
        cached = self._cached(seed, view)
        if cached is not None:
            return cached
        shot = render_room(seed, view=view, size=self._size)
        return RgbdSample(image=shot.rgb, depth=shot.depth, intrinsics=shot.intrinsics)

    @property
    def has_cache(self) -> bool:
        """Whether rooms are kept in a folder."""
        return self._shards is not None

    def shard_numbers(self) -> range:
        """Return the shards these rooms lie in."""
        last = self.first_seed + self.num_rooms - 1
        return range(self.first_seed // ROOMS_PER_SHARD, last // ROOMS_PER_SHARD + 1)

    def num_cached(self) -> int:
        """Return how many of the views can be read from the cache now."""
        if self._shards is None:
            return 0
        end = self.first_seed + self.num_rooms
        rooms = 0
        for number in self.shard_numbers():
            if self._shards.is_complete(number):
                start = number * ROOMS_PER_SHARD
                rooms += min(end, start + ROOMS_PER_SHARD) - max(self.first_seed, start)
        return rooms * self.views_per_room

    def prefill(
        self, *, num_workers: int = 2, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Render what the cache lacks; what an interrupted run has finished is kept.

        Args:
            num_workers: Processes; 0 renders in this one.
            progress: Called with the number of complete shards and of all.

        Raises:
            ValueError: There is no cache folder.
        """
        if self._shards is None:
            raise ValueError('cache_dir=None: give a folder to prefill')
        fill_shards(self._shards, self.shard_numbers(), num_workers=num_workers, progress=progress)

    def prefill_with_bar(self, *, num_workers: int | None = None) -> None:
        """Render what the cache lacks and show how far it is.

        Args:
            num_workers: Processes; None = as many as there are processors.
        """
        numbers = self.shard_numbers()
        if self.num_cached() == len(self):
            return
        with tqdm(total=len(numbers), unit=f'x{ROOMS_PER_SHARD} rooms', desc='rendering') as bar:

            def show(done: int, _total: int) -> None:
                bar.update(done - bar.n)

            workers = (os.cpu_count() or 1) if num_workers is None else num_workers
            self.prefill(num_workers=workers, progress=show)

    def _cached(self, seed: int, view: int) -> RgbdSample | None:
        if self._shards is None:
            return None
        number, row = self._shards.locate(seed, view)
        if not self._shards.is_complete(number):
            return None
        shard = _open_shard(self._shards, number)
        depth = shard.depth_mm[row].astype(np.float32) * np.float32(0.001)
        height, width = self._size
        fx, fy, cx, cy = (float(value) for value in shard.camera[row])
        camera = CameraIntrinsics(width=width, height=height, fx=fx, fy=fy, cx=cx, cy=cy)
        return RgbdSample(image=np.array(shard.rgb[row]), depth=depth, intrinsics=camera)


@lru_cache(maxsize=1024)
def _open_shard(shards: RoomShards, number: int) -> Shard:
    return shards.open(number)
