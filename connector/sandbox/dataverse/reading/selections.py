"""Collections read in the service's other query languages: `?fetchXml=` and `?sql=`.

Owns: the answer to such a read, with its paging.
Never does: the languages themselves (`fetchxml.py`, `sql.py`).
Tested in: tests/integration/sandbox/test_fetchxml_pages.py, test_sql.py.

Facts: "Dataverse: fetchxml/page-results" (cookie and morerecords come as annotations that were
asked for; simple paging works by page number alone), "Dataverse Web API: webapi/query/sql"
(pages by `odata.maxpagesize` and `@odata.nextLink`).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import Table
from connector.sandbox.dataverse.messages import Request, json_response
from connector.sandbox.dataverse.reading import fetchxml, query_errors, sql
from connector.sandbox.dataverse.reading.joins import Joined
from connector.sandbox.dataverse.reading.paging import (
    MAX_PAGE,
    Cookie,
    fetch_cookie,
    link,
    parse_cookie,
    parse_fetch_cookie,
)
from connector.sandbox.dataverse.reading.projections import wants
from connector.sandbox.dataverse.reading.queries import TOTAL, Queries, applied
from connector.sandbox.dataverse.writing.records import Records
from connector.sandbox.messages import Response

COOKIE = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
MORE = "Microsoft.Dynamics.CRM.morerecords"
LANGUAGES = ("fetchXml", "sql", "savedQuery", "userQuery")


class Selections:
    """Reads in other languages."""

    def __init__(self, records: Records, queries: Queries) -> None:
        self._catalog = records.catalog
        self._execute = records.storage.connection.execute
        self._queries = queries

    def page(self, table: Table, request: Request) -> Response | None:
        """The answer if the request is in another language, else None. Raises `WireError`."""
        if not any(f"{name}=" in request.query for name in LANGUAGES):
            return None
        asked = dict(parse_qsl(request.query, keep_blank_values=True))
        given = [name for name in LANGUAGES if name in asked]
        if not given:
            return None
        if len(given) > 1:
            raise errors.bad_request("A request takes one query.", "0x80060888")
        if given == ["fetchXml"]:
            return self._fetch(table, request, asked["fetchXml"])
        if given == ["sql"]:
            return self._sql(table, request, asked["sql"], asked.get("$skiptoken"))
        raise errors.not_implemented(f"The query parameter {given[0]}")

    def joined(self, request: Request) -> Joined:
        """An empty query of the user who asks."""
        reader = self._queries.reader(request.user)
        annotations = request.preferences.annotations
        return Joined(self._catalog, reader, self._queries.hidden, annotations)

    # ------------------------------------------------------------------------ FetchXML

    def _fetch(self, table: Table, request: Request, text: str) -> Response:
        joined = self.joined(request)
        asked = fetchxml.translate(text, joined)
        if joined.root.table is not table:
            raise query_errors.wrong_set(joined.root.table.name, table.set_name)
        size = asked.size if asked.top is None else asked.top
        offset = (asked.page - 1) * size
        if asked.cookie:
            last = parse_fetch_cookie(asked.cookie, table.id_column)
            if joined.continue_after(last):
                offset = 0
        found = joined.run(self._execute, size + 1, offset)
        rows, more = found[:size], len(found) > size and asked.top is None
        body: dict[str, Any] = {"@odata.context": self._context(table, request, joined)}
        pattern = request.preferences.annotations or ""
        if asked.count and wants(pattern, TOTAL):
            total = joined.count(self._execute)
            body[f"@{TOTAL}"] = min(total, MAX_PAGE)
            body[f"@{TOTAL}limitexceeded"] = total > MAX_PAGE
        if more and not asked.by_link and not joined.aggregated and wants(pattern, COOKIE):
            first, last = (str(row.get(table.id_column, "")) for row in (rows[0], rows[-1]))
            body[f"@{COOKIE}"] = fetch_cookie(asked.page, first, last, table.id_column)
        if wants(pattern, MORE):
            body[f"@{MORE}"] = more
        body["value"] = rows
        return json_response(body, headers=applied(request.preferences))

    # ------------------------------------------------------------------------ SQL

    def _sql(self, table: Table, request: Request, text: str, token: str | None) -> Response:
        joined = self.joined(request)
        window = sql.translate(text, joined)
        if joined.root.table is not table:
            raise query_errors.wrong_set(joined.root.table.name, table.set_name)
        cookie = Cookie(1) if token is None else parse_cookie(token)
        size = min(request.preferences.page_size or MAX_PAGE, MAX_PAGE)
        left = size + 1 if window.limit is None else max(0, window.limit - cookie.offset)
        found = joined.run(self._execute, min(size + 1, left), window.offset + cookie.offset)
        rows = found[:size]
        body: dict[str, Any] = {"@odata.context": self._context(table, request, joined)}
        if wants(request.preferences.annotations or "", TOTAL):
            body |= {f"@{TOTAL}": -1, f"@{TOTAL}limitexceeded": False}
        body["value"] = rows
        if len(found) > size:
            first, last = (str(row.get(table.id_column, "")) for row in (rows[0], rows[-1]))
            follow = Cookie(cookie.page + 1, first, last, offset=cookie.offset + size)
            tokens = {"$skiptoken": follow.text(table.id_column)}
            body["@odata.nextLink"] = link(request.base, request.path, request.query, tokens)
        return json_response(body, headers=applied(request.preferences))

    def _context(self, table: Table, request: Request, joined: Joined) -> str:
        names = [one.name for one in joined.outputs if not one.name.startswith("@")]
        return f"{request.base}/$metadata#{table.set_name}({','.join(names)})"
