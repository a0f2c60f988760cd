"""Single values of JSON in the form they are stored in: types, lengths, ranges, options.

Owns: one check per kind of column.
Never does: which columns a row has, lookups (`payloads.py`).
Tested in: tests/integration/sandbox/test_payloads.py, test_metadata_columns.py.

Facts: "Dataverse Web API: web-api-properties". A numeric string is taken for a number, an
empty text becomes null.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from connector.odata.literals import GUID
from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import (
    CHOICES,
    INT32,
    INT64,
    Column,
    Kind,
    Table,
)
from connector.sandbox.dataverse.storage import Stored

Convert: TypeAlias = Callable[[Any], Stored]
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_OLDEST = date(1753, 1, 1)


def converter(column: Column, table: Table) -> Convert:
    """The check for one column; None passes, every refusal is a `WireError`."""
    if column.kind is Kind.DATETIME:
        return _date(column, table) if column.date_only else _instant(column, table)
    return _BY_KIND.get(column.kind, _integer)(column, table)


def _mismatch(column: Column, table: Table, value: Any, edm: str) -> errors.WireError:
    return errors.payload(
        table.set_name,
        f"Cannot convert the literal '{str(value)[:100]}' of property '{column.name}' to the "
        f"expected type '{edm}'.",
    )


def _text(column: Column, table: Table) -> Convert:
    limit = column.max_length

    def convert(value: Any) -> Stored:
        if value is None:
            return None
        if type(value) is not str:
            raise _mismatch(column, table, value, "Edm.String")
        # The service counts UTF-16 units; plain text needs no encoding to know.
        length = len(value) if value.isascii() else len(value.encode("utf-16-le")) // 2
        if length > limit:
            raise errors.too_long(column.name, table.name, limit)
        if not value.isprintable() and (found := _CONTROL.search(value)):
            raise errors.invalid_character(ord(found[0]))
        return value or None

    return convert


def _whole(value: Any) -> int | None:
    """An integer or a text that spells one, else None; a boolean is no number."""
    if type(value) is int:
        return value
    if type(value) is str and re.fullmatch(r"[+-]?[0-9]{1,20}", value):
        return int(value)
    return None


def _integer(column: Column, table: Table) -> Convert:
    low, high = column.minimum, column.maximum
    widest, edm = (INT64, "Edm.Int64") if column.kind is Kind.BIGINT else (INT32, "Edm.Int32")

    def convert(value: Any) -> Stored:
        if value is None:
            return None
        number = value if type(value) is int else _whole(value)
        if number is None or not widest[0] <= number <= widest[1]:
            raise _mismatch(column, table, value, edm)
        if not low <= number <= high:
            raise errors.out_of_range(number, column.name, table.name, low, high)
        return number

    return convert


def _option(column: Column, table: Table) -> Convert:
    options = column.options

    def convert(value: Any) -> Stored:
        if value is None:
            return None
        number = value if type(value) is int else _whole(value)
        if number is None or not INT32[0] <= number <= INT32[1]:
            raise _mismatch(column, table, value, "Edm.Int32")
        if number not in options:
            raise errors.unknown_option(number, column.name, table.name, options)
        return number

    return convert


def _options(column: Column, table: Table) -> Convert:
    """Several options of a choice, as the text `1,2`."""
    one = _option(column, table)

    def convert(value: Any) -> Stored:
        if value is None or value == "":
            return None
        if type(value) is not str:
            raise _mismatch(column, table, value, "Edm.String")
        return ",".join(str(one(part.strip())) for part in dict.fromkeys(value.split(",")))

    return convert


def _boolean(column: Column, table: Table) -> Convert:
    def convert(value: Any) -> Stored:
        if value is None or type(value) is bool:
            return None if value is None else int(value)
        raise _mismatch(column, table, value, "Edm.Boolean")

    return convert


def _too_old(day: date) -> errors.WireError:
    return errors.bad_request(
        "DateTime is less than minimum value supported by CrmDateTime. Actual value: "
        f"{day:%m/%d}/{day.year:04} 00:00:00, Minimum value supported: 01/01/1753 00:00:00",
        "0x80040239",
    )


def _date(column: Column, table: Table) -> Convert:
    def convert(value: Any) -> Stored:
        if value is None:
            return None
        if type(value) is not str or len(value) != 10 or value[4] != "-":
            raise _mismatch(column, table, value, "Edm.Date")
        try:
            day = date.fromisoformat(value)
        except ValueError as error:
            raise _mismatch(column, table, value, "Edm.Date") from error
        if day < _OLDEST:
            raise _too_old(day)
        return value

    return convert


def _instant(column: Column, table: Table) -> Convert:
    """A day alone is taken where the column shows days only: that is how people send them."""
    days = column.format == "DateOnly"

    def convert(value: Any) -> Stored:
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise _mismatch(column, table, value, "Edm.DateTimeOffset") from error
        if days and len(value) == 10:
            moment = moment.replace(tzinfo=UTC)
        if moment.tzinfo is None:
            raise _mismatch(column, table, value, "Edm.DateTimeOffset")
        moment = moment.astimezone(UTC)
        if moment.date() < _OLDEST:
            raise _too_old(moment.date())
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    return convert


def _guid(column: Column, table: Table) -> Convert:
    def convert(value: Any) -> Stored:
        if value is None:
            return None
        if type(value) is not str or GUID.fullmatch(value) is None:
            raise _mismatch(column, table, value, "Edm.Guid")
        return value.lower()

    return convert


def _decimal(column: Column, table: Table) -> Convert:
    """A number as the whole number of its last place; money is rounded to its precision."""
    scale = Decimal(10) ** column.places
    unit = Decimal(1).scaleb(-column.precision)

    def convert(value: Any) -> Stored:
        if value is None:
            return None
        number = _number(column, table, value, "Edm.Decimal")
        stored = int((number.quantize(unit) * scale).to_integral_value())
        if not INT64[0] <= stored <= INT64[1]:
            # The real column is wider; nobody has such amounts with so many places.
            raise _beyond(column, table, value)
        return stored

    return convert


def _double(column: Column, table: Table) -> Convert:
    def convert(value: Any) -> Stored:
        return None if value is None else float(_number(column, table, value, "Edm.Double"))

    return convert


def _number(column: Column, table: Table, value: Any, edm: str) -> Decimal:
    try:
        if type(value) not in (int, float, str):
            raise InvalidOperation
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise _mismatch(column, table, value, edm) from error
    if not number.is_finite() or not column.minimum <= number <= column.maximum:
        raise _beyond(column, table, value)
    return number


def _beyond(column: Column, table: Table, value: Any) -> errors.WireError:
    return errors.out_of_range(value, column.name, table.name, column.minimum, column.maximum)


_BY_KIND: dict[Kind, Callable[[Column, Table], Convert]] = {
    Kind.STRING: _text,
    Kind.MEMO: _text,
    Kind.BOOLEAN: _boolean,
    Kind.GUID: _guid,
    Kind.FILE: _guid,
    Kind.DECIMAL: _decimal,
    Kind.MONEY: _decimal,
    Kind.DOUBLE: _double,
    Kind.MULTI_PICKLIST: _options,
    **dict.fromkeys(CHOICES, _option),
}
