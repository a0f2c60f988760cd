"""Who is in a segment: counting, listing, page by page.

Owns: running the statement of a segment; only reads.
Never does: what a condition means (`query.py`), writing files (`export.py`).
Tested in: tests/unit/ledger/segments/test_export.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, tzinfo
from typing import NamedTuple

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.programs.document import Members
from connector.ledger.programs.store import listed as all_programs
from connector.ledger.sales.tables import sales
from connector.ledger.schema import CARDS
from connector.ledger.segments.document import SegmentDocument
from connector.ledger.segments.query import World, picked

CARD = CARDS.table.c
PAGE = 1_000
"""Cards held in memory at once."""


class Counted(NamedTuple):
    """How many cards and customers; anonymous cards count as cards only."""

    cards: int
    customers: int


class Picked(NamedTuple):
    """A card in a segment."""

    id: str
    card: str
    party: str | None


def world(
    connection: sa.Connection, document: SegmentDocument, on: date, zone: tzinfo = UTC
) -> World:
    """What the statement of a segment needs to know; asked only for what it mentions."""
    parts = list(document.who.parts())
    programs = all_programs(connection) if any(one.programs for one in parts) else []
    bought = [one.sales for one in parts if one.sales is not None]
    return World(
        on,
        zone,
        frozenset(
            one.program for one in programs if one.active and one.document.members is Members.ALL
        ),
        _spellings(connection, sales.c.channel) if any(one.channels for one in bought) else (),
        _spellings(connection, sales.c.unit) if any(one.units for one in bought) else (),
    )


def statement(
    connection: sa.Connection, document: SegmentDocument, on: date, zone: tzinfo = UTC
) -> sa.Select[tuple[str]]:
    """The ids of the cards in a segment on a day."""
    return picked(document, world(connection, document, on, zone))


def counted(
    connection: sa.Connection, document: SegmentDocument, on: date, zone: tzinfo = UTC
) -> Counted:
    """How many are in it."""
    chosen = statement(connection, document, on, zone)
    query = chosen.with_only_columns(sa.func.count(), sa.func.count(CARD.party_number.distinct()))
    return Counted(*connection.execute(query).one())


def sample(
    connection: sa.Connection,
    document: SegmentDocument,
    on: date,
    zone: tzinfo = UTC,
    *,
    size: int,
    after: str | None = None,
) -> Sequence[Picked]:
    """So many of them: the first ones by card number, or those after a card."""
    query = statement(connection, document, on, zone).limit(size)
    if after is not None:
        query = query.where(CARD.key > fold(after))
    return list(_picked(connection, query))


def members(
    connection: sa.Connection, document: SegmentDocument, on: date, zone: tzinfo = UTC
) -> Iterator[Sequence[Picked]]:
    """All of them in pages of `PAGE`, by card number; the statement runs once."""
    query = statement(connection, document, on, zone)
    streamed = connection.execution_options(yield_per=PAGE)
    page: list[Picked] = []
    for one in _picked(streamed, query):
        page.append(one)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


def _picked(connection: sa.Connection, query: sa.Select[tuple[str]]) -> Iterator[Picked]:
    columns = query.with_only_columns(CARD.id, CARD.card_number, CARD.party_number)
    for row in connection.execute(columns.order_by(CARD.key)):
        yield Picked(*row)


def _spellings(connection: sa.Connection, column: sa.ColumnElement[str]) -> Sequence[str]:
    query = sa.select(column).where(column.is_not(None)).distinct()
    return list(connection.scalars(query))
