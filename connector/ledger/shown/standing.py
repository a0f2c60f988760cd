"""The day that what is shown of points stands on.

Owns: reading it.
Never does: bringing it to another one (`days.py`).
Tested in: tests/unit/ledger/shown/test_days.py.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from connector.ledger.shown.tables import shown_days

_STANDING = sa.select(shown_days.c.turned, shown_days.c.turning)


class Standing(NamedTuple):
    """The days of the shown balances; both None before the first turn of a ledger."""

    turned: date | None
    turning: date | None


def standing(connection: sa.Connection) -> Standing:
    """Where the ledger stands."""
    row = connection.execute(_STANDING).one_or_none()
    return Standing(None, None) if row is None else Standing(*row)
