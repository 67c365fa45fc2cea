"""Builds "engines" for tests of the cache: bytes that name their key. Also runs as a process.

`python fake_builder.py FOLDER [STOP_AT]` obtains one engine. It prints `building` and then waits
for a line on stdin; at the end it prints `built` or `found`. STOP_AT names a moment of the
writing (`open`, `rename engine`, `rename sidecar`) at which it prints `stopped` and hangs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
import logging
from pathlib import Path
import sys
import time
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
from depth_estimation_ros.backends.tensorrt.engine_builder import BuiltEngine
from depth_estimation_ros.backends.tensorrt.engine_cache import CachedEngine, EngineCache
from depth_estimation_ros.backends.tensorrt.engine_facts import EngineKey
from depth_estimation_ros.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = EngineKey(
    model_sha256='ab' * 32,
    batch_size=1,
    height=192,
    width=256,
    tensorrt='10.3.0',
    gpu='Orin',
    compute_capability='8.7',
    cuda_driver='12.6',
    max_workspace_mb=0,
    dla_core=-1,
    hardware_compatibility='none',
    tf32=True,
)


@dataclass
class FakeBuilder:
    """Counts its builds; each engine is different, as real ones are."""

    key: EngineKey = KEY
    model_name: str = 'room.onnx'
    num_bytes: int = 1000
    before: Callable[[], object] = lambda: None
    timing_caches: list[bytes] = field(default_factory=list)

    def build(self, timing_cache: bytes) -> BuiltEngine:
        self.timing_caches.append(timing_cache)
        self.before()
        header = f'{self.key.digest} build {len(self.timing_caches)} at {time.time_ns()}\n'
        engine = header.encode('ascii').ljust(self.num_bytes, b'e')
        return BuiltEngine(engine=engine, timing_cache=timing_cache + b't')

    @property
    def num_builds(self) -> int:
        return len(self.timing_caches)


def accept(data: bytes) -> bytes:
    """Stand for TensorRT, which takes what was built for this machine."""
    if not data.startswith(KEY.digest[:4].encode('ascii')) and not data.endswith(b'e'):
        raise BackendError('TensorRT cannot read it')
    return data


def obtain(folder: Path, builder: FakeBuilder, *, rebuild: bool = False) -> CachedEngine[bytes]:
    return EngineCache(folder, BuildProgress()).obtain(builder, accept, rebuild=rebuild)


def other_key(**changes: Any) -> EngineKey:
    return replace(KEY, **changes)


def _stop_at(moment: str) -> None:
    event, _, part = moment.partition(' ')
    audited = {'open': 'open', 'rename': 'os.rename'}[event]
    suffix = {'sidecar': '.json', 'engine': '.engine', '': '.engine'}[part]

    def hook(name: str, args: tuple[Any, ...]) -> None:
        path = str(args[0]) if args else ''
        if name == audited and '.tmp' in path and path.endswith(suffix):
            _say('stopped')
            time.sleep(3600.0)

    sys.addaudithook(hook)


def _say(text: str) -> None:
    sys.stdout.write(f'{text}\n')
    sys.stdout.flush()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format='log: %(message)s', stream=sys.stdout)
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        _stop_at(sys.argv[2])

    def before() -> None:
        _say('building')
        sys.stdin.readline()

    found = obtain(folder, FakeBuilder(before=before))
    _say('found' if found.build_sec is None else 'built')


if __name__ == '__main__':
    main()
