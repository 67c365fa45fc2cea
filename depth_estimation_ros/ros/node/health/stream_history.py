"""What happened to a camera's frames of late: its counters, looked at again and again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import math
import statistics
from typing import TYPE_CHECKING

from depth_estimation_ros.ros.node.health.degradation import StreamWindow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from depth_estimation_ros.ros.node.health.stream_state import FrameCost, StreamState

LONGEST_SEC = 10.0
SHORTEST_SEC = 5.0  # of a window that tells anything


@dataclass(frozen=True, kw_only=True)
class _Look:
    """The counters at one moment, and the newest frame's figures if it is new."""

    at_sec: float
    received: int
    processed: int
    rejected: int
    skipped: int
    cost: FrameCost | None


class StreamHistory:
    """Keeps the looks of the last seconds at one stream, since its activation."""

    def __init__(self) -> None:
        self._state: StreamState | None = None
        self._looks: deque[_Look] = deque()
        self._best_inference_sec = math.inf

    def look(self, now_sec: float, state: StreamState) -> StreamWindow | None:
        """Look once more.

        Args:
            now_sec: of a clock that never goes back.
            state: of the stream; another object begins anew.

        Returns:
            None before there is enough to tell.
        """
        if state is not self._state:
            self._state, self._best_inference_sec = state, math.inf
            self._looks.clear()
        is_new = bool(self._looks) and state.processed > self._looks[-1].processed
        look = _Look(
            at_sec=now_sec,
            received=state.received,
            processed=state.processed,
            rejected=state.rejected,
            skipped=state.skipped,
            cost=state.cost if is_new else None,
        )
        self._looks.append(look)
        while now_sec - self._looks[0].at_sec > LONGEST_SEC:
            self._looks.popleft()
        return self._window(state.rejection)

    def _window(self, rejection: str) -> StreamWindow | None:
        first, last = self._looks[0], self._looks[-1]
        if last.at_sec - first.at_sec < SHORTEST_SEC:
            return None
        costs = [look.cost for look in self._looks if look.cost is not None]
        inference_sec = _median(cost.inference for cost in costs)
        self._best_inference_sec = min(self._best_inference_sec, inference_sec)
        return StreamWindow(
            seconds=last.at_sec - first.at_sec,
            received=last.received - first.received,
            processed=last.processed - first.processed,
            rejected=last.rejected - first.rejected,
            skipped=last.skipped - first.skipped,
            rejection=rejection,
            inference_sec=inference_sec,
            best_inference_sec=self._best_inference_sec,
            total_sec=_median(cost.total for cost in costs),
            age_sec=_median(cost.age for cost in costs),
            valid_fraction=_median(cost.valid_fraction for cost in costs),
            measured_fraction=_median(cost.measured_fraction for cost in costs),
            white_fraction=_median(cost.white_fraction for cost in costs),
            black_fraction=_median(cost.black_fraction for cost in costs),
        )


def _median(values: Iterable[float]) -> float:
    """The median of what is known, NaN of nothing."""
    known = [value for value in values if not math.isnan(value)]
    return statistics.median(known) if known else math.nan
