"""Records by id or by a text column.

Owns: splitting many values into requests of a bounded URL, matching rows back to what was
asked.
Never does: alternate keys in URLs, which cannot take every character; a filter can.
Tested in: tests/unit/endpoints/dataverse/test_reads.py.

Facts: "Dataverse Web API: webapi/query/filter-rows" (text compares without case) and the
query function `Microsoft.Dynamics.CRM.In`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from connector.endpoints.base import Found, Row
from connector.endpoints.dataverse.faults import column_unknown, fault_of, refused, unreadable
from connector.endpoints.dataverse.metadata import Table, Tables
from connector.endpoints.dataverse.rows import Projection
from connector.endpoints.web.portions import portions
from connector.endpoints.web.texts import untaken_text
from connector.endpoints.web.transport import Transport
from connector.mapping.values import ValueType, normal_key
from connector.odata.literals import GUID
from connector.odata.queries import in_function, query_string

LONGEST_FILTER = 12_000
"""Bytes of percent-encoded values in one URL; the whole stays well below 16 KB."""


class Reader:
    """Reads by id and by text for all tables of one organization."""

    def __init__(self, transport: Transport, tables: Tables, page_size: int) -> None:
        self._transport = transport
        self._tables = tables
        self._prefer = f"odata.maxpagesize={page_size}"

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        """Rows under the spelling they were asked by; see `Endpoint.read`."""
        table = self._tables.get(entity)
        column = self._asked_column(table, by)
        projection = Projection(table, [*columns, column])
        asked: dict[str, list[str]] = {}
        for value in dict.fromkeys(values):
            normal = _normal(value, is_id=column == table.id_column)
            if normal is not None:
                asked.setdefault(normal, []).append(value)
        found: dict[str, list[Row]] = {}
        for chunk in portions(
            (spellings[0] for spellings in asked.values()), _in_json, LONGEST_FILTER
        ):
            for row in self._rows(table, projection, in_function(column, chunk)):
                normal = normal_key(row.image[-1]) or ""
                plain = row._replace(image=row.image[:-1])
                # The service may find more than was asked, such as another accent.
                for value in asked.get(normal, ()):
                    found.setdefault(value, []).append(plain)
        return Found(found)

    def _asked_column(self, table: Table, by: str | None) -> str:
        if by is None:
            return table.id_column
        (field,) = table.select([by])
        if field.column.type not in (ValueType.TEXT, ValueType.REFERENCE):
            raise column_unknown(table.set_name, [by], "it is no column to search by")
        return by

    def _rows(self, table: Table, projection: Projection, where: str) -> Iterator[Row]:
        options = query_string({"$select": projection.select, "$filter": where})
        url: str | None = f"{table.set_name}?{options}"
        while url is not None:
            reply = self._transport.get(url, self._prefer)
            if reply.status != 200:
                fault = fault_of(reply.status, reply.headers, reply.body)
                raise refused(fault, table.set_name, "reading records by filter")
            try:
                answer = projection.loads(reply.body)
                rows = projection.rows(answer["value"])
                url = answer.get("@odata.nextLink")
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise unreadable(table.set_name, "reading records by filter", error) from error
            yield from rows


def _normal(value: str, *, is_id: bool) -> str | None:
    """What a value is compared by; None for one that no row can hold."""
    if is_id:
        return value.lower() if GUID.fullmatch(value) else None
    if untaken_text({"by": value}) is not None:
        return None
    return normal_key(value)


def _in_json(value: str) -> int:
    """How long a value of a list in a URL becomes."""
    return len(quote(json.dumps(value, ensure_ascii=False))) + 1
