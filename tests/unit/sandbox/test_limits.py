"""Service protection on a clock of its own."""

from __future__ import annotations

import pytest

from connector.sandbox.dataverse.errors import WireError
from connector.sandbox.dataverse.limits import PROFILES, Limits, Protection, Window, limits_of

COUNT, TIME, CONCURRENT = "0x80072322", "0x80072321", "0x80072326"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def window(clock: Clock, **numbers: float) -> Window:
    return Protection(limits_of("fast", numbers), clock).window("user", "server")


def wait(refusal: WireError | None) -> int:
    assert refusal is not None
    assert refusal.status == 429
    return int(refusal.headers["Retry-After"])


def test_what_the_documents_say_is_the_real_profile() -> None:
    real = PROFILES["real"]
    assert (real.requests, real.seconds, real.concurrent, real.window) == (6000, 1200, 52, 300)
    assert real.cost(1000, 0) == pytest.approx(3.2)
    assert not PROFILES["fast"].limited


def test_requests_count_over_a_sliding_window(clock: Clock) -> None:
    one = window(clock, requests=10, window=300)
    for number in range(10):
        clock.now = 1000 + number * 10
        assert one.left()[0] == 10 - number
        assert one.enter() is None
        one.leave(0.1)
    refusal = one.enter()
    # The first request leaves the window 300 s after it came, which is in 210 s.
    assert wait(refusal) == 210
    assert refusal is not None
    assert refusal.code == COUNT
    assert refusal.message == (
        "Number of requests exceeded the limit of 10 over time window of 300 seconds."
    )
    clock.now += 210
    assert one.enter() is None
    assert wait(one.enter()) >= 10


def test_execution_time_counts_when_a_request_is_done(clock: Clock) -> None:
    one = window(clock, seconds=1200, window=300)
    for _ in range(4):
        assert one.enter() is None
    for _ in range(4):
        clock.now += 10
        one.leave(400)
    refusal = one.enter()
    assert refusal is not None
    assert refusal.code == TIME
    assert "limit of 1,200,000 milliseconds over time window of 300 seconds." in refusal.message
    # Below the limit again when the first 400 s leave, 300 s after they were done.
    assert wait(refusal) == 270
    assert one.left()[1] == 0
    clock.now += 270
    assert one.enter() is None
    assert one.left() == (6000, 0)


def test_too_many_at_a_time_are_refused_at_once(clock: Clock) -> None:
    one = window(clock, concurrent=2)
    assert one.enter() is None
    assert one.enter() is None
    refusal = one.enter()
    assert wait(refusal) == 1
    assert refusal is not None
    assert refusal.code == CONCURRENT
    one.leave(1)
    assert one.enter() is None


def test_who_presses_on_waits_longer(clock: Clock) -> None:
    one = window(clock, requests=1, window=300)
    assert one.enter() is None
    one.leave(0)
    clock.now += 290
    assert wait(one.enter()) == 10
    # What was on its way already does not count as pressing on.
    clock.now += 0.5
    assert wait(one.enter()) == 10
    clock.now += 4.5
    assert wait(one.enter()) == 10
    waits = []
    for _ in range(4):
        clock.now += 2
        waits.append(wait(one.enter()))
    assert 20 < waits[-1] <= 60


def test_who_waits_as_told_is_let_in_and_patience_comes_back(clock: Clock) -> None:
    one = window(clock, requests=1, window=30)
    told = []
    for _ in range(5):
        assert one.enter() is None
        told.append(wait(one.enter()))
        clock.now += told[-1]
    assert told == [30] * 5


def test_a_window_is_one_users_on_one_server(clock: Clock) -> None:
    protection = Protection(Limits(requests=1, servers=2), clock)
    first, second = protection.server(None), protection.server(None)
    assert first != second
    assert protection.server(None) == first
    assert protection.server(second) == second
    assert protection.server("of somebody else") in (first, second)
    assert protection.window("a", first).enter() is None
    assert protection.window("a", first).enter() is not None
    assert protection.window("a", second).enter() is None
    assert protection.window("b", first).enter() is None


@pytest.mark.parametrize(
    "numbers",
    [{"requests": -1}, {"window": 0}, {"servers": 0}, {"seconds": "1"}, {"dop": float("nan")}],
)
def test_numbers_that_make_no_sense_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"needed|at least"):
        limits_of("real", numbers)


def test_a_profile_is_named() -> None:
    assert limits_of("real", {"requests": 7}).seconds == 1200
    with pytest.raises(ValueError, match="no profile 'slow'"):
        limits_of("slow", {})
    with pytest.raises(TypeError):
        limits_of("real", {"speed": 1})
