"""SIGINT and SIGTERM: they end a program where it can be ended, and raise nothing elsewhere.

Python raises KeyboardInterrupt between any two instructions: in the midst of rclpy's objects, of
a callback or of a destructor, which then print what they tripped over.
"""

from __future__ import annotations

from contextlib import contextmanager
import signal
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.signals import uninstall_signal_handlers

from depth_estimation_ros.ros.runtime.start import init_ros

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ros_until_signal(args: list[str] | None) -> Iterator[None]:
    """Have rclpy between its init and its shutdown; a signal shuts its context down early.

    Spinning ends then. What fails in the body for want of the context is how the body ends, not
    an error: it is left without a word. After the body, further signals do nothing.

    Args:
        args: The command line, None: that of the process.

    Raises:
        ConfigError: ROS cannot start with it, or in this environment.
    """
    came: list[int] = []
    # rclpy's handlers call these, then shut the context down on a thread of their own. When they
    # are taken out these come back: a signal in that moment must not meet the default, death.
    for number in _SIGNALS:
        signal.signal(number, lambda number, _frame: came.append(number))
    init_ros(args)
    if came:  # before rclpy had its handlers
        rclpy.try_shutdown()
    try:
        yield
    except ExternalShutdownException:
        pass
    except Exception:
        if rclpy.ok():
            raise
    finally:
        rclpy.try_shutdown()


def ignore_further_signals(*numbers: signal.Signals) -> None:
    """Let nothing interrupt the clean-up; call it first, on the main thread.

    Ctrl+C in a terminal signals every process of a launch, and launch then signals its processes
    too: the second SIGINT would break off what the first one began.

    Args:
        numbers: The signals to ignore; others get their default, which ends the process at once.
    """
    uninstall_signal_handlers()
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN if number in numbers else signal.SIG_DFL)


class DeferredInterrupt:
    """A context manager in which SIGINT and SIGTERM wait until they are asked for."""

    def __init__(self) -> None:
        self._came = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> DeferredInterrupt:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if kind is None:
            self.check()

    def check(self) -> None:
        """Do nothing unless a signal came.

        Raises:
            KeyboardInterrupt: One did.
        """
        if self._came:
            raise KeyboardInterrupt

    def _note(self, _number: int, _frame: object) -> None:
        self._came = True
