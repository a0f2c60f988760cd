"""The tables of payments with points.

Owns: payments, and the kinds of points that pay for each.
Never does: running a statement.
Tested in: tests/unit/ledger/payments/test_payments.py.

Points and money are ten-thousandths. The points themselves move in the journal alone: a payment
names the posting that took them, and what came back refers to the entries of it.
"""

from __future__ import annotations

import sqlalchemy as sa

from connector.ledger.journal.tables import KEY_LENGTH, NUMBER, postings
from connector.ledger.payments.payment import State
from connector.ledger.schema import CARDS, ID_LENGTH, metadata

ORDER_LENGTH = 100
_STATES = ", ".join(f"'{one.value}'" for one in State)

payments = sa.Table(
    "point_payments",
    metadata,
    sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String(KEY_LENGTH), nullable=False, unique=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("state", sa.String(10), sa.CheckConstraint(f"state IN ({_STATES})"), nullable=False),
    sa.Column("card", sa.String(ID_LENGTH), sa.ForeignKey(CARDS.table.c.id), nullable=False),
    sa.Column("order_number", sa.String(ORDER_LENGTH), nullable=False),
    sa.Column("order_key", sa.String(KEY_LENGTH), nullable=False, index=True),
    sa.Column("channel", sa.String(ORDER_LENGTH)),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("covered", sa.BigInteger, nullable=False),
    sa.Column("captured", sa.BigInteger),
    sa.Column("amount", sa.BigInteger, sa.CheckConstraint("amount >= 0"), nullable=False),
    sa.Column("posting", sa.ForeignKey(postings.c.number), nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("until", sa.DateTime, nullable=False),
    sa.Column("settled", sa.DateTime),
    sa.Column("by", sa.String(128), nullable=False),
    sa.Index("point_payments_to_lapse", "state", "until"),
    sa.Index("point_payments_by_card", "card", "number"),
)
"""`covered` is what was authorised, `captured` what was captured of it, `amount` what points pay
now: less what came back of goods."""

parts = sa.Table(
    "point_payment_parts",
    metadata,
    sa.Column("payment", sa.ForeignKey(payments.c.number), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("program", sa.String(KEY_LENGTH), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("rate_points", sa.BigInteger, nullable=False),
    sa.Column("rate_worth", sa.BigInteger, nullable=False),
    sa.Column("kind_currency", sa.String(3)),
    sa.Column("points", sa.BigInteger, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""`kind` is the id of one. Parts stand in the order in which they pay; what is given back comes
from the last one first. So many points were worth so much when it was authorised; whole points
where `kind_currency` is None, else rounded as that currency is."""

returned = sa.Table(
    "point_payment_returns",
    metadata,
    sa.Column("key", sa.String(KEY_LENGTH), primary_key=True),
    sa.Column("payment", sa.ForeignKey(payments.c.number), primary_key=True, index=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("posting", sa.ForeignKey(postings.c.number)),
    sqlite_with_rowid=False,
)
"""Goods that came back: what was given back for them, of which payments. `key` is that of the order
and the caller's; `posting` is None where not even one point moved."""
