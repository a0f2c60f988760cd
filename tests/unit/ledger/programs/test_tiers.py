"""Which tier points give, since when and until when."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ledger.journal.amounts import UNIT
from connector.ledger.programs.document import Tier
from connector.ledger.programs.tiers import Standing, reach, span_days, standing

TODAY = date(2026, 11, 22)


def tier(name: str, level: int, points: int, within: str | None = "12 months") -> Tier:
    return Tier(tier=name, level=level, points=Decimal(points), kind="Bonus", within=within)


TIERS = (tier("silver", 1, 500), tier("gold", 2, 1000))


def stands(
    *days: tuple[date, int], on: date = TODAY, tiers: tuple[Tier, ...] = TIERS
) -> tuple[Any, ...]:
    found = standing(tiers, {"bonus": [(day, points * UNIT) for day, points in sorted(days)]}, on)
    return (
        found.tier.tier if found.tier else None,
        found.since,
        found.until,
        found.next.tier if found.next else None,
        found.missing,
    )


def test_below_the_lowest() -> None:
    assert stands() == (None, None, None, "silver", 500)
    assert stands((TODAY, 499)) == (None, None, None, "silver", 1)


def test_a_tier_is_held_since_the_points_are_there_and_until_too_few_count() -> None:
    first, second, third = date(2026, 2, 1), date(2026, 5, 10), date(2026, 7, 1)
    found = stands((first, 300), (second, 250), (third, 100))
    assert found == ("silver", second, date(2027, 1, 31), "gold", 350)
    # Without the first day 350 are left, which are too few.
    assert stands((first, 300), (second, 250), (third, 100), on=date(2027, 1, 31))[0] == "silver"
    assert stands((first, 300), (second, 250), (third, 100), on=date(2027, 2, 1))[0] is None


def test_the_top_has_no_next() -> None:
    assert stands((TODAY, 5000)) == ("gold", TODAY, date(2027, 11, 21), None, None)


def test_points_of_tomorrow_do_not_count_yet() -> None:
    assert stands((TODAY + timedelta(1), 5000))[0] is None


def test_what_returns_took_back_does_not_count() -> None:
    assert stands((TODAY, 500), (TODAY - timedelta(1), 0))[0] == "silver"
    assert stands((TODAY, 499), (TODAY - timedelta(400), 5000))[0] is None


def test_a_tier_for_ever() -> None:
    ever = (tier("silver", 1, 500, None),)
    found = stands((date(1990, 1, 1), 500), tiers=ever)
    assert found == ("silver", date(1990, 1, 1), None, None, None)


def test_another_kind_counts_nothing() -> None:
    found = standing(TIERS, {"cash": [(TODAY, 5000 * UNIT)]}, TODAY)
    assert found == Standing(None, None, None, TIERS[0], Decimal(0), None)


@pytest.mark.parametrize(
    ("within", "day", "last"),
    [
        ("1 day", date(2026, 3, 1), date(2026, 3, 1)),
        ("30 days", date(2026, 3, 1), date(2026, 3, 30)),
        ("1 month", date(2026, 1, 31), date(2026, 2, 27)),
        ("12 months", date(2026, 3, 1), date(2027, 2, 28)),
        ("2 years", date(2024, 2, 29), date(2026, 2, 27)),
    ],
)
def test_the_last_day_that_points_count(within: str, day: date, last: date) -> None:
    tiers = (tier("silver", 1, 1, within),)
    assert stands((day, 1), on=day, tiers=tiers)[:3] == ("silver", day, last)
    assert stands((day, 1), on=last, tiers=tiers)[0] == "silver"
    assert stands((day, 1), on=last + timedelta(1), tiers=tiers)[0] is None


def test_no_day_that_counts_is_left_out_of_reach() -> None:
    for within in ("1 day", "30 days", "1 month", "6 months", "13 months", "1 year", "9999 years"):
        tiers = (tier("silver", 1, 1, within), tier("gold", 2, 2, "1 day"))
        first = reach(tiers, TODAY)
        assert first is not None
        if first > date.min:
            assert stands((first - timedelta(1), 1), tiers=tiers)[0] is None
    assert reach((tier("a", 1, 1, None), tier("b", 2, 2)), TODAY) is None
    assert reach((), TODAY) is None


def test_when_something_changes_by_itself() -> None:
    def changes(*days: tuple[date, int], tiers: tuple[Tier, ...] = TIERS) -> date | None:
        earned = {"bonus": [(day, points * UNIT) for day, points in days]}
        return standing(tiers, earned, TODAY).changes

    assert changes() is None
    assert changes((date(2026, 2, 1), 300), (date(2026, 5, 10), 250)) == date(2027, 2, 1)
    assert changes((date(2025, 11, 23), 10)) == TODAY + timedelta(1)
    assert changes((TODAY, 600), (TODAY + timedelta(1), 10)) == TODAY + timedelta(1)
    assert changes((TODAY, 5000), tiers=(tier("ever", 1, 1, None),)) is None
    both = (tier("silver", 1, 1, "30 days"), tier("gold", 2, 100))
    assert changes((date(2026, 11, 1), 50), tiers=both) == date(2026, 12, 1)
    assert changes((date(2026, 1, 1), 5000)) == date(2027, 1, 1)


def test_spans_compare() -> None:
    spans = ["1 day", "27 days", "1 month", "11 months", "1 year", "13 months", None]
    assert all(span_days(one) < span_days(other) for one, other in pairwise(spans))


@given(
    st.dictionaries(st.dates(date(2024, 1, 1), date(2027, 1, 1)), st.integers(0, 400), max_size=12),
    st.dates(date(2025, 1, 1), date(2027, 6, 1)),
)
def test_a_tier_holds_until_the_last_day_told_and_no_longer(
    days: dict[date, int], on: date
) -> None:
    found = stands(*days.items(), on=on)
    until = found[2]
    if found[0] is not None:
        assert until is not None
        # Nothing more is earned: what lies ahead of the day is left out.
        past = [(day, points) for day, points in days.items() if day <= on]
        assert stands(*past, on=until)[0] == found[0]
        assert stands(*past, on=until + timedelta(1))[0] != found[0]


@given(
    st.dictionaries(st.dates(date(2024, 1, 1), date(2027, 1, 1)), st.integers(1, 400), max_size=12),
    st.dates(date(2025, 1, 1), date(2027, 6, 1)),
    st.integers(1, 500),
)
def test_nothing_changes_before_the_day_told(days: dict[date, int], on: date, after: int) -> None:
    earned = {"bonus": [(day, points * UNIT) for day, points in sorted(days.items())]}
    found = standing(TIERS, earned, on)
    day = on + timedelta(after)
    if found.changes is None or day < found.changes:
        assert standing(TIERS, earned, day) == found
    elif day == found.changes:
        assert standing(TIERS, earned, day) != found
