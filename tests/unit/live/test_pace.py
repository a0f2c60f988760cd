"""When a map is worked next: fast after news, slow at rest, patient with what fails."""

from __future__ import annotations

import pytest

from connector.backoff import Backoff
from connector.live.pace import BREATH, GAP, Pace


def pace(now: float = 0.0) -> Pace:
    return Pace(1.0, 15.0, Backoff(1.0, 30.0, lambda: 1.0), now)


def test_the_interval_grows_while_nothing_changes_and_begins_anew_with_news() -> None:
    one, now, waits = pace(), 0.0, []
    for _ in range(9):
        one.worked(now, now, news=False)
        waits.append(one.due - now)
        now = one.due
    assert waits[0] == 1.5
    assert waits == sorted(waits)
    assert waits[-1] == 15.0
    one.worked(now, now, news=True)
    assert one.due - now == 1.0


def test_a_wake_is_heard_at_once_but_not_more_often_than_the_gap() -> None:
    one = pace()
    one.worked(100.0, 100.01, news=True)
    one.wake(100.02)
    assert one.due == pytest.approx(100.0 + GAP)
    one.worked(100.5, 100.9, news=True)
    one.wake(100.9)
    assert one.due == pytest.approx(100.9 + BREATH), "others may take the map after a long cycle"
    one.worked(200.0, 200.01, news=False)
    one.wake(203.0)
    assert one.due == pytest.approx(201.51), "it was due before"


def test_after_a_wake_that_found_nothing_it_looks_again_soon() -> None:
    one = pace()
    for now in range(0, 200, 20):
        one.worked(now, now, news=False)
    one.wake(300.0)
    one.worked(300.0, 300.0, news=False)
    assert one.due == 301.5


def test_a_record_that_is_due_earlier_counts() -> None:
    one = pace()
    one.worked(10.0, 10.0, news=True, next_due=10.4)
    assert one.due == 10.4
    one.worked(10.0, 10.0, news=True, next_due=9.0)
    assert one.due == pytest.approx(10.0 + GAP)
    one.worked(10.0, 10.0, news=True, next_due=99.0)
    assert one.due == 11.0


def test_nobody_shortens_the_wait_after_a_failure() -> None:
    one, now, waits = pace(), 0.0, []
    for _ in range(7):
        waits.append(one.failed(now))
        one.wake(now)
        assert one.due == now + waits[-1]
        now = one.due
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    one.worked(now, now, news=False)
    assert one.failures == 0
    assert one.failed(now) == 1.0


def test_a_held_map_keeps_to_its_own_time() -> None:
    one = pace()
    one.rest(5.0, 1.0)
    one.wake(5.1)
    assert one.due == 6.0
