"""Log lines that come once, however often their cause does."""

from __future__ import annotations

import threading
from typing import Protocol


class Logger(Protocol):
    """The part of a ROS logger that is used here."""

    def info(self, message: str) -> object:
        """Log a fact."""

    def warning(self, message: str) -> object:
        """Log something the user should look at."""

    def error(self, message: str) -> object:
        """Log something that does not work."""


class Announcer:
    """Says each text once until told to forget, from any thread."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def info(self, text: str) -> None:
        """Log a fact, unless it was said before."""
        if self._is_new(text):
            self._logger.info(text)

    def warning(self, text: str) -> None:
        """Log a warning, unless it was said before."""
        if self._is_new(text):
            self._logger.warning(text)

    def error(self, text: str) -> None:
        """Log an error, unless it was said before."""
        if self._is_new(text):
            self._logger.error(text)

    def forget(self, text: str | None = None) -> None:
        """Let a text be said once more, None: every text."""
        with self._lock:
            if text is None:
                self._said.clear()
            else:
                self._said.discard(text)

    def _is_new(self, text: str) -> bool:
        with self._lock:
            is_new = text not in self._said
            self._said.add(text)
        return is_new
