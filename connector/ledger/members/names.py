"""Finding what a person names: a customer, a card, the name of a group.

Owns: these look-ups and their refusals.
Never does: writing anything but a customer the caller asked to add.
Tested in: tests/unit/ledger/members/test_members.py.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.fields import Field, Kind, fold
from connector.ledger.members.tables import NAME_LENGTH
from connector.ledger.schema import CARDS, REFERENCES

_PARTIES = REFERENCES["parties"]
_NUMBER = CARDS.field("PartyNumber")
_CARD = CARDS.table.c


class KnownCard(NamedTuple):
    """A card as the ledger has it; `party` as it is spelled there, None for an anonymous one."""

    id: str
    number: str
    party: str | None


def named(what: str, text: str) -> str:
    """The name of a group, household or program without blanks around it.

    Raises RecordError: `name-missing`, `text-too-long`, `text-invalid`.
    """
    name = Field(what, what, Kind.TEXT, max_length=NAME_LENGTH).accept(text.strip())
    if not isinstance(name, str):
        raise RecordError(
            "name-missing",
            f"a {what} without a name means nothing",
            remedy="give it a name",
            subject=Subject(field=what),
        )
    return name


def customer(connection: sa.Connection, number: str, *, create: bool = False) -> str:
    """The PartyNumber as the ledger spells it; with `create`, one it does not know is added.

    Raises RecordError: `customer-unknown`, and what the field refuses.
    """
    known = connection.scalar(sa.select(_PARTIES.c.number).where(_PARTIES.c.key == fold(number)))
    if known is not None:
        return str(known)
    accepted = _NUMBER.accept(number.strip())
    if not create or not isinstance(accepted, str):
        raise RecordError(
            "customer-unknown",
            f"the ledger has no customer '{number}'",
            remedy="check the PartyNumber; --create-references adds it",
            subject=Subject(field="PartyNumber"),
        )
    connection.execute(sa.insert(_PARTIES), [{"number": accepted, "key": fold(accepted)}])
    return accepted


def card(connection: sa.Connection, number: str) -> KnownCard:
    """The card of that number, whatever its case; RecordError `card-unknown`."""
    query = sa.select(_CARD.id, _CARD.card_number, _CARD.party_number)
    row = connection.execute(query.where(_CARD.key == fold(number))).one_or_none()
    if row is None:
        raise RecordError(
            "card-unknown",
            "the ledger has no card with this number",
            remedy="check it; `dualwrite ledger list` shows all cards, "
            "`dualwrite ledger member --party NUMBER` those of a customer",
            subject=Subject(record=f"…{number[-4:]}"),
        )
    return KnownCard(*row)
