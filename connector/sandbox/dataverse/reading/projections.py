"""Which columns of a row go on the wire, and how a stored row turns into JSON.

Owns: the SQL select list of an answer, value forms, annotations with formatted values.
Never does: choosing rows (`queries.py`, `tracking.py`).
Tested in: tests/integration/sandbox/test_queries.py.

Facts: "Dataverse Web API: webapi/query/select-columns" and "web-api-properties". Formatted
values are those of an English (United States) user, instants in the user's time zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

import orjson

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.catalog import Catalog
from connector.sandbox.dataverse.definitions.tables import (
    CHOICES,
    REFERENCES,
    SCALED,
    Column,
    Kind,
    Table,
)
from connector.sandbox.dataverse.storage import Stored

JsonRow: TypeAlias = dict[str, Any]
FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOOKUP_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"
_RATE = "_transactioncurrencyid_value"
"""Comes along with every money column."""
ETAG_SQL = "'W/\"' || versionnumber || '\"'"


@dataclass(frozen=True, slots=True)
class Projection:
    """A compiled select list; `row` turns what SQLite returns for it into a JSON object.

    `names` is a prefix of the SQL columns: the etag first, the primary id always present.
    The columns after it (`extras`) only serve annotations.
    """

    sql: str
    names: tuple[str, ...]
    convert: tuple[tuple[str, Callable[[Any], Any]], ...]
    annotated: tuple[tuple[str, tuple[tuple[str, Annotate], ...]], ...] = ()
    extras: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many SQL columns it selects."""
        return len(self.names) + len(self.extras)

    def row(self, values: Sequence[Stored]) -> JsonRow:
        """One JSON object."""
        row: JsonRow = dict(zip(self.names, values, strict=False))
        if self.annotated:
            hidden = dict(zip(self.extras, values[len(self.names) :], strict=True))
            row = self._annotate(row, hidden)
        for name, change in self.convert:
            row[name] = change(row[name])
        return row

    def rows(self, found: Iterable[Sequence[Stored]]) -> list[JsonRow]:
        """Many JSON objects; the plain case is a hot path."""
        if self.convert or self.annotated:
            return [self.row(values) for values in found]
        names = self.names
        return [dict(zip(names, values, strict=True)) for values in found]

    def _annotate(self, row: JsonRow, hidden: dict[str, Stored]) -> JsonRow:
        """Annotations of stored values; each stands before the property it describes."""
        whole: JsonRow = {"@odata.etag": row["@odata.etag"]}
        for name, notes in self.annotated:
            if row[name] is not None:
                for annotation, text in notes:
                    shown = text(row[name], hidden.get(name))
                    if shown is not None:
                        whole[f"{name}@{annotation}"] = shown
            whole[name] = row[name]
        return whole


Annotate: TypeAlias = Callable[[Any, Stored], str | None]
"""From a stored value, and the name of the row it refers to, to what a user sees."""


def projection(
    catalog: Catalog,
    table: Table,
    select: Sequence[str] | None,
    annotations: str | None,
    hidden: frozenset[str] = frozenset(),
    zone: tzinfo = UTC,
) -> Projection:
    """The projection of a `$select` (None is every column) with the asked annotations.

    The columns `hidden` by column security read as null, as do those nobody may read. Formatted
    values are in the time zone `zone`.

    Raises `WireError` for a column the table lacks.
    """
    readable = (name for name, column in table.by_wire_name.items() if column.readable)
    names = list(readable if select is None else dict.fromkeys(select))
    if table.id_column not in names:
        names.append(table.id_column)
    if _RATE in table.by_wire_name and _RATE not in names and any(map(table.holds_money, names)):
        names.append(_RATE)
    columns: list[Column] = []
    for name in names:
        column = table.by_wire_name.get(name)
        if column is None:
            raise errors.unknown_property(name, table.name)
        columns.append(column)
    shown = (column.readable and column.name not in hidden for column in columns)
    sql = [
        ETAG_SQL,
        *(f'"{c.name}"' if seen else "NULL" for c, seen in zip(columns, shown, strict=True)),
    ]
    convert = tuple(
        (column.wire_name, change)
        for column in columns
        if (change := json_form(column)) is not None
    )
    wire_names = ("@odata.etag", *names)
    if annotations is None:
        return Projection(", ".join(sql), wire_names, convert)
    annotated = tuple((c.wire_name, tuple(annotations_of(c, annotations, zone))) for c in columns)
    references = [c for c in columns if c.kind in REFERENCES]
    sql += [
        name_of_target(catalog, f'"{table.name}"."{column.name}"', column) for column in references
    ]
    extras = tuple(column.wire_name for column in references)
    return Projection(", ".join(sql), wire_names, convert, annotated, extras)


def json_form(column: Column) -> Callable[[Any], Any] | None:
    """How the stored form becomes the JSON form; None where they are the same."""
    if column.kind is Kind.BOOLEAN:
        return lambda stored: None if stored is None else bool(stored)
    if column.kind in SCALED:
        return lambda stored: (
            None
            if stored is None
            else orjson.Fragment(decimal_text(stored, column.places).encode())
        )
    return None


def decimal_text(stored: int, places: int) -> str:
    """A whole number of last places as a decimal with its scale kept: 12345, 4 → `1.2345`."""
    sign = "-" if stored < 0 else ""
    whole, part = divmod(abs(stored), 10**places)
    return f"{sign}{whole}.{part:0{places}}" if places else f"{sign}{whole}"


def name_of_target(catalog: Catalog, key: str, column: Column) -> str:
    """SQL for the name of the row that the reference `column` with the SQL `key` points at."""
    target = catalog.by_name[column.target]
    return (
        f'(SELECT "{target.primary_name}" FROM "{target.name}" AS looked '
        f'WHERE looked."{target.id_column}" = {key})'
    )


# ---------------------------------------------------------------------------- annotations


def wants(pattern: str, annotation: str) -> bool:
    """Whether an `include-annotations` list (`*`, names, `prefix.*`) covers `annotation`."""
    return any(
        fnmatchcase(annotation, one.strip().replace("[", "[[]")) for one in pattern.split(",")
    )


def annotations_of(column: Column, pattern: str, zone: tzinfo) -> Iterable[tuple[str, Annotate]]:
    """The annotations of one column that `pattern` covers, each with its text."""
    if column.kind in REFERENCES:
        if wants(pattern, NAVIGATION):
            yield NAVIGATION, lambda _value, _name: column.navigation
        if wants(pattern, LOOKUP_NAME):
            yield LOOKUP_NAME, lambda _value, _name: column.target
    if wants(pattern, FORMATTED) and (shown := _formatted(column, zone)) is not None:
        yield FORMATTED, shown


def _formatted(column: Column, zone: tzinfo) -> Annotate | None:
    """What a user sees; None for kinds that are shown as they are."""
    if column.kind in REFERENCES:
        return lambda _value, name: None if name is None else str(name)
    if column.kind in CHOICES or column.kind is Kind.BOOLEAN:
        return lambda value, _name: column.options.get(int(value))
    if column.kind in (Kind.INTEGER, Kind.BIGINT):
        return lambda value, _name: f"{value:,}"
    if column.kind is Kind.MULTI_PICKLIST:
        return lambda value, _name: "; ".join(
            column.options.get(int(one), one) for one in value.split(",")
        )
    if column.kind in SCALED:
        sign = "$" if column.kind is Kind.MONEY else ""
        return lambda value, _name: f"{sign}{_scaled(value, column):,.{column.precision}f}"
    if column.kind is Kind.DOUBLE:
        return lambda value, _name: f"{value:,.{column.precision}f}"
    if column.kind is Kind.DATETIME:
        own = UTC if column.behavior == "TimeZoneIndependent" else zone
        return _day if column.date_only else lambda value, _name: _moment(value, own)
    return None


def _scaled(value: Any, column: Column) -> Decimal:
    return Decimal(value).scaleb(-column.places)


def _day(value: Any, _name: Stored) -> str:
    day = date.fromisoformat(value)
    return f"{day.month}/{day.day}/{day.year}"


def _moment(value: Any, zone: tzinfo) -> str:
    at = datetime.fromisoformat(value).astimezone(zone)
    return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M %p}"
