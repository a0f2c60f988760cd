"""Waits double up to the longest, and chance cuts off up to a half."""

from __future__ import annotations

from tenacity import Retrying, stop_after_attempt

from connector.backoff import Backoff
from connector.engine.retry import Retry

WHOLE = [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_waits_double_up_to_the_longest_and_vary_by_half() -> None:
    retry = Retry(attempts=8, first=2.0, longest=60.0)
    full = [retry.delay(attempt, lambda: 1.0) for attempt in range(1, 9)]
    least = [retry.delay(attempt, lambda: 0.0) for attempt in range(1, 9)]
    assert full == WHOLE
    assert least == [wait / 2 for wait in full]


def test_tenacity_waits_by_it() -> None:
    slept: list[float] = []
    retrying = Retrying(
        wait=Backoff(2.0, 60.0, lambda: 0.5), sleep=slept.append, stop=stop_after_attempt(4),
        retry_error_callback=lambda _state: None,
    )  # fmt: skip
    retrying(lambda: 1 / 0)
    assert slept == [1.5, 3.0, 6.0]


def test_a_record_that_failed_for_years_waits_no_longer() -> None:
    assert Backoff(1.0, 60.0, lambda: 1.0).after(100_000) == 60.0


def test_no_wait_at_all() -> None:
    assert Backoff(0.0, 60.0, lambda: 1.0).after(3) == 0.0
