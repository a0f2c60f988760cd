"""Rows between the wire and canonical values.

Owns: reading rows of a page column by column, writing the values of one operation.
Never does: requests; deciding what a value means to a map.
Tested in: tests/unit/endpoints/dataverse/test_rows.py.

Facts: "Dataverse Web API: web-api-properties" (forms of values), "associate-disassociate-
entities-using-web-api" (`nav@odata.bind`). Converters are chosen once per column, pages are
transposed, so no value is asked for its type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, TypeAlias

import orjson

from connector.endpoints.base import Row
from connector.endpoints.dataverse.faults import column_unknown
from connector.endpoints.dataverse.metadata import Field, Table
from connector.endpoints.web.numbers import loads_exactly
from connector.errors import MapError, Subject
from connector.mapping.values import Image, Value, ValueType
from connector.odata.literals import instant_text

ETAG = "@odata.etag"
MODIFIED_AT = "modifiedon"
MODIFIER = "_modifiedby_value"
OWNER = "ownerid"
"""Points to users and teams, and is therefore written with its table: `teams(ID)`."""

Item: TypeAlias = dict[str, Any]

_BIND = "@odata.bind"
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


def etag(version: str | None) -> str:
    """The If-Match value for a version; `*` ("whatever it is now") without one."""
    return "*" if version is None else f'W/"{version}"'


# ---------------------------------------------------------------------------- reading


def _dates(values: Sequence[Any]) -> list[Any]:
    read = date.fromisoformat
    return [None if value is None else read(value) for value in values]


def _dates_of_instants(values: Sequence[Any]) -> list[Any]:
    read = date.fromisoformat
    return [None if value is None else read(value[:10]) for value in values]


def _instants(values: Sequence[Any]) -> list[Any]:
    read = datetime.fromisoformat
    return [None if value is None else read(value) for value in values]


def _decimals(values: Sequence[Any]) -> list[Any]:
    return [None if value is None else Decimal(value) for value in values]


def _column_reader(field: Field) -> Callable[[Sequence[Any]], list[Any]] | None:
    """How a column's values become canonical; None where they are already."""
    match field.column.type:
        case ValueType.DATE:
            return _dates_of_instants if field.dated_instant else _dates
        case ValueType.INSTANT:
            return _instants
        case ValueType.DECIMAL:
            return _decimals
    return None


class Projection:
    """Rows of one table in the order of one column list.

    `select` is the `$select` text. Rows also carry version, time and user of the last change.
    Raises `MapError` for a column that is not there or cannot be read.
    """

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        fields = table.select(columns)
        hidden = [field.column.name for field in fields if not field.column.readable]
        if hidden:
            raise column_unknown(table.set_name, hidden, "not valid for read")
        self.columns = tuple(columns)
        always = [table.id_column, MODIFIED_AT, MODIFIER]
        self.select = ",".join(dict.fromkeys([*always, *(field.wire for field in fields)]))
        self._names = (ETAG, *always, *(field.wire for field in fields))
        self._pick = itemgetter(*self._names)
        readers = [_column_reader(field) for field in fields]
        self._readers = [(at, read) for at, read in enumerate(readers) if read is not None]
        decimal = any(field.column.type is ValueType.DECIMAL for field in fields)
        self.loads: Callable[[bytes], Any] = loads_exactly if decimal else orjson.loads

    def rows(self, items: Sequence[Item]) -> list[Row]:
        """The rows of a page, as `loads` read it. Raises `ValueError` or `TypeError`."""
        if not items:
            return []
        try:
            picked = [self._pick(item) for item in items]
        except KeyError:  # a column whose value is null may lack
            picked = [tuple(item.get(name) for name in self._names) for item in items]
        etags, ids, modified, modifiers, *columns = zip(*picked, strict=True)
        for at, read in self._readers:
            columns[at] = tuple(read(columns[at]))
        images: Sequence[Image]
        images = list(zip(*columns, strict=True)) if columns else [()] * len(items)
        versions = [etag[3:-1] for etag in etags]
        return list(map(Row, ids, versions, images, _instants(modified), modifiers))


# ---------------------------------------------------------------------------- writing


def _to_number(value: Any) -> Any:
    return orjson.Fragment(format(value, "f"))


def _to_instant_of_date(value: Any) -> Any:
    return f"{value.isoformat()}T00:00:00Z"


def _to_instant(value: Any) -> Any:
    return instant_text(value.replace(microsecond=0))


class Encoder:
    """JSON bodies of creates and updates for one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._type = f"Microsoft.Dynamics.CRM.{table.logical_name}"
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def create(self, id: str, values: Mapping[str, Value]) -> Item:
        """The properties of a new row, ready for `dumps`; a null lookup is left out.

        Raises `MapError` for a column that does not exist or cannot be written.
        """
        plan = self._plan(values)
        item = plan.item(values)
        for wire in plan.binds:
            if item[wire] is None:
                del item[wire]
        item["@odata.type"] = self._type
        item[self._table.id_column] = id
        return item

    def update(self, values: Mapping[str, Value]) -> Item:
        """The properties to change, ready for `dumps`; raises as `create` does."""
        return self._plan(values).item(values)

    def _plan(self, values: Mapping[str, Value]) -> _Plan:
        names = tuple(values)
        plan = self._plans.get(names)
        if plan is None:
            plan = self._plans[names] = _Plan(self._table, names)
        return plan


class _Plan:
    """How the values of one set of columns become properties."""

    def __init__(self, table: Table, names: tuple[str, ...]) -> None:
        fields = table.select(names)
        self._wires = [_written_as(table, field) for field in fields]
        writers = [(wire, _writer(field)) for wire, field in zip(self._wires, fields, strict=True)]
        self._writers = [(wire, write) for wire, write in writers if write is not None]
        self.binds = [wire for wire in self._wires if wire.endswith(_BIND)]

    def item(self, values: Mapping[str, Value]) -> Item:
        item: Item = dict(zip(self._wires, values.values(), strict=True))
        for wire, write in self._writers:
            value = item[wire]
            if value is not None:
                item[wire] = write(value)
        return item


def _written_as(table: Table, field: Field) -> str:
    if field.column.type is not ValueType.REFERENCE:
        return field.column.name
    if field.column.name == OWNER:
        return f"{OWNER}{_BIND}"
    if field.navigation is None or field.column.reference is None:
        raise MapError(
            "reference-ambiguous",
            f"{field.column.name} can point to several tables and cannot be written",
            remedy="map a lookup column with a single target table",
            subject=Subject(side="dataverse", entity=table.set_name, field=field.column.name),
        )
    return f"{field.navigation}{_BIND}"


def _writer(field: Field) -> Callable[[Any], Any] | None:
    """How a value becomes JSON; None where orjson writes the right form by itself."""
    match field.column.type:
        case ValueType.DECIMAL:
            return _to_number
        case ValueType.DATE if field.dated_instant:
            return _to_instant_of_date
        case ValueType.INSTANT:
            return _to_instant
        case ValueType.REFERENCE if field.column.name == OWNER:
            return lambda owner: f"/{owner}"
        case ValueType.REFERENCE:
            reference = field.column.reference
            target = reference.entity if reference else ""
            return lambda id: f"/{target}({id})"
    return None


def dumps(value: Any) -> bytes:
    """The JSON of a body. Raises `TypeError` for text that is not Unicode."""
    return orjson.dumps(value, option=_OPTIONS)


def suspicious(body: bytes) -> bool:
    """Whether a body may hold a character the service does not take.

    Control characters are always escaped, so a body without a backslash holds none; only
    then are its values looked at one by one.
    """
    return b"\\" in body
