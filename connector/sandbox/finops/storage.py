"""The database of the stand-in: one SQLite file beside the organization's.

Owns: the file, its tables, transactions, RecIds, the change counter, settings.
Never does: knowing the wire, validating a value.
Tested in: tests/integration/sandbox/finops/test_restart.py.

One table per entity, with its RecId, its RecVersion and the change counter of the last write.
All work happens in one thread, so there is one connection and no lock.
"""

from __future__ import annotations

import secrets
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connector.errors import StateError, UsageError
from connector.sandbox.clock import Clock
from connector.sandbox.comparing import fold
from connector.sandbox.finops.catalog import ENTITIES
from connector.sandbox.finops.entities import Entity, Field, Kind
from connector.sandbox.finops.happenings import Happenings

FIRST_RECID = 5_637_144_576
SCHEMA_VERSION = "3"
_EXPORTED = (
    "CREATE TABLE exported (project TEXT COLLATE NOCASE, entity TEXT, company TEXT, "
    "change INTEGER NOT NULL, PRIMARY KEY (project, entity, company))"
)
_MESSAGES = (
    "CREATE TABLE messages (place INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, "
    "activity TEXT NOT NULL, body TEXT NOT NULL)"
)
_OWN_TABLES = (
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE sequences (name TEXT PRIMARY KEY, last INTEGER NOT NULL)",
    "CREATE TABLE projects (name TEXT COLLATE NOCASE PRIMARY KEY, body TEXT NOT NULL)",
    "CREATE TABLE tracked (entity TEXT PRIMARY KEY, mode TEXT NOT NULL)",
    _EXPORTED,
    _MESSAGES,
    "CREATE TABLE executions (id TEXT PRIMARY KEY, ends REAL NOT NULL, body TEXT NOT NULL)",
)


class Storage:
    """An open database. Raises `UsageError` if another process has the file open."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "finops.db"
        self.clock = Clock()
        self.happenings = Happenings()
        self.connection = sqlite3.connect(
            self._path, isolation_level=None, timeout=0.5, cached_statements=512
        )
        self.connection.create_function("fold", 1, fold, deterministic=True)
        try:
            self._open()
        except sqlite3.OperationalError as error:
            self.connection.close()
            if "locked" not in str(error):
                raise
            raise UsageError(
                "sandbox-running",
                f"another sandbox is running in {folder}",
                remedy="stop it, or start this one with another --dir",
                cause=str(error),
            ) from error

    def _open(self) -> None:
        execute = self.connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; only a power cut could, and this is test data.
        execute("PRAGMA synchronous = OFF")
        execute("PRAGMA cache_size = -32000")
        execute("BEGIN EXCLUSIVE")
        known = execute("SELECT 1 FROM sqlite_master WHERE name = 'settings'").fetchone()
        self.fresh = known is None
        if self.fresh:
            for statement in (*_OWN_TABLES, *(s for e in ENTITIES for s in _create(e))):
                execute(statement)
            self.set_setting("schema", SCHEMA_VERSION)
            self.set_setting("environment", str(uuid.uuid4()))
        execute("COMMIT")
        if self.setting("schema") != SCHEMA_VERSION:
            raise StateError(
                "sandbox-schema",
                f"{self._path} was made by another version of the sandbox",
                remedy="delete the folder and start again; the sandbox holds test data only",
            )
        self.changes = int(self.setting("changes") or 0)
        self._recid = int(self.setting("recid") or FIRST_RECID)

    # ------------------------------------------------------------------------ settings

    def setting(self, name: str) -> str | None:
        """A value kept beside the rows, or None."""
        found = self.connection.execute(
            "SELECT value FROM settings WHERE name = ?", (name,)
        ).fetchone()
        return None if found is None else str(found[0])

    def set_setting(self, name: str, value: str) -> None:
        """Keep `value`; part of the running transaction."""
        self.connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    @property
    def environment(self) -> str:
        """The id of this environment: made once, at the first start."""
        return self.setting("environment") or ""

    # ------------------------------------------------------------------------ numbers

    def next_recid(self) -> int:
        """A RecId nobody has had."""
        self._recid += 1
        return self._recid

    def next_version(self) -> int:
        """A RecVersion after an update: large and in no order."""
        return 2 + secrets.randbelow(2**31 - 3)

    def next_change(self) -> int:
        """The place of one more write in the order of all writes."""
        self.changes += 1
        return self.changes

    def next_number(self, sequence: str) -> str:
        """The next of a number sequence; the pattern is its name."""
        row = self.connection.execute(
            "INSERT INTO sequences VALUES (?, 1) ON CONFLICT DO UPDATE SET last = last + 1 "
            "RETURNING last",
            (sequence,),
        ).fetchone()
        return sequence.format(row[0])

    # ------------------------------------------------------------------------ transactions

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; the counters are durable with what they counted."""
        before, mark = (self.changes, self._recid), self.happenings.mark()
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            if (self.changes, self._recid) != before:
                self.set_setting("changes", str(self.changes))
                self.set_setting("recid", str(self._recid))
        except BaseException:
            self.connection.execute("ROLLBACK")
            self.changes, self._recid = before
            self.happenings.undo(mark)
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """All of it or nothing inside a running transaction."""
        self.connection.execute("SAVEPOINT part")
        mark = self.happenings.mark()
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK TO part")
            self.connection.execute("RELEASE part")
            self.happenings.undo(mark)
            raise
        self.connection.execute("RELEASE part")

    def clear(self) -> None:
        """Empty every entity; RecIds and changes go on."""
        for entity in ENTITIES:
            self.connection.execute(f'DELETE FROM "{entity.set_name}"')
        for table in ("sequences", "executions", "messages"):
            self.connection.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        """Release the file."""
        self.connection.close()


def _create(entity: Entity) -> Iterator[str]:
    """The statements that make an entity's table and the index of its key."""
    columns = ", ".join(f'"{f.name}" {_affinity(entity, f)} NOT NULL' for f in entity.listed)
    yield (
        f'CREATE TABLE "{entity.set_name}" (recid INTEGER PRIMARY KEY, '
        f"recversion INTEGER NOT NULL, changed INTEGER NOT NULL, {columns})"
    )
    key = ", ".join(f'fold("{name}")' for name in entity.key)
    yield f'CREATE UNIQUE INDEX "{entity.set_name}_key" ON "{entity.set_name}" ({key})'
    yield f'CREATE INDEX "{entity.set_name}_changed" ON "{entity.set_name}" (changed)'
    for one in entity.joined:
        yield (
            f'CREATE INDEX "{entity.set_name}_{one.name}" ON "{entity.set_name}" ("{one.name}") '
            f'WHERE "{one.name}" <> 0'
        )


def _affinity(entity: Entity, field: Field) -> str:
    texts = (Kind.STRING, Kind.DATE, Kind.MOMENT)
    return "TEXT" if field.kind in texts and field not in entity.joined else "INTEGER"
