"""How Finance and Operations departs from plain OData V4.

Owns: its empty values, days at noon, companies, and what its refusals mean.
Never does: I/O.
Tested in: tests/unit/endpoints/finops/test_dialect.py, tests/contract/endpoints/.

Facts: "Finance and Operations: odata": no value is ever null: an unset text is "", an unset day
1900-01-01 at noon, an unset moment 1900-01-01 at midnight; days are instants on the wire and the
annotation AXType tells them apart. Text compares without case. Rows of other companies than the
user's own come only with `cross-company=true`. 2154-12-31 stands for "never" and
stays what it is. Keys in URLs are encoded twice (reports of integrators on slashes in keys).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from connector.endpoints.base import Operation, Outcome
from connector.endpoints.finops.refusals import fault_of, outcome_of
from connector.endpoints.odata_v4.dialect import Dialect
from connector.endpoints.odata_v4.fields import Field, instant, texts, written_instant
from connector.endpoints.odata_v4.tables import KeyValues, Table
from connector.endpoints.web.faults import Fault
from connector.mapping.values import Value, ValueType
from connector.odata.csdl import EnumType, Property
from connector.odata.literals import literal, parse_instant

COMPANY = "dataAreaId"
NO_DAY = "1900-01-01"
NO_MOMENT = f"{NO_DAY}T00:00:00Z"
_TYPE = ".AXType"
"""How the term ends that tells the application's own type of a property."""


@dataclass(frozen=True)
class FinopsDialect(Dialect):
    """Finance and Operations; `company` is the one that is read and written, None all of them."""

    versioned: bool | None = True
    folds: bool = True
    change_sets: bool = True
    absolute_parts: bool = True
    options: Mapping[str, str] = field(default_factory=lambda: {"cross-company": "true"})
    company: str | None = None

    def field_of(self, given: Property, enum: EnumType | None, *, key: bool) -> Field:
        """The column of a property, whose empty value is a value like any other."""
        plain = super().field_of(given, enum, key=key)
        if not plain.column.readable:
            return plain
        match plain.column.type:
            case ValueType.TEXT if given.type == "Edm.String":
                return _text(plain, key=key)
            case ValueType.INSTANT if _is_day(given):
                return _day(plain, key=key)
            case ValueType.INSTANT:
                return _moment(plain, key=key)
        return replace(plain, column=replace(plain.column, nullable=False))

    def row_url(self, table: Table, key: KeyValues) -> str:
        """Where a row is; the web server and OData decode a path one after the other."""
        return table.row_url(key).replace("%", "%25")

    def scope(self, table: Table) -> str | None:
        """The company, of entities that have one."""
        if self.company is None or COMPANY not in table.fields:
            return None
        return f"{COMPANY} eq {literal(self.company.lower())}"

    def completed(self, table: Table, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """A new row's company, where there is only one."""
        if self.company is None or COMPANY not in table.fields:
            return values
        if any(name.casefold() == COMPANY.casefold() for name in values):
            return values
        return {COMPANY: self.company.lower(), **values}

    def fault_of(
        self, status: int, headers: Mapping[str, str], body: bytes, date: str | None = None
    ) -> Fault:
        """Read a refusal."""
        return fault_of(status, headers, body, date)

    def outcome(self, table: Table, operation: Operation, fault: Fault) -> Outcome:
        """What one refused operation means to the engine."""
        return outcome_of(operation, fault, tuple(table.fields))


def _is_day(given: Property) -> bool:
    return any(term.endswith(_TYPE) and kind == "Date" for term, kind in given.annotations.items())


# ---------------------------------------------------------------------------- empty values


def _text(plain: Field, *, key: bool) -> Field:
    def read(values: Sequence[Any]) -> list[Value]:
        return [value or None for value in texts(values)]

    def write(value: Any) -> Any:
        return value or ""

    def spelled(value: Any) -> str:
        return literal(value or "")

    def parse(text: str) -> Value:
        return plain.parse(text) or None

    column = replace(plain.column, nullable=not key)
    return Field(column, read, write, spelled, parse)


def _day(plain: Field, *, key: bool) -> Field:
    def read(values: Sequence[Any]) -> list[Value]:
        return [_unless_unset(value) for value in values]

    def write(value: Any) -> Any:
        return f"{NO_DAY if value is None else value.isoformat()}T12:00:00Z"

    def parse(text: str) -> Value:
        found = parse_instant(text).date()
        return None if found.isoformat() == NO_DAY else found

    column = replace(plain.column, type=ValueType.DATE, nullable=not key)
    return Field(column, read, write, write, parse)


def _unless_unset(value: Any) -> date | None:
    if value is None or value.startswith(NO_DAY):
        return None
    return date.fromisoformat(value[:10])


def _moment(plain: Field, *, key: bool) -> Field:
    def read(values: Sequence[Any]) -> list[Value]:
        return [_moment_of(value) for value in values]

    def write(value: Any) -> Any:
        # Its moments have whole seconds.
        return NO_MOMENT if value is None else written_instant(value.replace(microsecond=0))

    def parse(text: str) -> Value:
        return _moment_of(text)

    column = replace(plain.column, nullable=not key)
    return Field(column, read, write, write, parse)


def _moment_of(value: Any) -> datetime | None:
    # Unset at noon where a day was made a moment of.
    if value is None or value in (NO_MOMENT, f"{NO_DAY}T12:00:00Z"):
        return None
    return instant(value)
