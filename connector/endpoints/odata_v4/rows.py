"""Rows between the wire and canonical values.

Owns: reading the rows of a page column by column, writing the values of one operation.
Never does: requests; deciding what a value means to a map.
Tested in: tests/unit/endpoints/odata_v4/{test_reads,test_writes}.py.

Facts: OData JSON format 4.01, section 4.5.8 (`@odata.etag`; opaque, it tells equality only). Key
columns are asked for by name: not every service adds them to what was selected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, cast

import orjson

from connector.endpoints.base import Row
from connector.endpoints.odata_v4.client import Item, Loads
from connector.endpoints.odata_v4.faults import column_unknown
from connector.endpoints.odata_v4.fields import Field
from connector.endpoints.odata_v4.tables import Table
from connector.endpoints.web.numbers import loads_exactly
from connector.endpoints.web.service import Naming
from connector.mapping.values import Image, Value, ValueType

ETAG = "@odata.etag"


def fields_of(naming: Naming, table: Table, columns: Sequence[str]) -> list[Field]:
    """The fields of these columns; raises `MapError`."""
    found = [table.find(name) for name in columns]
    missing = [name for name, field in zip(columns, found, strict=True) if field is None]
    if missing:
        raise column_unknown(naming, table.name, missing, "it is not in `$metadata`")
    return [field for field in found if field is not None]


class Projection:
    """Rows of one table in the order of one column list.

    `select` is the `$select` text. Raises `MapError` for a column that is not there or cannot be
    read. `modified` is the column that tells when a row was changed.
    """

    def __init__(
        self,
        naming: Naming,
        table: Table,
        columns: Sequence[str],
        modified: str | None = None,
    ) -> None:
        fields = fields_of(naming, table, columns)
        hidden = [field.name for field in fields if not field.column.readable]
        if hidden:
            raise column_unknown(naming, table.name, hidden, "its type cannot be read")
        timed = [] if modified is None else fields_of(naming, table, [modified])
        self._table = table
        self._timed = bool(timed) and timed[0].column.type is ValueType.INSTANT
        all_fields = [*table.key, *fields, *(timed if self._timed else [])]
        self.select = ",".join(dict.fromkeys(field.name for field in all_fields))
        self._names = (ETAG, *(field.name for field in all_fields))
        self._pick = itemgetter(*self._names)
        self.wire_names = frozenset(self._names[1:])
        self._readers = [
            (place, field.read) for place, field in enumerate(all_fields) if field.read is not None
        ]
        self._keys = len(table.key)
        numbers = {field.column.type for field in all_fields} & {
            ValueType.DECIMAL,
            ValueType.INTEGER,
        }
        self.loads: Loads = loads_exactly if numbers else orjson.loads

    def rows(self, items: Sequence[Item]) -> list[Row]:
        """The rows of a page, as `loads` read it. Raises `ValueError` or `TypeError`."""
        if not items:
            return []
        try:
            picked = [self._pick(item) for item in items]
        except KeyError:  # without ETags, or a column whose value is null lacks
            picked = [tuple(item.get(name) for name in self._names) for item in items]
        versions, *columns = zip(*picked, strict=True)
        for place, read in self._readers:
            columns[place] = tuple(read(columns[place]))
        ids = self._table.ids(columns[: self._keys])
        times: Sequence[Any] = columns.pop() if self._timed else [None] * len(items)
        shown = columns[self._keys :]
        images: Sequence[Image] = list(zip(*shown, strict=True)) if shown else [()] * len(items)
        return list(map(Row, ids, versions, images, cast("Sequence[datetime | None]", times)))


class Encoder:
    """JSON bodies of creates and updates for one table."""

    def __init__(self, naming: Naming, table: Table) -> None:
        self._naming = naming
        self._table = table

    def create(self, values: Mapping[str, Value]) -> bytes:
        """The body of a new row: what is null is left out, and takes the service's default.

        Raises `MapError` for a column that does not exist, `TypeError` for text that is no
        Unicode.
        """
        given = {name: value for name, value in values.items() if value is not None}
        return self._body(given)

    def update(self, values: Mapping[str, Value]) -> bytes:
        """The body of a change; raises as `create` does."""
        return self._body(values)

    def _body(self, values: Mapping[str, Value]) -> bytes:
        fields = fields_of(self._naming, self._table, [*values])
        item = {
            field.name: value if field.write is None else field.write(value)
            for field, value in zip(fields, values.values(), strict=True)
        }
        return orjson.dumps(item)
