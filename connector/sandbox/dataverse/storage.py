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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from connector.errors import StateError, UsageError
from connector.sandbox.clock import Clock
from connector.sandbox.comparing import fold, matches
from connector.sandbox.dataverse.definitions import archive, ddl
from connector.sandbox.dataverse.definitions.catalog import Catalog, Contents, Definition
from connector.sandbox.dataverse.definitions.tables import Table
from connector.sandbox.dataverse.webhooks.happenings import Happenings

Stored: TypeAlias = str | int | float | None
"""One value as SQLite holds it."""
FirstTables: TypeAlias = Callable[[bool], Sequence[Table]]
"""The tables of a new organization, for an empty one or one with loyalty tables."""

FIRST_VERSION = 500_000
SCHEMA_VERSION = "5"
_EMPTY = "empty"
_CUSTOMIZED = "customized"


class Storage:
    """An open organization database.

    `empty` asks for a new organization without loyalty tables; what stands in the folder
    already stays as it is. Raises `UsageError` if another process has the file open, or if
    it is to be empty and was made with loyalty tables.
    """

    def __init__(self, folder: Path, tables: FirstTables, *, empty: bool = False) -> None:
        self._path = folder / "organization.db"
        self._tables = tables
        self.catalog = Catalog()
        self.happenings = Happenings()
        self.clock = Clock()
        self.connection = sqlite3.connect(
            self._path, isolation_level=None, timeout=0.5, cached_statements=1024
        )
        self.connection.create_function("fold", 1, fold, deterministic=True)
        self.connection.create_function("matches", 2, matches, deterministic=True)
        try:
            self._open(empty)
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

    def _open(self, empty: bool) -> None:
        execute = self.connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; only a power cut could, and this is test data.
        execute("PRAGMA synchronous = OFF")
        execute("PRAGMA cache_size = -32000")
        execute("BEGIN EXCLUSIVE")
        execute("CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        self.version = int(self.setting("version") or FIRST_VERSION)
        if self.setting("schema") is None:
            self._create_schema(empty)
        execute("COMMIT")
        if self.setting("schema") != SCHEMA_VERSION:
            raise StateError(
                "sandbox-schema",
                f"{self._path} was made by another version of the sandbox",
                remedy="delete the folder and start again; the sandbox holds test data only",
            )
        if empty and not self._began_empty:
            raise UsageError(
                "sandbox-not-empty",
                f"{self._path.parent} holds an organization that began with loyalty tables",
                remedy="start the empty one with another --dir",
            )
        self.catalog.restore(archive.load(self.connection))

    @property
    def _began_empty(self) -> bool:
        return self.setting(_EMPTY) == "1"

    def _create_schema(self, empty: bool) -> None:
        execute = self.connection.execute
        execute(
            "CREATE TABLE tombstones (entity TEXT, id TEXT, version INTEGER NOT NULL, "
            "PRIMARY KEY (entity, id)) WITHOUT ROWID"
        )
        execute("CREATE INDEX tombstone_version ON tombstones (entity, version)")
        archive.create(self.connection)
        self.set_setting(_EMPTY, str(int(empty)))
        self._create_tables()
        self.set_setting("schema", SCHEMA_VERSION)
        self.set_setting("organization", str(uuid.uuid4()))

    def _create_tables(self) -> None:
        """The definitions and tables an organization begins with."""
        for table in self._tables(self._began_empty):
            self.execute_all(ddl.create_table(table))
            archive.keep(self.connection, table, self.version)

    # ------------------------------------------------------------------------ definitions

    def execute_all(self, statements: Iterable[str]) -> None:
        """Run statements that change the schema; part of the running transaction."""
        for statement in statements:
            self.connection.execute(statement)

    def define(self, definition: Definition) -> None:
        """Keep a definition, in the place of the one with its name; its table is the caller's."""
        archive.keep(self.connection, definition, self.next_version())
        self.set_setting(_CUSTOMIZED, "1")
        self.catalog.put(definition)

    def undefine(self, definition: Definition) -> None:
        """Without this definition; its table is the caller's."""
        archive.forget(self.connection, definition, self.next_version())
        self.set_setting(_CUSTOMIZED, "1")
        self.catalog.drop(definition)

    def drop_table(self, table: Table) -> None:
        """Without a table, its rows and their deletions; part of the running transaction."""
        self.connection.execute(ddl.drop_table(table))
        self.connection.execute("DELETE FROM tombstones WHERE entity = ?", (table.name,))
        self.undefine(table)

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
        before, contents = self.version, self.catalog.contents
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            if self.version != before:
                self.set_setting("version", str(self.version))
        except BaseException:
            self.connection.execute("ROLLBACK")
            self._restore(contents)
            self.happenings.undo()
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """All of it or nothing inside a running transaction; nests."""
        contents = self.catalog.contents
        self.connection.execute("SAVEPOINT part")
        mark = self.happenings.mark()
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK TO part")
            self.connection.execute("RELEASE part")
            self._restore(contents)
            self.happenings.undo(mark)
            raise
        self.connection.execute("RELEASE part")

    def _restore(self, contents: Contents) -> None:
        """Definitions go back with the rows."""
        if self.catalog.contents is not contents:
            self.catalog.restore(contents)

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
        """Empty every table and go back to the first definitions.

        Versions go on, so an old delta token cannot fit again.
        """
        if self.setting(_CUSTOMIZED) is None:
            for table in self.catalog.by_name:
                self.connection.execute(f'DELETE FROM "{table}"')
        else:
            # What was known of definitions is as void as delta tokens are.
            self.next_version()
            self.execute_all(ddl.drop_table(table) for table in self.catalog.by_name.values())
            archive.clear(self.connection)
            self._create_tables()
            self.connection.execute("DELETE FROM settings WHERE name = ?", (_CUSTOMIZED,))
            self.catalog.restore(archive.load(self.connection))
        self.connection.execute("DELETE FROM tombstones")
        self.next_version()

    def close(self) -> None:
        """Release the file."""
        self.connection.close()
