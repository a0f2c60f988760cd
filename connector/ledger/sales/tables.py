"""The tables of sales, their lines, what came back of them, and other activities.

Owns: these tables.
Never does: running a statement.
Tested in: tests/unit/ledger/sales/test_till.py.

Numbers are unique as people compare them: `key` is the folded number. Quantities and amounts are
ten-thousandths (`journal/amounts.py`). Which entries a sale led to is told by the journal:
`point_postings.sale` is the `key` of the sale for its own posting, for its returns, and for points
that paid for it.
"""

from __future__ import annotations

import sqlalchemy as sa

from connector.ledger.journal.tables import KEY_LENGTH, NUMBER, postings
from connector.ledger.schema import CARDS, ID_LENGTH, metadata

NUMBER_LENGTH = 64
"""A number may grow threefold when it is folded."""
NAME_LENGTH = 100

sales = sa.Table(
    "sales",
    metadata,
    sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
    sa.Column("number", sa.String(NUMBER_LENGTH), nullable=False),
    sa.Column("key", sa.String(KEY_LENGTH), nullable=False, unique=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("card", sa.String(ID_LENGTH), sa.ForeignKey(CARDS.table.c.id), nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("utc_offset", sa.Integer),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("channel", sa.String(NAME_LENGTH)),
    sa.Column("unit", sa.String(NAME_LENGTH)),
    sa.Column("payments", sa.JSON, nullable=False),
    sa.Column("fields", sa.JSON, nullable=False),
    sa.Column("member", sa.JSON, nullable=False),
    sa.Column("versions", sa.JSON, nullable=False),
    sa.Column("posting", sa.ForeignKey(postings.c.number)),
    sa.Index("sales_by_card", "card", "at"),
)
"""`at` is naive UTC; `utc_offset` the seconds its day was ahead of that, None in rows of an older
version. `member` and `versions` are what the sale was judged by: the facts of the member, and
program to version. `posting` is None where nothing was earned."""

sale_lines = sa.Table(
    "sale_lines",
    metadata,
    sa.Column("sale", sa.ForeignKey(sales.c.id), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("product", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("product_key", sa.Text, nullable=False, index=True),
    sa.Column("categories", sa.JSON, nullable=False),
    sa.Column("category_keys", sa.Text, nullable=False),
    sa.Column("offer", sa.String(NAME_LENGTH)),
    sa.Column("details", sa.JSON(none_as_null=True)),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("returned_quantity", sa.BigInteger, nullable=False),
    sa.Column("returned_amount", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""`line` counts from 1. `category_keys` is for searching: every folded category between line
breaks, one at either end as well; empty without categories. `details` is what few lines have:
variant, language, points, fields."""

sale_returns = sa.Table(
    "sale_returns",
    metadata,
    sa.Column("number", sa.String(NUMBER_LENGTH), nullable=False),
    sa.Column("key", sa.String(KEY_LENGTH), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("sale", sa.ForeignKey(sales.c.id), nullable=False, index=True),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("lines", sa.JSON, nullable=False),
    sa.Column("posting", sa.ForeignKey(postings.c.number)),
)
"""`lines` is a list of [line, quantity, amount] in ten-thousandths."""

activities = sa.Table(
    "activities",
    metadata,
    sa.Column("number", sa.String(NUMBER_LENGTH), nullable=False),
    sa.Column("key", sa.String(KEY_LENGTH), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("card", sa.String(ID_LENGTH), sa.ForeignKey(CARDS.table.c.id), nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("activity", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("channel", sa.String(NAME_LENGTH)),
    sa.Column("unit", sa.String(NAME_LENGTH)),
    sa.Column("fields", sa.JSON, nullable=False),
    sa.Column("posting", sa.ForeignKey(postings.c.number)),
    sa.Index("activities_by_card", "card", "activity"),
)
"""Surveys, visits and the like, also those that earned nothing."""
