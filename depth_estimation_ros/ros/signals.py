"""Signals of a process that is ending already."""

from __future__ import annotations

import signal

from rclpy.signals import uninstall_signal_handlers


def ignore_further_signals(*numbers: signal.Signals) -> None:
    """Let nothing interrupt the clean-up; call it first, on the main thread.

    Ctrl+C in a terminal signals every process of a launch, and launch then signals its processes
    too: the second SIGINT would break off what the first one began.

    Args:
        numbers: The signals to ignore; others get their default, which ends the process at once.
    """
    uninstall_signal_handlers()
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
