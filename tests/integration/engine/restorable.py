"""A real store that is put back to an earlier moment in well under a millisecond.

Owns: one SQLite file, its copies in memory, and statements compiled once for all its openings.
Never does: faults; `scripted.MortalStore` stands before it.

Opening a store costs more in compiling statements than a whole small run costs in SQL. Only
what a process forgets when it dies is made anew here: connections, layouts, number blocks.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connector.store.database import Database, Hot
from connector.store.dialect import Dialect
from connector.store.sql_store import SqlStore
from connector.store.sqlite import Sqlite

ENDINGS = ("", "-wal", "-shm")


class RestorableState:
    """The store's file; every `open` is another process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # The URL only names the driver: connections are made here, so that the engine, and
        # with it every statement compiled so far, outlives the file.
        self._engine = sa.create_engine(
            "sqlite:///restorable", creator=self._connect, poolclass=sa.NullPool
        )
        self._dialect = Sqlite(path)
        self._dialect.prepare(self._engine)
        sa.event.listen(self._engine, "connect", _hurry)
        self._compiled: dict[Any, Hot] = {}

    def open(self) -> SqlStore:
        """What a new process finds."""
        return SqlStore(_Database(self._engine, self._dialect, self._compiled))

    def keep(self) -> bytes:
        """The file as it is now; no store is open."""
        with sqlite3.connect(self.path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return self.path.read_bytes()

    def restore(self, kept: bytes) -> None:
        """The file as it was; no store is open."""
        for ending in ENDINGS[1:]:
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        self.path.write_bytes(kept)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path)


class _Database(Database):
    """A database that has compiled its statements before."""

    def __init__(self, engine: sa.Engine, dialect: Dialect, compiled: dict[Any, Hot]) -> None:
        super().__init__(engine, dialect)
        self._known = compiled

    def hot(self, statement: sa.ClauseElement, *names: str) -> Hot:
        key = statement._generate_cache_key()
        if key is None:
            return super().hot(statement, *names)
        if key.key not in self._known:
            self._known[key.key] = super().hot(statement, *names)
        return self._known[key.key]


def _hurry(connection: Any, _record: object) -> None:
    # No death of a process loses what the system has taken over; only a power cut would.
    connection.execute("PRAGMA synchronous = OFF")
