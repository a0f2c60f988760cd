"""Requests about one record, and POST to a collection.

Owns: the meaning of method, preconditions and preferences for create, read, upsert, delete,
single properties and references.
Never does: SQL (`records.py`), collections read (`reading/queries.py`), bulk messages (`bulk.py`).
Tested in: tests/integration/sandbox/test_records.py.

Facts: "Dataverse Web API: create-entity-web-api", "perform-conditional-operations-using-web-
api", "use-upsert-insert-update-record". A PATCH without precondition creates what is missing;
its answer repeats the key that was used in the URL.
"""

from __future__ import annotations

from typing import Any

import orjson

from connector.odata.paths import Segment
from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import REFERENCES, Column, Table
from connector.sandbox.dataverse.messages import Request, json_response, no_content
from connector.sandbox.dataverse.reading.options import Options, parse_options
from connector.sandbox.dataverse.reading.projections import JsonRow, Projection
from connector.sandbox.dataverse.reading.queries import Queries, applied, context
from connector.sandbox.dataverse.writing.payloads import Values
from connector.sandbox.dataverse.writing.records import Address, Records
from connector.sandbox.messages import Response


class Resources:
    """Single records of one organization."""

    def __init__(self, records: Records, queries: Queries) -> None:
        self._records = records
        self._queries = queries

    # ------------------------------------------------------------------------ create, read

    def create(self, table: Table, request: Request) -> Response:
        """`POST set`."""
        require(table, "create")
        values = self._records.reader(table).read(request.json_object(), creating=True)
        return self._insert(table, values, request, None)

    def _insert(self, table: Table, values: Values, request: Request, url: str | None) -> Response:
        """Create and answer; `url` is the address an upsert used, which its answer repeats."""
        (record,) = self._records.insert(table, [values], request.user)
        own = f"{request.base}/{table.set_name}({record})"
        if not request.preferences.representation:
            response = no_content({"OData-EntityId": url or own})
        else:
            options = parse_options(request.query)
            shape = self._shape(table, request, options)
            row = self._records.fetch(table, record, shape)
            assert row is not None, "inserted in this transaction"
            response = self._represent(table, row, request, options, 201)
        response.record = own
        return response

    def read(self, table: Table, segment: Segment, request: Request) -> Response:
        """`GET set(key)`."""
        options = parse_options(request.query)
        address = self._records.address(table, segment)
        shape = self._shape(table, request, options)
        row = None
        if address.record is not None:
            row = self._records.fetch(table, address.record, shape)
        if row is None or address.record is None:
            raise missing(table, address)
        etag = row["@odata.etag"]
        plain = not options.expand and request.preferences.annotations is None
        if plain and request.headers.get("if-none-match") == etag:
            return Response(304, {"ETag": etag, "OData-Version": "4.0"})
        self._queries.expand(table, [row], options, request)
        mark = context(request.base, table, options, "/$entity")
        headers = {"ETag": etag, **applied(request.preferences)}
        return json_response({"@odata.context": mark, **row}, headers=headers)

    def _shape(self, table: Table, request: Request, options: Options) -> Projection:
        return self._queries.projection(table, options.select, request.preferences.annotations)

    def _represent(
        self, table: Table, row: JsonRow, request: Request, options: Options, status: int
    ) -> Response:
        body = {"@odata.context": context(request.base, table, options, "/$entity"), **row}
        preferences = applied(request.preferences).get("Preference-Applied")
        headers = {
            "ETag": row["@odata.etag"],
            "Preference-Applied": ",".join(filter(None, ("return=representation", preferences))),
        }
        return json_response(body, status, headers)

    # ------------------------------------------------------------------------ upsert, delete

    def patch(self, table: Table, segment: Segment, request: Request) -> Response:
        """`PATCH set(key)`: update, upsert or create, as the preconditions say."""
        require(table, "update")
        payload = request.json_object()
        address = self._records.address(table, segment)
        expected = request.expected_version
        if expected is None and request.must_create:
            if address.record and self._records.version(table, address.record) is not None:
                raise errors.already_exists()
        elif address.record is not None:
            values = self._changes(table, address, payload)
            version = expected if isinstance(expected, int) else None
            response = self._update(table, address.record, values, request, version)
            if response is not None:
                return response
        if expected is not None:
            raise self._refusal(table, address)
        return self._create_at(table, address, payload, request)

    def _changes(self, table: Table, address: Address, payload: dict[str, Any]) -> Values:
        """What an update writes: not the id, and not the key it was found by."""
        values = self._records.reader(table).read(payload, creating=False)
        values.pop(table.id_column, None)
        for name in address.keys or ():
            values.pop(name, None)
        return values

    def _create_at(
        self, table: Table, address: Address, payload: dict[str, Any], request: Request
    ) -> Response:
        """The creating half of an upsert; key values in the body win over those in the URL."""
        require(table, "create")
        values = self._records.reader(table).read(payload, creating=True)
        if address.keys is None:
            values[table.id_column] = address.record
        else:
            values = {**address.keys, **values}
        return self._insert(table, values, request, f"{request.base}/{request.path}")

    def _update(
        self, table: Table, record: str, values: Values, request: Request, version: int | None
    ) -> Response | None:
        """None if there is no such row, or not in this version."""
        if not request.preferences.representation:
            if self._records.update(table, record, values, request.user, version=version) is None:
                return None
            url = f"{request.base}/{request.path}"
            return Response(204, {"OData-Version": "4.0", "OData-EntityId": url}, record=url)
        options = parse_options(request.query)
        shape = self._shape(table, request, options)
        found = self._records.update(
            table, record, values, request.user, version=version, projection=shape
        )
        if found is None:
            return None
        return self._represent(table, shape.row(found), request, options, 200)

    def delete(self, table: Table, segment: Segment, request: Request) -> Response:
        """`DELETE set(key)`."""
        require(table, "delete")
        address = self._records.address(table, segment)
        expected = request.expected_version
        version = expected if isinstance(expected, int) else None
        if address.record is None or not self._records.delete(
            table, address.record, version, request.user
        ):
            raise self._refusal(table, address)
        return no_content()

    def _refusal(self, table: Table, address: Address) -> errors.WireError:
        """Why a conditional request found no row: it is not there, or it has moved on."""
        if address.record and self._records.version(table, address.record) is not None:
            return errors.version_mismatch()
        return missing(table, address)

    # ------------------------------------------------------------------------ properties

    def property(
        self, table: Table, segment: Segment, rest: list[Segment], request: Request
    ) -> Response:
        """`set(key)/column`, `…/column/$value`, `set(key)/navigation`, `…/navigation/$ref`."""
        name, tail = rest[0].name, rest[1].name if len(rest) > 1 else ""
        if len(rest) > 2 or tail not in ("", "$value", "$ref"):
            raise errors.unknown_segment(rest[-1].name)
        record = self.existing(table, segment)
        reference = table.by_navigation.get(name)
        if reference is not None and tail != "$value":
            return self._reference(table, record, reference, tail, request)
        column = table.by_wire_name.get(name)
        if column is None or tail == "$ref":
            raise errors.unknown_segment(name)
        if request.method == "GET":
            return self._read_property(table, record, column, tail, request)
        if request.method not in ("PUT", "DELETE") or tail or column.kind in REFERENCES:
            raise errors.not_supported(f"{request.method} on the property '{name}'")
        value = request.json_object().get("value") if request.method == "PUT" else None
        return self._write(table, record, {name: value}, request)

    def existing(self, table: Table, segment: Segment) -> str:
        """The id of the record a path names. Raises `WireError` if there is none."""
        address = self._records.address(table, segment)
        if address.record is None or self._records.version(table, address.record) is None:
            raise missing(table, address)
        return address.record

    def _write(
        self, table: Table, record: str, payload: dict[str, Any], request: Request
    ) -> Response:
        require(table, "update")
        expected = request.expected_version
        values = self._records.reader(table).read(payload, creating=False)
        version = expected if isinstance(expected, int) else None
        if self._records.update(table, record, values, request.user, version=version) is None:
            raise self._refusal(table, Address(record))
        return no_content()

    def _read_property(
        self, table: Table, record: str, column: Column, tail: str, request: Request
    ) -> Response:
        shape = self._queries.projection(table, (column.wire_name,), None)
        row = self._records.fetch(table, record, shape)
        value = None if row is None else row[column.wire_name]
        if value is None:
            return no_content()
        if tail:
            raw = value.encode() if isinstance(value, str) else orjson.dumps(value)
            return Response(200, {"Content-Type": "text/plain", "OData-Version": "4.0"}, raw)
        mark = f"{request.base}/$metadata#{table.set_name}({record})/{column.wire_name}"
        return json_response({"@odata.context": mark, "value": value})

    def _reference(
        self, table: Table, record: str, column: Column, tail: str, request: Request
    ) -> Response:
        if tail and request.method == "PUT":
            url = request.json_object().get("@odata.id")
            if type(url) is not str:
                raise errors.payload(table.set_name, "The property '@odata.id' is missing.")
            return self._write(table, record, {f"{column.navigation}@odata.bind": url}, request)
        if tail and request.method == "DELETE":
            return self._write(table, record, {f"{column.navigation}@odata.bind": None}, request)
        if request.method != "GET":
            raise errors.not_supported(f"{request.method} on '{column.navigation}'")
        shape = self._queries.projection(table, (column.wire_name,), None)
        row = self._records.fetch(table, record, shape)
        related = None if row is None else row[column.wire_name]
        if related is None:
            return no_content()
        target = self._records.catalog.by_name[column.target]
        if not tail:
            return self.read(target, Segment(target.set_name, guid=related), request)
        mark = f"{request.base}/$metadata#$ref"
        url = f"{request.base}/{target.set_name}({related})"
        return json_response({"@odata.context": mark, "@odata.id": url})


def missing(table: Table, address: Address) -> errors.WireError:
    """404, in the words for an id or for an alternate key."""
    if address.keys is not None or address.record is None:
        return errors.key_not_found(table.name)
    return errors.does_not_exist(table.name, address.record)


def require(table: Table, operation: str) -> None:
    """Raises `WireError` where the platform keeps the table to itself."""
    if operation not in table.operations:
        raise errors.not_supported(f"The '{operation}' method on entities of type '{table.name}'")
