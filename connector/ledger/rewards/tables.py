"""The tables of rewards, their settings, and prices in points.

Owns: these tables.
Never does: running a statement.
Tested in: tests/unit/ledger/rewards/test_store.py, tests/unit/ledger/rewards/test_prices.py.
"""

from __future__ import annotations

import sqlalchemy as sa

from connector.ledger.journal.tables import NUMBER
from connector.ledger.schema import ID_LENGTH, REWARD_POINTS, metadata

NAME_LENGTH = 128
REWARDS = "rewards/"
"""Before the names of rewards among other documents; those of programs have no stroke."""

documents = sa.Table(
    "reward_documents",
    metadata,
    sa.Column("reward", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("by", sa.String(128), nullable=False),
    sqlite_with_rowid=False,
)
"""Every version there ever was, from 1; the highest one counts. `at` is naive UTC."""

settings = sa.Table(
    "reward_settings",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("on_points", sa.Boolean, nullable=False),
    sa.Column("months", sa.Integer),
    sa.Column("several", sa.String(8), nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("by", sa.String(128), nullable=False),
)
"""As `documents`: all versions, of which the highest one counts."""

stamps = sa.Table(
    "reward_stamp",
    metadata,
    sa.Column("singleton", sa.Integer, sa.CheckConstraint("singleton = 1"), primary_key=True),
    sa.Column("stamp", sa.String(36), nullable=False),
)
"""At most one row: another stamp, unlike any other ever, with each change of the two above."""

prices = sa.Table(
    "product_prices",
    metadata,
    sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
    sa.Column("product", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("key", sa.String(NAME_LENGTH * 3), nullable=False, index=True),
    sa.Column(
        "kind",
        sa.String(ID_LENGTH),
        sa.ForeignKey(REWARD_POINTS.table.c.id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("units", sa.BigInteger, sa.CheckConstraint("units > 0"), nullable=False),
    sa.Column("valid_from", sa.Date),
    sa.Column("valid_until", sa.Date),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("by", sa.String(128), nullable=False),
)
"""`key` is the folded product; `units` are ten-thousandths of a point for one piece. A kind of
points that goes takes its prices along."""
