"""The journal's entries as records that others may read.

Owns: their fields, and where each value comes from. They have no table and no feed of their own:
entries are numbered under the write lock, so numbers become visible in their order.
Never does: running a statement.
Tested in: tests/unit/ledger/shown/test_transactions.py.
"""

from __future__ import annotations

import sqlalchemy as sa

from connector.ledger.column_types import Moment, NumberAsText, Scaled
from connector.ledger.fields import Field, Kind
from connector.ledger.journal.keys import ACTIVITY
from connector.ledger.journal.posting import EntryType
from connector.ledger.journal.tables import RULE_LENGTH, entries, postings
from connector.ledger.sales.tables import sales
from connector.ledger.schema import CARDS, REWARD_POINTS, EntityType, choice, decimal, text

CARD_NUMBER = text("CardNumber", "card_number", 30, nullable=False)
KIND_NAME = text("RewardPointId", "reward_point_id", 64, nullable=False)

_ENTRY_FIELDS = (
    text("TransactionNumber", "transaction_number", 19, nullable=False),
    CARD_NUMBER,
    KIND_NAME,
    choice(
        "EntryType",
        "entry_type",
        {
            EntryType.EARN.value: "Earn",
            EntryType.REDEEM.value: "Redeem",
            EntryType.RETURN_EARNED.value: "Return earned",
            EntryType.ADJUST.value: "Adjust",
            EntryType.REFUND.value: "Refund",
        },
        nullable=False,
    ),
    decimal("Points", "points", nullable=False),
    Field("At", "at", Kind.INSTANT, nullable=False),
    Field("StartDate", "start_date", Kind.DATE),
    Field("ExpirationDate", "expiration_date", Kind.DATE),
    text("Reference", "reference", 200),
    text("Rule", "rule", RULE_LENGTH),
    Field("Why", "why", Kind.TEXT, lines=True),
    Field("Comment", "comment", Kind.TEXT, lines=True),
)


def _entries() -> sa.FromClause:
    """The journal's entries under the names of the fields."""
    e, p = entries.c, postings.c
    text_number = sa.type_coerce(e.number, NumberAsText())
    kinds, cards = REWARD_POINTS.table, CARDS.table
    activity = sa.case((p.key.startswith(ACTIVITY), sa.func.substr(p.key, len(ACTIVITY) + 1)))
    told = [p.source[name].as_string() for name in ("sale", "order", "receipt")]
    return (
        sa.select(
            text_number.label("id"),
            e.number.label("version"),
            p.posted_at.label("modified_at"),
            p.posted_by.label("modified_by"),
            text_number.label("key"),
            text_number.label("transaction_number"),
            cards.c.card_number.label("card_number"),
            kinds.c.reward_point_id.label("reward_point_id"),
            e.type.label("entry_type"),
            sa.type_coerce(e.units, Scaled()).label("points"),
            sa.type_coerce(p.at, Moment()).label("at"),
            e.starts.label("start_date"),
            e.expires.label("expiration_date"),
            sa.func.coalesce(sales.c.number, *told, p.sale, activity).label("reference"),
            e.rule.label("rule"),
            sa.func.nullif(e.why, "").label("why"),
            sa.func.nullif(p.comment, "").label("comment"),
        )
        # Outer joins that never lack a row: so the entries are what is walked through.
        .select_from(
            entries.outerjoin(postings, p.number == e.posting)
            .outerjoin(sales, sales.c.key == p.sale)
            .outerjoin(cards, cards.c.id == e.card)
            .outerjoin(kinds, kinds.c.id == e.kind)
        )
        .subquery("shown_entries")
    )


POINT_ENTRIES = EntityType(
    "LoyaltyPointTransactions",
    "point-transactions",
    "Point transaction",
    _ENTRY_FIELDS,
    _ENTRY_FIELDS[0],
    entries,
    read_only=True,
    append_only=True,
    view=_entries(),
)
"""The journal's entries: no table of their own, and no feed but their numbers, which are given out
under the write lock and therefore become visible in their order. Cards and kinds have the names
they have now: whoever keeps a transaction points to the card, not to what it was called."""
