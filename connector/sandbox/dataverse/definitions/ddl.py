"""SQL that makes, changes and removes the tables of an organization's database.

Owns: which stored columns and indexes a definition has.
Never does: running it (`storage.py`), deciding whether it may (`customizing/table_changes.py`).
Tested in: tests/integration/sandbox/test_metadata_writes.py.

One real table per Dataverse table. Text in an active alternate key has a shadow column with
its folded form, because the service compares it without case; a key is a unique index.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.sandbox.dataverse.definitions.tables import AlternateKey, Column, Kind, Table

_WHOLE = frozenset(
    {
        Kind.INTEGER,
        Kind.BIGINT,
        Kind.DECIMAL,
        Kind.MONEY,
        Kind.BOOLEAN,
        Kind.PICKLIST,
        Kind.STATE,
        Kind.STATUS,
    }
)


def shadow(column: str) -> str:
    """The stored column with the folded form of an alternate-key column."""
    return f"{column}~"


def key_column(table: Table, name: str) -> str:
    """The stored column in which an alternate-key column is compared."""
    return shadow(name) if name in table.folded else name


def stored_columns(table: Table) -> list[str]:
    """The columns of the SQLite table."""
    return [*table.columns, *(shadow(name) for name in table.folded)]


def create_table(table: Table) -> Iterator[str]:
    """The table with all its indexes."""
    columns = [
        _column(column) + (" PRIMARY KEY NOT NULL" if column.name == table.id_column else "")
        for column in table.columns.values()
    ]
    columns += [f'"{shadow(name)}" TEXT' for name in table.folded]
    yield f'CREATE TABLE "{table.name}" ({", ".join(columns)}) WITHOUT ROWID'
    yield f'CREATE INDEX "{table.name}_version" ON "{table.name}" (versionnumber)'
    for key in table.active_keys:
        yield create_key(table, key)
    for column in table.columns.values():
        yield from _lookup_index(table, column)


def drop_table(table: Table) -> str:
    """Without the table; its indexes go with it."""
    return f'DROP TABLE "{table.name}"'


def add_column(table: Table, column: Column) -> Iterator[str]:
    """One more column, null in every row."""
    yield f'ALTER TABLE "{table.name}" ADD COLUMN {_column(column)}'
    yield from _lookup_index(table, column)


def drop_column(table: Table, column: Column) -> Iterator[str]:
    """One column less; it must be in no active key."""
    if _indexed(column):
        yield f'DROP INDEX "{table.name}.{column.name}"'
    yield f'ALTER TABLE "{table.name}" DROP COLUMN "{column.name}"'


def add_shadow(table: Table, name: str) -> Iterator[str]:
    """The folded form of a text column, filled."""
    yield f'ALTER TABLE "{table.name}" ADD COLUMN "{shadow(name)}" TEXT'
    yield f'UPDATE "{table.name}" SET "{shadow(name)}" = fold("{name}")'


def drop_shadow(table: Table, name: str) -> str:
    """Without the folded form; no index may be on it any more."""
    return f'ALTER TABLE "{table.name}" DROP COLUMN "{shadow(name)}"'


def create_key(table: Table, key: AlternateKey) -> str:
    """The index of a key of `table`, in which the key is active already."""
    parts = ", ".join(f'"{key_column(table, name)}"' for name in key.columns)
    return f'CREATE UNIQUE INDEX "{table.name}.{key.name}" ON "{table.name}" ({parts})'


def drop_key(table: Table, key: AlternateKey) -> str:
    """Without the index of an active key."""
    return f'DROP INDEX "{table.name}.{key.name}"'


def _column(column: Column) -> str:
    if column.kind is Kind.DOUBLE:
        return f'"{column.name}" REAL'
    return f'"{column.name}" {"INTEGER" if column.kind in _WHOLE else "TEXT"}'


def _indexed(column: Column) -> bool:
    return bool(column.custom and column.target)


def _lookup_index(table: Table, column: Column) -> Iterator[str]:
    """An index on a custom lookup: deletes of the referenced row look for it."""
    if _indexed(column):
        yield f'CREATE INDEX "{table.name}.{column.name}" ON "{table.name}" ("{column.name}")'
