"""Collections read: select, filter, order, page, count, expand.

Owns: the answer to `GET set` and `GET set/$count` without change tracking.
Never does: tracked reads (`tracking.py`), single records (`writing/resources.py`).
Tested in: tests/integration/sandbox/test_queries.py, test_paging.py.

Facts: "Dataverse Web API: webapi/query/page-results", "count-rows", "join-tables". A page has
at most 5000 rows, `$top` is ignored beside a page size, counts stop at 5000.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from connector.sandbox.dataverse.definitions.tables import Table
from connector.sandbox.dataverse.messages import Preferences, Request, json_response
from connector.sandbox.dataverse.reading.expands import Expands
from connector.sandbox.dataverse.reading.filters import Condition
from connector.sandbox.dataverse.reading.operators import Reader
from connector.sandbox.dataverse.reading.options import Options, listed
from connector.sandbox.dataverse.reading.paging import MAX_PAGE, Cookie, link, parse_cookie
from connector.sandbox.dataverse.reading.projections import JsonRow, Projection, projection, wants
from connector.sandbox.dataverse.storage import Stored
from connector.sandbox.dataverse.writing.records import Records
from connector.sandbox.dataverse.zones import Zones
from connector.sandbox.messages import Response

COUNT_LIMIT = 5000
TOTAL = "Microsoft.Dynamics.CRM.totalrecordcount"
BOM = b"\xef\xbb\xbf"


class Queries:
    """Reads of whole collections."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._catalog = records.catalog
        self._privileges = records.privileges
        self._zones = Zones(records.storage)
        self._now = records.storage.clock.moment
        self._execute = records.storage.connection.execute
        self._projections: dict[tuple[Any, ...], Projection] = {}
        self._expands = Expands(self._catalog, self._execute, self.projection)

    def projection(
        self, table: Table, select: tuple[str, ...] | None, annotations: str | None
    ) -> Projection:
        """The compiled select list, kept for the next request with the same one.

        Raises `WireError` also where the user of the request may not read the table.
        """
        hidden = self.hidden(table)
        zone = UTC if annotations is None else self._zones.of(self._privileges.user)
        key = (table, select, annotations, hidden, zone)
        found = self._projections.get(key)
        if found is None:
            found = projection(self._catalog, table, select, annotations, hidden, zone)
            if len(self._projections) >= 1024:
                self._projections.clear()
            self._projections[key] = found
        return found

    def page(self, table: Table, request: Request, options: Options) -> Response:
        """`GET set`: one page. Raises `WireError`."""
        preferences = request.preferences
        shape = self.projection(table, options.select, preferences.annotations)
        page_size = min(preferences.page_size or MAX_PAGE, MAX_PAGE)
        limited = options.top is not None and preferences.page_size is None
        if limited:
            page_size = min(options.top or MAX_PAGE, MAX_PAGE)
        cookie = Cookie(1) if options.skip_token is None else parse_cookie(options.skip_token)
        condition = Condition(self._catalog, table, self.reader(request.user))
        found = self._page(table, shape, condition, options, cookie, page_size + 1)
        rows = shape.rows(row[: shape.width] for row in found[:page_size])
        self.expand(table, rows, options, request)
        body: dict[str, Any] = {"@odata.context": context(request.base, table, options)}
        if options.count:
            body |= self._count_members(table, request, options)
        body["value"] = rows
        if len(found) > page_size and not limited:
            follow = Cookie(
                cookie.page + 1,
                first=rows[0][table.id_column],
                last=rows[-1][table.id_column],
                offset=cookie.offset + page_size,
            )
            body["@odata.nextLink"] = link(
                request.base,
                request.path,
                request.query,
                {"$skiptoken": follow.text(table.id_column)},
            )
        return json_response(body, headers=applied(preferences))

    def _page(
        self,
        table: Table,
        shape: Projection,
        condition: Condition,
        options: Options,
        cookie: Cookie,
        limit: int,
    ) -> list[tuple[Stored, ...]]:
        """The rows of one page and one more."""
        where = [condition.where(options.filter)]
        order = [f'"{table.id_column}"']
        offset = 0
        if options.order:
            paths = [(condition.operand(path.split("/")), down) for path, down in options.order]
            order = [f"{o.sql} {'DESC' if down else 'ASC'}" for o, down in paths] + order
            offset = cookie.offset
        elif cookie.last:
            where.append(f'"{table.id_column}" > ?')
            condition.arguments.append(cookie.last)
        return self._execute(
            f'SELECT {shape.sql} FROM "{table.name}" WHERE {" AND ".join(where)} '
            f"ORDER BY {', '.join(order)} LIMIT ? OFFSET ?",
            (*condition.arguments, limit, offset),
        ).fetchall()

    def expand(
        self, table: Table, rows: Sequence[JsonRow], options: Options, request: Request
    ) -> None:
        """Put the related rows that `$expand` asks for into `rows`. Raises `WireError`."""
        if options.expand:
            annotations, reader = request.preferences.annotations, self.reader(request.user)
            self._expands.apply(table, rows, options.expand, annotations, reader)

    # ------------------------------------------------------------------------ counts

    def count(self, table: Table, options: Options, user: str) -> int:
        """Rows under the filter, at most one more than the limit."""
        condition = Condition(self._catalog, table, self.reader(user))
        where = condition.where(options.filter)
        (number,) = self._execute(
            f'SELECT count(*) FROM (SELECT 1 FROM "{table.name}" WHERE {where} LIMIT ?)',
            (*condition.arguments, COUNT_LIMIT + 1),
        ).fetchone()
        return int(number)

    def count_response(self, table: Table, options: Options, user: str) -> Response:
        """`GET set/$count`."""
        return count_text(min(self.count(table, options, user), COUNT_LIMIT))

    def _count_members(self, table: Table, request: Request, options: Options) -> dict[str, Any]:
        number = self.count(table, options, request.user)
        members: dict[str, Any] = {"@odata.count": min(number, COUNT_LIMIT)}
        annotations = request.preferences.annotations
        if annotations is not None and wants(annotations, TOTAL):
            members[f"@{TOTAL}"] = min(number, COUNT_LIMIT)
            members[f"@{TOTAL}limitexceeded"] = number > COUNT_LIMIT
        return members

    def hidden(self, table: Table) -> frozenset[str]:
        """The columns of `table` that read as null for the user of this request.

        Raises `WireError` where that user may not read the table at all.
        """
        self._privileges.need("Read", table)
        return self._privileges.hidden(table)

    def reader(self, user: str) -> Reader:
        """Who asks, and their clock."""
        return Reader(
            user, self._records.business_unit, self._now().astimezone(self._zones.of(user))
        )


def count_text(number: int) -> Response:
    """A count as the service sends it: plain text behind a byte order mark."""
    headers = {"Content-Type": "text/plain", "OData-Version": "4.0"}
    return Response(200, headers, BOM + str(number).encode())


def context(base: str, table: Table, options: Options, suffix: str = "") -> str:
    """The `@odata.context` of a collection, or of one `/$entity`."""
    return f"{base}/$metadata#{table.set_name}{listed(options)}{suffix}"


def applied(preferences: Preferences) -> dict[str, str]:
    """The `Preference-Applied` header, if there is anything to say."""
    parts: list[str] = []
    if preferences.page_size is not None:
        parts.append(f"odata.maxpagesize={min(preferences.page_size, MAX_PAGE)}")
    if preferences.annotations is not None:
        parts.append(f'odata.include-annotations="{preferences.annotations}"')
    if preferences.track_changes:
        parts.append("odata.track-changes")
    return {"Preference-Applied": ",".join(parts)} if parts else {}
