"""Reading the journal: entries, and the proof that it adds up.

Owns: these queries; all of them only read.
Never does: deciding what may be posted.
Tested in: tests/unit/ledger/journal/test_journal.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from connector.errors import UsageError
from connector.ledger.fields import fold
from connector.ledger.journal.amounts import points
from connector.ledger.journal.posting import Entry, EntryType
from connector.ledger.journal.tables import deductions, entries, postings
from connector.ledger.members.names import customer
from connector.ledger.schema import CARDS, REWARD_POINTS
from connector.ledger.sql import IN_CHUNK, rows_in

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger

_CARD = CARDS.table.c


class Mismatch(NamedTuple):
    """A lot whose rest does not follow from what was drawn from it; there must be none."""

    entry: int
    remaining: Decimal
    proven: Decimal
    card: str
    """Its number."""
    kind: str


class Note(NamedTuple):
    """Who made a posting, and the comment they left; empty where they left none."""

    by: str
    comment: str


class Page(NamedTuple):
    """Some of the entries that were asked for, and how many there are in all."""

    entries: Sequence[Entry]
    total: int
    notes: Mapping[int, Note]
    """Of the postings these entries belong to, by their numbers."""


SORTS: Mapping[str, sa.ColumnElement[Any]] = MappingProxyType(
    {
        "entry": entries.c.number,
        "at": postings.c.at,
        "card": _CARD.key,
        "kind": REWARD_POINTS.table.c.key,
        "type": entries.c.type,
        "points": entries.c.units,
    }
)
"""What entries can be sorted by; with `-` in front the other way round."""
NEWEST = "-entry"


def transactions(
    ledger: Ledger, card: str, *, before: int | None = None, limit: int = 50
) -> Sequence[Entry]:
    """The entries of a card, the newest first; `before` is the number of the last one seen."""
    return page(ledger, card=card, before=before, limit=limit).entries


def page(
    ledger: Ledger,
    *,
    card: str | None = None,
    party: str | None = None,
    before: int | None = None,
    sort: str = NEWEST,
    skip: int = 0,
    limit: int = 50,
) -> Page:
    """Entries of a card, or of all cards of a customer, in any order, below entry `before`.

    Among equal ones the newest comes first. `total` counts all, whatever `before` says. Raises
    RecordError `customer-unknown`, and UsageError for a sort that is none of `SORTS`.
    """
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise UsageError(
            "usage",
            f"entries are not sorted by '{sort}'",
            remedy=f"use one of {', '.join(SORTS)}, with - in front for the other way round",
        )
    order = SORTS[name].desc() if sort.startswith("-") else SORTS[name].asc()
    with ledger.reading() as connection:
        if party is None:
            where = _CARD.key == fold(card or "")
        else:
            where = _CARD.party_number == customer(connection, party)
        count = sa.select(sa.func.count()).select_from(entries.join(CARDS.table)).where(where)
        query = _query(where).order_by(order, entries.c.number.desc()).offset(skip).limit(limit)
        if before is not None:
            query = query.where(entries.c.number < before)
        shown = list(_read(connection, query))
        total = int(connection.scalar(count) or 0)
        return Page(shown, total, notes(connection, {one.posting for one in shown}))


def notes(connection: sa.Connection, numbers: Collection[int]) -> Mapping[int, Note]:
    """Who made these postings, and why."""
    p = postings.c
    rows = rows_in(connection, (p.number, p.posted_by, p.comment), p.number, sorted(numbers))
    return {number: Note(by, comment) for number, by, comment in rows}


def entries_of(
    connection: sa.Connection, *where: sa.ColumnElement[bool], newest: int | None = None
) -> Iterator[Entry]:
    """The entries that meet the conditions, in their order, or so many of the newest."""
    number = entries.c.number
    order = number if newest is None else number.desc()
    return _read(connection, _query(*where).order_by(order).limit(newest))


def _query(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    e = entries.c
    return (
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
    )


def _read(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Entry]:
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
    with ledger.reading() as connection:
        yield from mismatched_lots(connection)


def mismatched_lots(connection: sa.Connection) -> Iterator[Mismatch]:
    """The same within a transaction."""
    e = entries.c
    drawn = sa.select(sa.func.coalesce(sa.func.sum(deductions.c.units), 0)).where(
        deductions.c.lot == e.number
    )
    proven = e.units - drawn.scalar_subquery()
    query = (
        sa.select(
            *(e.number, e.remaining, proven, _CARD.card_number),
            REWARD_POINTS.table.c.reward_point_id,
        )
        .join(CARDS.table, _CARD.id == e.card)
        .join(REWARD_POINTS.table, REWARD_POINTS.table.c.id == e.kind)
        .where(e.remaining.is_not(None), e.remaining != proven)
        .order_by(e.number)
    )
    for number, remaining, rest, card, kind in connection.execute(query):
        yield Mismatch(number, points(remaining), points(int(rest)), card, kind)
