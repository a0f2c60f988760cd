"""One column on the wire: what its values look like in JSON, in filters and in keys.

Owns: a column with its three spellings; the spellings of every primitive type.
Never does: knowing a table (`tables.py`); rows (`rows.py`).
Tested in: tests/unit/endpoints/odata_v4/test_fields.py.

Facts: OData JSON format 4.01, section 7.1 (values; numbers may come as text), OData ABNF
(primitiveLiteral). A type that is not listed here is tolerated: its column cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, TypeAlias

import orjson

from connector.endpoints.web.numbers import whole_number
from connector.mapping.columns import Column
from connector.mapping.values import Value, ValueType
from connector.odata.csdl import EnumType, Property
from connector.odata.literals import GUID, instant_text, literal, parse_instant, parse_literal

Read: TypeAlias = Callable[[Sequence[Any]], Sequence[Value]]
"""Canonical values of one column out of the JSON of many rows."""
Write: TypeAlias = Callable[[Any], Any]
"""What orjson writes for a canonical value; None among them."""

_RANGES = {
    "Edm.Byte": (0, 255),
    "Edm.SByte": (-128, 127),
    "Edm.Int16": (-(2**15), 2**15 - 1),
    "Edm.Int32": (-(2**31), 2**31 - 1),
    "Edm.Int64": (-(2**63), 2**63 - 1),
}
_ENDLESS = ("INF", "-INF", "NaN", "Infinity", "-Infinity")
"""What a binary fraction may be that is no number: nothing a map could hold."""
_TEXTS: frozenset[type] = frozenset({str, NoneType})
_BOOLEANS: frozenset[type] = frozenset({bool, NoneType})
_NUMBERS: frozenset[type] = frozenset({int, Decimal, str, NoneType})
_COMPUTED = "Org.OData.Core.V1.Computed"
_IMMUTABLE = "Org.OData.Core.V1.Immutable"
_PERMISSIONS = "Org.OData.Core.V1.Permissions"


@dataclass(frozen=True, slots=True)
class Field:
    """One column with its wire forms.

    `read` is None where JSON has the canonical values already, `write` where orjson writes the
    right form by itself. `literal` is the URL form, not percent-encoded; `parse` reads it back
    and raises `ValueError`.
    """

    column: Column
    read: Read | None
    write: Write | None
    literal: Callable[[Any], str]
    parse: Callable[[str], Value]

    @property
    def name(self) -> str:
        """As the service spells it."""
        return self.column.name


def field_of(given: Property, enum: EnumType | None, *, key: bool) -> Field:
    """The field of a property; `enum` is its type where that is an enumeration."""
    facets: dict[str, Any] = {
        "nullable": given.nullable and not key,
        "creatable": given.annotations.get(_COMPUTED) != "true"
        and given.annotations.get(_PERMISSIONS) != "Read",
        "updatable": not key
        and not {_COMPUTED, _IMMUTABLE} & given.annotations.keys()
        and given.annotations.get(_PERMISSIONS) != "Read",
    }
    if enum is not None and not enum.flags:
        choices: Mapping[Value, str] = {symbol: symbol for symbol in enum.members}
        column = Column(given.name, ValueType.CHOICE, choices=choices, **facets)
        return _choice(column, given.type)
    make = _KINDS.get(given.type)
    if make is None:
        # A collection, a complex type, bytes, a place on earth: nothing a map could hold.
        return _text(
            Column(given.name, ValueType.TEXT, readable=False, creatable=False, updatable=False)
        )
    return make(given, facets)


# ---------------------------------------------------------------------------- kinds


def _text(column: Column) -> Field:
    return Field(column, texts, None, spelled, _as_text)


def texts(values: Sequence[Any]) -> Sequence[Value]:
    """The texts as they are. Raises `TypeError` for anything else, which is not shown."""
    return _all_of(_TEXTS, values)


def _all_of(types: frozenset[type], values: Sequence[Any]) -> Sequence[Any]:
    """The values, each of one of these types: a service may keep to none, and nobody guesses."""
    other = set(map(type, values)) - types
    if other:
        names = ", ".join(sorted(one.__name__ for one in other))
        raise TypeError(f"a value of another type than `$metadata` tells: {names}")
    return values


def _booleans(values: Sequence[Any]) -> Sequence[Value]:
    return _all_of(_BOOLEANS, values)


def spelled(value: Any) -> str:
    """The URL form of a value that is there. Raises `ValueError` for null: no key holds it."""
    if value is None:
        raise ValueError("a key column is null")
    return literal(value)


def _as_text(text: str) -> Value:
    value = parse_literal(text)
    if not isinstance(value, str):
        raise ValueError("not a text")
    return str(value)


def _string(given: Property, facets: Mapping[str, Any]) -> Field:
    return _text(Column(given.name, ValueType.TEXT, max_length=given.max_length, **facets))


def _guid(given: Property, facets: Mapping[str, Any]) -> Field:
    def bare(value: Any) -> str:
        if GUID.fullmatch(value) is None:
            raise ValueError("not a GUID")
        return str(value).lower()

    def lowered(values: Sequence[Any]) -> list[Value]:
        return [None if value is None else str(value).lower() for value in values]

    column = Column(given.name, ValueType.TEXT, max_length=36, **facets)
    return Field(column, lowered, None, bare, _as_text)


def _integer(given: Property, facets: Mapping[str, Any]) -> Field:
    low, high = _RANGES[given.type]
    column = Column(given.name, ValueType.INTEGER, minimum=low, maximum=high, **facets)
    return Field(column, _integers, None, spelled, int)


def _integers(values: Sequence[Any]) -> list[Value]:
    return [
        value if type(value) is int or value is None else whole_number(value) for value in values
    ]


def _decimal(given: Property, facets: Mapping[str, Any]) -> Field:
    column = Column(given.name, ValueType.DECIMAL, scale=given.scale, **facets)
    return Field(column, _decimals, _number, spelled, Decimal)


def _decimals(values: Sequence[Any]) -> list[Value]:
    values = _all_of(_NUMBERS, values)
    return [None if value is None or value in _ENDLESS else Decimal(value) for value in values]


def _number(value: Any) -> Any:
    return None if value is None else orjson.Fragment(format(value, "f"))


def _boolean(given: Property, facets: Mapping[str, Any]) -> Field:
    column = Column(given.name, ValueType.BOOLEAN, **facets)
    return Field(column, _booleans, None, spelled, parse_literal)


def _date(given: Property, facets: Mapping[str, Any]) -> Field:
    def dates(values: Sequence[Any]) -> list[Value]:
        return [None if value is None else date.fromisoformat(value) for value in values]

    column = Column(given.name, ValueType.DATE, **facets)
    return Field(column, dates, None, spelled, date.fromisoformat)


def _instant(given: Property, facets: Mapping[str, Any]) -> Field:
    column = Column(given.name, ValueType.INSTANT, **facets)
    return Field(column, instants, written_instant, instant_text, parse_instant)


def instants(values: Sequence[Any]) -> list[Value]:
    """Aware datetimes in UTC. Raises `ValueError` for one without a zone."""
    return [None if value is None else instant(value) for value in values]


def instant(text: str) -> datetime:
    """One instant in UTC; digits below a microsecond are cut. Raises `ValueError`."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"an instant without a time zone: {text[:40]!r}")
    return found if found.tzinfo is UTC else found.astimezone(UTC)


def written_instant(value: Any) -> Any:
    """The JSON of an instant."""
    return None if value is None else instant_text(value)


def _choice(column: Column, type_name: str) -> Field:
    """An enumeration: symbols in JSON, qualified in URLs."""

    def qualified(value: Any) -> str:
        return f"{type_name}{spelled(value)}"

    def symbol(text: str) -> Value:
        return _as_text(text.removeprefix(type_name))

    return Field(column, texts, None, qualified, symbol)


_KINDS: Mapping[str, Callable[[Property, Mapping[str, Any]], Field]] = {
    "Edm.String": _string,
    "Edm.Guid": _guid,
    "Edm.Boolean": _boolean,
    "Edm.Decimal": _decimal,
    "Edm.Double": _decimal,
    "Edm.Single": _decimal,
    "Edm.Date": _date,
    "Edm.DateTimeOffset": _instant,
    **dict.fromkeys(_RANGES, _integer),
}
