"""How many deletes may go out within the hour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.engine.faults import REPLIES, Family
from connector.engine.guard import Deletes, allowance, stop_reason
from connector.engine.ports import Guard
from connector.mapping.values import Side
from connector.store.work import NOT_DONE

GUARD = Guard()


@pytest.mark.parametrize(
    ("bound", "sent", "left"),
    [
        (0, 0, 2),
        (10, 0, 2),
        (9, 1, 1),
        (8, 2, 0),
        (59, 0, 2),
        (60, 0, 3),
        (57, 3, 0),
        (1000, 0, 50),
        (960, 40, 10),
        (950, 50, 0),
        (100_000, 0, 100),
        (99_900, 100, 0),
        (99_000, 1000, 0),
    ],
)
def test_rows_and_share(bound: int, sent: int, left: int) -> None:
    assert allowance(GUARD, bound, sent) == left


@given(st.integers(0, 10_000))
def test_one_by_one_never_lets_more_out_than_at_once(total: int) -> None:
    at_once = allowance(GUARD, total, 0)
    sent = 0
    while sent < total and allowance(GUARD, total - sent, sent):
        sent += 1
    assert sent == min(at_once, total)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_two_bounds_hold(bound: int, sent: int) -> None:
    all_in_all = sent + allowance(GUARD, bound, sent)
    assert all_in_all == sent or all_in_all <= GUARD.rows
    assert all_in_all == sent or all_in_all <= max(2, 0.05 * (bound + sent))


def test_bounds_can_be_set() -> None:
    assert allowance(Guard(rows=5, share=1.0), 100, 0) == 5
    assert allowance(Guard(rows=500, share=0.5), 100, 0) == 50
    assert allowance(Guard(rows=0), 100, 0) == 0


def no_release() -> bool:
    return False


def test_a_delete_that_is_sent_again_takes_nothing_more() -> None:
    deletes = Deletes(1, {7})
    assert deletes.take(7, no_release)
    assert deletes.take(8, no_release)
    assert deletes.take(8, no_release)
    assert not deletes.take(9, no_release)
    assert (len(deletes), deletes.free, deletes.held_back) == (2, 0, 1)


@pytest.mark.parametrize("outcome", sorted(NOT_DONE))
def test_a_delete_that_surely_did_not_happen_leaves_its_place(outcome: str) -> None:
    deletes = Deletes(1, set())
    assert deletes.take(8, no_release)
    assert not deletes.settle(8, outcome)
    assert deletes.take(9, no_release)
    assert not deletes.take(8, no_release)


@pytest.mark.parametrize("outcome", ["applied", "unknown"])
def test_a_delete_that_may_have_happened_keeps_its_place(outcome: str) -> None:
    deletes = Deletes(1, set())
    assert deletes.take(8, no_release)
    assert not deletes.settle(8, outcome)
    assert not deletes.settle(8, "transient"), "the reply to a second try says nothing of the first"
    assert not deletes.take(9, no_release)


def test_a_release_is_given_back_before_a_place_in_the_hour() -> None:
    deletes = Deletes(1, set())
    assert deletes.take(8, no_release)
    assert deletes.take(9, lambda: True)
    assert deletes.settle(8, "transient")
    assert not deletes.settle(9, "transient")
    assert deletes.free == 1


def test_the_faults_agree_on_what_surely_did_not_happen() -> None:
    named = {name.partition(",")[0]: how.family for name, how in REPLIES.items()}
    assert {n for n, f in named.items() if f not in (Family.DONE, Family.UNKNOWN)} == NOT_DONE


def test_the_reason_names_the_command_that_releases() -> None:
    reason = stop_reason("loyalty-card", Side.DATAVERSE, 50, 7)
    assert reason.code == "delete-guard"
    assert "50" in reason.message
    assert "7" in reason.message
    assert "maps resume loyalty-card --allow-deletes" in reason.remedy
    assert (reason.subject.map, reason.subject.side) == ("loyalty-card", "dataverse")
