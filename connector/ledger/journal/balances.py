"""The points of a card on a day, by kind.

Owns: reading them, each from the index alone.
Never does: deciding what may be posted.
Tested in: tests/unit/ledger/journal/test_journal.py, tests/unit/ledger/journal/test_laws.py.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.lots import Lot
from connector.ledger.journal.posting import EntryType
from connector.ledger.journal.tables import entries
from connector.ledger.journal.totals import SOON as SOON
from connector.ledger.journal.totals import Balance as Balance
from connector.ledger.journal.totals import Totals
from connector.ledger.schema import CARDS, REWARD_POINTS

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger

_CARD = CARDS.table.c


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
