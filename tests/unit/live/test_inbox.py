"""Wake-ups between threads, and from a signal handler."""

from __future__ import annotations

import signal
import threading
import time

from connector.live.inbox import Inbox, Kind, Wake

NOTICE = Wake(Kind.NOTICE, "msdyn_loyaltycard")


def test_all_that_has_come_is_taken_at_once_and_each_once() -> None:
    inbox = Inbox()
    for wake in (NOTICE, Wake(Kind.COMMIT, "commerce"), NOTICE):
        inbox.put(wake)
    assert inbox.take(0) == {NOTICE, Wake(Kind.COMMIT, "commerce")}
    assert inbox.take(0) == set()
    assert inbox.take(-5) == set()


def test_a_storm_takes_no_memory_and_loses_no_wake_up() -> None:
    inbox = Inbox()
    last, written, most = 20_000, 0, 0

    def storm() -> None:
        nonlocal written
        for number in range(1, last + 1):
            written = number
            inbox.put(NOTICE)

    thread = threading.Thread(target=storm)
    thread.start()
    seen = 0
    while seen < last:
        assert inbox.take(20) == {NOTICE}, f"{seen} seen, {written} written"
        seen, most = written, max(most, inbox._queue.qsize())
    thread.join()
    assert most <= 1
    assert inbox.take(0) <= {NOTICE}
    assert inbox.take(0) == set()


def test_whoever_waits_is_woken_by_another_thread() -> None:
    inbox = Inbox()
    threading.Timer(0.05, inbox.put, [NOTICE]).start()
    began = time.monotonic()
    assert inbox.take(30) == {NOTICE}
    assert time.monotonic() - began < 10


def test_a_signal_handler_may_put_while_the_same_thread_takes() -> None:
    inbox = Inbox()
    before = signal.signal(signal.SIGALRM, lambda *_: inbox.put(Wake(Kind.SIGNAL)))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        end = time.monotonic() + 0.5
        taken = sum(len(inbox.take(0.002)) for _ in iter(lambda: time.monotonic() < end, False))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert taken > 10, "and it never hangs"
