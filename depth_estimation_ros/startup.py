"""The first second of a program: a signal during its imports ends it without a traceback.

Imports nothing but what Python has loaded already.
"""

from __future__ import annotations

from contextlib import contextmanager
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ['leave_on_signals', 'leaving_on_signals']

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def leave_on_signals(status: int) -> None:
    """Have SIGINT and SIGTERM end the process at once, until other handlers take their place.

    Only while there is nothing to clean up: nothing of Python's own end is run.

    Args:
        status: The exit status.
    """
    for number in _SIGNALS:
        signal.signal(number, lambda _number, _frame: os._exit(status))


@contextmanager
def leaving_on_signals(status: int) -> Iterator[None]:
    """Do so in a block, such as one of imports; afterwards signals do what they did before."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    leave_on_signals(status)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
