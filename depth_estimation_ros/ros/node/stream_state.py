"""What is known about one camera's frames: counters, the last frame's cost, the last trouble."""

from __future__ import annotations

from dataclasses import dataclass, field
import time


@dataclass(frozen=True, kw_only=True)
class FrameCost:
    """What one frame cost [s] and how it came out."""

    decode: float
    preprocess: float
    inference: float
    postprocess: float
    publish: float
    total: float
    age: float  # from the image's stamp to the last output, by the node's clock
    valid_fraction: float  # [0..1]


@dataclass(kw_only=True)
class StreamState:
    """Counters since the node was activated.

    Each field is written by one thread: `received`, `replaced` and `received_at` by the
    subscription, the rest by the worker.
    """

    received: int = 0
    replaced: int = 0  # by a newer frame, before their turn came
    rejected: int = 0  # unreadable or too old
    processed: int = 0
    skipped: int = 0  # nobody subscribed to an output, or the node is paused
    received_at: float | None = None  # monotonic [s]
    published_at: float | None = None  # monotonic [s]
    started_at: float = field(default_factory=time.monotonic)
    trouble: str = ''  # why the last frame gave no depth
    cost: FrameCost | None = None

    def add_processed(self, cost: FrameCost) -> None:
        """Count a frame that became depth."""
        self.cost = cost
        self.processed += 1
        self.published_at = time.monotonic()
        self.trouble = ''

    @property
    def dropped(self) -> int:
        """Frames that arrived and were not processed, though somebody wanted depth."""
        return self.replaced + self.rejected

    def seconds_without_output(self) -> float:
        """Time since the last depth, or since the start."""
        last = self.started_at if self.published_at is None else self.published_at
        return time.monotonic() - last
