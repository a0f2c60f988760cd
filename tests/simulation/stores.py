"""The real store, opened for one simulated process after the other.

Owns: a store that tells the time of the simulated world, and statements compiled only once.
Never does: faults; a process sees it through `wire.MortalStore`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connector.store.database import Database
from connector.store.dialect import Sqlite
from connector.store.sql_store import SqlStore


class _SimulatedTime(Sqlite):
    """SQLite with the world's clock instead of its own."""

    def now(self) -> sa.ColumnElement[float]:
        return sa.literal_column("simulated_now()", sa.Double())


class Stores:
    """Opens stores; `blank` is an empty one with its schema, copied for each world."""

    def __init__(self, blank: Path, folder: Path) -> None:
        self.path = folder / "state.db"
        self._blank = blank.read_bytes()
        self._clock: Callable[[], float] = lambda: 0.0
        # The URL only names the driver: connections are made by `_connect`, so that the engine,
        # and with it every statement compiled so far, outlives one world.
        self._engine = sa.create_engine(
            "sqlite:///simulated", creator=self._connect, poolclass=sa.NullPool
        )
        self._dialect = _SimulatedTime()
        self._dialect.prepare(self._engine)
        sa.event.listen(self._engine, "connect", self._hurry)

    def begin(self, clock: Callable[[], float]) -> None:
        """A new world begins with an empty store."""
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        self.path.write_bytes(self._blank)
        self._clock = clock

    def open(self) -> SqlStore:
        """A store of its own for one process."""
        return SqlStore(Database(self._engine, self._dialect))

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path)

    def _hurry(self, connection: Any, _record: object) -> None:
        # No simulated crash loses power.
        connection.execute("PRAGMA synchronous = OFF")
        connection.create_function("simulated_now", 0, self._clock)
