"""The cache of engines with real files, damaged and foreign ones; only the builder is fake."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
import resource
from typing import Any

from fake_builder import KEY, FakeBuilder, obtain, other_key
import pytest

from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
from depth_estimation_ros.backends.tensorrt.engine_cache import EngineCache, default_cache_dir
from depth_estimation_ros.backends.tensorrt.engine_facts import read_sidecar, sha256_of_file
from depth_estimation_ros.errors import BackendError


def test_an_engine_is_built_once_and_found_afterwards(tmp_path: Path) -> None:
    builder = FakeBuilder()
    built = obtain(tmp_path, builder)
    found = obtain(tmp_path, builder)
    assert builder.num_builds == 1
    assert built.engine == found.engine
    assert built.path == found.path == tmp_path / f'room-{KEY.digest}.engine'
    assert (built.build_sec is None, found.build_sec) == (False, None)


def test_the_sidecar_says_everything_in_clear(tmp_path: Path) -> None:
    path = obtain(tmp_path, FakeBuilder()).path
    assert path is not None
    told = json.loads(Path(f'{path}.json').read_text(encoding='utf-8'))
    assert told['key']['gpu'] == 'Orin'
    assert told['key']['tensorrt'] == '10.3.0'
    assert told['model'] == 'room.onnx'
    assert told['engine_bytes'] == 1000
    assert told['engine_sha256'] == sha256_of_file(path)
    sidecar = read_sidecar(path)
    assert sidecar is not None
    assert sidecar.key == KEY


@pytest.mark.parametrize(
    'change',
    [
        {'model_sha256': 'cd' * 32},
        {'batch_size': 2},
        {'tensorrt': '10.3.1'},
        {'gpu': 'Orin Nano'},
        {'compute_capability': '8.9'},
        {'cuda_driver': '13.0'},
        {'max_workspace_mb': 512},
        {'dla_core': 0},
        {'hardware_compatibility': 'ampere_plus'},
        {'tf32': False},
    ],
    ids=str,
)
def test_another_value_of_any_fact_needs_another_engine(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    first, second = FakeBuilder(), FakeBuilder(key=other_key(**change))
    obtain(tmp_path, first)
    obtain(tmp_path, second)
    assert (first.num_builds, second.num_builds) == (1, 1)
    assert len(list(tmp_path.glob('*.engine'))) == 2


def test_rebuild_builds_though_there_is_one(tmp_path: Path) -> None:
    builder = FakeBuilder()
    first = obtain(tmp_path, builder)
    second = obtain(tmp_path, builder, rebuild=True)
    assert builder.num_builds == 2
    assert first.engine != second.engine
    assert obtain(tmp_path, builder).engine == second.engine


def damage(kind: str, engine: Path) -> None:
    sidecar = Path(f'{engine}.json')
    if kind == 'truncated':
        engine.write_bytes(engine.read_bytes()[:500])
    elif kind == 'empty':
        engine.write_bytes(b'')
    elif kind == 'flipped':
        data = bytearray(engine.read_bytes())
        data[400] ^= 1
        engine.write_bytes(data)
    elif kind == 'no sidecar':
        sidecar.unlink()
    elif kind == 'damaged sidecar':
        sidecar.write_bytes(b'{"format": 1, "key": \xff')
    elif kind == 'sidecar that lacks something':
        sidecar.write_text('{"format": 1, "key": {}}', encoding='utf-8')
    elif kind == 'newer sidecar':
        sidecar.write_text('{"format": 2}', encoding='utf-8')
    elif kind == 'a folder':
        engine.unlink()
        engine.mkdir()


@pytest.mark.parametrize(
    ('kind', 'message'),
    [
        ('truncated', 'is not the 1000 bytes that were written'),
        ('empty', 'is not the 1000 bytes that were written'),
        ('flipped', 'is not the 1000 bytes that were written'),
        ('no sidecar', 'has no readable sidecar'),
        ('damaged sidecar', 'has no readable sidecar'),
        ('sidecar that lacks something', 'has no readable sidecar'),
        ('newer sidecar', 'has no readable sidecar'),
        ('a folder', 'Is a directory'),
    ],
)
def test_a_damaged_engine_is_built_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, message: str
) -> None:
    builder = FakeBuilder()
    path = obtain(tmp_path, builder).path
    assert path is not None
    damage(kind, path)
    again = obtain(tmp_path, builder)
    assert builder.num_builds == 2
    assert len(again.engine) == 1000
    assert message in caplog.text
    if kind != 'a folder':
        assert obtain(tmp_path, builder).engine == again.engine
        assert builder.num_builds == 2


def test_an_engine_of_another_gpu_under_this_name_is_built_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    foreign, builder = FakeBuilder(key=other_key(gpu='A100')), FakeBuilder()
    wrong, right = (EngineCache(tmp_path, BuildProgress()).path_of(b) for b in (foreign, builder))
    obtain(tmp_path, foreign)
    wrong.rename(right)
    Path(f'{wrong}.json').rename(f'{right}.json')
    obtain(tmp_path, builder)
    assert builder.num_builds == 1
    assert 'is another engine (gpu A100, here Orin)' in caplog.text


def test_an_engine_that_tensorrt_refuses_is_built_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    builder = FakeBuilder()
    first = obtain(tmp_path, builder)

    def refuse_the_first(data: bytes) -> bytes:
        if data == first.engine:
            raise BackendError('made by another TensorRT')
        return data

    cache = EngineCache(tmp_path, BuildProgress())
    assert cache.obtain(builder, refuse_the_first).engine != first.engine
    assert builder.num_builds == 2
    assert 'made by another TensorRT' in caplog.text


def test_a_new_engine_that_tensorrt_refuses_is_an_error_and_not_kept(tmp_path: Path) -> None:
    def refuse(data: bytes) -> bytes:
        raise BackendError(f'{len(data)} bytes are too many')

    with pytest.raises(BackendError, match='1000 bytes are too many'):
        EngineCache(tmp_path, BuildProgress()).obtain(FakeBuilder(), refuse)
    assert not list(tmp_path.glob('*.engine*'))


def test_a_failed_build_leaves_nothing_and_frees_the_lock(tmp_path: Path) -> None:
    def fail() -> None:
        raise BackendError('out of memory')

    with pytest.raises(BackendError, match='out of memory'):
        obtain(tmp_path, FakeBuilder(before=fail))
    assert [path.suffix for path in tmp_path.iterdir()] == ['.lock']
    assert obtain(tmp_path, FakeBuilder()).build_sec is not None


def test_what_a_build_learned_is_given_to_the_next(tmp_path: Path) -> None:
    builder, other = FakeBuilder(), FakeBuilder(key=other_key(batch_size=2))
    elsewhere = FakeBuilder(key=other_key(gpu='A100'))
    for item in (builder, other, elsewhere):
        obtain(tmp_path, item)
    assert builder.timing_caches == [b'']
    assert other.timing_caches == [b't']
    assert elsewhere.timing_caches == [b'']


def test_a_folder_that_cannot_be_made_means_an_engine_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / 'file').write_text('in the way', encoding='utf-8')
    found = obtain(tmp_path / 'file' / 'cache', FakeBuilder())
    assert found.path is None
    assert len(found.engine) == 1000
    assert 'Not a directory: the engine is kept in memory only' in caplog.text
    assert 'set engine_cache_dir' in caplog.text


def test_a_full_disk_means_an_engine_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        found = obtain(tmp_path, FakeBuilder(num_bytes=100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (found.path, len(found.engine)) == (None, 100_000)
    assert 'the engine is kept in memory only' in caplog.text
    assert [path.suffix for path in tmp_path.iterdir()] == ['.lock']


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_read_only_folder_means_an_engine_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o555)
    assert obtain(tmp_path, FakeBuilder()).path is None
    assert 'Permission denied: the engine is kept in memory only' in caplog.text


def test_the_folder_is_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert default_cache_dir() == tmp_path / 'depth_estimation_ros'
    monkeypatch.setenv('XDG_CACHE_HOME', 'relative/is/ignored')
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    assert default_cache_dir() == tmp_path / 'home/.cache/depth_estimation_ros'
    monkeypatch.delenv('XDG_CACHE_HOME')
    assert default_cache_dir() == tmp_path / 'home/.cache/depth_estimation_ros'


def test_what_is_built_is_told_while_it_is_built(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    progress = BuildProgress()
    told: list[str] = []
    builder = FakeBuilder(before=lambda: told.append(progress.description))
    EngineCache(tmp_path, progress).obtain(builder, bytes)
    assert told[0].startswith('building the TensorRT engine of room.onnx: ')
    assert progress.description == ''
    assert 'engine built in 0 s, kept as ' in caplog.text
