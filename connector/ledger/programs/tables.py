"""The tables of the programs.

Owns: the programs, every version of their documents and the kinds they mean, the stamp that
changes with them; the index that finds what a card replaced.
Never does: running a statement.
Tested in: tests/unit/ledger/programs/test_store.py.
"""

from __future__ import annotations

import sqlalchemy as sa

from connector.ledger.journal.tables import KEY_LENGTH
from connector.ledger.schema import CARDS, ID_LENGTH, REWARD_POINTS, metadata
from connector.partial_index import partial_index

NAME_LENGTH = 32
DOCUMENT_LENGTH = 80

_SUCCESSOR = CARDS.table.c.replacement_card_number

cards_by_successor = partial_index(
    "loyalty_cards_by_successor",
    _SUCCESSOR,
    where=_SUCCESSOR.is_not(None),
)
"""Finds the cards that a card replaced; the others cost nothing here."""

programs = sa.Table(
    "programs",
    metadata,
    sa.Column("name", sa.String(NAME_LENGTH), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""`version` is the newest one, which is in force while the program is active."""

program_versions = sa.Table(
    "program_versions",
    metadata,
    sa.Column("program", sa.ForeignKey(programs.c.name), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("by", sa.String(128), nullable=False),
)
"""`document` is what programs read, `text` the file as its author wrote it."""

document_kinds = sa.Table(
    "document_kinds",
    metadata,
    sa.Column("document", sa.String(DOCUMENT_LENGTH), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column(
        "kind",
        sa.String(ID_LENGTH),
        sa.ForeignKey(REWARD_POINTS.table.c.id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sqlite_with_rowid=False,
)
"""Which kind of points a version of a program, reward or segment means by a name. `document` is as
`sales.versions` names it."""

owed = sa.Table(
    "owed",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("what", sa.String(8), nullable=False),
    sa.Column("name", sa.String(KEY_LENGTH), nullable=False),
    sa.Column("tier", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("program", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("member", sa.JSON, nullable=False),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.UniqueConstraint("what", "name", "tier", "program"),
)
"""What programs could not judge when it happened (`owing.py`). `what` is `sale`, `activity` or
`tier`, `name` the folded number of the first two, or the id of the card that rose into `tier`; `at`
an ISO time in the zone it was judged in; `member` the facts of then."""

program_stamp = sa.Table(
    "program_stamp",
    metadata,
    sa.Column("singleton", sa.Integer, sa.CheckConstraint("singleton = 1"), primary_key=True),
    sa.Column("stamp", sa.String(ID_LENGTH), nullable=False),
)
"""One row once there are programs: another stamp, other programs."""
