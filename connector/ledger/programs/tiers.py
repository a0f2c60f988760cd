"""Tiers: which one the points of a span of time give, since when, until when, and what is next.

Owns: this arithmetic, in ten-thousandths of a point.
Never does: SQL, clocks (`standing.py`).
Tested in: tests/unit/ledger/programs/test_tiers.py.

Points count from the day they were earned on. With `within: 12 months` the last day they count is
the one before the same day twelve months later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from connector.ledger.fields import fold
from connector.ledger.journal.amounts import UNIT, points
from connector.ledger.journal.periods import after
from connector.ledger.programs.document import Tier

Daily: TypeAlias = Mapping[str, Sequence[tuple[date, int]]]
"""By folded kind: what each day earned less what was taken back of it, the oldest day first."""

_DAY = timedelta(1)
_EVER = 10**9
_DAYS = {"day": 1.0, "month": 365.25 / 12, "year": 365.25}


class Standing(NamedTuple):
    """Where somebody stands in a program on a day; `tier` None below the lowest.

    `since` is the day on which the points for the tier were there, `until` the last day it is held
    if nothing more is earned, None for ever. `have` counts for the tier that comes `next`.
    """

    tier: Tier | None
    since: date | None
    until: date | None
    next: Tier | None
    have: Decimal
    """Points that count for the next tier; for the one held, at the top."""
    changes: date | None = None
    """The first day on which any of this is otherwise if nothing is posted; None for never."""

    @property
    def missing(self) -> Decimal | None:
        """Points to the next tier; None at the top."""
        return None if self.next is None else self.next.points - self.have


def standing(tiers: Sequence[Tier], earned: Daily, on: date) -> Standing:
    """The highest tier whose points are there on a day, and the next one above it."""
    held: Tier | None = None
    above: Tier | None = None
    for tier in sorted(tiers, key=lambda one: -one.level):
        if _have(tier, earned, on) >= _asked(tier):
            held = tier
            break
        above = tier
    counted = above or held
    have = points(_have(counted, earned, on)) if counted else Decimal(0)
    changes = _changes([one for one in (held, above) if one is not None], earned, on)
    if held is None:
        return Standing(None, None, None, above, have, changes)
    since, until = _span(held, _counting(held, earned, on))
    return Standing(held, since, until, above, have, changes)


def _changes(tiers: Sequence[Tier], earned: Daily, on: date) -> date | None:
    """The first day on which other points count for any of these tiers."""
    days = [
        coming
        for tier in tiers
        for day, _ in earned.get(fold(tier.kind), ())
        if (coming := day if day > on else _past(tier, day)) is not None and coming > on
    ]
    return min(days, default=None)


def _past(tier: Tier, day: date) -> date | None:
    """The first day on which the points of a day no longer count."""
    last = _last(tier, day)
    return None if last == date.max else last + _DAY


def reach(tiers: Sequence[Tier], on: date) -> date | None:
    """The first day whose points may count for any of the tiers on a day; None for all days."""
    starts = [_start(tier, on) for tier in tiers]
    bounded = [one for one in starts if one is not None]
    return min(bounded) if bounded and len(bounded) == len(starts) else None


def span_days(within: str | None) -> float:
    """A span of time as about so many days, to compare spans."""
    if within is None:
        return _EVER
    number, unit = _parts(within)
    return number * _DAYS[unit.lower()]


def _parts(within: str) -> tuple[int, str]:
    number, unit = within.split()
    return int(number), unit.removesuffix("s").capitalize()


def _asked(tier: Tier) -> int:
    return int(tier.points * UNIT)


def _counting(tier: Tier, earned: Daily, on: date) -> list[tuple[date, int]]:
    """The days whose points count for a tier."""
    days = earned.get(fold(tier.kind), ())
    return [(day, units) for day, units in days if day <= on <= _last(tier, day)]


def _have(tier: Tier, earned: Daily, on: date) -> int:
    return sum(units for _, units in _counting(tier, earned, on))


def _last(tier: Tier, day: date) -> date:
    """The last day on which the points of a day count."""
    if tier.within is None:
        return date.max
    number, unit = _parts(tier.within)
    return after(day, unit, number) - _DAY


def _start(tier: Tier, on: date) -> date | None:
    """The first day that may count; a few too many, where months differ in length."""
    if tier.within is None:
        return None
    number, unit = _parts(tier.within)
    if number * _DAYS[unit.lower()] >= on.toordinal() - 366:
        return date.min
    return after(on, unit, -number) - 4 * _DAY


def _span(tier: Tier, days: Sequence[tuple[date, int]]) -> tuple[date, date | None]:
    """When the points of a tier were there, and the last day on which enough of them count."""
    asked, have = _asked(tier), 0
    since = days[0][0]
    for day, units in days:
        have += units
        if have >= asked:
            since = day
            break
    left = sum(units for _, units in days)
    for day, units in days:
        left -= units
        if left < asked:
            last = _last(tier, day)
            return since, None if last == date.max else last
    return since, None
