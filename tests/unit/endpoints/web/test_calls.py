"""The size of a write call follows its measured time."""

from __future__ import annotations

import pytest

from connector.endpoints.web.calls import FIRST_ROWS, CallTimes


def feed(times: CallTimes, count: int, fixed: float, each: float) -> list[int]:
    """Calls of the size it asks for; the sizes."""
    sizes = []
    for _ in range(count):
        sizes.append(times.rows)
        times.accepted(times.rows, fixed + each * times.rows)
    return sizes


def test_short_calls_grow_to_the_bound() -> None:
    times = CallTimes(1000, 60.0)
    assert feed(times, 4, 0.2, 0.003) == [FIRST_ROWS, 1000, 1000, 1000]
    assert times.seconds(1000) == pytest.approx(3.2)
    assert times.seconds(100) == pytest.approx(0.5)


def test_long_calls_shrink_to_a_third_of_the_timeout() -> None:
    times = CallTimes(1000, 60.0)
    sizes = feed(times, 8, 1.0, 0.3)
    assert sizes[0] == FIRST_ROWS
    assert 55 <= sizes[-1] <= 70
    assert feed(times, 30, 0.2, 0.003)[-1] == 1000


def test_a_call_that_was_given_up_halves_the_next() -> None:
    times = CallTimes(1000, 60.0)
    feed(times, 4, 0.2, 0.003)
    times.lost(1000)
    times.lost(1000)
    assert times.rows == 500
    times.lost(1)
    assert times.rows == 1


def test_a_small_call_says_nothing_against_the_size() -> None:
    times = CallTimes(1000, 60.0)
    feed(times, 4, 0.2, 0.003)
    times.accepted(3, 0.2)
    assert times.rows == 1000


def test_calls_of_one_size_are_taken_in_proportion() -> None:
    times = CallTimes(100, 60.0)
    assert times.seconds(50) == 0.0
    assert not times.known
    times.accepted(100, 2.0)
    times.accepted(100, 2.0)
    assert times.seconds(50) == pytest.approx(1.0)
