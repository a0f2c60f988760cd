"""The tables of members: groups of customers, households, programs a card has joined.

Owns: these tables, and the index that finds the cards of a customer.
Never does: running a statement.
Tested in: tests/unit/ledger/members/test_members.py.

Customers are rows of `parties`; what refers to them names the number as that table spells it,
which is how cards refer to them too. Names of groups, households and programs are folded.
"""

from __future__ import annotations

import sqlalchemy as sa

from connector.ledger.schema import CARDS, ID_LENGTH, REFERENCES, metadata
from connector.partial_index import partial_index

NAME_LENGTH = 64
"""Characters a name of a group, household or program may have."""
WHO = 128

_CARD = CARDS.table.c
_PARTY = REFERENCES["parties"].c.number

cards_by_party = partial_index(
    "loyalty_cards_by_party",
    _CARD.party_number,
    where=_CARD.party_number.is_not(None),
)
"""Anonymous cards cost nothing here."""

customer_groups = sa.Table(
    "customer_groups",
    metadata,
    sa.Column("party", sa.ForeignKey(_PARTY), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("title", sa.String(NAME_LENGTH), nullable=False),
    sa.Column(
        "kind",
        sa.String(11),
        sa.CheckConstraint("kind IN ('group', 'affiliation')"),
        nullable=False,
    ),
    sa.Column("since", sa.DateTime, nullable=False),
    sa.Column("by", sa.String(WHO), nullable=False),
    sa.Index("customer_groups_by_name", "name", "party"),
    sqlite_with_rowid=False,
)
"""`name` folded, `title` as it was given. A name is a group or an affiliation, not both."""

households = sa.Table(
    "households",
    metadata,
    sa.Column("party", sa.ForeignKey(_PARTY), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("title", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("since", sa.DateTime, nullable=False),
    sa.Column("by", sa.String(WHO), nullable=False),
    sa.Index("households_by_name", "name", "party"),
    sqlite_with_rowid=False,
)
"""Customers who share what their cards hold; each is in one household at most."""

card_programs = sa.Table(
    "card_programs",
    metadata,
    sa.Column(
        "card",
        sa.String(ID_LENGTH),
        sa.ForeignKey(CARDS.table.c.id, ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("program", sa.Text, primary_key=True),
    sa.Column("since", sa.DateTime, nullable=False),
    sa.Column("by", sa.String(WHO), nullable=False),
    sa.Index("card_programs_by_program", "program", "card"),
    sqlite_with_rowid=False,
)
"""Programs a card has joined by itself; every card is in those that are for all."""

card_chains = sa.Table(
    "card_chains",
    metadata,
    sa.Column(
        "card",
        sa.String(ID_LENGTH),
        sa.ForeignKey(CARDS.table.c.id, ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("first", sa.String(ID_LENGTH), nullable=False, index=True),
    sqlite_with_rowid=False,
)
"""Cards that took each other's place, by id; `first` began the chain and is part of it."""
