"""The slot between the subscriptions and the worker: the newest frame of each camera, no queue."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar('T')


class Mailbox(Generic[T]):
    """One slot a sender; what is put replaces what lies there.

    Any thread may put, one thread takes. Senders are served in turn, so that a fast one cannot
    starve a slow one.
    """

    def __init__(self, senders: Sequence[str]) -> None:
        self._turns = list(senders)
        self._slots: dict[str, T] = {}
        self._is_open = True
        self._changed = threading.Condition()

    def put(self, sender: str, item: T) -> bool:
        """Leave the newest item of a sender.

        Returns:
            True if it replaced an item that nobody had taken.
        """
        with self._changed:
            replaced = sender in self._slots
            self._slots[sender] = item
            self._changed.notify()
        return replaced

    def count(self, sender: str) -> int:
        """Tell how many items of a sender wait, 0 or 1."""
        with self._changed:
            return int(sender in self._slots)

    def take(self, max_items: int = 1) -> list[tuple[str, T]]:
        """Wait for an item and take it, with those of other senders that are there already.

        Args:
            max_items: no more than these.

        Returns:
            Senders and their items, first who was longest not served; empty once the mailbox is
            closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._slots or not self._is_open)
            if not self._is_open:
                return []
            senders = [name for name in self._turns if name in self._slots][:max_items]
            self._turns = [name for name in self._turns if name not in senders] + senders
            return [(name, self._slots.pop(name)) for name in senders]

    def close(self) -> None:
        """Let `take` return nothing, now and from now on."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()

    def wait_closed(self, timeout_sec: float) -> bool:
        """Wait until the mailbox is closed, at most `timeout_sec`; tell whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_open, timeout_sec)
