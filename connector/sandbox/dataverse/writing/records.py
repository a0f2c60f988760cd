"""Rows written and found: the primitives under every request that touches a record.

Owns: insert, update, delete, addresses by id and alternate key, uniqueness, references.
Never does: HTTP (`resources.py`), choosing many rows (`reading/queries.py`), opening transactions.
Tested in: tests/integration/sandbox/test_records.py, test_bulk.py.

Facts: "Dataverse Web API: use-alternate-key-reference-record",
"use-upsert-insert-update-record", "bulk-operations". Checks are set-based: the database's own
unique indexes refuse, and only then is the culprit looked for.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from connector.odata.literals import Guid, Scalar
from connector.odata.malformed import MalformedError
from connector.odata.paths import Segment, parse_segment, split_path, unsafe_in_key
from connector.sandbox.comparing import fold
from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.ddl import key_column, shadow, stored_columns
from connector.sandbox.dataverse.definitions.tables import AlternateKey, Column, Kind, Table
from connector.sandbox.dataverse.reading.projections import JsonRow, Projection
from connector.sandbox.dataverse.rights.privileges import Privileges
from connector.sandbox.dataverse.rights.teams import owner_named
from connector.sandbox.dataverse.storage import Storage, Stored
from connector.sandbox.dataverse.webhooks.happenings import CREATE, DELETE, UPDATE
from connector.sandbox.dataverse.writing.payloads import PayloadReader, Values


@dataclass(frozen=True, slots=True)
class Address:
    """Which record a URL means: its id where known, and the alternate key it was named by."""

    record: str | None
    keys: Values | None = None


def new_id() -> str:
    """A GUID that grows with time, as the service makes its own (RFC 9562, version 7)."""
    moment = time.time_ns()
    tail = int.from_bytes(os.urandom(8), "big")
    digits = (
        f"{moment // 1_000_000:012x}7{moment % 1_000_000 >> 8:03x}"
        f"{tail & (1 << 62) - 1 | 1 << 63:016x}"
    )
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Records:
    """All rows of the organization."""

    def __init__(self, storage: Storage, business_unit: str) -> None:
        self.storage = storage
        self.business_unit = business_unit
        self.catalog = storage.catalog
        self._execute = storage.connection.execute
        self._happenings = storage.happenings
        self.privileges = Privileges(storage, business_unit)
        self._readers: dict[str, PayloadReader] = {}
        self._update_sql: dict[tuple[Any, ...], str] = {}

    def reader(self, table: Table) -> PayloadReader:
        """The payload reader of `table`; what was hung on it outlives a change of the table."""
        reader = self._readers.get(table.name)
        if reader is None or reader.table is not table:
            reader = PayloadReader(table, self._resolved, reader)
            self._readers[table.name] = reader
        return reader

    def _resolved(self, column: Column, url: str) -> str:
        """The id behind what a reference is bound to. Raises `WireError`."""
        return self.resolve(owner_named(url) if column.kind is Kind.OWNER else column.target, url)

    # ------------------------------------------------------------------------ finding

    def address(self, table: Table, segment: Segment) -> Address:
        """What `set(…)` means. Raises `WireError` for a key that is not declared."""
        if segment.guid is not None:
            return Address(segment.guid)
        keys = segment.keys or {}
        if set(keys) == {table.id_column} and isinstance(keys[table.id_column], Guid):
            return Address(str(keys[table.id_column]))
        columns = [table.by_wire_name.get(name) for name in keys]
        named = {column.name for column in columns if column is not None}
        if None in columns or not any(named == set(key.columns) for key in table.active_keys):
            raise errors.key_not_declared(table.name)
        values = {
            column.name: self._key_value(table, column, value)
            for column, value in zip(columns, keys.values(), strict=True)
            if column is not None
        }
        return Address(self.find(table, values), values)

    def _key_value(self, table: Table, column: Column, value: Scalar) -> Stored:
        if isinstance(value, str) and unsafe_in_key(value):
            raise errors.bad_request("The value of a key in the request URI is not valid.")
        if value is None or isinstance(value, Guid) != bool(column.target):
            raise errors.key_not_declared(table.name)
        if isinstance(value, Guid):
            return str(value)
        if isinstance(value, date):  # an instant too
            text = value.isoformat()
            value = text.replace("+00:00", "Z") if isinstance(value, datetime) else text
        return self.reader(table).convert(
            column, str(value) if isinstance(value, Decimal) else value
        )

    def find(self, table: Table, keys: Mapping[str, Stored]) -> str | None:
        """The id of the row with this alternate key, or None."""
        where = " AND ".join(f'"{key_column(table, name)}" = ?' for name in keys)
        values = [_folded(table, name, value) for name, value in keys.items()]
        row = self._execute(
            f'SELECT "{table.id_column}" FROM "{table.name}" WHERE {where}', values
        ).fetchone()
        return None if row is None else str(row[0])

    def resolve(self, target: str, url: str) -> str:
        """The id behind the URL of an existing record of `target`. Raises `WireError`."""
        table = self.catalog.by_name[target]
        try:
            segments = split_path(urlsplit(url).path if "://" in url else url)
            segment = parse_segment(segments[-1] if segments else "")
        except MalformedError as error:
            raise errors.payload(table.set_name, f"Invalid resource URL: {error}") from error
        if segment.name != table.set_name or (segment.guid is None and not segment.keys):
            raise errors.payload(
                table.set_name, f"'{url[:200]}' does not name a record of '{table.set_name}'."
            )
        address = self.address(table, segment)
        if address.record is None:
            raise errors.key_not_found(table.name)
        if self.version(table, address.record) is None:
            raise errors.does_not_exist(table.name, address.record)
        return address.record

    def version(self, table: Table, record: str) -> int | None:
        """The row version, or None where there is no such row."""
        row = self._execute(
            f'SELECT versionnumber FROM "{table.name}" WHERE "{table.id_column}" = ?', (record,)
        ).fetchone()
        return None if row is None else int(row[0])

    def fetch(self, table: Table, record: str, projection: Projection) -> JsonRow | None:
        """One row as JSON, or None."""
        row = self._execute(
            f'SELECT {projection.sql} FROM "{table.name}" WHERE "{table.id_column}" = ?',
            (record,),
        ).fetchone()
        return None if row is None else projection.row(row)

    # ------------------------------------------------------------------------ writing

    def insert(self, table: Table, rows: Sequence[Values], user: str) -> list[str]:
        """Add all rows or none; their ids, in order. Raises `WireError` for a taken key."""
        self.privileges.need_write("Create", table, rows)
        for owner in {str(row["ownerid"]) for row in rows if row.get("ownerid")}:
            self.privileges.need_ownable(table, owner)
        id_column, folded = table.id_column, table.folded
        template = self._template(table, user)
        version = self.storage.next_version(len(rows))
        ids: list[str] = []
        records: list[tuple[Stored, ...]] = []
        for values in rows:
            record = template.copy()
            record.update(values)
            if record[id_column] is None:
                record[id_column] = new_id()
            record["versionnumber"] = version
            version += 1
            if values.get("overriddencreatedon") is not None:
                record["overriddencreatedon"] = str(template["createdon"])[:10]
                record["createdon"] = f"{values['overriddencreatedon']}T00:00:00Z"
            for name in folded:
                record[shadow(name)] = _folded(table, name, record[name])
            ids.append(str(record[id_column]))
            records.append(tuple(record.values()))
        listed = ",".join(f'"{name}"' for name in template)
        marks = ",".join("?" * len(template))
        try:
            with self.storage.savepoint():
                self.storage.connection.executemany(
                    f'INSERT INTO "{table.name}" ({listed}) VALUES ({marks})', records
                )
        except sqlite3.IntegrityError as error:
            raise self._collision(table, rows) from error
        self.storage.unbury(table, ids)
        if self._happenings.wants(CREATE, table):
            names = [*template]
            for record_id, stored in zip(ids, records, strict=True):
                values = dict(zip(names, stored, strict=True))
                self._happenings.note(CREATE, table, record_id, values, user)
        return ids

    def _template(self, table: Table, user: str) -> Values:
        """A row as the platform fills it, every stored column in order."""
        now = self.storage.clock.text()
        template: Values = dict.fromkeys(stored_columns(table))
        template |= {"createdon": now, "modifiedon": now, "createdby": user, "modifiedby": user}
        template |= {"statecode": 0, "statuscode": 1}
        if table.user_owned:
            template |= {"ownerid": user, "owningbusinessunit": self.business_unit}
        template.update(table.defaults)
        return template

    def update(
        self,
        table: Table,
        record: str,
        values: Values,
        user: str,
        *,
        version: int | None = None,
        projection: Projection | None = None,
    ) -> tuple[Stored, ...] | None:
        """Change one row; None if there is no row with this id (and version).

        Otherwise what `projection` selects of the changed row, or an empty tuple.
        """
        self.privileges.need_write("Write", table, (values,))
        if values.get("ownerid"):
            self.privileges.need_ownable(table, str(values["ownerid"]))
        sql = self._update_statement(table, tuple(values), version is not None, projection)
        arguments = self._update_arguments(table, record, values, user)
        if version is not None:
            arguments.append(version)
        try:
            cursor = self._execute(sql, arguments)
        except sqlite3.IntegrityError as error:
            raise self._collision(table, [values], record) from error
        if projection is None:
            changed: tuple[Stored, ...] | None = () if cursor.rowcount else None
        else:
            changed = next(iter(cursor.fetchall()), None)
        if changed is not None:
            self._note_updates(table, [(record, values)], user)
        return changed

    def _note_updates(self, table: Table, changes: Sequence[tuple[str, Values]], user: str) -> None:
        if self._happenings.wants(UPDATE, table):
            kept = {"modifiedon": self.storage.clock.text(), "modifiedby": user}
            for record, values in changes:
                self._happenings.note(UPDATE, table, record, {**values, **kept}, user)

    def update_many(self, table: Table, changes: Sequence[tuple[str, Values]], user: str) -> None:
        """Change many rows, grouped by their column lists. Raises `WireError` if one is missing.

        Runs inside a savepoint of the caller.
        """
        if changes:
            self.privileges.need_write("Write", table, [values for _, values in changes])
        groups: dict[tuple[str, ...], list[list[Stored]]] = {}
        for record, values in changes:
            arguments = self._update_arguments(table, record, values, user)
            groups.setdefault(tuple(values), []).append(arguments)
        try:
            for names, rows in groups.items():
                sql = self._update_statement(table, names, False, None)
                changed = self.storage.connection.executemany(sql, rows).rowcount
                if changed != len(rows):
                    raise errors.do_not_exist(table.name, self._absent(table, rows))
        except sqlite3.IntegrityError as error:
            raise self._collision(table, [v for _, v in changes], changes[0][0]) from error
        self._note_updates(table, changes, user)

    def _absent(self, table: Table, rows: Sequence[Sequence[Stored]]) -> list[str]:
        ids = [str(arguments[-1]) for arguments in rows]
        return [record for record in ids if self.version(table, record) is None]

    def _update_statement(
        self, table: Table, names: tuple[str, ...], versioned: bool, projection: Projection | None
    ) -> str:
        returning = None if projection is None else projection.sql
        key = (table, names, versioned, returning)
        sql = self._update_sql.get(key)
        if sql is None:
            shadows = [shadow(name) for name in names if name in table.folded]
            columns = [*names, *shadows, "modifiedon", "modifiedby", "versionnumber"]
            sql = (
                f'UPDATE "{table.name}" SET '
                + ", ".join(f'"{name}" = ?' for name in columns)
                + f' WHERE "{table.id_column}" = ?'
                + (" AND versionnumber = ?" if versioned else "")
                + (f" RETURNING {returning}" if returning else "")
            )
            if len(self._update_sql) >= 1024:
                self._update_sql.clear()
            self._update_sql[key] = sql
        return sql

    def _update_arguments(
        self, table: Table, record: str, values: Values, user: str
    ) -> list[Stored]:
        arguments = list(values.values())
        for name in values:
            if name in table.folded:
                arguments.append(_folded(table, name, values[name]))
        arguments += (self.storage.clock.text(), user, self.storage.next_version(), record)
        return arguments

    def delete(self, table: Table, record: str, version: int | None, user: str) -> bool:
        """Remove one row; False if there is none with this id (and version).

        Raises `WireError` where rows that refer to it stand against that.
        """
        if self.catalog.referrers[table.name]:
            with self.storage.savepoint():
                return self._delete(table, record, version, user)
        return self._delete(table, record, version, user)

    def _delete(self, table: Table, record: str, version: int | None, user: str) -> bool:
        self.privileges.need("Delete", table)
        sql = f'DELETE FROM "{table.name}" WHERE "{table.id_column}" = ?'
        arguments: tuple[Stored, ...] = (record,)
        if version is not None:
            sql += " AND versionnumber = ?"
            arguments = (record, version)
        if not self._execute(sql, arguments).rowcount:
            return False
        self.storage.bury(table, record)
        if self._happenings.wants(DELETE, table):
            self._happenings.note(DELETE, table, record, {}, user)
        for owner, column in self.catalog.referrers[table.name]:
            self._let_go(table, record, owner, column, user)
        return True

    def _let_go(self, table: Table, record: str, owner: Table, column: Column, user: str) -> None:
        """What deleting `record` does to the rows of `owner` that refer to it."""
        found = self._execute(
            f'SELECT "{owner.id_column}" FROM "{owner.name}" WHERE "{column.name}" = ?', (record,)
        ).fetchall()
        referring = [str(row[0]) for row in found]
        if not referring or column.on_delete == "NoCascade":
            return
        if column.on_delete == "RemoveLink":
            self.update_many(owner, [(one, {column.name: None}) for one in referring], user)
        elif column.on_delete == "Cascade":
            # Pairs of a many-to-many relationship are nobody's to have a right on.
            actor = nullcontext() if not owner.intersect else self.privileges.acting(None)
            with actor:
                for one in referring:
                    self.delete(owner, one, None, user)
        else:
            raise errors.association_blocks(table.name, owner.name)

    # ------------------------------------------------------------------------ collisions

    def _collision(
        self, table: Table, rows: Sequence[Values], record: str | None = None
    ) -> errors.WireError:
        """Which unique index refused `rows`; `record` is the one being updated, if any."""
        if record is None:
            seen: set[Stored] = set()
            for values in rows:
                chosen = values.get(table.id_column)
                if chosen in seen or (chosen and self.version(table, str(chosen)) is not None):
                    return errors.duplicate_id()
                if chosen is not None:
                    seen.add(chosen)
        for key in table.active_keys:
            holder = self._key_holder(table, key, rows, record)
            if holder is not None:
                labels = ", ".join(table.columns[name].label for name in key.columns)
                return errors.duplicate_key(key.label, labels, holder)
        return errors.duplicate_id()

    def _key_holder(
        self, table: Table, key: AlternateKey, rows: Sequence[Values], record: str | None
    ) -> str | None:
        """The id of the row that already has the key of one of `rows`, or of its first twin."""
        seen: dict[tuple[Stored, ...], str] = {}
        for values in rows:
            if any(values.get(name) is None for name in key.columns):
                continue
            wanted = tuple(_folded(table, name, values[name]) for name in key.columns)
            if wanted in seen:
                return seen[wanted]
            seen[wanted] = str(values.get(table.id_column) or "")
            holder = self.find(table, {name: values[name] for name in key.columns})
            if holder is not None and holder != record:
                return holder
        return None


def _folded(table: Table, name: str, value: Stored) -> Stored:
    """A key column's value in the form it is compared in."""
    if table.columns[name].kind is Kind.STRING and isinstance(value, str):
        return fold(value)
    return value
