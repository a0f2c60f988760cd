"""The tables of the journal.

Owns: postings, entries, and what each deducting entry drew from which lot.
Never does: running a statement.
Tested in: tests/unit/ledger/journal/test_journal.py.

Entries are never changed but for `remaining`, which is what the deductions leave of a lot and
can be worked out anew from them (`statements.mismatches`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import sqlalchemy as sa

from connector.ledger.journal.posting import EntryType
from connector.ledger.schema import CARDS, ID_LENGTH, REWARD_POINTS, metadata
from connector.partial_index import partial_index

KEY_LENGTH = 200
RULE_LENGTH = 200

# SQLite numbers rows by itself only where the type is spelled INTEGER; here we number anyway.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TYPES = ", ".join(f"'{one.value}'" for one in EntryType)

postings = sa.Table(
    "point_postings",
    metadata,
    sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String(KEY_LENGTH), nullable=False, unique=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("posted_at", sa.DateTime, nullable=False),
    sa.Column("posted_by", sa.String(128), nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("source", sa.JSON, nullable=False),
    sa.Column("sale", sa.String(KEY_LENGTH), index=True),
)
"""`sale` is the folded number of the sale a posting belongs to."""

entries = sa.Table(
    "point_entries",
    metadata,
    sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
    sa.Column("posting", sa.ForeignKey(postings.c.number), nullable=False, index=True),
    sa.Column("type", sa.String(12), sa.CheckConstraint(f"type IN ({_TYPES})"), nullable=False),
    sa.Column("card", sa.String(ID_LENGTH), sa.ForeignKey(CARDS.table.c.id), nullable=False),
    sa.Column(
        "kind",
        sa.String(ID_LENGTH),
        sa.ForeignKey(REWARD_POINTS.table.c.id),
        nullable=False,
        index=True,
    ),
    sa.Column("units", sa.BigInteger, nullable=False),
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("remaining", sa.BigInteger, sa.CheckConstraint("remaining >= 0")),
    sa.Column("starts", sa.Date),
    sa.Column("expires", sa.Date),
    sa.Column("source", sa.ForeignKey("point_entries.number"), index=True),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("rule", sa.String(RULE_LENGTH)),
    sa.Column("for_tiers", sa.Boolean),
    # A balance is read from the index alone.
    sa.Index(
        "point_entries_by_card", "card", "kind", "type", "starts", "expires", "units", "remaining"
    ),
)
"""`units` and `asked` are signed ten-thousandths; `remaining` is there for lots only. `rule` is
what an Earn was earned by, as PROGRAM/RULE@VERSION; `for_tiers` marks an Adjust that counts for
tiers as if it were earned."""

LIVE = entries.c.remaining > sa.literal_column("0")
"""Lots with something left. Written out: an index on a part of a table is used for no less."""

# In the order in which lots are used up, but that those without a last day come last.
partial_index(
    "point_lots",
    entries.c.card,
    entries.c.kind,
    entries.c.expires,
    entries.c.starts,
    entries.c.number,
    entries.c.remaining,
    where=LIVE,
)

deductions = sa.Table(
    "point_deductions",
    metadata,
    sa.Column("entry", sa.ForeignKey(entries.c.number), primary_key=True),
    sa.Column("lot", sa.ForeignKey(entries.c.number), primary_key=True, index=True),
    sa.Column("units", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Ten-thousandths an entry drew from a lot; negative where it put them back."""

POINTS_OF: Mapping[str, sa.Column[str]] = MappingProxyType(
    {CARDS.name: entries.c.card, REWARD_POINTS.name: entries.c.kind}
)
"""Entity to the column of the journal that points to its records: these must stay."""
