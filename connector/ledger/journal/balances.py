"""The points of a card on a day, by kind.

Owns: adding them up; only reads.
Never does: deciding what may be posted.
Tested in: tests/unit/ledger/journal/test_journal.py, tests/unit/ledger/journal/test_laws.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.amounts import points
from connector.ledger.journal.lots import Lot
from connector.ledger.journal.posting import EntryType
from connector.ledger.journal.tables import entries
from connector.ledger.ledger import Ledger
from connector.ledger.schema import CARDS, REWARD_POINTS

_CARD = CARDS.table.c
SOON = 30
"""Days within which points count as about to expire (commerce-loyalty, section 6)."""


class Balance(NamedTuple):
    """The points of one kind on one card, on a day.

    `available` pay today, `unvested` later; `expiring` is the part of the available ones that
    expires soon, `next_expiry` the first day after which some are gone. `redeemed` is less what
    was given back, `lifetime` what was ever earned less what was taken back.
    """

    kind: str
    available: Decimal
    unvested: Decimal
    expiring: Decimal
    next_expiry: date | None
    redeemed: Decimal
    expired: Decimal
    lifetime: Decimal
    adjusted: Decimal
    """What people added and removed, and what came from and went to other cards."""


@dataclass(slots=True)
class Totals:
    """A balance while it is added up, in ten-thousandths."""

    available: int = 0
    unvested: int = 0
    expiring: int = 0
    next_expiry: date | None = None
    redeemed: int = 0
    expired: int = 0
    lifetime: int = 0
    adjusted: int = 0

    def count(self, type_: EntryType, units: int) -> None:
        """Entries of a type, signed."""
        match type_:
            case EntryType.EARN | EntryType.RETURN_EARNED:
                self.lifetime += units
            case EntryType.REDEEM | EntryType.REFUND:
                self.redeemed -= units
            case EntryType.ADJUST:
                self.adjusted += units

    def hold(self, lot: Lot, on: date, soon: int) -> None:
        """What is left of lots with the same days."""
        if lot.expired(on):
            self.expired += lot.remaining
        elif lot.unvested(on):
            self.unvested += lot.remaining
        else:
            self.available += lot.remaining
            if lot.expires is not None and lot.remaining:
                self.next_expiry = min(self.next_expiry or date.max, lot.expires)
                if lot.expires <= on + timedelta(soon):
                    self.expiring += lot.remaining

    def balance(self, kind: str) -> Balance:
        """The same in points."""
        return Balance(
            kind,
            points(self.available),
            points(self.unvested),
            points(self.expiring),
            self.next_expiry,
            points(self.redeemed),
            points(self.expired),
            points(self.lifetime),
            points(self.adjusted),
        )


def balances(ledger: Ledger, card: str, on: date, soon: int = SOON) -> list[Balance]:
    """The balances of a card by kind, in the order of their names; empty for an unknown card."""
    of = sa.select(_CARD.id).where(_CARD.key == fold(card)).scalar_subquery()
    with ledger.reading() as connection:
        return added_up(connection, entries.c.card == of, on, soon)


def added_up(
    connection: sa.Connection, of: sa.ColumnElement[bool], on: date, soon: int = SOON
) -> list[Balance]:
    """The same of all entries that meet a condition, such as those of several cards."""
    e = entries.c
    # In the order of the index, which alone is read: entries of a day come as one.
    days = (e.kind, e.type, e.starts, e.expires)
    sums = (
        sa.select(
            *days, sa.func.sum(e.units).label("units"), sa.func.sum(e.remaining).label("rest")
        )
        .where(of)
        .group_by(*days)
        .subquery()
    )
    name = REWARD_POINTS.table.c.reward_point_id
    query = (
        sa.select(name, sums.c.type, sums.c.starts, sums.c.expires, sums.c.units, sums.c.rest)
        .join(REWARD_POINTS.table, REWARD_POINTS.table.c.id == sums.c.kind)
        .order_by(name)
    )
    held: dict[str, Totals] = {}
    for kind, type_, starts, expires, units, rest in connection.execute(query):
        totals = held.setdefault(kind, Totals())
        totals.count(EntryType(type_), int(units))
        if rest is not None:
            totals.hold(Lot(0, int(rest), starts, expires), on, soon)
    return [totals.balance(kind) for kind, totals in held.items()]
