"""Spans of time seen from Wednesday, 18 March 2026, half past three."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from connector.sandbox.dataverse.reading.periods import shift, span

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)


def shown(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("operator", "number", "start", "end"),
    [
        ("today", 0, "2026-03-18 00:00", "2026-03-19 00:00"),
        ("yesterday", 0, "2026-03-17 00:00", "2026-03-18 00:00"),
        ("tomorrow", 0, "2026-03-19 00:00", "2026-03-20 00:00"),
        ("this-week", 0, "2026-03-15 00:00", "2026-03-22 00:00"),
        ("last-week", 0, "2026-03-08 00:00", "2026-03-15 00:00"),
        ("next-week", 0, "2026-03-22 00:00", "2026-03-29 00:00"),
        ("this-month", 0, "2026-03-01 00:00", "2026-04-01 00:00"),
        ("last-month", 0, "2026-02-01 00:00", "2026-03-01 00:00"),
        ("next-year", 0, "2027-01-01 00:00", "2028-01-01 00:00"),
        ("this-fiscal-period", 0, "2026-01-01 00:00", "2026-04-01 00:00"),
        ("last-fiscal-period", 0, "2025-10-01 00:00", "2026-01-01 00:00"),
        ("last-seven-days", 0, "2026-03-11 00:00", "2026-03-18 15:30"),
        ("next-seven-days", 0, "2026-03-18 15:30", "2026-03-26 00:00"),
        ("last-x-hours", 2, "2026-03-18 13:30", "2026-03-18 15:30"),
        ("next-x-hours", 2, "2026-03-18 15:30", "2026-03-18 17:30"),
        ("last-x-days", 3, "2026-03-15 00:00", "2026-03-18 15:30"),
        ("next-x-weeks", 1, "2026-03-18 15:30", "2026-03-26 00:00"),
        ("last-x-months", 1, "2026-02-18 00:00", "2026-03-18 15:30"),
        ("olderthan-x-minutes", 45, "", "2026-03-18 14:45"),
        ("olderthan-x-years", 1, "", "2025-03-18 15:30"),
    ],
)
def test_spans(operator: str, number: int, start: str, end: str) -> None:
    found = span(operator, NOW, number)
    assert found is not None
    assert (shown(found[0]), shown(found[1])) == (start, end)


@pytest.mark.parametrize("operator", ["eq", "last-x-minutes", "last-x-moons", "on", "this-x-days"])
def test_what_is_no_span(operator: str) -> None:
    assert span(operator, NOW, 1) is None


def test_a_sunday_begins_its_own_week() -> None:
    found = span("this-week", datetime(2026, 3, 15, 1, tzinfo=UTC))
    assert found is not None
    assert shown(found[0]) == "2026-03-15 00:00"


def test_months_end_where_months_end() -> None:
    assert shown(shift(datetime(2026, 3, 31, 8, tzinfo=UTC), "months", -1)) == "2026-02-28 08:00"
    assert shown(shift(datetime(2024, 2, 29, 8, tzinfo=UTC), "years", 1)) == "2025-02-28 08:00"


def test_the_calendar_ends_somewhere() -> None:
    with pytest.raises(OverflowError):
        span("last-x-years", NOW, 3000)


def test_days_are_those_of_the_clock_that_asks() -> None:
    found = span("today", NOW.astimezone(timezone(timedelta(hours=10))))
    assert found is not None
    assert found[0] == datetime(2026, 3, 18, 14, tzinfo=UTC)
