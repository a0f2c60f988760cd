"""Alternate keys made and removed at run time, and the indexes behind them.

Owns: what a key may be made of, and the way of its index: pending, in progress, then active,
or failed where rows contradict it.
Never does: finding rows by key (`writing/records.py`), HTTP (`metadata_writes.py`).
Tested in: tests/integration/sandbox/test_metadata_keys.py.

Facts: "Dataverse: define-alternate-keys-entity". The real index is built by a system job;
here time stands for the job: every request first does what is due by then.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace

from connector.sandbox.dataverse.definitions import ddl
from connector.sandbox.dataverse.definitions import metadata_errors as refusals
from connector.sandbox.dataverse.definitions.declarations import label_member, text_member
from connector.sandbox.dataverse.definitions.metadata_json import Json
from connector.sandbox.dataverse.definitions.tables import (
    AlternateKey,
    Column,
    KeyStatus,
    Kind,
    Table,
)
from connector.sandbox.dataverse.storage import Storage

BUILD_SECONDS = 1.0
"""From the request for a key to its index; one half pending, one half in progress."""
MAX_KEYS, MAX_COLUMNS, MAX_BYTES = 10, 16, 900
_SIZES = {
    Kind.INTEGER: 4,
    Kind.DECIMAL: 17,
    Kind.DATETIME: 8,
    Kind.LOOKUP: 16,
    Kind.PICKLIST: 4,
}
"""Bytes in the index of the kinds a key may hold, beside text."""
_BUILDING = (KeyStatus.PENDING, KeyStatus.IN_PROGRESS)


class KeyIndexes:
    """The alternate keys of one organization."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._catalog = storage.catalog
        self._seen: object = None
        self._next: float | None = None

    # ------------------------------------------------------------------------ making

    def add(self, table: Table, body: Json) -> AlternateKey:
        """A new key, pending; its columns are named in `KeyAttributes`. Raises `WireError`."""
        name = text_member(body, "SchemaName")
        columns = tuple(_columns(table, body.get("KeyAttributes")))
        if any(key.name == name.lower() for key in table.keys):
            raise refusals.key_exists(name, table.name)
        if any(set(key.columns) == {one.name for one in columns} for key in table.keys):
            raise refusals.same_key(name, table.name)
        if len(table.keys) >= MAX_KEYS:
            raise refusals.invalid(f"The entity {table.name} has {MAX_KEYS} keys already.")
        _check(columns)
        key = AlternateKey(
            name,
            label_member(body, "DisplayName", name),
            tuple(column.name for column in columns),
            KeyStatus.PENDING,
            time.time(),
            managed=False,
            identity=str(uuid.uuid4()),
        )
        self._storage.define(replace(table, keys=(*table.keys, key)))
        return key

    def drop(self, table: Table, key: AlternateKey) -> None:
        """Without the key, whatever its state."""
        after = replace(table, keys=tuple(one for one in table.keys if one is not key))
        if key.status is KeyStatus.ACTIVE:
            self._storage.connection.execute(ddl.drop_key(table, key))
        for name in set(table.folded).difference(after.folded):
            self._storage.connection.execute(ddl.drop_shadow(table, name))
        self._storage.define(after)

    def retry(self, body: Json) -> None:
        """`ReactivateEntityKey`: a failed key is built once more. Raises `WireError`."""
        owner = text_member(body, "EntityLogicalName")
        name = text_member(body, "EntityKeyLogicalName")
        table = self._catalog.by_name.get(owner)
        for key in () if table is None else table.keys:
            if table is not None and key.name == name and key.status is KeyStatus.FAILED:
                again = replace(key, status=KeyStatus.PENDING, since=time.time())
                self._storage.define(_with(table, again))
                return
        raise refusals.not_found("failed entitykey", f"LogicalName = {owner}.{name}")

    # ------------------------------------------------------------------------ building

    def due(self) -> bool:
        """Whether time has brought an index further; cheap, it is asked at every request."""
        if self._seen is not self._catalog.contents:
            self._seen = self._catalog.contents
            self._next = min((_due(key) for _, key in self._unfinished()), default=None)
        return self._next is not None and time.time() >= self._next

    def advance(self) -> None:
        """Bring every index to where it is by now, inside the caller's transaction."""
        now = time.time()
        for name, key in list(self._unfinished()):
            if now >= key.since + BUILD_SECONDS:
                self._build(self._catalog.by_name[name], key)
            elif now >= _due(key):
                table = self._catalog.by_name[name]
                self._storage.define(_with(table, replace(key, status=KeyStatus.IN_PROGRESS)))

    def _unfinished(self) -> Iterator[tuple[str, AlternateKey]]:
        for table in self._catalog.by_name.values():
            for key in table.keys:
                if key.status in _BUILDING:
                    yield table.name, key

    def _build(self, table: Table, key: AlternateKey) -> None:
        active = replace(key, status=KeyStatus.ACTIVE)
        after = _with(table, active)
        try:
            with self._storage.savepoint():
                for name in set(after.folded).difference(table.folded):
                    self._storage.execute_all(ddl.add_shadow(table, name))
                self._storage.connection.execute(ddl.create_key(after, active))
        except sqlite3.IntegrityError:
            # Two rows have the same values: the key is there, and says that it failed.
            after = _with(table, replace(key, status=KeyStatus.FAILED))
        self._storage.define(after)


def _due(key: AlternateKey) -> float:
    """When the state of an unfinished index changes."""
    return key.since + BUILD_SECONDS / (2 if key.status is KeyStatus.PENDING else 1)


def _with(table: Table, key: AlternateKey) -> Table:
    """`table` with `key` in the place of the one with its name."""
    return replace(table, keys=tuple(key if one.name == key.name else one for one in table.keys))


def _columns(table: Table, names: object) -> Iterator[Column]:
    if not isinstance(names, list) or not names:
        raise refusals.invalid("'KeyAttributes' must name one attribute or more.")
    for name in names:
        column = table.columns.get(name) if isinstance(name, str) else None
        if column is None:
            raise refusals.not_found("attribute", f"LogicalName = {name}")
        yield column


def _check(columns: tuple[Column, ...]) -> None:
    """Refuse what an index cannot be made of."""
    if len({column.name for column in columns}) != len(columns) or len(columns) > MAX_COLUMNS:
        raise refusals.invalid(f"A key is made of up to {MAX_COLUMNS} different attributes.")
    size = 0
    for column in columns:
        if column.kind is not Kind.STRING and column.kind not in _SIZES:
            raise refusals.invalid(f"A {column.kind} attribute cannot be in an entity key.")
        if column.secured:
            raise refusals.invalid(f"The secured attribute {column.name} cannot be in a key.")
        size += _SIZES.get(column.kind, 2 * column.max_length)
    if size > MAX_BYTES:
        raise refusals.invalid(
            f"The attributes of the key take {size} bytes; the index holds {MAX_BYTES}."
        )
