"""Reading the journal: entries, and the proof that it adds up.

Owns: these queries; all of them only read.
Never does: deciding what may be posted.
Tested in: tests/unit/ledger/journal/test_journal.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC
from decimal import Decimal
from typing import NamedTuple

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.amounts import points
from connector.ledger.journal.posting import Entry, EntryType
from connector.ledger.journal.tables import deductions, entries, postings
from connector.ledger.ledger import Ledger
from connector.ledger.schema import CARDS, REWARD_POINTS
from connector.ledger.sql import IN_CHUNK

_CARD = CARDS.table.c


class Mismatch(NamedTuple):
    """A lot whose rest does not follow from what was drawn from it; there must be none."""

    entry: int
    remaining: Decimal
    proven: Decimal


def transactions(
    ledger: Ledger, card: str, *, before: int | None = None, limit: int = 50
) -> list[Entry]:
    """The entries of a card, the newest first; `before` is the number of the last one seen."""
    conditions = [_CARD.key == fold(card)]
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
            _CARD.card_number,
            REWARD_POINTS.table.c.reward_point_id,
            e.units,
            e.asked,
            e.starts,
            e.expires,
            e.source,
            e.why,
            e.rule,
            postings.c.sale,
        )
        .join(postings, postings.c.number == e.posting)
        .join(CARDS.table, _CARD.id == e.card)
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
            *row[11:],
        )


def entries_of_postings(
    connection: sa.Connection, numbers: Sequence[int]
) -> dict[int, tuple[Entry, ...]]:
    """The entries of each of these postings, in their order."""
    found: dict[int, list[Entry]] = {number: [] for number in numbers}
    for start in range(0, len(numbers), IN_CHUNK):
        chunk = numbers[start : start + IN_CHUNK]
        for entry in entries_of(connection, entries.c.posting.in_(chunk)):
            found[entry.posting].append(entry)
    return {number: tuple(of) for number, of in found.items()}


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
