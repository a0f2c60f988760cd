"""Households: customers who pay with each other's points.

Owns: who lives with whom; one transaction per call.
Never does: paying (`journal/books.py`), tiers (`programs/standing.py`).
Tested in: tests/unit/ledger/members/test_members.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.fields import fold
from connector.ledger.members.names import customer, named
from connector.ledger.members.tables import households
from connector.ledger.schema import CARDS

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger, WriteTransaction

_CARD = CARDS.table.c
_H = households.c


class Dweller(NamedTuple):
    """One customer in a household, as both were spelled; `since` in UTC."""

    party: str
    household: str
    since: datetime
    by: str


class Households:
    """The households of one open ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def set(self, party: str, household: str, *, by: str, create: bool = False) -> bool:
        """The customer lives in this household, and in no other; whether that is new.

        A household begins with its first member and ends with its last one. With `create`, a
        customer the ledger does not know is added. Raises RecordError `customer-unknown`.
        """
        title = named("household", household)
        with self._ledger.writing(by) as transaction:
            connection = transaction.connection
            number = customer(connection, party, create=create)
            held = connection.scalar(sa.select(_H.name).where(_H.party == number))
            if held == fold(title):
                return False
            touch(transaction, number)
            connection.execute(sa.delete(households).where(_H.party == number))
            row = {
                "party": number,
                "name": fold(title),
                "title": title,
                "since": transaction.feed.stored_at,
                "by": by,
            }
            connection.execute(sa.insert(households), [row])
            touch(transaction, number)
            return True

    def leave(self, party: str, *, by: str) -> bool:
        """The customer lives alone from now on; whether they did not before. RecordError."""
        with self._ledger.writing(by) as transaction:
            number = customer(transaction.connection, party)
            touch(transaction, number)
            gone = sa.delete(households).where(_H.party == number)
            return transaction.connection.execute(gone).rowcount > 0

    def members(self, household: str) -> Sequence[Dweller]:
        """Who lives in it, in the order in which they came; RecordError `household-unknown`."""
        with self._ledger.reading() as connection:
            found = dwellers(connection, _H.name == fold(household.strip()))
        if not found:
            raise RecordError(
                "household-unknown",
                f"there is no household '{household}'",
                remedy="`dualwrite ledger household set PARTY HOUSEHOLD` begins one",
                subject=Subject(field="household"),
            )
        return found

    def of(self, party: str) -> Sequence[Dweller]:
        """Who lives with this customer, who is among them; empty where nobody does.

        Raises RecordError `customer-unknown`.
        """
        with self._ledger.reading() as connection:
            number = customer(connection, party)
            name = sa.select(_H.name).where(_H.party == number).scalar_subquery()
            return dwellers(connection, _H.name == name)


def touch(transaction: WriteTransaction, party: str) -> None:
    """Tiers that a household counts together are worked out anew when this is committed."""
    home = sa.select(_H.name).where(_H.party == party).scalar_subquery()
    together = sa.select(_H.party).where(_H.name == home)
    cards = sa.select(_CARD.id).where(
        sa.or_(_CARD.party_number == party, _CARD.party_number.in_(together))
    )
    transaction.touched.held.update(transaction.connection.scalars(cards))


def dwellers(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Dweller]:
    """Members of households that meet the conditions, in the order in which they came."""
    query = sa.select(_H.party, _H.title, _H.since, _H.by).where(*where)
    return [
        Dweller(party, title, since.replace(tzinfo=UTC), by)
        for party, title, since, by in connection.execute(query.order_by(_H.since, _H.party))
    ]
