"""Bulk messages: many rows of one table in one transaction, all or none.

Owns: CreateMultiple, UpdateMultiple, UpsertMultiple.
Never does: naming the bad row of a refused request; the service does not either.
Tested in: tests/integration/sandbox/test_bulk.py.

Facts: "Dataverse Web API: bulk-operations". Every target carries `@odata.type`; the same row
twice in one request blocks itself in the database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.odata.malformed import MalformedError
from connector.odata.paths import parse_segment
from connector.sandbox.comparing import fold
from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import Table
from connector.sandbox.dataverse.messages import Request, json_response, no_content
from connector.sandbox.dataverse.writing.payloads import Values
from connector.sandbox.dataverse.writing.records import Address, Records
from connector.sandbox.dataverse.writing.resources import require
from connector.sandbox.messages import Response

PREFIX = "Microsoft.Dynamics.CRM."
Target = dict[str, Any]


class Bulk:
    """The bulk messages of one organization."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._storage = records.storage
        self._messages: dict[str, Callable[[Table, list[Target], Request], Response]] = {
            "CreateMultiple": self._create,
            "UpdateMultiple": self._update,
            "UpsertMultiple": self._upsert,
        }

    def run(self, table: Table, message: str, request: Request) -> Response:
        """`POST set/Microsoft.Dynamics.CRM.<message>`. Raises `WireError`."""
        if message == "DeleteMultiple":
            raise errors.not_implemented("DeleteMultiple")
        handle = self._messages.get(message)
        if handle is None:
            raise errors.unknown_segment(PREFIX + message)
        if request.method != "POST":
            raise errors.no_such_resource(f"{request.base}/{request.path}")
        targets = request.json_object().get("Targets")
        if type(targets) is not list or not targets:
            raise errors.payload(table.set_name, "The parameter 'Targets' is missing or empty.")
        for target in targets:
            if type(target) is not dict:
                raise errors.payload(table.set_name, "A target is not an object.")
            kind = target.pop("@odata.type", None)
            if kind is None or kind.lstrip("#") != PREFIX + table.name:
                raise errors.payload(
                    table.set_name,
                    f"A target has the type '{kind}' where '{PREFIX}{table.name}' is expected.",
                )
        with self._storage.savepoint():
            return handle(table, targets, request)

    def _create(self, table: Table, targets: list[Target], request: Request) -> Response:
        require(table, "create")
        reader = self._records.reader(table)
        rows = [reader.read(target, creating=True) for target in targets]
        ids = self._records.insert(table, rows, request.user)
        mark = f"{request.base}/$metadata#{PREFIX}CreateMultipleResponse"
        return json_response({"@odata.context": mark, "Ids": ids})

    def _update(self, table: Table, targets: list[Target], request: Request) -> Response:
        require(table, "update")
        changes: list[tuple[str, Values]] = []
        for target in targets:
            address = self._address(table, target)
            if address.record is None:
                raise errors.key_not_found(table.name)
            changes.append((address.record, self._changes(table, address, target)))
        if len({record for record, _ in changes}) != len(changes):
            raise errors.deadlock()
        self._records.update_many(table, changes, request.user)
        return no_content()

    def _upsert(self, table: Table, targets: list[Target], request: Request) -> Response:
        require(table, "create")
        require(table, "update")
        reader = self._records.reader(table)
        creates: list[Values] = []
        changes: list[tuple[str, Values]] = []
        seen: set[object] = set()
        for target in targets:
            address = self._address(table, target)
            keys = address.keys or {}
            seen.add(address.record or tuple(fold(str(value)) for value in keys.values()))
            if address.record and self._records.version(table, address.record) is not None:
                changes.append((address.record, self._changes(table, address, target)))
                continue
            values = {**keys, **reader.read(target, creating=True)}
            if address.record is not None:
                values[table.id_column] = address.record
            creates.append(values)
        if len(seen) != len(targets):
            raise errors.deadlock()
        self._records.update_many(table, changes, request.user)
        if creates:
            self._records.insert(table, creates, request.user)
        return no_content()

    def _changes(self, table: Table, address: Address, target: Target) -> Values:
        values = self._records.reader(table).read(target, creating=False)
        values.pop(table.id_column, None)
        for name in address.keys or ():
            values.pop(name, None)
        return values

    def _address(self, table: Table, target: Target) -> Address:
        """Which row a target means: its `@odata.id`, or the primary id among its columns."""
        url = target.pop("@odata.id", None)
        if url is None:
            column = table.columns[table.id_column]
            record = self._records.reader(table).convert(column, target.get(column.name))
            if record is None:
                raise errors.payload(
                    table.set_name, f"A target has neither '{column.name}' nor '@odata.id'."
                )
            return Address(str(record))
        try:
            segment = parse_segment(url.rpartition("/")[2] if "://" in url else url.lstrip("/"))
        except (MalformedError, AttributeError) as error:
            raise errors.payload(table.set_name, f"Invalid '@odata.id': {error}") from error
        if segment.name != table.set_name:
            raise errors.payload(table.set_name, f"'{url}' does not name a {table.set_name} row.")
        return self._records.address(table, segment)
