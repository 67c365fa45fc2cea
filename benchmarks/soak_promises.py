"""What a soak run is measured by and what it promises, and whether a run has kept it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
import os
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_GROWTH_MB = 1.0  # of the node's memory, for every 10,000 frames
# For every cycle of the node, each of which loads its model anew: the heap then differs by 3 MB
# either way, the smallest thing that may be left behind, an image, has 1 MB.
MAX_CYCLE_GROWTH_MB = 0.5
MAX_P99_RATIO = 1.2  # of the last minute to the first
MAX_MISSING = 0.05  # share of the frames sent that may be lost on the way to a best effort node
MIN_FRAMES = 10_000  # fewer say nothing of what a frame leaves behind
BUSY = 0.1  # share of the processors taken by others, from which on times say nothing
IN_FLIGHT = 2  # one frame may wait and one be worked at when a counter is read


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The node's process at one moment."""

    time_sec: float  # monotonic
    rss_mb: float
    num_descriptors: int
    num_frames: int  # depth images heard so far
    busy_by_others: float  # share of the processors since the sample before [0..1]


@dataclass(frozen=True, kw_only=True)
class Activation:
    """What became of the frames between an activation of the node and the next."""

    num_sent: int  # by the camera, from the first frame that became depth to the last
    received: int  # by the node, as it says, over the same frames
    processed: int  # as the node says, since the activation
    dropped: int
    received_in_all: int
    heard: int  # stats that came here

    @property
    def unaccounted(self) -> int:
        """Frames the node received that became neither depth nor a count, or depth not heard."""
        open_frames = self.received_in_all - self.processed - self.dropped
        return max(0, open_frames - IN_FLIGHT, -open_frames) + abs(self.processed - self.heard)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A whole run; spans are (start, end) on the monotonic clock [s]."""

    first: tuple[float, float]
    calm: tuple[float, float]  # the end of the steady frames that `first` begins
    last: tuple[float, float]
    samples: tuple[Sample, ...]
    latencies: tuple[tuple[float, float], ...]  # (time heard, total time of the frame) [s]
    activations: tuple[Activation, ...]
    num_cycles: int
    num_changes: int
    failures: tuple[str, ...]  # requests that were refused, processes that ended badly


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One promise: its figure, its limit, and None where the run cannot tell."""

    promise: str
    value: float
    limit: float
    kept: bool | None
    note: str = ''

    def __str__(self) -> str:
        word = {True: 'kept', False: 'BROKEN', None: 'not judged'}[self.kept]
        note = f' ({self.note})' if self.note else ''
        return f'{word:10}  {self.promise}: {self.value:.3f}, limit {self.limit:g}{note}'


class OtherWork:
    """How much of the processors' time goes to processes that are not of this run."""

    def __init__(self, pids: tuple[int, ...]) -> None:
        self._pids = pids
        self._last = self._read()

    def share(self) -> float:
        """Return the share since the call before [0..1]."""
        last, self._last = self._last, self._read()
        total, busy, own = (now - before for now, before in zip(self._last, last, strict=True))
        return min(1.0, max(0.0, (busy - own) / total)) if total > 0 else 0.0

    def _read(self) -> tuple[int, int, int]:
        ticks = [int(part) for part in Path('/proc/stat').read_text().split('\n')[0].split()[1:9]]
        return sum(ticks), sum(ticks) - ticks[3] - ticks[4], sum(map(_cpu_ticks, self._pids))


def activations_of(stats: Sequence[Any], sent_ns: Sequence[int]) -> tuple[Activation, ...]:
    """Cut the DepthStats where the node's counters begin anew.

    Args:
        stats: Heard, in their order.
        sent_ns: Stamps of the camera's frames.
    """
    groups: list[list[Any]] = []
    for item in stats:
        if not groups or item.frames_processed <= groups[-1][-1].frames_processed:
            groups.append([])
        groups[-1].append(item)
    return tuple(_activation(group, sent_ns) for group in groups)


def stamp_ns(message: Any) -> int:
    """Return the stamp of a message with a header."""
    stamp = message.header.stamp
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process [MB]."""
    pages = int(Path(f'/proc/{pid}/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6


def judge(run: Run, *, is_timed: bool = True) -> list[Verdict]:
    """Hold a run against every promise.

    Args:
        run: What was seen.
        is_timed: Judge also what others on the machine can change: times, and frames lost on the
            way.
    """
    first, calm, last = (_within(run.samples, span) for span in (run.first, run.calm, run.last))
    num_frames = max(1, calm[-1].num_frames - first[0].num_frames)
    growth = _median_rss(calm) - _median_rss(first)
    cycle_growth = (_median_rss(last) - _median_rss(calm)) / max(1, run.num_cycles)
    sent = sum(item.num_sent for item in run.activations)
    missing = sum(max(0, item.num_sent - item.received) for item in run.activations)
    unaccounted = sum(item.unaccounted for item in run.activations)
    descriptors = max(item.num_descriptors for item in last) - max(
        item.num_descriptors for item in first
    )
    busy = max(median(item.busy_by_others for item in span) for span in (first, last))
    too_few = f'only {num_frames} frames, {MIN_FRAMES} tell' if num_frames < MIN_FRAMES else ''
    too_busy = f'others took {100.0 * busy:.0f} % of the processors' if busy > BUSY else ''
    untimed = too_busy if is_timed else 'times are not judged'
    p99_ratio = _p99_of(run, run.last) / _p99_of(run, run.first)
    lost = missing / max(1, sent)
    return [
        _at_most(
            'memory growth [MB/10,000 frames]', growth * 1e4 / num_frames, MAX_GROWTH_MB, too_few
        ),
        _at_most('memory growth [MB/lifecycle cycle]', cycle_growth, MAX_CYCLE_GROWTH_MB),
        _at_most('descriptors gained', descriptors, 0),
        _at_most('p99 of a frame, last span to first', p99_ratio, MAX_P99_RATIO, untimed),
        _at_most('frames neither delivered nor counted', unaccounted, 0),
        _at_most('share lost on the way to the node', lost, MAX_MISSING, untimed),
        _at_most('requests refused', len(run.failures), 0),
    ]


def report(run: Run, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return everything worth keeping, ready for JSON."""
    return {
        'minutes': (run.samples[-1].time_sec - run.samples[0].time_sec) / 60.0,
        'frames': run.samples[-1].num_frames,
        'lifecycle_cycles': run.num_cycles,
        'parameter_changes': run.num_changes,
        'busy_by_others': median(item.busy_by_others for item in run.samples),
        'p99_ms': {'first': 1e3 * _p99_of(run, run.first), 'last': 1e3 * _p99_of(run, run.last)},
        'promises': [asdict(verdict) for verdict in verdicts],
        'failures': list(run.failures),
        'spans_sec': {'first': run.first, 'calm': run.calm, 'last': run.last},  # as time_sec
        'activations': [asdict(item) for item in run.activations],
        'latencies_sec': run.latencies,  # (time heard, total time of the frame)
        'samples': [asdict(sample) for sample in run.samples],
    }


def draw(run: Run, path: Path) -> None:
    """Draw memory, descriptors and latency over the run as a PNG."""
    from matplotlib.figure import Figure

    start = run.samples[0].time_sec
    minutes = [(item.time_sec - start) / 60.0 for item in run.samples]
    figure = Figure(figsize=(9.0, 6.5), layout='constrained')
    memory, descriptors, latency = figure.subplots(3, 1, sharex=True)
    memory.plot(minutes, [item.rss_mb for item in run.samples])
    memory.set_ylabel('resident memory [MB]')
    descriptors.plot(minutes, [item.num_descriptors for item in run.samples])
    descriptors.set_ylabel('open descriptors')
    times = np.array(run.latencies).reshape(-1, 2)
    latency.semilogy((times[:, 0] - start) / 60.0, 1e3 * times[:, 1], '.', markersize=1)
    latency.set_ylabel('time of a frame [ms]')
    latency.set_xlabel('minutes')
    for axes in (memory, descriptors):
        axes.set_ylim(bottom=0.0)
    for axes in (memory, descriptors, latency):
        axes.set_xlim(0.0, minutes[-1])
        axes.grid(visible=True, alpha=0.3)
        for begin, end in (run.first, run.calm, run.last):
            axes.axvspan(
                (begin - start) / 60.0, (end - start) / 60.0, color='tab:orange', alpha=0.2
            )
    figure.suptitle(
        f'The node over {run.samples[-1].num_frames:,} frames, {run.num_cycles} lifecycle cycles '
        f'and {run.num_changes} parameter changes\n'
        'orange: the spans compared, without cycles and changes'
    )
    figure.savefig(path, dpi=100)


def _cpu_ticks(pid: int) -> int:
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return int(fields[11]) + int(fields[12])


def _activation(group: Sequence[Any], sent_ns: Sequence[int]) -> Activation:
    first, last = group[0], group[-1]
    begin, end = stamp_ns(first), stamp_ns(last)
    return Activation(
        num_sent=sum(begin < stamp <= end for stamp in sent_ns),
        received=last.frames_received - first.frames_received,
        processed=last.frames_processed,
        dropped=last.frames_dropped,
        received_in_all=last.frames_received,
        heard=len(group),
    )


def _at_most(promise: str, value: float, limit: float, excuse: str = '') -> Verdict:
    """Judge; a limit that is passed under circumstances that explain it breaks no promise."""
    kept = True if value <= limit else (None if excuse else False)
    return Verdict(promise=promise, value=float(value), limit=limit, kept=kept, note=excuse)


def _p99_of(run: Run, span: tuple[float, float]) -> float:
    times = [total for heard, total in run.latencies if span[0] <= heard <= span[1]]
    return float(np.percentile(times, 99)) if times else float('nan')


def _within(samples: Sequence[Sample], span: tuple[float, float]) -> list[Sample]:
    return [item for item in samples if span[0] <= item.time_sec <= span[1]]


def _median_rss(samples: Sequence[Sample]) -> float:
    return median(item.rss_mb for item in samples)
