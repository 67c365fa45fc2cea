"""The newest frame of each camera, in turn, and no queue."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from depth_estimation_ros.ros.node.mailbox import Mailbox
from depth_estimation_ros.ros.node.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_a_newer_item_replaces_the_one_not_taken() -> None:
    mailbox: Mailbox[int] = Mailbox(['front'])
    assert not mailbox.put('front', 1)
    assert mailbox.put('front', 2)
    assert mailbox.take() == [('front', 2)]
    assert not mailbox.put('front', 3)


def test_senders_take_turns_however_often_one_puts() -> None:
    mailbox: Mailbox[int] = Mailbox(['front', 'rear'])
    taken: list[tuple[str, int]] = []
    for number in range(4):
        mailbox.put('front', number)
        mailbox.put('front', number)
        mailbox.put('rear', number)
        taken += mailbox.take()
    assert [name for name, _ in taken] == ['front', 'rear', 'front', 'rear']


def test_what_waits_together_is_taken_together_up_to_a_number() -> None:
    mailbox: Mailbox[int] = Mailbox(['front', 'rear', 'left'])
    for number, name in enumerate(('left', 'rear', 'front')):
        mailbox.put(name, number)
    assert mailbox.take(2) == [('front', 2), ('rear', 1)]
    mailbox.put('front', 3)
    mailbox.put('rear', 4)
    assert mailbox.take(2) == [('left', 0), ('front', 3)]
    assert mailbox.take(2) == [('rear', 4)]


def test_a_closed_mailbox_gives_nothing_even_if_something_lies_there() -> None:
    mailbox: Mailbox[int] = Mailbox(['front'])
    mailbox.put('front', 1)
    mailbox.close()
    assert mailbox.take() == []


def test_the_worker_processes_until_it_is_stopped() -> None:
    mailbox: Mailbox[int] = Mailbox(['front'])
    arrived: list[tuple[str, int]] = []
    seen = threading.Event()

    def process(frames: Sequence[tuple[str, int]]) -> None:
        arrived.extend(frames)
        seen.set()

    worker = Worker(mailbox, process, lambda: 0.0)
    worker.start()
    mailbox.put('front', 7)
    assert seen.wait(10.0)
    assert worker.stop(timeout_sec=10.0)
    assert arrived == [('front', 7)]


def test_stopping_says_when_a_frame_takes_too_long() -> None:
    mailbox: Mailbox[int] = Mailbox(['front'])
    begun, released = threading.Event(), threading.Event()

    def process(frames: Sequence[tuple[str, int]]) -> None:
        del frames
        begun.set()
        released.wait(10.0)

    worker = Worker(mailbox, process, lambda: 0.0)
    worker.start()
    mailbox.put('front', 7)
    assert begun.wait(10.0)
    assert not worker.stop(timeout_sec=0.01)
    released.set()
    assert worker.stop(timeout_sec=10.0)


def test_stopping_does_not_wait_for_the_rate_limit() -> None:
    mailbox: Mailbox[int] = Mailbox(['front'])
    seen = threading.Event()
    worker = Worker(mailbox, lambda _: seen.set(), lambda: 3600.0)
    worker.start()
    mailbox.put('front', 7)
    assert seen.wait(10.0)
    assert worker.stop(timeout_sec=10.0)
