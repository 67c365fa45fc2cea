"""SIGINT and SIGTERM raise nothing in the midst of whatever runs, and end it all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip('rclpy')

from depth_estimation_ros.ros.runtime.signals import DeferredInterrupt

pytestmark = pytest.mark.ros

SIGNALS = [signal.SIGINT, signal.SIGTERM]
# Two signals while an object is made, as rclpy makes one for each callback; the body goes on
# until it sees the context gone, then fails for want of it as a publisher would.
PROGRAM = """
import os, signal, sys
import rclpy
from depth_estimation_ros.ros.runtime.signals import ros_until_signal

class Thing:
    def __init__(self):
        os.kill(os.getpid(), int(sys.argv[1]))
        os.kill(os.getpid(), int(sys.argv[1]))
        self.is_complete = True

with ros_until_signal([]):
    thing = Thing()
    while rclpy.ok():
        pass
    print('complete:', thing.is_complete, flush=True)
    raise RuntimeError('context is not valid')
print('context:', rclpy.ok())
"""


@pytest.mark.parametrize('number', SIGNALS)
def test_signals_shut_the_context_down_and_raise_nothing(number: signal.Signals) -> None:
    ended = subprocess.run(
        [sys.executable, '-c', PROGRAM, str(int(number))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout.splitlines() == ['complete: True', 'context: False'], ended.stderr
    assert ended.stderr == ''
    assert ended.returncode == 0


# Cleans up as the node does; the signals never cease.
CLEAN_UP = """
import signal
import rclpy
from depth_estimation_ros.ros.runtime.signals import ignore_further_signals, ros_until_signal

with ros_until_signal([]):
    try:
        print('ready', flush=True)
        while rclpy.ok():
            pass
    finally:
        ignore_further_signals(signal.SIGINT, signal.SIGTERM)
print('cleaned up', flush=True)
"""


@pytest.mark.parametrize('number', SIGNALS)
def test_no_signal_kills_the_clean_up_whenever_it_comes(number: signal.Signals) -> None:
    command = [sys.executable, '-c', CLEAN_UP]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'ready\n'
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            process.send_signal(number)
        output = process.stdout.read()
    assert (output, process.returncode) == ('cleaned up\n', 0)


@pytest.mark.parametrize('number', SIGNALS)
def test_a_deferred_signal_waits_until_it_is_asked_for(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    steps = []
    with pytest.raises(KeyboardInterrupt), DeferredInterrupt() as interrupt:
        interrupt.check()
        os.kill(os.getpid(), number)
        steps.append('after the signal')
        interrupt.check()
        steps.append('after the question')
    assert steps == ['after the signal']
    assert signal.getsignal(number) is before


def test_a_signal_that_nobody_asked_for_is_raised_at_the_end() -> None:
    with pytest.raises(KeyboardInterrupt), DeferredInterrupt():
        os.kill(os.getpid(), signal.SIGINT)
