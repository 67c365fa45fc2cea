"""What a long build is at, told by one thread and read by others; and the wish to stop it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
import threading
import time
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import BuildCancelledError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ['BuildProgress']


@dataclass
class _Phase:
    """One phase of a build; phases are nested."""

    parent: str | None
    num_steps: int
    done: int = 0


class BuildProgress:
    """The state of one build at a time. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._task = ''
        self._started_at = 0.0
        self._phases: dict[str, _Phase] = {}

    @contextmanager
    def working_on(self, task: str) -> Iterator[None]:
        """Say what is done inside the block, such as 'building the engine of model.onnx'."""
        with self._lock:
            self._task, self._started_at = task, time.monotonic()
            self._phases.clear()
        try:
            yield
        finally:
            with self._lock:
                self._task = ''

    @property
    def task(self) -> str:
        """What is being done, empty if nothing is."""
        return self._task

    @property
    def elapsed_sec(self) -> float:
        """How long it has been done [s]."""
        return time.monotonic() - self._started_at

    @property
    def fraction(self) -> float:
        """The share of the outermost phase that is done, from 0 to 1."""
        with self._lock:
            roots = [name for name, phase in self._phases.items() if phase.parent is None]
            return min(1.0, self._fraction(roots[-1])) if roots else 0.0

    @property
    def phase(self) -> str:
        """Name of the innermost phase, empty if none was told."""
        with self._lock:
            return next(reversed(self._phases), '')

    @property
    def description(self) -> str:
        """One line for people, empty if nothing is being done."""
        task, phase = self.task, self.phase
        if not task:
            return ''
        share = f'{phase}, {100.0 * self.fraction:.0f} %, ' if phase else ''
        return f'{task}: {share}{self.elapsed_sec:.0f} s so far'

    def start_phase(self, name: str, parent: str | None, num_steps: int) -> None:
        """Begin a phase of so many steps, inside another or outermost."""
        with self._lock:
            known = parent if parent in self._phases else None
            self._phases[name] = _Phase(known, max(1, num_steps))

    def complete_step(self, name: str, step: int) -> bool:
        """Count a step, from 0.

        Returns:
            Whether to go on.
        """
        with self._lock:
            if name in self._phases:
                self._phases[name].done = step + 1
        return not self.is_cancelled

    def finish_phase(self, name: str) -> None:
        """End a phase."""
        with self._lock:
            self._phases.pop(name, None)

    def cancel(self) -> None:
        """Ask the build to stop; it cannot be taken back."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether the build was asked to stop."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Go on or not.

        Raises:
            BuildCancelledError: The build was asked to stop.
        """
        if self.is_cancelled:
            raise BuildCancelledError(f'{self.task or "loading the model"}: cancelled')

    def wait(self, seconds: float) -> None:
        """Pause.

        Raises:
            BuildCancelledError: The build was asked to stop, before or meanwhile.
        """
        self._cancelled.wait(seconds)
        self.check()

    def _fraction(self, name: str) -> float:
        phase = self._phases[name]
        inner = [child for child, item in self._phases.items() if item.parent == name]
        partial = max((self._fraction(child) for child in inner), default=0.0)
        return (phase.done + min(partial, 1.0)) / phase.num_steps
