"""Cards that took another's place: what moves to them, and where nothing has moved yet.

Owns: handing over what a card holds, and finding cards that name a replacement and still hold it.
Never does: issuing the new card (`desk.py`); writing because a field says so: whoever types or
imports ReplacementCardNumber names a card, and what is posted is not taken back by a correction.
Tested in: tests/unit/ledger/test_replacing.py, tests/unit/ledger/test_desk.py.

Fact: commerce-loyalty, section 3: points of a replaced card move by entries on both cards.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, tzinfo
from typing import NamedTuple

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.journal import post_within
from connector.ledger.journal.keys import REPLACE
from connector.ledger.journal.posting import Entry, HandOver, Posting, Refused
from connector.ledger.journal.tables import LIVE, entries, postings
from connector.ledger.ledger import WriteTransaction
from connector.ledger.members.joining import succeed
from connector.ledger.members.tables import card_chains, card_programs
from connector.ledger.operations import Record
from connector.ledger.schema import CARDS
from connector.ledger.sql import rows_in

_CARD = CARDS.table.c
_JOINED = sa.exists().where(card_programs.c.card == _CARD.id)


class Unfinished(NamedTuple):
    """A card that names a replacement and still holds what should be there."""

    card: str
    new: str
    known: bool
    """Whether the ledger has the new card."""

    @property
    def command(self) -> str:
        """What hands it over."""
        return f"dualwrite ledger replace {self.card} {self.new}"


def unfinished(connection: sa.Connection, on: date, card: str | None = None) -> list[Unfinished]:
    """All such cards by number, or the one with this id; `on` is the day points must live."""
    live = sa.or_(entries.c.expires.is_(None), entries.c.expires >= on)
    holds = sa.exists().where(entries.c.card == _CARD.id, LIVE, live)
    named = _CARD.replacement_card_number
    query = (
        sa.select(_CARD.id, _CARD.card_number, named, holds)
        .where(named.is_not(None), sa.or_(holds, _JOINED))
        .order_by(_CARD.key)
    )
    if card is not None:
        query = query.where(_CARD.id == card)
    rows = connection.execute(query).all()
    keys = list({fold(new) for _, _, new, _ in rows})
    ids = {row[0]: row[1] for row in rows_in(connection, [_CARD.key, _CARD.id], _CARD.key, keys)}
    of_chain = [*(row[0] for row in rows), *ids.values()]
    columns = [card_chains.c.card, card_chains.c.first]
    first = {row[0]: row[1] for row in rows_in(connection, columns, columns[0], of_chain)}
    return [
        Unfinished(number, new, fold(new) in ids)
        for id, number, new, points in rows
        if points or id not in first or first[id] != first.get(ids.get(fold(new), ""))
    ]


def hand_over(
    transaction: WriteTransaction, old: Record, new: Record, zone: tzinfo
) -> Sequence[Entry]:
    """Everything the old card holds goes to the new one; the entries. Raises RecordError."""
    connection = transaction.connection
    key = f"{REPLACE}{old.id}:{new.id}"
    before = sa.select(sa.func.count()).where(postings.c.key.startswith(key, autoescape=True))
    times = connection.scalar(before)
    line = HandOver(str(old.values[0]), str(new.values[0]))
    posting = Posting(f"{key}:{times}" if times else key, (line,))
    (result,) = post_within(transaction, [posting], zone)
    if isinstance(result, Refused):
        raise result.error
    succeed(connection, old.id, new.id)
    return result.entries
