"""The thread that turns frames into depth."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from depth_estimation_ros.ros.node.mailbox import Mailbox

T = TypeVar('T')


class Worker(Generic[T]):
    """Takes the newest frame of each camera in turn until its mailbox is closed.

    Args:
        mailbox: where the frames come from.
        process: what is done with frames of different cameras; it raises nothing.
        min_period_sec: asked before each call: least time from the start of one to the next [s].
        max_frames: given to a call at once, if as many cameras have one waiting.
    """

    def __init__(
        self,
        mailbox: Mailbox[T],
        process: Callable[[Sequence[tuple[str, T]]], None],
        min_period_sec: Callable[[], float],
        max_frames: int = 1,
    ) -> None:
        self._mailbox = mailbox
        self._process = process
        self._min_period_sec = min_period_sec
        self._max_frames = max_frames
        self._thread = threading.Thread(target=self._run, name='depth_worker', daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_sec: float) -> bool:
        """Finish what is at hand and end.

        Returns:
            False if that took longer than the time-out.
        """
        self._mailbox.close()
        self._thread.join(timeout_sec)
        return not self._thread.is_alive()

    def _run(self) -> None:
        started = -float('inf')
        while not self._mailbox.wait_closed(started + self._min_period_sec() - time.monotonic()):
            frames = self._mailbox.take(self._max_frames)
            if not frames:
                return
            started = time.monotonic()
            self._process(frames)
