from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from connector.ledger.journal.lots import Lot, draw, retrievable, spendable

TODAY = date(2026, 3, 10)
days = st.dates(date(2026, 3, 1), date(2026, 3, 20))
lots = st.lists(
    st.builds(Lot, st.integers(1, 1000), st.integers(0, 50), days, st.none() | days),
    unique_by=lambda lot: lot.entry,
)


def lot(entry: int, starts: str, expires: str | None, remaining: int = 10) -> Lot:
    last = None if expires is None else date.fromisoformat(expires)
    return Lot(entry, remaining, date.fromisoformat(starts), last)


@given(lots)
def test_every_lot_is_in_one_state(given_lots: list[Lot]) -> None:
    for one in given_lots:
        assert one.available(TODAY) + one.unvested(TODAY) + one.expired(TODAY) == 1


def test_first_and_last_day_count() -> None:
    assert lot(1, "2026-03-10", "2026-03-10").available(TODAY)


def test_what_expires_first_is_spent_first_and_never_last() -> None:
    never, soon, old = (
        lot(1, "2026-01-01", None),
        lot(2, "2026-01-01", "2026-03-11"),
        lot(3, "2025-01-01", None),
    )
    assert [one.entry for one in spendable([never, soon, old], TODAY)] == [2, 3, 1]


def test_points_come_back_from_their_own_lot_then_unvested_then_available_ones() -> None:
    own = lot(1, "2026-01-01", "2026-02-01")
    free, vests, newer = (
        lot(2, "2026-01-01", None),
        lot(3, "2026-04-01", None),
        lot(4, "2026-04-01", None),
    )
    gone = lot(5, "2026-01-01", "2026-02-01")
    order = retrievable(own, [free, vests, newer, gone, own], TODAY)
    assert [one.entry for one in order] == [1, 4, 3, 2]


@given(lots, st.integers(0, 500))
def test_no_more_is_drawn_than_is_there_or_asked_for(given_lots: list[Lot], asked: int) -> None:
    there = sum(one.remaining for one in given_lots)
    drawn = draw(given_lots, asked)
    assert sum(one.units for one in drawn) == min(there, asked)
    assert all(0 < one.units <= one.lot.remaining for one in drawn)
