"""Definitions on disk: each as one JSON document in the organization's database.

Owns: the table that holds them and the form they have there.
Never does: the tables they describe (`ddl`), deciding anything.
Tested in: tests/integration/sandbox/test_metadata_writes.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from connector.sandbox.catalog import Contents, Definition, ManyToMany, OptionSet
from connector.sandbox.tables import Table

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
        "name TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, name))"
    )


def load(connection: sqlite3.Connection) -> Contents:
    """Everything that is kept, in the order in which it came."""
    found: dict[str, dict[str, Any]] = {kind: {} for kind in _ADAPTERS}
    rows = connection.execute("SELECT kind, name, body FROM definitions ORDER BY place")
    for kind, name, body in rows:
        found[kind][name] = _ADAPTERS[kind].validate_json(body)
    return Contents(found[_TABLE], found["option-set"], found["many-to-many"])


def keep(connection: sqlite3.Connection, definition: Definition) -> None:
    """Write one definition over the one with its name, if there is one."""
    kind = _KINDS[type(definition)]
    body = _ADAPTERS[kind].dump_json(definition, exclude_defaults=True).decode()
    connection.execute(
        "INSERT INTO definitions (kind, name, body) VALUES (?, ?, ?) "
        "ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body",
        (kind, definition.name, body),
    )


def forget(connection: sqlite3.Connection, definition: Definition) -> None:
    """Without this definition."""
    connection.execute(
        "DELETE FROM definitions WHERE kind = ? AND name = ?",
        (_KINDS[type(definition)], definition.name),
    )


def clear(connection: sqlite3.Connection) -> None:
    """Without any."""
    connection.execute("DELETE FROM definitions")
