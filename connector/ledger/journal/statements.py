"""Reading the journal: balances, entries, and the proof that it adds up.

Owns: these queries; all of them only read.
Never does: deciding what may be posted.
Tested in: tests/unit/ledger/journal/test_statements.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.amounts import points
from connector.ledger.journal.posting import Entry, EntryType
from connector.ledger.journal.tables import deductions, entries, postings
from connector.ledger.ledger import Ledger
from connector.ledger.schema import CARDS, REWARD_POINTS

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


class Mismatch(NamedTuple):
    """A lot whose rest does not follow from what was drawn from it; there must be none."""

    entry: int
    remaining: Decimal
    proven: Decimal


def balances(ledger: Ledger, card: str, on: date, soon: int = SOON) -> list[Balance]:
    """The balances of a card by kind, in the order of their names; empty for an unknown card."""
    e = entries.c
    live = sa.or_(e.expires.is_(None), e.expires >= on)
    available = sa.and_(e.starts <= on, live)
    soon_gone = sa.and_(available, e.expires <= on + timedelta(soon))
    query = (
        sa.select(
            REWARD_POINTS.table.c.reward_point_id,
            _sum(e.remaining, available),
            _sum(e.remaining, sa.and_(e.starts > on, live)),
            _sum(e.remaining, soon_gone),
            sa.func.min(sa.case((sa.and_(available, e.remaining > 0), e.expires))),
            -_sum(e.units, e.type.in_([EntryType.REDEEM, EntryType.REFUND])),
            _sum(e.remaining, e.expires < on),
            _sum(e.units, e.type.in_([EntryType.EARN, EntryType.RETURN_EARNED])),
            _sum(e.units, e.type == EntryType.ADJUST),
        )
        .join(CARDS.table, CARDS.table.c.id == e.card)
        .join(REWARD_POINTS.table, REWARD_POINTS.table.c.id == e.kind)
        .where(CARDS.table.c.key == fold(card))
        .group_by(REWARD_POINTS.table.c.reward_point_id)
        .order_by(REWARD_POINTS.table.c.reward_point_id)
    )
    with ledger.reading() as connection:
        return [_balance(row) for row in connection.execute(query)]


def transactions(
    ledger: Ledger, card: str, *, before: int | None = None, limit: int = 50
) -> list[Entry]:
    """The entries of a card, the newest first; `before` is the number of the last one seen."""
    conditions = [CARDS.table.c.key == fold(card)]
    if before is not None:
        conditions.append(entries.c.number < before)
    with ledger.reading() as connection:
        return list(entries_of(connection, *conditions, newest=limit))


def entries_of(
    connection: sa.Connection, *where: sa.ColumnElement[bool], newest: int | None = None
) -> Iterator[Entry]:
    """The entries that meet the conditions, in their order, or so many of the newest."""
    e = entries.c
    query = (
        sa.select(
            e.number,
            e.posting,
            postings.c.at,
            e.type,
            CARDS.table.c.card_number,
            REWARD_POINTS.table.c.reward_point_id,
            e.units,
            e.asked,
            e.starts,
            e.expires,
            e.source,
            e.why,
        )
        .join(postings, postings.c.number == e.posting)
        .join(CARDS.table, CARDS.table.c.id == e.card)
        .join(REWARD_POINTS.table, REWARD_POINTS.table.c.id == e.kind)
        .where(*where)
        .order_by(e.number if newest is None else e.number.desc())
        .limit(newest)
    )
    for row in connection.execute(query):
        yield Entry(
            row[0],
            row[1],
            row[2].replace(tzinfo=UTC),
            EntryType(row[3]),
            row[4],
            row[5],
            points(row[6]),
            points(row[7]),
            row[8],
            row[9],
            row[10],
            row[11],
        )


def mismatches(ledger: Ledger) -> Iterator[Mismatch]:
    """Every lot that does not add up: what it brought less what was drawn is what is left."""
    drawn = sa.func.coalesce(sa.func.sum(deductions.c.units), 0)
    proven = entries.c.units - drawn
    query = (
        sa.select(entries.c.number, entries.c.remaining, proven)
        .outerjoin(deductions, deductions.c.lot == entries.c.number)
        .where(entries.c.remaining.is_not(None))
        .group_by(entries.c.number, entries.c.remaining, entries.c.units)
        .having(entries.c.remaining != proven)
        .order_by(entries.c.number)
    )
    with ledger.reading() as connection:
        for number, remaining, rest in connection.execute(query):
            yield Mismatch(number, points(remaining), points(rest))


def _sum(column: sa.ColumnElement[int], condition: sa.ColumnElement[bool]) -> Any:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, column), else_=0)), 0)


def _balance(row: Any) -> Balance:
    kind, available, unvested, expiring, expiry, redeemed, expired, lifetime, adjusted = row
    return Balance(
        kind,
        points(int(available)),
        points(int(unvested)),
        points(int(expiring)),
        expiry,
        points(int(redeemed)),
        points(int(expired)),
        points(int(lifetime)),
        points(int(adjusted)),
    )
