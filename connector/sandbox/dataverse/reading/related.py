"""Collection-valued navigations: the rows related to one row, and tying and untying them.

Owns: `set(key)/relationship` read, counted and as references; POST and DELETE of references.
Never does: making relationships (`customizing/relating.py`), the associations of users
(`rights/memberships.py`).
Tested in: tests/integration/sandbox/test_related.py.

Facts: "Dataverse Web API: webapi/retrieve-related-entities-query",
"associate-disassociate-entities-using-web-api". The pairs of a many-to-many relationship are
rows of its intersect table; a pair that is there already is refused as a duplicate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qs

import orjson
from odata_query import ast

from connector.odata.paths import Segment
from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.catalog import Way
from connector.sandbox.dataverse.definitions.tables import Table
from connector.sandbox.dataverse.messages import Request, json_response, no_content
from connector.sandbox.dataverse.reading.options import Options, parse_options
from connector.sandbox.dataverse.reading.queries import Queries
from connector.sandbox.dataverse.writing.payloads import Values
from connector.sandbox.dataverse.writing.records import Records
from connector.sandbox.messages import Response


class Related:
    """The related rows of one organization."""

    def __init__(self, records: Records, queries: Queries) -> None:
        self._records = records
        self._queries = queries
        self._catalog = records.catalog
        self._privileges = records.privileges
        self._execute = records.storage.connection.execute

    def covers(self, table: Table, name: str) -> bool:
        """Whether `name` leads from rows of `table` to several others."""
        return self._catalog.way(table, name) is not None

    def handle(
        self, table: Table, record: str, rest: Sequence[Segment], request: Request
    ) -> Response:
        """A request below `set(key)/relationship`. Raises `WireError`."""
        first, tail = rest[0], rest[1].name if len(rest) > 1 else ""
        way = self._catalog.way(table, first.name)
        assert way is not None, "the caller asked `covers` before"
        if len(rest) > 2 or tail not in ("", "$count", "$ref"):
            raise errors.unknown_segment(rest[-1].name)
        if request.method == "GET":
            return self._read(way, record, tail, request)
        if tail != "$ref" or request.method not in ("POST", "DELETE"):
            raise errors.not_supported(f"{request.method} on '{first.name}'")
        tying = request.method == "POST"
        other = self._other(way.far, first, request)
        if way.intersect is None:
            self._point(way, other, record, tying=tying, user=request.user)
        else:
            self._privileges.need("Append", table)
            self._privileges.need("AppendTo", way.far)
            with self._privileges.acting(None):
                self._pair(way, way.intersect, record, other, tying=tying, user=request.user)
        return no_content()

    # ------------------------------------------------------------------------ reading

    def _read(self, way: Way, record: str, tail: str, request: Request) -> Response:
        self._privileges.need("Read", way.far)
        options = parse_options(request.query)
        ours = self._condition(way, record)
        where = ours if options.filter is None else ast.BoolOp(ast.And(), options.filter, ours)
        options = replace(options, filter=where)
        if tail == "$count":
            return self._queries.count_response(way.far, options, request.user)
        if tail == "$ref":
            return self._references(way, options, request)
        return self._queries.page(way.far, request, options)

    def _condition(self, way: Way, record: str) -> ast._Node:
        """Which rows of the far table are related, as a filter."""
        if way.intersect is None:
            wire_name = way.far.columns[way.column].wire_name
            return ast.Compare(ast.Eq(), ast.Identifier(wire_name), ast.GUID(record))
        rows = self._execute(
            f'SELECT "{way.far_column}" FROM "{way.intersect.name}" WHERE "{way.column}" = ?',
            (record,),
        )
        listed = ast.List([ast.GUID(str(one)) for (one,) in rows])
        return ast.Compare(ast.In(), ast.Identifier(way.far.id_column), listed)

    def _references(self, way: Way, options: Options, request: Request) -> Response:
        only = replace(options, select=(way.far.id_column,), expand=())
        page = self._queries.page(way.far, request, only)
        place = f"{request.base}/{way.far.set_name}"
        body = orjson.loads(page.body)
        rows = [{"@odata.id": f"{place}({row[way.far.id_column]})"} for row in body["value"]]
        mark = f"{request.base}/$metadata#Collection($ref)"
        return json_response({**body, "@odata.context": mark, "value": rows}, 200, page.headers)

    # ------------------------------------------------------------------------ tying

    def _other(self, far: Table, first: Segment, request: Request) -> str:
        """The row at the far end: in the body, in the path, or in `$id`. Raises `WireError`."""
        if first.guid is not None:
            return str(first.guid)
        if request.method == "POST":
            url = request.json_object().get("@odata.id")
        else:
            url = parse_qs(request.query).get("$id", [None])[0]
        if type(url) is not str:
            raise errors.payload(far.set_name, "The property '@odata.id' is missing.")
        return self._records.resolve(far.name, url)

    def _point(self, way: Way, other: str, record: str, *, tying: bool, user: str) -> None:
        """Set the lookup of the far row, or clear it if it points here."""
        sql = f'SELECT "{way.column}" FROM "{way.far.name}" WHERE "{way.far.id_column}" = ?'
        found = self._execute(sql, (other,)).fetchone()
        if found is None:
            raise errors.does_not_exist(way.far.name, other)
        if tying or found[0] == record:
            value = record if tying else None
            self._records.update(way.far, other, {way.column: value}, user)

    def _pair(
        self, way: Way, intersect: Table, record: str, other: str, *, tying: bool, user: str
    ) -> None:
        if tying:
            pair: Values = {way.column: record, way.far_column: other}
            self._records.insert(intersect, [pair], user)
            return
        found = self._execute(
            f'SELECT "{intersect.id_column}" FROM "{intersect.name}" '
            f'WHERE "{way.column}" = ? AND "{way.far_column}" = ?',
            (record, other),
        ).fetchone()
        if found is not None:
            self._records.delete(intersect, str(found[0]), None, user)
