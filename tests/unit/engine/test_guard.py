"""How many deletes may go out within the hour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.engine.guard import allowance, stop_reason
from connector.engine.ports import Guard
from connector.mapping.values import Side

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


def test_the_reason_names_the_command_that_releases() -> None:
    reason = stop_reason("loyalty-card", Side.DATAVERSE, 50, 7)
    assert reason.code == "delete-guard"
    assert "50" in reason.message
    assert "7" in reason.message
    assert "maps resume loyalty-card --allow-deletes" in reason.remedy
    assert (reason.subject.map, reason.subject.side) == ("loyalty-card", "dataverse")
