"""What rules ask about the holders of many cards at once.

Owns: these queries; a fixed number of them for a batch, however many cards it has.
Never does: deciding anything (`programs/earning.py`), writing.
Tested in: tests/unit/ledger/members/test_facts.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.members.member import Member
from connector.ledger.members.tables import card_chains, card_programs, customer_groups, households
from connector.ledger.sales.tables import sales
from connector.ledger.schema import CARDS
from connector.ledger.shown.entities import CARD_TIERS
from connector.ledger.sql import rows_in

_CARD = CARDS.table.c
_TIER = CARD_TIERS.table.c
_CHAIN = card_chains.c
_BEFORE = card_chains.alias("before")
_OTHER = CARDS.table.alias("other")
_DWELLER = households.alias("dweller")
_OF_CUSTOMER = (
    sa.select(sa.func.count())
    .where(_OTHER.c.party_number == _CARD.party_number, sales.c.card == _OTHER.c.id)
    .scalar_subquery()
)
_OF_HOUSEHOLD = (
    sa.select(sa.func.count())
    .where(
        households.c.party == _CARD.party_number,
        _DWELLER.c.name == households.c.name,
        _DWELLER.c.party != households.c.party,
        _OTHER.c.party_number == _DWELLER.c.party,
        sales.c.card == _OTHER.c.id,
    )
    .scalar_subquery()
)
_COLUMNS = (
    *(_CARD.id, _CARD.card_number, _CARD.party_number),
    sa.select(sa.func.count()).where(sales.c.card == _CARD.id).scalar_subquery(),
    sa.select(sa.func.count())
    .where(
        _CHAIN.card == _CARD.id,
        _BEFORE.c.first == _CHAIN.first,
        _BEFORE.c.card != _CHAIN.card,
        sales.c.card == _BEFORE.c.card,
    )
    .scalar_subquery(),
    sa.select(_CHAIN.first).where(_CHAIN.card == _CARD.id).scalar_subquery(),
    sa.case((_CARD.party_number.is_not(None), _OF_CUSTOMER + _OF_HOUSEHOLD)),
)
"""Of a card: what it is called, whose it is, its sales, those of its chain, where that began, and
those of all that it may count with."""
_NONE = sa.cast(sa.null(), sa.Text).label("value")


def _what(of: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{of}'", sa.Text).label("what")


_HELD = sa.union_all(
    sa.select(
        card_programs.c.card,
        _what("program"),
        card_programs.c.program.label("name"),
        _NONE,
    ),
    sa.select(_CARD.id, _what("group"), customer_groups.c.name, _NONE).where(
        customer_groups.c.party == _CARD.party_number
    ),
    sa.select(_CARD.id, _what("tier"), _TIER.program, _TIER.tier).where(
        _TIER.card_number == _CARD.card_number, _TIER.tier.is_not(None)
    ),
).subquery()
"""All that cards hold, as one: a till asks with every sale, and each question takes its time."""


def facts(connection: sa.Connection, cards: Collection[str]) -> Mapping[str, Member]:
    """A Member for each of these card ids that exists, by id, as the transaction sees it."""
    ids = list(dict.fromkeys(cards))
    rows = list(rows_in(connection, _COLUMNS, _CARD.id, ids))
    groups: dict[str, set[str]] = {}
    programs: dict[str, set[str]] = {}
    tiers: dict[str, dict[str, str]] = {}
    for card, what, name, tier in rows_in(connection, list(_HELD.c), _HELD.c.card, ids):
        if what == "tier":
            tiers.setdefault(card, {})[fold(name)] = fold(tier)
        else:
            (groups if what == "group" else programs).setdefault(card, set()).add(name)
    none: frozenset[str] = frozenset()
    return {
        id: Member(
            card=number,
            party=party,
            groups=frozenset(groups.get(id, none)),
            programs=frozenset(programs.get(id, none)),
            tiers=MappingProxyType(tiers.get(id, {})),
            sales=sold + before,
            pool_sales=pool,
            first=first or id,
        )
        for id, number, party, sold, before, first, pool in rows
    }
