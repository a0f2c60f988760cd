"""The tables that keep what is shown of points up to date, and the indexes for it.

Owns: the day that balances stand on, indexes of lots.
Never does: running a statement.
Tested in: tests/unit/ledger/shown/.
"""

from __future__ import annotations

import sqlalchemy as sa

from connector.ledger.journal.tables import LIVE, entries
from connector.ledger.schema import metadata
from connector.partial_index import partial_index

shown_days = sa.Table(
    "shown_days",
    metadata,
    sa.Column("singleton", sa.Integer, sa.CheckConstraint("singleton = 1"), primary_key=True),
    sa.Column("turned", sa.Date),
    sa.Column("turning", sa.Date),
)
"""One row, see `days.py`: the day all balances stand on, and the one they are being brought to."""

partial_index(
    "point_lots_by_end",
    entries.c.expires,
    entries.c.number,
    where=LIVE,
)
partial_index(
    "point_lots_by_start",
    entries.c.starts,
    entries.c.number,
    where=LIVE,
)
