"""The points that several cards hold together: those of a customer, or of a household.

Owns: finding these cards and adding up; only reads.
Never does: deciding which card may pay (`journal/books.py`).
Tested in: tests/unit/ledger/members/test_holdings.py.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from connector.ledger.journal.balances import SOON, Balance, added_up
from connector.ledger.journal.books import BLOCKED
from connector.ledger.journal.tables import entries
from connector.ledger.members.households import Households
from connector.ledger.members.names import customer
from connector.ledger.schema import CARDS
from connector.ledger.sql import rows_in

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger

_CARD = CARDS.table.c


class Holding(NamedTuple):
    """One card and what is on it; `tender` is its CardTenderType."""

    id: str
    card: str
    party: str | None
    tender: str
    replaced_by: str | None
    balances: Sequence[Balance]


class Holdings(NamedTuple):
    """Cards in the order of their numbers, and the balances of all that are not blocked."""

    cards: Sequence[Holding]
    together: Sequence[Balance]


def of_customer(ledger: Ledger, party: str, on: date, soon: int = SOON) -> Holdings:
    """What all cards of a customer hold on a day; RecordError `customer-unknown`."""
    with ledger.reading() as connection:
        number = customer(connection, party)
        return holdings(connection, _CARD.party_number, [number], on, soon)


def of_household(ledger: Ledger, household: str, on: date, soon: int = SOON) -> Holdings:
    """What all cards of a household hold on a day; RecordError `household-unknown`."""
    parties = [one.party for one in Households(ledger).members(household)]
    with ledger.reading() as connection:
        return holdings(connection, _CARD.party_number, parties, on, soon)


def holdings(
    connection: sa.Connection,
    column: sa.ColumnElement[str] | sa.ColumnElement[str | None],
    values: Collection[str],
    on: date,
    soon: int = SOON,
) -> Holdings:
    """The same of the cards whose `column` is one of `values`."""
    wanted = [
        _CARD.id,
        _CARD.card_number,
        _CARD.party_number,
        _CARD.card_tender_type,
        _CARD.replacement_card_number,
    ]
    rows = sorted(rows_in(connection, wanted, column, list(values)), key=lambda row: row[1])
    cards = [
        Holding(id, card, party, tender, new, added_up(connection, entries.c.card == id, on, soon))
        for id, card, party, tender, new in rows
    ]
    open_ = [one.id for one in cards if one.tender != BLOCKED]
    return Holdings(cards, added_up(connection, entries.c.card.in_(open_), on, soon))
