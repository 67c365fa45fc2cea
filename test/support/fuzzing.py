"""Damaged inputs by the thousand: hypothesis chooses the damage, a reader what it makes of it.

`make test` tries about 10,000 inputs, always the same; `make fuzz` (DEPTH_FUZZ_INPUTS) tries
many more, other ones each time, and keeps what fails in test/fuzz/corpus, which `make test` reads
from then on. A reader may return or raise a DepthEstimationError; it may not raise anything else
nor take more memory than MAX_GROWTH_MB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import os
from pathlib import Path
import resource
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from depth_estimation_ros.errors import DepthEstimationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ['NASTY', 'Damaged', 'damaged', 'fuzz']

_CORPUS: Final = Path(__file__).parents[1] / 'fuzz' / 'corpus'
MAX_GROWTH_MB: Final = 700  # an image may have 2**26 pixels, which take 9 bytes each to decode
_DEFAULT_INPUTS: Final = 10_000
_IS_DEFAULT: Final = 'DEPTH_FUZZ_INPUTS' not in os.environ
_TOTAL_INPUTS: Final = int(os.environ.get('DEPTH_FUZZ_INPUTS', _DEFAULT_INPUTS))
_EXTREMES: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF)

# Texts that parsers stumble over.
NASTY: Final = (
    '', ' ', '\0', 'NaN', '-inf', '1e999', '-1', '0', '9' * 5000, '[' * 100_000, '{"a":' * 5000,
    '{}', '[]', 'null', 'true', '\ud800', '&a [*a, *a]', '!!python/object/apply:os.mkdir [x]',
    '\u202e', '1_0', '- ' * 5000,
)  # fmt: skip


@dataclass
class Outcomes:
    """What became of the inputs of one reader: a test prints it."""

    num_read: int = 0
    num_refused: int = 0
    longest_sec: float = 0.0
    cpu_sec: float = 0.0

    @property
    def num_inputs(self) -> int:
        """All of them."""
        return self.num_read + self.num_refused

    def __str__(self) -> str:
        return (
            f'{self.num_inputs} inputs: {self.num_read} read, {self.num_refused} refused, '
            f'{self.cpu_sec:.1f} s of CPU, the longest {self.longest_sec:.2f} s'
        )


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """A file with changes to be made: hypothesis keeps for good whatever it draws."""

    seed: bytes = field(repr=False)
    changes: tuple[tuple[str, int, int], ...]

    def data(self) -> bytes:
        """Make the changes."""
        data = bytearray(self.seed)
        for kind, place, value in self.changes:
            _CHANGES[kind](data, place % max(1, len(data)), value)
        return bytes(data)


def num_inputs(per_mille: int) -> int:
    """Return a reader's part of all inputs."""
    return max(1, _TOTAL_INPUTS * per_mille // 1000)


def fuzz(
    name: str, inputs: st.SearchStrategy[Any], read: Callable[[Any], object], *, per_mille: int
) -> None:
    """Give a reader what once failed, then its part of all inputs.

    Args:
        name: Of the reader, and of its folder in the corpus.
        inputs: Draws them; the reader of a Damaged is given its data.
        read: Is given one; returns or raises a DepthEstimationError.
        per_mille: Its part.

    Raises:
        AssertionError: Memory grew beyond the bound.
        Exception: Whatever else the reader raised.
    """
    outcomes = Outcomes()
    for file in sorted((_CORPUS / name).glob('*')):
        _try(read, file.read_bytes(), outcomes)

    @settings(
        max_examples=num_inputs(per_mille),
        deadline=None,
        derandomize=_IS_DEFAULT,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def try_one(drawn: Any) -> None:
        data = drawn.data() if isinstance(drawn, Damaged) else drawn
        try:
            _try(read, data, outcomes)
        except BaseException:
            if not _IS_DEFAULT and isinstance(data, bytes):
                _keep(name, data)
            raise

    try_one()
    sys.stdout.write(f'{name}: {outcomes}\n')  # pytest -rP shows it


def damaged(seeds: Sequence[bytes], *, max_changes: int = 6) -> st.SearchStrategy[Damaged]:
    """Draw files that differ in a few places from one of the seeds."""
    places = st.integers(0, 2**31)
    change = st.tuples(st.sampled_from(sorted(_CHANGES)), places, st.integers(0, 255))
    return st.tuples(
        st.integers(0, len(seeds) - 1), st.lists(change, min_size=1, max_size=max_changes)
    ).map(lambda drawn: Damaged(seed=seeds[drawn[0]], changes=tuple(drawn[1])))


def _try(read: Callable[[Any], object], data: Any, outcomes: Outcomes) -> None:
    before = _peak_mb()
    started = time.process_time()
    try:
        read(data)
    except DepthEstimationError:
        outcomes.num_refused += 1
    else:
        outcomes.num_read += 1
    taken = time.process_time() - started
    outcomes.longest_sec = max(outcomes.longest_sec, taken)
    outcomes.cpu_sec += taken
    grown = _peak_mb() - before
    assert grown < MAX_GROWTH_MB, f'memory grew by {grown:.0f} MB'


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _keep(name: str, data: bytes) -> None:
    """Write down what failed; hypothesis shrinks it, and the last one is the smallest."""
    folder = _CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'found').write_bytes(data)


def _flip(data: bytearray, place: int, value: int) -> None:
    if data:
        data[place] ^= 1 << value % 8


def _set(data: bytearray, place: int, value: int) -> None:
    if data:
        data[place] = value


def _claim(data: bytearray, place: int, value: int) -> None:
    """Put an extreme number where a length may be."""
    number = _EXTREMES[value % len(_EXTREMES)]
    width = (2, 4, 8)[value // 8 % 3]
    order = 'big' if value & 0x80 else 'little'
    mask = (1 << 8 * width) - 1
    data[place : place + width] = (number & mask).to_bytes(width, order)  # type: ignore[arg-type]


def _cut(data: bytearray, place: int, value: int) -> None:
    del data[place : place + value + 1]


def _truncate(data: bytearray, place: int, _value: int) -> None:
    del data[place:]


def _repeat(data: bytearray, place: int, value: int) -> None:
    data[place:place] = data[place : place + value + 1]


def _insert(data: bytearray, place: int, value: int) -> None:
    data[place:place] = bytes([value]) * (value % 16 + 1)


_CHANGES: Final[dict[str, Callable[[bytearray, int, int], None]]] = {
    'flip': _flip,
    'set': _set,
    'claim': _claim,
    'cut': _cut,
    'truncate': _truncate,
    'repeat': _repeat,
    'insert': _insert,
}
