"""A real store that is put back to an earlier moment in well under a millisecond.

Owns: one SQLite file, its copies in memory, and statements built once for all its openings.
Never does: faults; `scripted.MortalStore` stands before it.

Opening a store costs more in building statements than a whole small run costs in SQL. Only
what a process forgets when it dies is made anew here: connections, layouts, number blocks.
"""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connector.store.database import Database, Hot
from connector.store.layouts import Layouts
from connector.store.opening import open_store
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
        self._dialect = Sqlite(path)  # it knows its file, and takes no other for it
        self._dialect.prepare(self._engine)
        sa.event.listen(self._engine, "connect", _hurry)
        self._first: SqlStore | None = None

    def open(self) -> SqlStore:
        """What a new process finds; a state that was lost is made anew."""
        if not self.path.exists():
            open_store(f"sqlite:///{self.path}").close()
            self._dialect = Sqlite(self.path)
        db = Database(self._engine, self._dialect)
        if self._first is None:
            self._first = SqlStore(db)
            _assert_only_layouts_remember(self._first)
        return _opened_anew(self._first, db)

    def keep(self) -> bytes:
        """The file as it is now; no store is open."""
        with sqlite3.connect(self.path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return self.path.read_bytes()

    def restore(self, kept: bytes) -> None:
        """The file as it was; no store is open."""
        for ending in ENDINGS:
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        self.path.write_bytes(kept)
        self._dialect = Sqlite(self.path)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path)


def _opened_anew(store: SqlStore, db: Database) -> SqlStore:
    """The same statements over other connections, and nothing else of what the store held."""
    anew: dict[int, Any] = {
        id(part): Layouts(db) if isinstance(part, Layouts) else copy.copy(part)
        for part in vars(store).values()
        if not isinstance(part, Database)
    }
    anew[id(store.database)] = db
    again = copy.copy(store)
    for noun in (again, *(part for part in anew.values() if part is not db)):
        held = vars(noun).items()
        vars(noun).update({name: anew[id(part)] for name, part in held if id(part) in anew})
    return again


def _assert_only_layouts_remember(store: SqlStore) -> None:
    """Whatever else a noun holds outlives a death here; that may be statements only."""
    parts = vars(store).values()
    for noun in parts:
        if isinstance(noun, Database | Layouts):
            continue
        for name, held in vars(noun).items():
            kept = held.values() if isinstance(held, dict) else held
            each = list(kept) if isinstance(kept, Iterable) else [held]
            assert any(held is part for part in parts) or (
                each and all(isinstance(one, sa.ClauseElement | Hot) for one in each)
            ), f"{type(noun).__name__}.{name}"


def _hurry(connection: Any, _record: object) -> None:
    # No death of a process loses what the system has taken over; only a power cut would.
    connection.execute("PRAGMA synchronous = OFF")
