"""The tables of segments: every version of their documents, and marking that is under way.

Owns: these tables.
Never does: running a statement.
Tested in: tests/unit/ledger/segments/test_store.py.
"""

from __future__ import annotations

import sqlalchemy as sa

from connector.ledger.programs.tables import NAME_LENGTH
from connector.ledger.schema import ID_LENGTH, metadata

SEGMENTS = "segments/"
"""Before the names of segments among other documents; those of programs have no stroke."""

segments = sa.Table(
    "segments",
    metadata,
    sa.Column("name", sa.String(NAME_LENGTH), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("marked_at", sa.DateTime),
    sqlite_with_rowid=False,
)
"""`version` is the newest one; `marked_at` when its marks were last brought up to date."""

segment_versions = sa.Table(
    "segment_versions",
    metadata,
    sa.Column("segment", sa.ForeignKey(segments.c.name, ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("by", sa.String(128), nullable=False),
)
"""`document` is what is asked, `text` the file as its author wrote it."""

segment_moves = sa.Table(
    "segment_moves",
    metadata,
    sa.Column("segment", sa.ForeignKey(segments.c.name, ondelete="CASCADE"), primary_key=True),
    sa.Column("row", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("move", sa.String(8), nullable=False),
    sqlite_with_rowid=False,
)
"""What marking has still to do, see `marking.py`: `row` is the id of a card that comes, or that of
the mark of one that goes or gets another title."""
