"""What rules ask about the holders of many cards at once.

Owns: these queries; a fixed number of them for a batch, however many cards it has.
Never does: deciding anything (`programs/evaluator.py`), writing.
Tested in: tests/unit/ledger/members/test_facts.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.members.member import Member
from connector.ledger.members.tables import card_programs, customer_groups
from connector.ledger.sales.tables import sales
from connector.ledger.schema import CARDS
from connector.ledger.shown.entities import CARD_TIERS
from connector.ledger.sql import rows_in

_CARD = CARDS.table.c
_TIER = CARD_TIERS.table.c
_HELD = _TIER.tier.is_not(None)
_COUNT = sa.func.count()


def facts(connection: sa.Connection, cards: Collection[str]) -> Mapping[str, Member]:
    """A Member for each of these card ids that exists, by id, as the transaction sees it."""
    ids = list(dict.fromkeys(cards))
    wanted = [_CARD.id, _CARD.card_number, _CARD.party_number]
    rows = list(rows_in(connection, wanted, _CARD.id, ids))
    parties = {party for _, _, party in rows if party is not None}
    groups = _sets(connection, customer_groups.c.party, customer_groups.c.name, parties)
    programs = _sets(connection, card_programs.c.card, card_programs.c.program, ids)
    sold = _sold(connection, ids)
    tiers = _tiers(connection, [number for _, number, _ in rows])
    none: frozenset[str] = frozenset()
    return {
        id: Member(
            card=number,
            party=party,
            groups=frozenset(groups.get(party, none)) if party else none,
            programs=frozenset(programs.get(id, none)),
            tiers=MappingProxyType(tiers.get(number, {})),
            sales=sold.get(id, 0),
        )
        for id, number, party in rows
    }


def _tiers(connection: sa.Connection, numbers: Sequence[str]) -> dict[str, dict[str, str]]:
    """The tier each card holds by program, by card number."""
    found: dict[str, dict[str, str]] = {}
    columns = [_TIER.card_number, _TIER.program, _TIER.tier]
    for card, program, tier in rows_in(connection, columns, _TIER.card_number, numbers, _HELD):
        found.setdefault(card, {})[fold(program)] = fold(tier)
    return found


def _sold(connection: sa.Connection, cards: Sequence[str]) -> dict[str, int]:
    """How many sales each card has had."""
    card = sales.c.card
    rows = rows_in(connection, [card, _COUNT], card, cards, group_by=[card])
    return {row[0]: row[1] for row in rows}


def _sets(
    connection: sa.Connection,
    of: sa.Column[str],
    value: sa.Column[str],
    wanted: Collection[str],
) -> dict[str, set[str]]:
    """The values of one column by those of another."""
    found: dict[str, set[str]] = {}
    for key, one in rows_in(connection, [of, value], of, list(wanted)):
        found.setdefault(key, set()).add(one)
    return found
