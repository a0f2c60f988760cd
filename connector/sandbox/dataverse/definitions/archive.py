"""Definitions on disk: each as one JSON document in the organization's database.

Owns: the table that holds them, the form they have there, and when which of them changed.
Never does: the tables they describe (`ddl.py`), deciding anything.
Tested in: tests/integration/sandbox/test_metadata_writes.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from connector.sandbox.dataverse.definitions.catalog import (
    Contents,
    Definition,
    ManyToMany,
    OptionSet,
    table_id,
)
from connector.sandbox.dataverse.definitions.tables import Table

_TABLE = "table"
_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {
    _TABLE: TypeAdapter(Table),
    "option-set": TypeAdapter(OptionSet),
    "many-to-many": TypeAdapter(ManyToMany),
}
_KINDS = {Table: _TABLE, OptionSet: "option-set", ManyToMany: "many-to-many"}


def create(connection: sqlite3.Connection) -> None:
    """Make the empty archive."""
    connection.execute(
        "CREATE TABLE definitions (place INTEGER PRIMARY KEY, kind TEXT NOT NULL, "
        "name TEXT NOT NULL, body TEXT NOT NULL, version INTEGER NOT NULL, UNIQUE (kind, name))"
    )
    connection.execute(
        "CREATE TABLE removed_tables (identity TEXT PRIMARY KEY, version INTEGER NOT NULL)"
    )


def load(connection: sqlite3.Connection) -> Contents:
    """Everything that is kept, in the order in which it came."""
    found: dict[str, dict[str, Any]] = {kind: {} for kind in _ADAPTERS}
    rows = connection.execute("SELECT kind, name, body FROM definitions ORDER BY place")
    for kind, name, body in rows:
        found[kind][name] = _ADAPTERS[kind].validate_json(body)
    return Contents(found[_TABLE], found["option-set"], found["many-to-many"])


def keep(connection: sqlite3.Connection, definition: Definition, version: int) -> None:
    """Write one definition over the one with its name, if there is one."""
    kind = _KINDS[type(definition)]
    body = _ADAPTERS[kind].dump_json(definition, exclude_defaults=True).decode()
    connection.execute(
        "INSERT INTO definitions (kind, name, body, version) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body, version = excluded.version",
        (kind, definition.name, body, version),
    )


def forget(connection: sqlite3.Connection, definition: Definition, version: int) -> None:
    """Without this definition; a table's id stays, with the version it went at."""
    connection.execute(
        "DELETE FROM definitions WHERE kind = ? AND name = ?",
        (_KINDS[type(definition)], definition.name),
    )
    if isinstance(definition, Table):
        connection.execute(
            "INSERT INTO removed_tables VALUES (?, ?)", (table_id(definition), version)
        )


def clear(connection: sqlite3.Connection) -> None:
    """Without any, and without a memory of those that went."""
    connection.execute("DELETE FROM definitions")
    connection.execute("DELETE FROM removed_tables")


def changed_tables(connection: sqlite3.Connection, version: int) -> frozenset[str]:
    """The names of the tables that came or changed after `version`."""
    rows = connection.execute(
        "SELECT name FROM definitions WHERE kind = ? AND version > ?", (_TABLE, version)
    )
    return frozenset(str(name) for (name,) in rows)


def removed_tables(connection: sqlite3.Connection, version: int) -> list[str]:
    """The MetadataIds of the tables that went after `version`."""
    rows = connection.execute(
        "SELECT identity FROM removed_tables WHERE version > ? ORDER BY version", (version,)
    )
    return [str(identity) for (identity,) in rows]


def oldest_version(connection: sqlite3.Connection) -> int:
    """The version of the first definitions: nothing is known of what was before."""
    (version,) = connection.execute("SELECT min(version) FROM definitions").fetchone()
    return int(version)
