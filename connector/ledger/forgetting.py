"""A customer who asked to be forgotten: what is left is cards that lead to nobody.

Owns: taking a customer off everything the ledger keeps of them, in one transaction, and counting
what that is.
Never does: touching an entry, a lot or a deduction: the journal adds up as before. Comments that
people typed, and who posted what, stay.
Tested in: tests/unit/ledger/test_forgetting.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from connector.ledger.barring import BLOCKED
from connector.ledger.fields import fold
from connector.ledger.journal.keys import GIFT
from connector.ledger.journal.tables import postings
from connector.ledger.ledger import Ledger, WriteTransaction
from connector.ledger.members.households import touch
from connector.ledger.members.names import customer
from connector.ledger.members.tables import card_programs, customer_groups, households
from connector.ledger.operations import Change, Done, Remove
from connector.ledger.programs import owing
from connector.ledger.sales.tables import sales
from connector.ledger.schema import CARDS, REFERENCES, blocked_customers
from connector.ledger.shown.entities import CARD_SEGMENTS
from connector.ledger.sql import rows_in

_CARD = CARDS.table.c
_PARTY = REFERENCES["parties"].c


class Unlinked(NamedTuple):
    """What a customer was taken off: their cards, and how many rows of what."""

    cards: Sequence[str]
    """Numbers, in their order."""
    counts: Mapping[str, int]


class _PlanOnly(Exception):
    """Takes the transaction back."""

    def __init__(self, done: Unlinked) -> None:
        self.done = done


def known(ledger: Ledger, party: str) -> bool:
    """Whether the ledger has this customer."""
    with ledger.reading() as connection:
        return connection.scalar(sa.select(_PARTY.key).where(_PARTY.key == fold(party))) is not None


def forget_customer(ledger: Ledger, party: str, *, by: str, plan: bool = False) -> Unlinked:
    """Take a customer off all there is; with `plan`, only say what that would be.

    Raises RecordError `customer-unknown`.
    """
    try:
        with ledger.writing(by) as transaction:
            done = _unlinked(transaction, customer(transaction.connection, party))
            if plan:
                raise _PlanOnly(done)
            return done
    except _PlanOnly as only:
        return only.done


def _unlinked(transaction: WriteTransaction, party: str) -> Unlinked:
    connection = transaction.connection
    query = sa.select(_CARD.id, _CARD.card_number).where(_CARD.party_number == party)
    cards = {row.id: row.card_number for row in connection.execute(query.order_by(_CARD.key))}
    touch(transaction, party)
    nobody = {"PartyNumber": None, "CardTenderType": BLOCKED}
    for result in transaction.apply(CARDS, [Change(id, None, nobody) for id in cards]):
        assert isinstance(result, Done), result
    joined = _deleted(connection, card_programs.c.card, cards)
    counts = {
        "cards": len(cards),
        "groups": _deleted(connection, customer_groups.c.party, [party]),
        "households": _deleted(connection, households.c.party, [party]),
        "blocks": _deleted(connection, blocked_customers.c.party, [fold(party)]),
        "programs": joined,
        "segments": _unmarked(transaction, list(cards.values())),
        "sales": _nobodys(connection, list(cards)),
        "gifts": _renamed(transaction, party),
        "owed": owing.forget(connection, party),
    }
    _deleted(connection, _PARTY.number, [party])
    return Unlinked(list(cards.values()), counts)


def _deleted(connection: sa.Connection, column: sa.Column[str], values: Iterable[str]) -> int:
    return connection.execute(sa.delete(column.table).where(column.in_(list(values)))).rowcount


def _unmarked(transaction: WriteTransaction, numbers: Sequence[str]) -> int:
    mark = CARD_SEGMENTS.table.c
    rows = list(rows_in(transaction.connection, [mark.id], mark.card_number, numbers))
    transaction.put(CARD_SEGMENTS, [Remove(row[0], None) for row in rows])
    return len(rows)


def _nobodys(connection: sa.Connection, cards: Sequence[str]) -> int:
    """The facts a sale was judged by, without who it was."""
    rows = [
        {"row": id, "facts": {**member, "party": None}}
        for id, member in rows_in(connection, [sales.c.id, sales.c.member], sales.c.card, cards)
        if member.get("party") is not None
    ]
    if rows:
        update = sa.update(sales).where(sales.c.id == sa.bindparam("row"))
        connection.execute(update.values(member=sa.bindparam("facts")), rows)
    return len(rows)


def _renamed(transaction: WriteTransaction, party: str) -> int:
    """Names of gifts a customer got once, under one of nobody in place of theirs."""
    key, part = postings.c.key, f":customer {fold(party)}:"
    theirs = key.startswith(GIFT) & key.contains(part, autoescape=True)
    found = transaction.connection.scalars(sa.select(key).where(theirs)).all()
    other = f":nobody {transaction.new_id().replace('-', '')[-20:]}:"
    for one in found:
        renamed = sa.update(postings).where(key == one).values(key=one.replace(part, other, 1))
        transaction.connection.execute(renamed)
    return len(found)
