"""All there is about one customer, or about one card that is nobody's.

Owns: putting it together; only reads.
Never does: the figures themselves (`holdings.py`).
Tested in: tests/unit/ledger/members/test_holdings.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.balances import SOON, Balance
from connector.ledger.members.groups import Membership, memberships
from connector.ledger.members.holdings import Holding, holdings
from connector.ledger.members.households import Dweller, dwellers
from connector.ledger.members.joining import Joined, joined
from connector.ledger.members.names import card as known_card
from connector.ledger.members.names import customer
from connector.ledger.members.tables import customer_groups, households
from connector.ledger.schema import CARDS, blocked_customers
from connector.ledger.shown.entities import CARD_TIERS
from connector.ledger.sql import rows_in

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger

_CARD = CARDS.table.c
_TIER = CARD_TIERS.table.c


class Blocking(NamedTuple):
    """Why a customer gets no card; `at` in UTC."""

    at: datetime
    by: str
    why: str


class Tier(NamedTuple):
    """Where a card stands in a program; `tier` None below the lowest, `until` None for ever."""

    program: str
    tier: str | None
    until: date | None
    points: Decimal | None
    """Those that count for the next tier; for the one held, at the top."""
    next: str | None
    missing: Decimal | None


class Portrait(NamedTuple):
    """A customer with everything that hangs on them.

    `party` is None for an anonymous card, which then is the only one. `household` is everybody
    in it, the customer as well; `together` adds up the cards that are not blocked. `programs`
    are those a card has joined and `tiers` where it stands, by card number.
    """

    party: str | None
    blocked: Blocking | None
    groups: Sequence[Membership]
    household: Sequence[Dweller]
    cards: Sequence[Holding]
    programs: Mapping[str, Sequence[Joined]]
    tiers: Mapping[str, Sequence[Tier]]
    together: Sequence[Balance]


def of_card(ledger: Ledger, card: str, on: date, soon: int = SOON) -> Portrait:
    """Of whoever holds this card; RecordError `card-unknown`."""
    with ledger.reading() as connection:
        known = known_card(connection, card)
        if known.party is not None:
            return _of(connection, known.party, on, soon)
        cards, together = holdings(connection, _CARD.id, [known.id], on, soon)
        programs = {known.number: joined(connection, known.id)}
        tiers = _tiers(connection, cards)
        return Portrait(None, None, (), (), cards, programs, tiers, together)


def of_customer(ledger: Ledger, party: str, on: date, soon: int = SOON) -> Portrait:
    """Of the customer with this PartyNumber; RecordError `customer-unknown`."""
    with ledger.reading() as connection:
        return _of(connection, customer(connection, party), on, soon)


def _of(connection: sa.Connection, party: str, on: date, soon: int) -> Portrait:
    cards, together = holdings(connection, _CARD.party_number, [party], on, soon)
    home = sa.select(households.c.name).where(households.c.party == party).scalar_subquery()
    return Portrait(
        party,
        _blocking(connection, party),
        memberships(connection, customer_groups.c.party == party),
        dwellers(connection, households.c.name == home),
        cards,
        {one.card: joined(connection, one.id) for one in cards},
        _tiers(connection, cards),
        together,
    )


def _tiers(connection: sa.Connection, cards: Sequence[Holding]) -> dict[str, list[Tier]]:
    found: dict[str, list[Tier]] = {one.card: [] for one in cards}
    columns = [_TIER.card_number, _TIER.program, _TIER.tier, _TIER.valid_to]
    columns += [_TIER.points, _TIER.next_tier, _TIER.points_to_next]
    for card, *rest in rows_in(connection, columns, _TIER.card_number, list(found)):
        found[card].append(Tier(*rest))
    return {card: sorted(tiers) for card, tiers in found.items()}


def _blocking(connection: sa.Connection, party: str) -> Blocking | None:
    query = sa.select(blocked_customers.c.at, blocked_customers.c.by, blocked_customers.c.why)
    row = connection.execute(query.where(blocked_customers.c.party == fold(party))).one_or_none()
    return None if row is None else Blocking(row.at.replace(tzinfo=UTC), row.by, row.why)
