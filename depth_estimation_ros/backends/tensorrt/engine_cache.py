"""Keeps TensorRT engines, which take minutes to build, where the next start finds them.

An engine is `MODEL-DIGEST.engine` with `MODEL-DIGEST.engine.json` beside it; the digest is that
of the EngineKey. Both appear complete or not at all, and an engine is used only if its sidecar
says that it is the right one and whole. What builds engines comes in by a narrow interface:
nothing here knows TensorRT.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
import hashlib
import logging
import os
from pathlib import Path
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from depth_estimation_ros.backends.tensorrt.engine_facts import Sidecar, read_sidecar, sidecar_path
from depth_estimation_ros.errors import BackendError
from depth_estimation_ros.files.atomic import atomic_write_bytes, atomic_write_text
from depth_estimation_ros.files.lock import file_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
    from depth_estimation_ros.backends.tensorrt.engine_builder import EngineBuilder
    from depth_estimation_ros.backends.tensorrt.engine_facts import EngineKey

__all__ = ['CachedEngine', 'EngineCache', 'default_cache_dir']

_logger = logging.getLogger(__name__)
_POLL_SEC = 0.2
T = TypeVar('T')


@dataclass(frozen=True, kw_only=True)
class CachedEngine(Generic[T]):
    """An engine ready for use.

    Attributes:
        engine: What `accept` made of the bytes.
        path: Its file, None if it is in memory only.
        build_sec: How long it was built for just now [s], None if it came from the cache.
    """

    engine: T
    path: Path | None
    build_sec: float | None


def default_cache_dir() -> Path:
    """Return the user's cache: $XDG_CACHE_HOME or ~/.cache, and our folder in it.

    Raises:
        BackendError: The user has no home.
    """
    base = Path(os.environ.get('XDG_CACHE_HOME', ''))
    if base.is_absolute():  # the standard says: else ignore it
        return base / 'depth_estimation_ros'
    try:
        return Path.home() / '.cache' / 'depth_estimation_ros'
    except RuntimeError as err:
        raise BackendError(f'no folder for engines: {err}; set engine_cache_dir') from err


class EngineCache:
    """A folder of engines, shared by processes.

    Args:
        folder: Made when it is needed; None = the user's cache.
        progress: Told what is done; asked whether to go on.
    """

    def __init__(self, folder: Path | None, progress: BuildProgress) -> None:
        self.folder = folder or default_cache_dir()
        self._progress = progress
        self._is_waiting_told = False

    def path_of(self, builder: EngineBuilder) -> Path:
        """Where the engine of a builder is or will be."""
        name = f'{Path(builder.model_name).stem}-{builder.key.digest}.engine'
        return self.folder / name

    def obtain(
        self, builder: EngineBuilder, accept: Callable[[bytes], T], *, rebuild: bool = False
    ) -> CachedEngine[T]:
        """Take the engine from the folder, or have it built and keep it.

        Args:
            builder: Builds it if it must be.
            accept: Makes something of the bytes; raises BackendError if they are of no use.
            rebuild: Do not take the one in the folder.

        Raises:
            BackendError: It cannot be built, or accept refuses the new one.
            BuildCancelledError: Somebody asked to stop.
        """
        path = self.path_of(builder)
        found = None if rebuild else self._load(path, builder.key, accept)
        if found is not None:
            return found
        with self._lock(path) as has_waited:
            if has_waited:
                found = self._load(path, builder.key, accept)
            return found or self._build(path, builder, accept)

    def _load(
        self, path: Path, key: EngineKey, accept: Callable[[bytes], T]
    ) -> CachedEngine[T] | None:
        """Take an engine, or say what is wrong with it."""
        try:
            data = path.read_bytes()
            sidecar = read_sidecar(path)
        except FileNotFoundError:
            return None
        except OSError as err:
            _logger.warning('%s: cannot be read: %s', path, err.strerror)
            return None
        reason = _why_unusable(data, sidecar, key)
        if not reason:
            try:
                return CachedEngine(engine=accept(data), path=path, build_sec=None)
            except BackendError as err:
                reason = str(err)
        _logger.warning('%s: %s: it is not used', path, reason)
        return None

    def _build(
        self, path: Path, builder: EngineBuilder, accept: Callable[[bytes], T]
    ) -> CachedEngine[T]:
        timings = self.folder / f'timing-{builder.key.machine_digest}.cache'
        started = time.monotonic()
        _logger.info('building the engine of %s, which takes minutes', builder.model_name)
        with self._progress.working_on(f'building the TensorRT engine of {builder.model_name}'):
            built = builder.build(_read_if_there(timings))
        build_sec = time.monotonic() - started
        engine = accept(built.engine)
        sidecar = Sidecar(
            key=builder.key,
            model=builder.model_name,
            engine_sha256=hashlib.sha256(built.engine).hexdigest(),
            engine_bytes=len(built.engine),
            built_at=datetime.now(timezone.utc).isoformat(timespec='seconds'),
            build_sec=round(build_sec, 1),
        )
        is_kept = self._store(path, built.engine, sidecar)
        if is_kept:
            _logger.info('engine built in %.0f s, kept as %s', build_sec, path)
            self._store_timings(timings, built.timing_cache)
        kept_path = path if is_kept else None
        return CachedEngine(engine=engine, path=kept_path, build_sec=build_sec)

    def _store(self, path: Path, engine: bytes, sidecar: Sidecar) -> bool:
        """Write an engine and its sidecar; a folder that takes nothing is no error."""
        try:
            # A sidecar of an older engine must not meet the new one, and an engine without its
            # sidecar is not used: so this order.
            sidecar_path(path).unlink(missing_ok=True)
            atomic_write_bytes(path, engine)
            atomic_write_text(sidecar_path(path), sidecar.to_json())
        except OSError as err:
            self._warn_memory_only(err)
            return False
        return True

    def _store_timings(self, path: Path, timing_cache: bytes) -> None:
        if not timing_cache:
            return
        try:
            atomic_write_bytes(path, timing_cache)
        except OSError as err:
            _logger.warning('%s: not written: %s', path, err.strerror)

    @contextmanager
    def _lock(self, path: Path) -> Iterator[bool]:
        """Let one process at a time build an engine; yields whether another one just did."""
        lock = file_lock(path.with_suffix('.lock'), wait=self._wait)
        with ExitStack() as stack:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with self._progress.working_on(f'another process builds {path.name}: waiting'):
                    has_waited = stack.enter_context(lock)
                _remove_leftovers(path)
            except OSError as err:
                _logger.debug('%s: no lock: %s', path, err)
                has_waited = False
            yield has_waited

    def _wait(self, holder: str) -> None:
        if not self._is_waiting_told:
            _logger.info('%s (process %s)', self._progress.task, holder or 'unknown')
            self._is_waiting_told = True
        self._progress.wait(_POLL_SEC)

    def _warn_memory_only(self, err: OSError) -> None:
        _logger.warning(
            '%s: %s: the engine is kept in memory only and will be built again at the next start; '
            'make room there, or set engine_cache_dir to a folder that can be written',
            err.filename or self.folder,
            err.strerror,
        )


def _why_unusable(data: bytes, sidecar: Sidecar | None, key: EngineKey) -> str:
    """Say why bytes from the folder are not the engine of a key, '' if they are."""
    if sidecar is None:
        return 'has no readable sidecar'
    if not sidecar.describes(data):
        return f'is not the {sidecar.engine_bytes} bytes that were written'
    if sidecar.key != key:
        return f'is another engine ({"; ".join(sidecar.key.differences(key))})'
    return ''


def _remove_leftovers(path: Path) -> None:
    """Remove what a killed builder of the same engine left; the lock is held."""
    for leftover in path.parent.glob(f'.{path.stem}*.tmp*'):
        leftover.unlink(missing_ok=True)


def _read_if_there(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b''
