"""Ctrl-C stops long work whenever it comes; tensorrt_build_suite.py does so with a build."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from depth_estimation_ros.backends.tensorrt.stoppable import run_stoppable
from depth_estimation_ros.errors import BuildCancelledError

if TYPE_CHECKING:
    from types import FrameType

TIMEOUT_SEC = 30.0  # nobody waits for the end of it unless Ctrl-C is lost


class Work:
    """Goes on until it is stopped, or released."""

    def __init__(self) -> None:
        self.has_begun = self.was_stopped = self.was_released = False
        self._may_end = threading.Event()

    def __call__(self) -> str:
        self.has_begun = True
        assert self._may_end.wait(TIMEOUT_SEC), 'Ctrl-C left the work running'
        if self.was_stopped:
            raise BuildCancelledError('stopped')
        return 'done'

    def stop(self) -> None:
        self.was_stopped = True
        self._may_end.set()

    def release(self) -> None:
        self.was_released = True
        self._may_end.set()


class CtrlCAtLine:
    """A trace function that sends SIGINT at the n-th line of what waits for the work.

    Every line counts that the main thread runs inside run_stoppable, the standard library's too.
    The work is released when there is nothing left but to wait for it.
    """

    def __init__(self, line: int, work: Work) -> None:
        self._left = line
        self._work = work
        self._outermost: FrameType | None = None
        self.was_sent = False
        self.was_late = False  # the work was over or about to be

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        name = frame.f_code.co_name
        if self._outermost is None and name == 'run_stoppable':
            self._outermost = frame
        if self._outermost is None or self.was_sent:
            return self
        caller = frame.f_back
        if event == 'return' and frame is self._outermost:
            self._outermost = None
        elif event == 'call' and name == 'wait' and caller and caller.f_code.co_name == 'result':
            self._work.release()
        elif event == 'line':
            self._send_when_due()
        return self

    def _send_when_due(self) -> None:
        self._left -= 1
        if self._left < 0:
            self.was_sent, self.was_late = True, self._work.was_released
            signal.raise_signal(signal.SIGINT)


def to_main_thread(number: signal.Signals) -> None:
    """Send a signal from another thread; it wakes the main one up."""
    identifier = threading.main_thread().ident
    assert identifier is not None
    signal.pthread_kill(identifier, number)


def ctrl_c_at(line: int) -> tuple[CtrlCAtLine, Work, str]:
    """Press Ctrl-C at a line; returns how the work ended too."""
    work = Work()
    ctrl_c = CtrlCAtLine(line, work)
    before = sys.gettrace()
    sys.settrace(ctrl_c)
    try:
        ended = run_stoppable(work, on_interrupt=work.stop)
    except KeyboardInterrupt:
        ended = 'interrupted'
    finally:
        sys.settrace(before)
    return ctrl_c, work, ended


def test_ctrl_c_at_any_line_stops_the_work_before_it_is_raised() -> None:
    num_stopped, num_threads = 0, threading.active_count()
    for line in range(100_000):
        ctrl_c, work, ended = ctrl_c_at(line)
        if not ctrl_c.was_sent:
            assert ended == 'done'
            break
        assert ended == 'interrupted', f'line {line}'
        assert threading.active_count() == num_threads, (
            f'line {line}: raised before the work had ended'
        )
        if work.has_begun and not ctrl_c.was_late:
            assert work.was_stopped, f'line {line}'
            num_stopped += 1
    assert num_stopped > 20  # of about 100


def test_a_second_ctrl_c_does_not_break_off_the_first() -> None:
    work = Work()

    def begin() -> str:
        to_main_thread(signal.SIGINT)
        return work()

    def stop() -> None:
        signal.raise_signal(signal.SIGINT)
        work.stop()

    with pytest.raises(KeyboardInterrupt):
        run_stoppable(begin, on_interrupt=stop)
    assert work.was_stopped
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_by_another_handler_stops_the_work_too() -> None:
    work = Work()

    def on_signal(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    def begin() -> str:
        to_main_thread(signal.SIGTERM)
        return work()

    before = signal.signal(signal.SIGTERM, on_signal)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_stoppable(begin, on_interrupt=work.stop)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert work.was_stopped


def test_off_the_main_thread_the_handlers_are_left_alone() -> None:
    handlers = []

    def work() -> str:
        handlers.append(signal.getsignal(signal.SIGINT))
        return 'done'

    def run() -> None:
        assert run_stoppable(work, on_interrupt=lambda: None) == 'done'

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(TIMEOUT_SEC)
    assert handlers == [signal.default_int_handler]
