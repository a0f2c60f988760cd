"""A segment as one SQL statement.

Owns: what each condition asks of the ledger, for a day.
Never does: running a statement (`picking.py`, `marking.py`).
Tested in: tests/unit/ledger/segments/test_query.py, which evaluates every condition once more in
plain Python.

Conditions are sets of cards, or of customers, that are worked out once for the whole statement;
nothing is asked card by card. A condition never is NULL, so that `not` turns it around.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

import sqlalchemy as sa

from connector.ledger.column_types import utc
from connector.ledger.fields import fold
from connector.ledger.journal.amounts import UNIT
from connector.ledger.journal.books import BLOCKED
from connector.ledger.journal.periods import after
from connector.ledger.journal.tables import LIVE, entries
from connector.ledger.members.tables import card_programs, customer_groups
from connector.ledger.sales.tables import sale_lines, sales
from connector.ledger.schema import CARDS, REFERENCES, REWARD_POINTS
from connector.ledger.segments.document import (
    Bought,
    Condition,
    Enrolled,
    Held,
    Of,
    SegmentDocument,
    TierHeld,
)
from connector.ledger.shown.entities import CARD_TIERS

Test: TypeAlias = sa.ColumnElement[bool]
CARD = CARDS.table.c
_DAY = timedelta(1)


class World(NamedTuple):
    """What a statement is made for: a day, whose day it is, and what is open to every card."""

    on: date
    zone: tzinfo = UTC
    open_programs: frozenset[str] = frozenset()
    """Programs that every card is in."""
    channels: Sequence[str] = ()
    """Every spelling of a channel and of a unit there is in the sales."""
    units: Sequence[str] = ()


class _Measure(NamedTuple):
    """A figure, and the bounds it has to keep."""

    figure: sa.ColumnElement[Any]
    least: int | None
    most: int | None


def picked(document: SegmentDocument, world: World) -> sa.Select[tuple[str]]:
    """The ids of the cards in a segment; blocked cards are in none."""
    test = _Query(document.of, world).test(document.who)
    return sa.select(CARD.id).where(CARD.card_tender_type != BLOCKED, test)


class _Query:
    """Conditions about cards, or about all cards of a customer."""

    def __init__(self, of: Of, world: World) -> None:
        self._pooled = of is Of.CUSTOMER
        self._world = world

    def test(self, one: Condition) -> Test:
        """Whether the card at hand meets every key of a condition."""
        tests: list[Test] = [self.test(part) for part in one.all_ or ()]
        if one.any_ is not None:
            tests.append(sa.or_(*(self.test(part) for part in one.any_)))
        if one.not_ is not None:
            tests.append(sa.not_(self.test(one.not_)))
        if one.customer is not None:
            known = CARD.party_number.is_not(None)
            tests.append(known if one.customer else sa.not_(known))
        asked: list[tuple[Any, Callable[[Any], Test]]] = [
            (one.programs, self._programs),
            (one.tier, self._tier),
            (one.groups, self._groups),
            (one.sales, self._sales),
            (one.idle, self._idle),
            (one.points, self._points),
            (one.enrolled, self._enrolled),
        ]
        tests += [make(value) for value, make in asked if value is not None]
        return sa.and_(*tests)

    # ------------------------------------------------------------------ who they are

    def _groups(self, groups: Sequence[str]) -> Test:
        wanted = sa.select(customer_groups.c.party).where(customer_groups.c.name.in_(_keys(groups)))
        return sa.and_(CARD.party_number.is_not(None), CARD.party_number.in_(wanted))

    def _programs(self, programs: Sequence[str]) -> Test:
        if not self._world.open_programs.isdisjoint(programs):
            return sa.true()
        joined = card_programs.c
        source, owner = self._owned(card_programs, joined.card)
        wanted = sa.select(owner).select_from(source).where(joined.program.in_(programs))
        return self._self().in_(wanted)

    def _tier(self, tier: TierHeld) -> Test:
        held, on = CARD_TIERS.table.c, self._world.on
        tests = [
            held.program == tier.program,
            held.tier.is_not(None),
            sa.or_(held.valid_to.is_(None), held.valid_to >= on),
        ]
        if tier.one_of is not None:
            tests.append(held.tier.in_(tier.one_of))
        if not self._pooled:
            return CARD.card_number.in_(sa.select(held.card_number).where(*tests))
        cards = CARDS.table.alias()
        source = CARD_TIERS.table.join(cards, cards.c.card_number == held.card_number)
        return self._self().in_(sa.select(_owner(cards)).select_from(source).where(*tests))

    def _enrolled(self, enrolled: Enrolled) -> Test:
        first, until = self._days(enrolled)
        dated = enrolled.units is None or first is not None or until is not None
        tests: list[Test] = [CARD.enrollment_date.is_not(None)] if dated else []
        if first is not None:
            tests.append(CARD.enrollment_date >= first)
        if until is not None:
            tests.append(CARD.enrollment_date <= until)
        if enrolled.units is not None:
            units = REFERENCES["operating_units"].c
            spelled = sa.select(units.number).where(units.key.in_(_keys(enrolled.units)))
            unit = CARD.operating_unit_number
            tests.append(sa.and_(unit.is_not(None), unit.in_(spelled)))
        return sa.and_(*tests)

    # ------------------------------------------------------------------ what they did

    def _sales(self, asked: Bought) -> Test:
        s, line = sales.c, sale_lines.c
        source, owner = self._owned(sales.join(sale_lines, line.sale == s.id), s.card)
        tests: list[Test] = [line.quantity > line.returned_quantity, *self._when(asked)]
        if asked.currency is not None:
            tests.append(sa.func.upper(s.currency) == asked.currency)
        if asked.channels is not None:
            tests.append(s.channel.in_(_spelled(asked.channels, self._world.channels)))
        if asked.units is not None:
            tests.append(s.unit.in_(_spelled(asked.units, self._world.units)))
        if asked.products is not None:
            tests.append(line.product_key.in_(_keys(asked.products)))
        if asked.categories is not None:
            among = (
                line.category_keys.contains(f"\n{one}\n", autoescape=True)
                for one in _keys(asked.categories)
            )
            tests.append(sa.or_(*among))
        measures = (
            _Measure(sa.func.count(s.id.distinct()), asked.least_sales, asked.most_sales),
            _Measure(
                sa.func.sum(line.amount - line.returned_amount),
                _units(asked.least_amount),
                _units(asked.most_amount),
            ),
            _Measure(
                sa.func.sum(line.quantity - line.returned_quantity),
                _units(asked.least_quantity),
                _units(asked.most_quantity),
            ),
        )
        return self._measured(sa.select(owner).select_from(source).where(*tests), owner, measures)

    def _idle(self, period: str) -> Test:
        return self._sales(Bought.model_validate({"within": period, "most-sales": 0}))

    def _points(self, asked: Held) -> Test:
        lot, kind, on = entries.c, REWARD_POINTS.table.c, self._world.on
        source, owner = self._owned(entries, lot.card, open_only=True)
        kinds = sa.select(kind.id).where(kind.key == fold(asked.kind)).scalar_subquery()
        # Not the column itself, or its index would be taken, which has every lot ever spent.
        of_kind = lot.kind.concat("") == kinds
        tests = [LIVE, of_kind, lot.starts <= on]
        if asked.expiring is None:
            tests.append(sa.or_(lot.expires.is_(None), lot.expires >= on))
        else:
            tests += [lot.expires >= on, lot.expires <= _moved(on, asked.expiring)]
        measure = _Measure(sa.func.sum(lot.remaining), _units(asked.least), _units(asked.most))
        return self._measured(sa.select(owner).select_from(source).where(*tests), owner, (measure,))

    def _measured(
        self, query: sa.Select[Any], owner: sa.ColumnElement[str], measures: Iterable[_Measure]
    ) -> Test:
        """Figures of a set within their bounds; who is not in the set has 0 of everything.

        Without any bound it is enough to be in the set.
        """
        low = [one.figure >= one.least for one in measures if one.least is not None]
        high = [one.figure <= one.most for one in measures if one.most is not None]
        grouped = query.group_by(owner)
        if low or not high:
            return self._self().in_(grouped.having(*low, *high))
        return self._self().not_in(grouped.having(sa.not_(sa.and_(*high))))

    # ------------------------------------------------------------------ whose it is

    def _self(self) -> sa.ColumnElement[str]:
        """What the card at hand is known by in the sets: itself, or its customer."""
        return _owner(CARDS.table) if self._pooled else CARD.id

    def _owned(
        self, source: sa.FromClause, card: sa.ColumnElement[str], *, open_only: bool = False
    ) -> tuple[sa.FromClause, sa.ColumnElement[str]]:
        """A source of rows that name a card, and what the card is known by in the sets.

        With `open_only`, rows of a customer's blocked cards are left out.
        """
        if not self._pooled:
            return source, card
        cards = CARDS.table.alias()
        met = cards.c.id == card
        if open_only:
            met = sa.and_(met, cards.c.card_tender_type != BLOCKED)
        return source.join(cards, met), _owner(cards)

    # ------------------------------------------------------------------ days

    def _days(self, asked: Bought | Enrolled) -> tuple[date | None, date | None]:
        """The first and the last day that count."""
        if asked.within is None:
            return asked.first, asked.until
        return _moved(self._world.on, asked.within, -1) + _DAY, asked.until or self._world.on

    def _when(self, asked: Bought) -> Iterable[Test]:
        first, until = self._days(asked)
        if first is not None:
            yield sales.c.at >= self._begin(first)
        if until is not None:
            yield sales.c.at < self._begin(until + _DAY)

    def _begin(self, day: date) -> datetime:
        """When a day begins, as the tables hold it."""
        return utc(datetime.combine(day, time(), self._world.zone))


def _owner(cards: sa.FromClause) -> sa.ColumnElement[str]:
    # No PartyNumber looks like a GUID of ours; and if one did, only one's own card would suffer.
    return sa.func.coalesce(cards.c.party_number, cards.c.id)


def _keys(labels: Iterable[str]) -> list[str]:
    return [fold(one) for one in labels]


def _spelled(labels: Iterable[str], spellings: Iterable[str]) -> list[str]:
    """The spellings there are of some names."""
    wanted = set(_keys(labels))
    return [one for one in spellings if fold(one) in wanted]


def _units(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * UNIT)


def _moved(on: date, period: str, way: int = 1) -> date:
    """The day a span of time after a day, or with -1 before it."""
    number, unit = period.split()
    unit = unit.removesuffix("s").capitalize()
    count = int(number)
    if way < 0 and count * {"Day": 1, "Month": 31, "Year": 366}[unit] >= on.toordinal() - 366:
        return date.min
    return after(on, unit, way * count)
