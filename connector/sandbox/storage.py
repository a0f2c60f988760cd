"""The organization's database: one SQLite file in the sandbox folder.

Owns: the file, its schema, transactions, the row version counter, deletions, settings.
Never does: knowing the wire, validating a value.
Tested in: tests/integration/sandbox/test_restart.py.

One real table per Dataverse table, values stored in their wire form where SQLite can order
it: instants and dates as text, decimals as whole numbers of their last place. The process
holds the file exclusively, so a second sandbox in the same folder is refused, and all work
happens in one thread, so there is one connection and no lock.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from connector.errors import StateError, UsageError
from connector.sandbox.catalog import Catalog
from connector.sandbox.comparing import fold, matches
from connector.sandbox.tables import REFERENCES, Kind, Table

Stored: TypeAlias = str | int | None
"""One value as SQLite holds it."""

FIRST_VERSION = 500_000
SCHEMA_VERSION = "1"
_TEXT_KINDS = REFERENCES | {Kind.STRING, Kind.DATETIME, Kind.GUID}


def shadow(column: str) -> str:
    """The stored column with the folded form of an alternate-key column."""
    return f"{column}~"


class Storage:
    """An open organization database. Raises `UsageError` if another process has it open."""

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        self._path = folder / "organization.db"
        self.catalog = catalog
        self.connection = sqlite3.connect(
            self._path, isolation_level=None, timeout=0.5, cached_statements=1024
        )
        self.connection.create_function("fold", 1, fold, deterministic=True)
        self.connection.create_function("matches", 2, matches, deterministic=True)
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
        self.version = int(self.setting("version") or FIRST_VERSION)

    def _open(self) -> None:
        execute = self.connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; only a power cut could, and this is test data.
        execute("PRAGMA synchronous = OFF")
        execute("PRAGMA cache_size = -32000")
        execute("BEGIN EXCLUSIVE")
        execute("CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        if self.setting("schema") is None:
            self._create_schema()
        execute("COMMIT")
        if self.setting("schema") != SCHEMA_VERSION:
            raise StateError(
                "sandbox-schema",
                f"{self._path} was made by another version of the sandbox",
                remedy="delete the folder and start again; the sandbox holds test data only",
            )

    def _create_schema(self) -> None:
        execute = self.connection.execute
        execute(
            "CREATE TABLE tombstones (entity TEXT, id TEXT, version INTEGER NOT NULL, "
            "PRIMARY KEY (entity, id)) WITHOUT ROWID"
        )
        execute("CREATE INDEX tombstone_version ON tombstones (entity, version)")
        for table in self.catalog.by_name.values():
            for statement in _table_schema(table):
                execute(statement)
        self.set_setting("schema", SCHEMA_VERSION)
        self.set_setting("organization", str(uuid.uuid4()))

    # ------------------------------------------------------------------------ settings

    def setting(self, name: str) -> str | None:
        """A value kept beside the data, or None."""
        row = self.connection.execute(
            "SELECT value FROM settings WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else str(row[0])

    def set_setting(self, name: str, value: str) -> None:
        """Keep `value`; part of the running transaction."""
        self.connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    @property
    def organization(self) -> uuid.UUID:
        """The OrganizationId: made once, at the first start."""
        text = self.setting("organization")
        assert text is not None, "written together with the schema"
        return uuid.UUID(text)

    # ------------------------------------------------------------------------ transactions

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; the version counter is durable with what it counted."""
        before = self.version
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            if self.version != before:
                self.set_setting("version", str(self.version))
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """All of it or nothing inside a running transaction; nests."""
        self.connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK TO part")
            self.connection.execute("RELEASE part")
            raise
        self.connection.execute("RELEASE part")

    # ------------------------------------------------------------------------ versions

    def next_version(self, count: int = 1) -> int:
        """The first of `count` fresh row versions; they only ever grow."""
        first = self.version + 1
        self.version += count
        return first

    def bury(self, table: Table, record: str) -> None:
        """Remember that `record` was deleted, at a version of its own."""
        self.connection.execute(
            "INSERT OR REPLACE INTO tombstones VALUES (?, ?, ?)",
            (table.name, record, self.next_version()),
        )

    def unbury(self, table: Table, records: Sequence[str]) -> None:
        """Forget deletions of ids that exist again."""
        one = self.connection.execute(
            "SELECT 1 FROM tombstones WHERE entity = ? LIMIT 1", (table.name,)
        ).fetchone()
        if one is not None:
            self.connection.executemany(
                "DELETE FROM tombstones WHERE entity = ? AND id = ?",
                [(table.name, record) for record in records],
            )

    def clear(self) -> None:
        """Empty every table; versions go on, so an old delta token cannot fit again."""
        for table in self.catalog.by_name:
            self.connection.execute(f'DELETE FROM "{table}"')
        self.connection.execute("DELETE FROM tombstones")
        self.next_version()

    def close(self) -> None:
        """Release the file."""
        self.connection.close()


def stored_columns(table: Table) -> list[str]:
    """The columns of the SQLite table, in order."""
    return [*table.columns, *(shadow(name) for name in table.folded)]


def _table_schema(table: Table) -> Iterator[str]:
    columns = [
        f'"{column.name}" {"TEXT" if column.kind in _TEXT_KINDS else "INTEGER"}'
        + (" PRIMARY KEY NOT NULL" if column.name == table.id_column else "")
        for column in table.columns.values()
    ]
    columns += [f'"{shadow(name)}" TEXT' for name in table.folded]
    yield f'CREATE TABLE "{table.name}" ({", ".join(columns)}) WITHOUT ROWID'
    yield f'CREATE INDEX "{table.name}_version" ON "{table.name}" (versionnumber)'
    for key in table.keys:
        parts = ", ".join(f'"{key_column(table, name)}"' for name in key.columns)
        yield f'CREATE UNIQUE INDEX "{key.schema_name}" ON "{table.name}" ({parts})'
    for column in table.columns.values():
        if column.custom and column.target:
            yield f'CREATE INDEX "{column.name}_lookup" ON "{table.name}" ("{column.name}")'


def key_column(table: Table, name: str) -> str:
    """The stored column in which an alternate-key column is compared."""
    return shadow(name) if name in table.folded else name
