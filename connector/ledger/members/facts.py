"""What rules ask about the holders of many cards at once.

Owns: these queries; a fixed number of them for a batch, however many cards it has.
Never does: deciding anything (`programs/evaluator.py`), writing.
Tested in: tests/unit/ledger/members/test_facts.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from connector.ledger.members.member import Member
from connector.ledger.members.tables import card_programs, customer_groups
from connector.ledger.schema import CARDS
from connector.ledger.sql import rows_in

_CARD = CARDS.table.c


def facts(connection: sa.Connection, cards: Collection[str]) -> Mapping[str, Member]:
    """A Member for each of these card ids that exists, by id, as the transaction sees it."""
    ids = list(dict.fromkeys(cards))
    wanted = [_CARD.id, _CARD.card_number, _CARD.party_number]
    rows = list(rows_in(connection, wanted, _CARD.id, ids))
    parties = {party for _, _, party in rows if party is not None}
    groups = _sets(connection, customer_groups.c.party, customer_groups.c.name, parties)
    programs = _sets(connection, card_programs.c.card, card_programs.c.program, ids)
    none: frozenset[str] = frozenset()
    return {
        id: Member(
            card=number,
            party=party,
            groups=frozenset(groups.get(party, none)) if party else none,
            programs=frozenset(programs.get(id, none)),
        )
        for id, number, party in rows
    }


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
