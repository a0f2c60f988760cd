"""What "last month" and "next 3 days" mean: spans of time seen from now.

Owns: the calendar of relative date operators; weeks begin on Sunday, fiscal years on 1 January.
Never does: comparing a column (`operators.py`), knowing whose clock it is (`now` says it).
Tested in: tests/unit/sandbox/test_periods.py.

Facts: "FetchXML reference: condition operators" and the query functions of the Web API
(Microsoft.Dynamics.CRM.LastXDays and the like). Days are those of the user's time zone. Where
the facts are open: a span of the last N days, weeks, months or years begins at midnight and
ends now, one of the next ones begins now and ends at midnight.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

Span: TypeAlias = tuple[datetime | None, datetime | None]
"""From, included, to, excluded; None is open."""

_STEPS = {"last": -1, "this": 0, "next": 1}
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_SHORT = frozenset({"minutes", "hours"})


def span(operator: str, now: datetime, number: int = 0) -> Span | None:
    """The span a relative operator means, None if `operator` is none.

    `number` is the N of `last-x-days` and its kin. Raises `OverflowError` for a time that the
    calendar does not have.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if operator in _DAYS:
        start = today + timedelta(days=_DAYS[operator])
        return start, start + timedelta(days=1)
    first, _, rest = operator.partition("-")
    if rest == "seven-days":
        rest, number = "x-days", 7
    if rest.startswith("x-"):
        return _counted(first, rest.removeprefix("x-"), now, number)
    if first in _STEPS and rest in _CALENDAR:
        return _CALENDAR[rest](today, _STEPS[first])
    return None


def _counted(first: str, unit: str, now: datetime, number: int) -> Span | None:
    """Spans of N units that touch now."""
    if unit not in ("minutes", "hours", "days", "weeks", "months", "years"):
        return None
    if first == "olderthan":
        return None, shift(now, unit, -number)
    if unit == "minutes" or first not in ("last", "next"):
        return None
    edge = shift(now, unit, number if first == "next" else -number)
    if unit not in _SHORT:
        edge = edge.replace(hour=0, minute=0, second=0, microsecond=0)
    if first == "last":
        return edge, now
    return now, edge if unit in _SHORT else edge + timedelta(days=1)


def shift(moment: datetime, unit: str, number: int) -> datetime:
    """`moment` moved by `number` units; a month's last day stays a last day."""
    if unit not in ("months", "years"):
        return moment + timedelta(**{unit: number})
    months = moment.year * 12 + moment.month - 1 + number * (12 if unit == "years" else 1)
    year, month = divmod(months, 12)
    if not 1 <= year < 9999:
        raise OverflowError(f"{number} {unit} from {moment.year}")
    first = moment.replace(year=year, month=month + 1, day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(moment.day, last.day))


# ---------------------------------------------------------------------------- calendar


def _week(today: datetime, step: int) -> Span:
    start = today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=step)
    return start, start + timedelta(weeks=1)


def _month(today: datetime, step: int) -> Span:
    start = shift(today.replace(day=1), "months", step)
    return start, shift(start, "months", 1)


def _quarter(today: datetime, step: int) -> Span:
    first = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    start = shift(first, "months", 3 * step)
    return start, shift(start, "months", 3)


def _year(today: datetime, step: int) -> Span:
    start = shift(today.replace(month=1, day=1), "years", step)
    return start, shift(start, "years", 1)


_CALENDAR = {
    "week": _week,
    "month": _month,
    "year": _year,
    "fiscal-period": _quarter,
    "fiscal-year": _year,
}
