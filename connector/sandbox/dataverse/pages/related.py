"""What belongs to a record: the newest rows of the tables that point to it, and how fresh it is.

Owns: which tables these are, by their lookups, and how their rows are listed on its page.
Never does: the record's own page (`browsing.py`).
Tested in: tests/integration/sandbox/test_pages.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from connector.sandbox.dataverse.definitions.catalog import Catalog
from connector.sandbox.dataverse.definitions.tables import Column, Kind, Table
from connector.sandbox.dataverse.pages.asking import PAGE_SIZE, Asking
from connector.sandbox.html_parts import shown, table

NEWEST = 10
"""Rows of one table on the page of a record."""
CREATED, CHANGED = "createdon", "modifiedon"
HAPPENED = {"dwrite_pointtransaction": ("dwrite_postedat", "dwrite_transactionnumber")}
"""Tables whose rows tell of something, to the columns that say when and, within one second, in what
order: many are made at once, long after it happened."""
FRESHNESS = "dwrite_syncstatus"
"""The table that tells of each map when it was last in sync, where there is one."""


def pointing_to(catalog: Catalog, target: Table) -> Iterator[tuple[Table, Column]]:
    """Tables with a lookup of their own to rows of `target`, in the order of their titles."""
    for one in sorted(catalog.by_name.values(), key=lambda one: one.titles):
        for column in one.columns.values():
            if column.custom and column.kind is Kind.LOOKUP and column.target == target.name:
                yield one, column


def related(asking: Asking, target: Table, record: str) -> str:
    """The sections of a record's page: one for each table that points to it."""
    pointing = list(pointing_to(asking.catalog, target))
    tables = [one.name for one, _ in pointing]
    return "".join(
        _section(asking, one, column, record, several=tables.count(one.name) > 1)
        for one, column in pointing
    )


def freshness(asking: Asking) -> str:
    """How far behind the other system each map is; nothing where nobody tells."""
    one = asking.catalog.by_name.get(FRESHNESS)
    if one is None:
        return ""
    columns = [column for column in one.columns.values() if column.custom]
    columns = [column for column in columns if column.kind is not Kind.GUID]
    order = one.columns[one.primary_name].wire_name
    status, body = asking.get(one.set_name, {"$orderby": order})
    return _listed(one.titles, columns, status, body)


def _section(asking: Asking, one: Table, pointer: Column, record: str, *, several: bool) -> str:
    title = f"{one.titles} ({pointer.label})" if several else one.titles
    columns = [
        column
        for column in one.columns.values()
        if column.custom and column is not pointer and column.kind is not Kind.GUID
    ]
    when, order = HAPPENED.get(one.name, (CREATED, None))
    options = {
        "$filter": f"{pointer.wire_name} eq {record}",
        "$orderby": f"{when} desc,{one.id_column} desc",
    }
    # More than are shown, where a text says in what order those of one second came.
    status, body = asking.get(one.set_name, options, NEWEST if order is None else PAGE_SIZE)
    if order is not None and "value" in body:
        body = {"value": _newest(body["value"], when, order)}
    number = len(body.get("value", ()))
    caption = f"the newest {NEWEST}" if number == NEWEST else str(number or "none")
    return _listed(title, [*columns, one.columns[CHANGED]], status, body, caption)


def _newest(rows: Sequence[Mapping[str, Any]], when: str, order: str) -> Sequence[Any]:
    """The newest of them first: by their time, then by a number that is kept as text."""

    def place(row: Mapping[str, Any]) -> tuple[str, int, str]:
        number = str(row.get(order) or "")
        return str(row.get(when) or ""), len(number), number

    return sorted(rows, key=place, reverse=True)[:NEWEST]


def _listed(
    title: str, columns: Sequence[Column], status: int, body: Mapping[str, Any], caption: str = ""
) -> str:
    title = f"<h2>{escape(title)}</h2>"
    if status != 200:
        return f"<section>{title}<p>{escape(body['error']['message'])}</p></section>"
    rows = [[escape(shown(row, column)) for column in columns] for row in body["value"]]
    heads = [column.label for column in columns]
    listed = table(f"{title} {caption}", heads, rows)
    return f"<section>{listed}</section>"
