"""Cards marked with the segments they are in: rows of LoyaltyCardSegments.

Owns: finding out what changed, and adding and taking away just that.
Never does: deciding who is in a segment (`query.py`).
Tested in: tests/unit/ledger/segments/test_marking.py.

One statement notes what is to be done, then it is done in transactions of `CHUNK` cards, so that
tills do not wait for a large segment. What a crash leaves undone, the next marking finds again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import sqlalchemy as sa

from connector.errors import Subject, UsageError
from connector.ledger.ledger import Ledger, WriteTransaction
from connector.ledger.operations import Change, Operation, Refused, Remove, Upsert
from connector.ledger.schema import CARDS
from connector.ledger.segments.picking import statement
from connector.ledger.segments.store import Kept, found, listed
from connector.ledger.segments.tables import segment_moves, segments
from connector.ledger.shown.entities import CARD_SEGMENTS, joined
from connector.ledger.sql import rows_in

CHUNK = 1_000
_CARD = CARDS.table.c
_MARK = CARD_SEGMENTS.table.c
_MOVE = segment_moves.c


class Move(StrEnum):
    """What is to be done to a card's mark."""

    COMES = "comes"
    GOES = "goes"
    RENAMED = "renamed"


class Marked(NamedTuple):
    """What a marking changed; a new title changes every mark."""

    segment: str
    added: int
    removed: int
    renamed: int


def mark(ledger: Ledger, segment: str, on: date | None = None, *, by: str) -> Marked:
    """Mark the cards of a segment as of a day, and no others; UsageError `segment-unknown`."""
    day = on or ledger.today()
    with ledger.writing(by) as transaction:
        kept = found(transaction.connection, segment)
        _note(transaction, kept, day)
        _stamp(transaction, kept.segment, marked=True)
    return _carried_out(ledger, kept, day, by)


def unmark(ledger: Ledger, segment: str, *, by: str) -> Marked:
    """Take all marks of a segment away.

    Raises UsageError: `segment-unknown`; `segment-kept`, where they would come back by themselves.
    """
    with ledger.writing(by) as transaction:
        kept = found(transaction.connection, segment)
        if kept.document.kept:
            raise UsageError(
                "segment-kept",
                f"the marks of segment `{kept.segment}` are kept up to date, so they would return",
                remedy="import it with `kept: no` first",
                subject=Subject(record=kept.segment),
            )
        _forget(transaction, kept.segment)
        chosen = sa.select(_MARK.id).where(_MARK.segment == kept.segment)
        _insert(transaction, kept.segment, chosen, Move.GOES)
        _stamp(transaction, kept.segment, marked=False)
    return _carried_out(ledger, kept, ledger.today(), by)


def refresh(ledger: Ledger, on: date | None = None, *, by: str) -> Sequence[Marked]:
    """Bring the marks of all segments up to date that are to be kept so; at the turn of a day."""
    with ledger.reading() as connection:
        names = [one.segment for one in listed(connection) if one.document.kept]
    return [mark(ledger, name, on, by=by) for name in names]


# ---------------------------------------------------------------------------- noting


def _note(transaction: WriteTransaction, kept: Kept, on: date) -> None:
    """What is to be done, in place of what an earlier marking left undone."""
    connection, name = transaction.connection, kept.segment
    _forget(transaction, name)
    chosen = statement(connection, kept.document, on, transaction.zone)
    numbers = chosen.with_only_columns(_CARD.card_number)
    ours = _MARK.segment == name
    there = sa.select(_MARK.card_number).where(ours)
    rows = sa.select(_MARK.id).where(ours)
    _insert(transaction, name, chosen.where(_CARD.card_number.not_in(there)), Move.COMES)
    _insert(transaction, name, rows.where(_MARK.card_number.not_in(numbers)), Move.GOES)
    other = sa.func.coalesce(_MARK.title, "") != kept.document.title
    renamed = rows.where(other, _MARK.card_number.in_(numbers))
    _insert(transaction, name, renamed, Move.RENAMED)


def _insert(
    transaction: WriteTransaction, segment: str, rows: sa.Select[tuple[str]], move: Move
) -> None:
    chosen = rows.subquery()
    noted = sa.select(sa.literal(segment), chosen.c.id, sa.literal(move.value))
    columns = [_MOVE.segment, _MOVE.row, _MOVE.move]
    transaction.connection.execute(sa.insert(segment_moves).from_select(columns, noted))


def _forget(transaction: WriteTransaction, segment: str) -> None:
    transaction.connection.execute(sa.delete(segment_moves).where(_MOVE.segment == segment))


def _stamp(transaction: WriteTransaction, segment: str, *, marked: bool) -> None:
    at = transaction.feed.stored_at if marked else None
    change = sa.update(segments).where(segments.c.name == segment).values(marked_at=at)
    transaction.connection.execute(change)


# ---------------------------------------------------------------------------- doing


def _carried_out(ledger: Ledger, kept: Kept, on: date, by: str) -> Marked:
    done = dict.fromkeys(Move, 0)
    chunk = sa.select(_MOVE.row, _MOVE.move).where(_MOVE.segment == kept.segment)
    while True:
        with ledger.writing(by) as transaction:
            connection = transaction.connection
            rows = connection.execute(chunk.order_by(_MOVE.row).limit(CHUNK)).all()
            if not rows:
                break
            moves = {row: Move(move) for row, move in rows}
            _apply(transaction, kept, moves, on)
            gone = _MOVE.row.in_(list(moves))
            connection.execute(sa.delete(segment_moves).where(_MOVE.segment == kept.segment, gone))
        for move in moves.values():
            done[move] += 1
    return Marked(kept.segment, done[Move.COMES], done[Move.GOES], done[Move.RENAMED])


def _apply(transaction: WriteTransaction, kept: Kept, moves: dict[str, Move], on: date) -> None:
    title = kept.document.title or None
    coming = [row for row, move in moves.items() if move is Move.COMES]
    numbers = rows_in(transaction.connection, [_CARD.card_number], _CARD.id, coming)
    operations: list[Operation] = [
        Upsert(
            {
                "CardSegmentId": joined(number, kept.segment),
                "CardNumber": number,
                "Segment": kept.segment,
                "Title": title,
                "Since": on,
            }
        )
        for (number,) in numbers
    ]
    operations += [
        Remove(row, None) if move is Move.GOES else Change(row, None, {"Title": title})
        for row, move in moves.items()
        if move is not Move.COMES
    ]
    for result in transaction.put(CARD_SEGMENTS, operations):
        if isinstance(result, Refused):
            raise result.error
