"""Somebody has committed: a look that costs next to nothing, taken as often as one likes.

Owns: noticing that the change feed or the journal has grown, whoever wrote, in whatever process.
Never does: telling what changed (`feed.py`), waiting, knowing who looks.
Tested in: tests/unit/ledger/test_watch.py.
"""

from __future__ import annotations

import sqlalchemy as sa

from connector.ledger import feed
from connector.ledger.shown.transactions import POINT_ENTRIES
from connector.ledger.sql import looking, reached


class Watch:
    """One connection that asks for one number. Used from one thread at a time."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self.pace = 0.04 if self._sqlite else 0.25
        """Seconds between two looks that nobody notices: SQLite answers from shared memory."""
        with reached(engine):
            self._connection = looking(engine)
            # The driver's own: this is asked many times a second, mostly for nothing.
            self._cursor = self._connection.connection.cursor()
            self._version = self._data_version()
            self._head = self._heads()

    def moved(self) -> bool:
        """Whether either has grown since the last call that said so, or since the beginning.

        Raises UnreachableError `ledger-unreachable`, `ledger-busy`.
        """
        with reached(self._engine):
            version = self._data_version()
            if version is not None and version == self._version:
                return False
            self._version = version
            head = self._heads()
        moved, self._head = head != self._head, head
        return moved

    def close(self) -> None:
        """Release the connection."""
        self._cursor.close()
        self._connection.close()

    def _heads(self) -> int:
        """Rises with every change of a record and every entry of the journal."""
        return feed.head(self._connection) + feed.head(self._connection, POINT_ENTRIES)

    def _data_version(self) -> int | None:
        """SQLite's own count of commits by others; None where there is none to ask for."""
        if not self._sqlite:
            return None
        version: int = self._cursor.execute("PRAGMA data_version").fetchone()[0]
        return version
