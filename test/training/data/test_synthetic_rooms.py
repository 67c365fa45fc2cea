"""The data set of rooms and its cache on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from torch.utils.data import DataLoader

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.rooms import render_room
from depth_estimation_ros.rooms import shards as shards_module
from depth_estimation_ros.rooms.shards import RoomShards, fill_shards
from depth_estimation_ros.training.data import synthetic_rooms
from depth_estimation_ros.training.data.mixture import Mixture
from depth_estimation_ros.training.data.synthetic_rooms import SyntheticRooms, default_training_fx

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (24, 40)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (shards_module, synthetic_rooms):
        monkeypatch.setattr(module, 'ROOMS_PER_SHARD', 3)


def test_an_item_holds_what_the_renderer_gives() -> None:
    rooms = SyntheticRooms(4, first_seed=10, views_per_room=2, size=SIZE)
    assert len(rooms) == 8
    item = rooms[5]  # room 12, view 1
    view = render_room(12, view=1, size=SIZE)
    assert item['image'].dtype == np.uint8
    assert item['image'].shape == (3, 24, 40)
    np.testing.assert_array_equal(item['image'], view.rgb.transpose(2, 0, 1))
    assert item['depth'].dtype == np.float32
    np.testing.assert_array_equal(item['depth'], view.depth)
    k = view.intrinsics
    np.testing.assert_allclose(item['intrinsics'], [k.fx, k.fy, k.cx, k.cy], rtol=1e-6)


def test_the_default_canonical_focal_length_belongs_to_sixty_degrees() -> None:
    assert default_training_fx(256) == pytest.approx(220.16)
    assert SyntheticRooms(1, size=(192, 256)).training_fx == pytest.approx(220.16)
    assert SyntheticRooms(1, size=(192, 256), training_fx=300.0).training_fx == 300.0


def test_a_cached_item_equals_a_rendered_one_to_the_millimetre(tmp_path: Path) -> None:
    cached = SyntheticRooms(4, first_seed=1, size=SIZE, cache_dir=tmp_path)
    assert cached.num_cached() == 0
    calls: list[tuple[int, int]] = []
    cached.prefill(num_workers=0, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(0, 2), (1, 2), (2, 2)]  # shards 0..2 and 3..5
    assert cached.num_cached() == 4
    fresh = SyntheticRooms(4, first_seed=1, size=SIZE)
    for index in range(4):
        np.testing.assert_array_equal(cached[index]['image'], fresh[index]['image'])
        np.testing.assert_allclose(cached[index]['depth'], fresh[index]['depth'], atol=5.1e-4)
        np.testing.assert_allclose(cached[index]['intrinsics'], fresh[index]['intrinsics'])


def test_what_the_cache_lacks_is_rendered(tmp_path: Path) -> None:
    store = RoomShards(folder=tmp_path, size=SIZE)
    store.fill(0)
    rooms = SyntheticRooms(5, size=SIZE, cache_dir=tmp_path)
    assert rooms.num_cached() == 3
    np.testing.assert_array_equal(
        rooms[4]['image'], render_room(4, size=SIZE).rgb.transpose(2, 0, 1)
    )


def test_prefill_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    store = RoomShards(folder=tmp_path, size=SIZE)

    def stop(done: int, total: int) -> None:
        if done == 1 and total == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill_shards(store, range(3), num_workers=0, progress=stop)
    # An interruption while a shard is written leaves it out, not half there.
    (store.root / 'rgb_00000001.npy').write_bytes(b'half')
    assert [store.is_complete(number) for number in range(3)] == [True, False, False]
    finished = (store.root / 'rgb_00000000.npy').stat().st_mtime_ns
    fill_shards(store, range(3), num_workers=0)
    assert all(store.is_complete(number) for number in range(3))
    assert (store.root / 'rgb_00000000.npy').stat().st_mtime_ns == finished  # not rendered again
    assert store.open(1).rgb.shape == (3, 24, 40, 3)
    assert not list(store.root.glob('*.tmp'))


def test_a_damaged_shard_is_refused_by_name(tmp_path: Path) -> None:
    store = RoomShards(folder=tmp_path, size=(24, 32))
    store.fill(0)
    rgb = store.root / 'rgb_00000000.npy'
    rgb.write_bytes(rgb.read_bytes()[:1000])
    with pytest.raises(DataError, match=r'rgb_00000000\.npy: damaged, or no shard of rooms'):
        store.open(0)
    np.save(rgb, np.zeros((1, 24, 32, 3), np.uint8))
    with pytest.raises(DataError, match=r'rgb_00000000\.npy: .*\(1, 24, 32, 3\) uint8, expected'):
        store.open(0)


def test_worker_processes_fill_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards_module, 'ROOMS_PER_SHARD', 100)  # as the workers have it
    store = RoomShards(folder=tmp_path, size=(6, 10))
    fill_shards(store, [2], num_workers=1)
    shard = store.open(2)
    view = render_room(207, size=(6, 10))
    np.testing.assert_array_equal(shard.rgb[7], view.rgb)
    np.testing.assert_allclose(shard.depth_mm[7] * 0.001, view.depth, atol=5.1e-4)


def test_loader_workers_read_the_cache(tmp_path: Path) -> None:
    rooms = SyntheticRooms(3, size=SIZE, cache_dir=tmp_path)
    rooms.prefill(num_workers=0)
    loader = DataLoader(Mixture.of(rooms), batch_size=3, num_workers=1)
    batch = next(iter(loader))
    assert batch['image'].shape == (3, 3, 24, 40)
    assert batch['depth'].shape == (3, 24, 40)


@pytest.mark.parametrize(
    ('num_rooms', 'views_per_room', 'first_seed', 'message'),
    [(0, 1, 0, 'num_rooms=0'), (1, 0, 0, 'views_per_room=0'), (1, 1, -1, 'first_seed=-1')],
)
def test_senseless_counts_are_refused(
    num_rooms: int, views_per_room: int, first_seed: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        SyntheticRooms(num_rooms, views_per_room=views_per_room, first_seed=first_seed)


def test_an_item_beyond_the_end_is_an_index_error() -> None:
    with pytest.raises(IndexError, match='item 2 of 2'):
        SyntheticRooms(2, size=SIZE)[2]


def test_prefilling_without_a_folder_is_refused() -> None:
    with pytest.raises(ValueError, match='cache_dir=None'):
        SyntheticRooms(2, size=SIZE).prefill()


def test_prefilling_with_a_bar_says_how_far_it_is_and_then_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rooms = SyntheticRooms(4, first_seed=1, size=SIZE, cache_dir=tmp_path)
    assert rooms.has_cache
    assert not SyntheticRooms(4, size=SIZE).has_cache
    rooms.prefill_with_bar(num_workers=0)
    assert '2/2' in capsys.readouterr().err
    assert rooms.num_cached() == 4
    rooms.prefill_with_bar(num_workers=0)
    assert capsys.readouterr().err == ''
