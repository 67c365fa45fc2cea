"""Long work that Ctrl-C stops in good order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
import signal
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ['run_stoppable']

T = TypeVar('T')


def run_stoppable(work: Callable[[], T], *, on_interrupt: Callable[[], None]) -> T:
    """Run on another thread; on Ctrl-C ask it to stop and wait until it has.

    Args:
        work: What to run.
        on_interrupt: Called once, on the main thread; asks the work to stop.

    Raises:
        KeyboardInterrupt: Ctrl-C came, and the work has ended.
    """
    with _deferred_ctrl_c(on_interrupt), ThreadPoolExecutor(1, 'engine_builder') as pool:
        try:
            return pool.submit(work).result()
        except KeyboardInterrupt:  # raised by another handler than Python's own for SIGINT
            on_interrupt()
            raise


@contextmanager
def _deferred_ctrl_c(then: Callable[[], None]) -> Iterator[None]:
    """Answer Ctrl-C inside the block by a call, and raise KeyboardInterrupt only after it.

    Python's own handler raises between any two instructions, so also where nobody can catch it
    any more: while the thread is started, or in the midst of the call that stops it. A handler of
    somebody else's stays, and threads other than the main one never meet the exception.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        if len(came) == 1:
            then()

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if came:
            raise KeyboardInterrupt
