"""Turns over several application users, the global bound, and what is told of the pace."""

from __future__ import annotations

import threading

import pytest

from connector.endpoints.base import Pace
from connector.endpoints.web.budget import IN_TRANSIT
from connector.endpoints.web.governor import READY, Call, Governor, Held, Turn
from connector.endpoints.web.limits import Limit, Refusal


class Time:
    """A clock that goes on by sleeping alone."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


def governor(time: Time, users: int = 1, most: int = 8) -> Governor:
    return Governor(users=users, most=most, clock=lambda: time.now, sleep=time.sleep)


def turn(one: Governor, patience: float = 60.0, call: Call | None = None) -> Turn:
    given = one.turn(patience, call)
    assert isinstance(given, Turn)
    return given


def rows_of(one: Governor) -> int:
    """Rows the next call should have."""
    rows = one.pace("cards").rows
    assert rows is not None
    return rows


def carry_out(one: Governor, time: Time, call: Call, seconds: float, hint: int = 4) -> None:
    given = turn(one, call=call)
    time.now += seconds
    one.answered(given, hint, done=True)


def test_users_take_turns(time: Time) -> None:
    one = governor(time, users=3)
    assert [turn(one).user for _ in range(4)] == [0, 1, 2, 0]


def test_a_user_that_is_held_is_passed_over(time: Time) -> None:
    one = governor(time, users=2)
    one.refused(turn(one), Refusal(Limit.REQUESTS, 30.0, 6000))
    assert one.wait() == 0.0
    given = [turn(one) for _ in range(2)]
    assert [one.user for one in given] == [1, 1]
    assert time.slept == []


def test_who_shares_the_user_waits_too(time: Time) -> None:
    one = governor(time)
    one.refused(turn(one), Refusal(Limit.REQUESTS, 30.0, 6000))
    assert one.wait() == 30.0
    turn(one)
    assert sum(time.slept) == 30.0


def test_a_hold_longer_than_the_patience_is_told(time: Time) -> None:
    one = governor(time)
    one.refused(turn(one), Refusal(Limit.REQUESTS, 300.0, 6000))
    assert one.turn(60.0) == Held(300.0)
    assert time.slept == []
    assert one.pace("cards").pause == 300.0


def test_a_read_waits_for_room_in_our_own_count_and_a_write_is_given_back(time: Time) -> None:
    one = governor(time)
    given = turn(one)
    time.now += 100.0
    one.answered(given, 4, done=False)
    one.refused(turn(one), Refusal(Limit.EXECUTION, 1.0, 90.0))
    time.now += 1.0
    # What was used leaves the window 300 s after it ended.
    assert one.turn(60.0, Call("cards", "create", 1)) == Held(299.0)
    turn(one, patience=0.0)
    assert sum(time.slept) == 299.0


def test_a_write_without_a_turn_is_given_back_when_a_signal_came(time: Time) -> None:
    stopping = threading.Event()
    one = Governor(most=1, clock=lambda: time.now, sleep=time.sleep, stopping=stopping.is_set)
    call = Call("cards", "create", 10)
    first = turn(one, call=call)
    came: list[Turn | Held] = []
    waiting = threading.Thread(target=lambda: came.append(one.turn(60.0, call)))
    waiting.start()
    while not one._changed._waiters:  # type: ignore[attr-defined]  # until it waits
        pass
    stopping.set()
    one.answered(first, None, done=True)
    waiting.join(5.0)
    assert came == [Held(0.0)]
    # What finds its way free goes: who stops decides what is sent.
    assert isinstance(one.turn(60.0, call), Turn)


def test_a_sleep_that_a_signal_ends_gives_the_turn_back(time: Time) -> None:
    one = Governor(
        clock=lambda: time.now, sleep=time.slept.append, stopping=lambda: bool(time.slept)
    )
    one.refused(turn(one), Refusal(Limit.REQUESTS, 30.0, 6000))
    assert one.turn(60.0) == Held(30.0)
    assert time.slept == [30.0]


def test_a_request_in_flight_may_end_before_another_user_is_free(time: Time) -> None:
    one = governor(time, users=2, most=64)
    held = one.turn(60.0, user=1)
    assert isinstance(held, Turn)
    one.refused(held, Refusal(Limit.REQUESTS, 30.0, 6000))
    first = [turn(one) for _ in range(2)]  # all that user 0 begins with
    arrived = threading.Event()

    def one_more() -> None:
        assert turn(one).user == 0
        arrived.set()

    waiting = threading.Thread(target=one_more)
    waiting.start()
    assert not arrived.wait(0.05)
    one.answered(first[0], None, done=False)
    assert arrived.wait(5.0)
    waiting.join()
    assert time.slept == []


def test_one_user_may_be_asked_for(time: Time) -> None:
    one = governor(time, users=3)
    given = one.turn(60.0, user=2)
    assert isinstance(given, Turn)
    assert given.user == 2


def test_all_users_together_keep_to_the_hint(time: Time) -> None:
    one = governor(time, users=3)
    one.answered(turn(one), 4, done=False)
    given = [turn(one) for _ in range(4 + IN_TRANSIT)]
    arrived = threading.Event()

    def one_more() -> None:
        turn(one)
        arrived.set()

    waiting = threading.Thread(target=one_more)
    waiting.start()
    assert not arrived.wait(0.05)
    one.answered(given[0], 4, done=False)
    assert arrived.wait(5.0)
    waiting.join()


def test_a_request_that_never_left_gives_its_place_back(time: Time) -> None:
    one = governor(time, most=1)
    one.unsent(turn(one))
    one.lost(turn(one))
    one.refused(turn(one), Refusal(Limit.BUSY, 0.0))
    turn(one)


def test_nothing_is_told_before_a_call_was_measured(time: Time) -> None:
    assert governor(time).pace("cards") == Pace(500, 2 * READY, 0.0, None, None)


def test_the_rate_follows_from_call_times_and_parallelism(time: Time) -> None:
    one = governor(time)
    rows = []
    for _ in range(6):
        rows.append(rows_of(one))
        carry_out(one, time, Call("cards", "create", rows[-1]), 0.2 + 0.003 * rows[-1])
    assert rows == [500, 1000, 1000, 1000, 1000, 1000]
    pace = one.pace("cards")
    assert pace.calls == READY * (4 + IN_TRANSIT)
    assert pace.rate == pytest.approx(5 * 1000 / 3.2)
    assert pace.limit == "recommended parallelism"
    assert one.pace("points").rate is None


def test_the_limit_that_binds_is_named(time: Time) -> None:
    one = governor(time)
    for _ in range(6):
        rows = rows_of(one)
        carry_out(one, time, Call("cards", "create", rows), 0.2 + 0.003 * rows, hint=8)
    one.refused(turn(one), Refusal(Limit.EXECUTION, 1.0, 1200.0))
    pace = one.pace("cards")
    assert pace.limit == "execution time"
    assert pace.rate == pytest.approx(4 * 1000 / 3.2)
    one.refused_within(turn(one), Refusal(Limit.REQUESTS, 1.0, 6.0))
    pace = one.pace("cards")
    assert pace.limit == "requests"
    assert pace.rate == pytest.approx(6 / 300 * 1000)


def test_a_lost_call_makes_the_next_ones_smaller(time: Time) -> None:
    one = governor(time)
    for _ in range(4):
        rows = rows_of(one)
        carry_out(one, time, Call("cards", "create", rows), 0.2)
    one.lost(turn(one, call=Call("cards", "create", 1000)))
    assert one.pace("cards").rows == 500
