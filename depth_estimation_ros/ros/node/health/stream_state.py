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
    age: float  # from the image's stamp to the last output, by the node's clock; NaN = unknown
    valid_fraction: float  # of the depth image [0..1]
    measured_fraction: float  # of the pixels the network has a depth for [0..1]
    white_fraction: float  # of the image [0..1]
    black_fraction: float  # of the image [0..1]


@dataclass(kw_only=True)
class StreamState:
    """Counters since the node was activated.

    Each field is written by one thread: `received`, `replaced` and `received_at` by the
    subscription, the rest by the worker.
    """

    received: int = 0
    replaced: int = 0  # by a newer frame, before their turn came
    rejected: int = 0  # gave no depth: unreadable, too old, or lost to a fault of the node
    failed: int = 0  # frames with a fault of the node, whole or in an output
    faults_in_row: int = 0  # of them, since the last frame without one
    processed: int = 0
    skipped: int = 0  # nobody subscribed to an output, or the node is paused
    received_at: float | None = None  # monotonic [s]
    published_at: float | None = None  # monotonic [s]
    started_at: float = field(default_factory=time.monotonic)
    trouble: str = ''  # why the last frame gave no depth, or not every output
    rejection: str = ''  # why the last rejected frame gave no depth
    fault: str = ''  # the last fault of the node
    stamp_trouble: str = ''  # why the age of the last frame is not known
    frame_trouble: str = ''  # why tf2 refuses the frame_id of the last frame
    cost: FrameCost | None = None

    def add_processed(self, cost: FrameCost, fault: str = '') -> None:
        """Count a frame that became depth.

        Args:
            cost: of the frame.
            fault: why an output of it could not be made, empty if all could.
        """
        self.cost = cost
        self.processed += 1
        self.published_at = time.monotonic()
        self.trouble = fault
        if fault:
            self.fault = fault
            self.failed += 1
            self.faults_in_row += 1
        else:
            self.faults_in_row = 0

    def reject(self, trouble: str) -> None:
        """Count a frame that cannot be used."""
        self.rejected += 1
        self.trouble = self.rejection = trouble

    def fail(self, fault: str) -> None:
        """Count a frame that was lost to a fault of the node."""
        self.reject(fault)
        self.fault = fault
        self.failed += 1
        self.faults_in_row += 1

    @property
    def dropped(self) -> int:
        """Frames that arrived and were not processed, though somebody wanted depth."""
        return self.replaced + self.rejected

    def seconds_without_output(self) -> float:
        """Time since the last depth, or since the start."""
        last = self.started_at if self.published_at is None else self.published_at
        return time.monotonic() - last
