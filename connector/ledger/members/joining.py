"""Programs a card has joined by itself.

Owns: joining and leaving; one transaction per call.
Never does: what a program gives (`programs/`); programs that every card is in need no joining.
Tested in: tests/unit/ledger/members/test_members.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.members.names import card as known_card
from connector.ledger.members.tables import card_chains, card_programs
from connector.ledger.programs.store import unknown
from connector.ledger.programs.tables import programs

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger

_P = card_programs.c


class Joined(NamedTuple):
    """A program a card is in; `since` in UTC."""

    program: str
    since: datetime
    by: str


class Joining:
    """The programs of the cards of one open ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def join(self, card: str, program: str, *, by: str) -> bool:
        """The card is in the program from now on; whether that is new.

        Raises RecordError `card-unknown`, UsageError `program-unknown`.
        """
        with self._ledger.writing(by) as transaction:
            connection = transaction.connection
            name = _program(connection, program)
            id = known_card(connection, card).id
            there = sa.select(sa.literal(1)).where(_P.card == id, _P.program == name)
            if connection.scalar(there) is not None:
                return False
            at = transaction.feed.stored_at
            row = {"card": id, "program": name, "since": at, "by": by}
            connection.execute(sa.insert(card_programs), [row])
            transaction.touched.held.add(id)
            return True

    def leave(self, card: str, program: str, *, by: str) -> bool:
        """The card is in it no more; whether it was. What it earned stays. RecordError."""
        with self._ledger.writing(by) as transaction:
            connection = transaction.connection
            id = known_card(connection, card).id
            gone = sa.delete(card_programs).where(
                _P.card == id, _P.program == fold(program.strip())
            )
            transaction.touched.held.add(id)
            return connection.execute(gone).rowcount > 0

    def of(self, card: str) -> Sequence[Joined]:
        """What a card has joined, by name; RecordError `card-unknown`."""
        with self._ledger.reading() as connection:
            return joined(connection, known_card(connection, card).id)


def _program(connection: sa.Connection, program: str) -> str:
    name = fold(program.strip())
    if connection.scalar(sa.select(programs.c.name).where(programs.c.name == name)) is None:
        raise unknown(connection, program)
    return name


def joined(connection: sa.Connection, card: str) -> list[Joined]:
    """What the card with this id has joined, by name."""
    query = sa.select(_P.program, _P.since, _P.by).where(_P.card == card).order_by(_P.program)
    return [
        Joined(name, since.replace(tzinfo=UTC), by) for name, since, by in connection.execute(query)
    ]


def succeed(connection: sa.Connection, old: str, new: str) -> None:
    """The card `new`, by id, goes on for `old`: in all that it had joined, since the same day.

    A card that goes on for several is in one chain with all of them.
    """
    chain = card_chains.c
    known = sa.select(chain.card, chain.first).where(chain.card.in_((old, new)))
    firsts: dict[str, str] = {row[0]: row[1] for row in connection.execute(known)}
    first = firsts.get(old, old)
    if new in firsts:
        joined_on = sa.update(card_chains).where(chain.first == firsts[new])
        connection.execute(joined_on.values(first=first))
    rows = [{"card": one, "first": first} for one in (new, old) if one not in firsts]
    if rows:
        connection.execute(sa.insert(card_chains), rows)
    there = sa.select(_P.program).where(_P.card == new)
    copied = sa.select(sa.literal(new), _P.program, _P.since, _P.by).where(
        _P.card == old, _P.program.not_in(there)
    )
    columns = ["card", "program", "since", "by"]
    connection.execute(sa.insert(card_programs).from_select(columns, copied))
