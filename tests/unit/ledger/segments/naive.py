"""A segment evaluated card by card in plain Python, over plain data, with no SQL in sight.

What every condition means is written down here a second time, from the words of the documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from connector.ledger.segments.document import (
    Bought,
    Condition,
    Enrolled,
    Held,
    Of,
    SegmentDocument,
)

DAYS = {"day": 1, "month": 30, "year": 365}
"""Spans in the tests are of days only, so that this file needs no calendar."""


@dataclass
class Line:
    product: str
    categories: Sequence[str] = ()
    quantity: Decimal = Decimal(1)
    amount: Decimal = Decimal(10)
    back: bool = False
    """All of it came back."""


@dataclass
class Ticket:
    at: datetime
    lines: Sequence[Line]
    currency: str = "EUR"
    channel: str | None = None
    unit: str | None = None


@dataclass
class Lot:
    kind: str
    left: Decimal
    starts: date
    expires: date | None = None


@dataclass
class Holder:
    """A card and everything on it."""

    card: str
    party: str | None = None
    blocked: bool = False
    enrolled: date | None = None
    unit: str | None = None
    joined: frozenset[str] = frozenset()
    tiers: dict[str, str] = field(default_factory=dict)
    tickets: list[Ticket] = field(default_factory=list)
    lots: list[Lot] = field(default_factory=list)


@dataclass
class Shop:
    """Everybody, and the groups of customers."""

    holders: list[Holder]
    groups: dict[str, set[str]] = field(default_factory=dict)
    """Customer to names."""
    open_programs: frozenset[str] = frozenset()
    on: date = date(2026, 6, 15)

    def picked(self, document: SegmentDocument) -> set[str]:
        """The cards in a segment."""
        return {
            one.card
            for one in self.holders
            if not one.blocked and self._meets(document.who, one, self._with(one, document.of))
        }

    def _with(self, one: Holder, of: Of) -> list[Holder]:
        """The cards that are looked at together."""
        if of is Of.CARD or one.party is None:
            return [one]
        return [other for other in self.holders if other.party == one.party]

    def _meets(self, asked: Condition, one: Holder, together: list[Holder]) -> bool:
        groups = self.groups.get(one.party or "", set())
        every = [self._meets(part, one, together) for part in asked.all_ or ()]
        if asked.any_ is not None:
            every.append(any(self._meets(part, one, together) for part in asked.any_))
        if asked.not_ is not None:
            every.append(not self._meets(asked.not_, one, together))
        if asked.programs is not None:
            wanted = set(asked.programs)
            every.append(
                bool(wanted & self.open_programs) or any(wanted & held.joined for held in together)
            )
        if asked.tier is not None:
            held = {one.tiers.get(asked.tier.program) for one in together} - {None}
            every.append(bool(held & set(asked.tier.one_of) if asked.tier.one_of else held))
        if asked.groups is not None:
            every.append(bool({name.casefold() for name in asked.groups} & groups))
        if asked.customer is not None:
            every.append((one.party is not None) == asked.customer)
        if asked.sales is not None:
            every.append(self._bought(asked.sales, together))
        if asked.idle is not None:
            first = self.on - timedelta(int(asked.idle.split()[0]) - 1)
            every.append(
                not any(
                    first <= ticket.at.date() <= self.on and any(not x.back for x in ticket.lines)
                    for held in together
                    for ticket in held.tickets
                )
            )
        if asked.points is not None:
            every.append(self._holds(asked.points, together))
        if asked.enrolled is not None:
            every.append(self._enrolled(asked.enrolled, one))
        return all(every)

    def _period(self, asked: Bought | Enrolled) -> tuple[date, date]:
        if asked.within is not None:
            first = self.on - timedelta(int(asked.within.split()[0]) - 1)
            return first, asked.until or self.on
        return asked.first or date.min, asked.until or date.max

    def _bought(self, asked: Bought, together: list[Holder]) -> bool:
        first, until = self._period(asked)
        count, amount, quantity = 0, Decimal(0), Decimal(0)
        for ticket in (ticket for one in together for ticket in one.tickets):
            lines = [
                line
                for line in ticket.lines
                if not line.back
                and _among(asked.products, [line.product])
                and _among(asked.categories, line.categories)
            ]
            counts = (
                first <= ticket.at.date() <= until
                and asked.currency in (None, ticket.currency)
                and _among(asked.channels, [ticket.channel])
                and _among(asked.units, [ticket.unit])
            )
            if lines and counts:
                count += 1
                amount += sum(line.amount for line in lines)
                quantity += sum(line.quantity for line in lines)
        bounds: list[tuple[Decimal, Decimal | int | None, Decimal | int | None]] = [
            (Decimal(count), asked.least_sales, asked.most_sales),
            (amount, asked.least_amount, asked.most_amount),
            (quantity, asked.least_quantity, asked.most_quantity),
        ]
        if all(least is None and most is None for _, least, most in bounds):
            return count > 0
        return all(
            (least is None or have >= least) and (most is None or have <= most)
            for have, least, most in bounds
        )

    def _holds(self, asked: Held, together: list[Holder]) -> bool:
        have = Decimal(0)
        for lot in (lot for one in together if not one.blocked for lot in one.lots):
            there = lot.starts <= self.on and (lot.expires is None or lot.expires >= self.on)
            if asked.expiring is not None:
                last = self.on + timedelta(int(asked.expiring.split()[0]))
                there = there and lot.expires is not None and lot.expires <= last
            if there and lot.kind.casefold() == asked.kind.casefold():
                have += lot.left
        if asked.least is None and asked.most is None:
            return have > 0
        return (asked.least is None or have >= asked.least) and (
            asked.most is None or have <= asked.most
        )

    def _enrolled(self, asked: Enrolled, one: Holder) -> bool:
        if asked.units is not None and not _among(asked.units, [one.unit]):
            return False
        if (asked.units, asked.within, asked.first, asked.until) != (asked.units, None, None, None):
            first, until = self._period(asked)
            return one.enrolled is not None and first <= one.enrolled <= until
        return asked.units is not None or one.enrolled is not None


def _among(wanted: Sequence[str] | None, names: Sequence[str | None]) -> bool:
    if wanted is None:
        return True
    folded = {one.casefold() for one in names if one is not None}
    return not folded.isdisjoint(one.casefold() for one in wanted)
