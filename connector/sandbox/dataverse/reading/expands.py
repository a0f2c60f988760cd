"""`$expand`: related rows put into the rows that were read.

Owns: the related row of a lookup and the related rows of a collection, with their own options.
Never does: reading the first rows (`queries.py`, `writing/resources.py`).
Tested in: tests/integration/sandbox/test_expands.py.

Facts: "Dataverse Web API: webapi/query/join-tables". Inside a lookup `$select` and `$expand` are
taken, inside a collection `$filter`, `$orderby` and `$top` too; at most 15 expansions in all.
Expanded collections come whole: where the service would page them is not modelled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.catalog import Catalog, Way
from connector.sandbox.dataverse.definitions.tables import Column, Table
from connector.sandbox.dataverse.reading.filters import Condition
from connector.sandbox.dataverse.reading.operators import Reader
from connector.sandbox.dataverse.reading.options import Expand, Options
from connector.sandbox.dataverse.reading.projections import JsonRow, Projection
from connector.sandbox.dataverse.storage import Stored

MAX_EXPANDS = 15
_OF_A_LOOKUP = frozenset({"$select", "$expand"})
_OF_A_COLLECTION = _OF_A_LOOKUP | {"$filter", "$orderby", "$top"}

Shape = Callable[[Table, tuple[str, ...] | None, str | None], Projection]


class Expands:
    """Related rows of one organization; `shape` compiles a select list."""

    def __init__(
        self,
        catalog: Catalog,
        execute: Callable[[str, Sequence[Stored]], Any],
        shape: Shape,
    ) -> None:
        self._catalog = catalog
        self._execute = execute
        self._shape = shape

    def apply(
        self,
        table: Table,
        rows: Sequence[JsonRow],
        expands: Sequence[Expand],
        annotations: str | None,
        reader: Reader,
    ) -> None:
        """Put the related rows into `rows` of `table`. Raises `WireError`."""
        if _number(expands) > MAX_EXPANDS:
            raise errors.bad_request(
                f"The number of $expand properties exceeds the limit of {MAX_EXPANDS}.",
                "0x80060888",
            )
        for expand in expands:
            lookup = table.by_navigation.get(expand.navigation)
            if lookup is not None:
                self._one(table, rows, expand, lookup, annotations, reader)
                continue
            way = self._catalog.way(table, expand.navigation)
            if way is None:
                raise errors.unknown_property(expand.navigation, table.name)
            self._many(table, rows, expand, way, annotations, reader)

    def _one(
        self,
        table: Table,
        rows: Sequence[JsonRow],
        expand: Expand,
        lookup: Column,
        annotations: str | None,
        reader: Reader,
    ) -> None:
        """The row a lookup points at, or null."""
        _allow(expand.options, _OF_A_LOOKUP)
        target = self._catalog.by_name[lookup.target]
        shape = self._shape(target, expand.options.select, annotations)
        # Through a select list of its own, so that a secured lookup leads nowhere.
        keys = self._shape(table, (lookup.wire_name,), None)
        listed = _ids(rows, table)
        pointed = {
            one[table.id_column]: one[lookup.wire_name]
            for one in keys.rows(
                self._execute(
                    f'SELECT {keys.sql} FROM "{table.name}" WHERE "{table.id_column}" IN '
                    "(SELECT value FROM json_each(?))",
                    (listed,),
                )
            )
        }
        related = {
            one[target.id_column]: one
            for one in shape.rows(
                self._execute(
                    f'SELECT {shape.sql} FROM "{target.name}" WHERE "{target.id_column}" IN '
                    "(SELECT value FROM json_each(?))",
                    (orjson.dumps([*{key for key in pointed.values() if key}]).decode(),),
                )
            )
        }
        self.apply(target, [*related.values()], expand.options.expand, annotations, reader)
        for row in rows:
            row[expand.navigation] = related.get(pointed.get(row[table.id_column]))

    def _many(
        self,
        table: Table,
        rows: Sequence[JsonRow],
        expand: Expand,
        way: Way,
        annotations: str | None,
        reader: Reader,
    ) -> None:
        """The rows a way leads to, in their own order under each row it begins at."""
        _allow(expand.options, _OF_A_COLLECTION)
        far, options = way.far, expand.options
        shape = self._shape(far, options.select, annotations)
        begins: dict[str, list[str]] = {}
        for near, other in self._pairs(way, rows, table):
            begins.setdefault(other, []).append(near)
        condition = Condition(self._catalog, far, reader)
        where = condition.where(options.filter)
        order = [
            f"{condition.operand(path.split('/')).sql} {'DESC' if down else 'ASC'}"
            for path, down in options.order
        ]
        selected = self._execute(
            f'SELECT {shape.sql} FROM "{far.name}" WHERE {where} AND "{far.id_column}" IN '
            f"(SELECT value FROM json_each(?)) ORDER BY {', '.join([*order, far.id_column])}",
            (*condition.arguments, orjson.dumps([*begins]).decode()),
        )
        groups: dict[str, list[JsonRow]] = {row[table.id_column]: [] for row in rows}
        kept = []
        for one in shape.rows(selected):
            members = [groups[near] for near in begins[one[far.id_column]]]
            wanted = [some for some in members if options.top is None or len(some) < options.top]
            for some in wanted:
                some.append(one)
            kept += [one] if wanted else []
        self.apply(far, kept, options.expand, annotations, reader)
        for row in rows:
            row[expand.navigation] = groups[row[table.id_column]]

    def _pairs(self, way: Way, rows: Sequence[JsonRow], table: Table) -> Any:
        """(id of a row, id of a row it leads to)."""
        source, other = way.intersect or way.far, way.far_column or way.far.id_column
        return self._execute(
            f'SELECT "{way.column}", "{other}" FROM "{source.name}" WHERE "{way.column}" IN '
            "(SELECT value FROM json_each(?))",
            (_ids(rows, table),),
        ).fetchall()


def _ids(rows: Sequence[JsonRow], table: Table) -> str:
    return orjson.dumps([row[table.id_column] for row in rows]).decode()


def _number(expands: Sequence[Expand]) -> int:
    return sum(1 + _number(one.options.expand) for one in expands)


def _allow(options: Options, names: frozenset[str]) -> None:
    refused = options.given - names
    if refused:
        raise errors.bad_request(f"The option {min(refused)} is not taken in this $expand.", "0x0")
