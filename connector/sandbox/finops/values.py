"""Values of fields: between the JSON of a body, the database, and the JSON of an answer.

Owns: the conventions of the wire for each kind, what an unset field holds.
Never does: looking a reference up (`references.py`), deciding what is mandatory (`writes.py`).
Tested in: tests/integration/sandbox/finops/test_values.py.

Facts: "Finance and Operations: odata": no nulls; an unset text is "", an unset date 1900-01-01 at
noon, an unset moment 1900-01-01 at midnight, enumerations are symbols, numbers are numbers.
Texts that are too long are cut, as an assignment in the application's own language cuts them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import orjson

from connector.odata.literals import parse_instant
from connector.odata.malformed import MalformedError
from connector.sandbox.finops.entities import NAMESPACE, Field, Kind

Stored: TypeAlias = str | int
"""A value as SQLite holds it: a date as text, a decimal as a whole number of its last place, an
enumeration as its integer, a joined reference as a RecId."""

FIRST_YEAR, LAST_YEAR = 1900, 2154
NO_DATE = "1900-01-01"
NO_MOMENT = "1900-01-01T00:00:00Z"
_BITS = {Kind.INT32: 31, Kind.INT64: 63}


class UnfitError(ValueError):
    """A value that the type of its field cannot hold; the text is the service's."""


def unset(field: Field) -> Stored:
    """What the field holds when nobody gave it a value."""
    if field.kind is Kind.STRING:
        return 0 if field.reference is not None and field.reference.joined else ""
    if field.kind is Kind.DATE:
        return NO_DATE
    if field.kind is Kind.MOMENT:
        return NO_MOMENT
    if field.enum is not None:
        return min(field.enum.members.values())
    return 0


def parse(field: Field, value: Any) -> Stored:
    """The stored form of a JSON value; for a reference its text. Raises `UnfitError`."""
    if value is None:
        if not field.nullable:
            raise UnfitError(
                f"A null value was found for the property named '{field.name}', which has the "
                f"expected type '{field.edm}[Nullable=False]'. The expected type does not allow "
                "null values."
            )
        return "" if field.kind is Kind.STRING else unset(field)
    return _PARSERS[field.kind](field, value)


def _unfit(field: Field, value: Any) -> UnfitError:
    shown = json.dumps(value)[:60]
    return UnfitError(f"Cannot convert the literal '{shown}' to the expected type '{field.edm}'.")


def _text(field: Field, value: Any) -> Stored:
    if type(value) is not str:
        raise _unfit(field, value)
    return value[: field.length].rstrip(" ")


def _integer(field: Field, value: Any) -> Stored:
    if type(value) is not int or not -(2 ** _BITS[field.kind]) <= value < 2 ** _BITS[field.kind]:
        raise _unfit(field, value)
    return value


def _decimal(field: Field, value: Any) -> Stored:
    if type(value) not in (int, float) or abs(value) >= 10**15:
        raise _unfit(field, value)
    return round(Decimal(str(value)).scaleb(field.places))


def _symbol(field: Field, value: Any) -> Stored:
    assert field.enum is not None
    number = field.enum.members.get(value) if type(value) is str else None
    if number is None:
        name = f"{NAMESPACE}.{field.enum.name}"
        raise UnfitError(f"Requested value '{value}' was not found in the enumeration '{name}'.")
    return number


def _instant(field: Field, value: Any) -> datetime:
    try:
        moment = parse_instant(value) if type(value) is str else None
    except MalformedError as error:
        raise UnfitError(
            f"Cannot convert the literal '{value[:60]}' to the expected type "
            "'Edm.DateTimeOffset'. The time zone information may be missing."
        ) from error
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise _unfit(field, value)
    return moment


def _date(field: Field, value: Any) -> Stored:
    return _instant(field, value).date().isoformat()


def _moment(field: Field, value: Any) -> Stored:
    return f"{_instant(field, value):%Y-%m-%dT%H:%M:%SZ}"


_PARSERS: dict[Kind, Callable[[Field, Any], Stored]] = {
    Kind.STRING: _text,
    Kind.INT32: _integer,
    Kind.INT64: _integer,
    Kind.DECIMAL: _decimal,
    Kind.ENUM: _symbol,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
}


def renderer(field: Field) -> Callable[[Any], Any] | None:
    """What makes the JSON value of a stored one; None where it is the same."""
    if field.enum is not None:
        return field.enum.symbols.__getitem__
    if field.kind is Kind.DATE:
        return lambda stored: f"{stored}T12:00:00Z"
    if field.kind is Kind.DECIMAL:
        return lambda stored: orjson.Fragment(decimal_text(stored, field.places))
    return None


def decimal_text(stored: int, places: int) -> str:
    """A decimal without superfluous zeros."""
    return format(Decimal(stored).scaleb(-places).normalize(), "f")


def today(now: float) -> str:
    """The stored form of a day."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()
