"""One value of an Edm type as it travels in OData V2: JSON in, JSON out, and in a URL.

Owns: the exact translation between the wire and canonical values, type by type.
Never does: knowing a property or a table (`metadata.py`); HTTP.
Tested in: tests/unit/endpoints/odata_v2/test_edm.py.

Facts: "OData V2: JSON format" (decimals, doubles and 64-bit integers are strings, times are
ticks) and "OData V2: overview, 6. primitive data types" (literals). pyodata writes the literals
it writes exactly. It hands decimals through as they are, without the `M` of their literal, and
cuts doubles to seven digits in both directions; those are written here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from connector.endpoints.web.numbers import whole_number
from connector.mapping.values import Value, ValueType

Read: TypeAlias = Callable[[Any], Value]
Write: TypeAlias = Callable[[Any], Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EMPTY_DAY = date(1900, 1, 1)
"""How commerce systems spell "no date"."""
_MILLISECOND = timedelta(milliseconds=1)
_TICKS = re.compile(r"/Date\((-?\d{1,17})(?:([+-])(\d{1,4}))?\)/")
_TIME = re.compile(r"PT(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?")


@dataclass(frozen=True, slots=True)
class EdmType:
    """How one Edm type is read and written; neither is asked for null."""

    type: ValueType
    read: Read
    """JSON to a canonical value; raises `ValueError` or `TypeError` for what is none."""
    write: Write
    """A canonical value to JSON; raises likewise."""
    native: Write
    """A canonical value to what pyodata turns into the right literal."""
    minimum: int | None = None
    maximum: int | None = None


# ---------------------------------------------------------------------------- reading


def _text(value: Any) -> Value:
    """An empty text is null, as commerce systems have it."""
    if not isinstance(value, str):
        # Not shown: it may be the number of a card.
        raise TypeError(f"not a text but {type(value).__name__}")
    return value or None


def _boolean(value: Any) -> Value:
    if not isinstance(value, bool):
        raise TypeError(f"not a boolean: {value!r}")
    return value


def _integer(value: Any) -> Value:
    """A number, or its digits: 64 bits travel as text, and some services write an `L` behind."""
    return whole_number(value.rstrip("lL") if isinstance(value, str) else value)


def _decimal(value: Any) -> Value:
    """A text as it should be, or a number of a service that keeps to no type."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TypeError(f"not a decimal: {value!r}")
    try:
        number = Decimal(value.rstrip("mMdDfF") if isinstance(value, str) else value)
    except ArithmeticError as error:
        raise ValueError(f"not a decimal: {value!r}") from error
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    return number


def _moment(value: Any) -> datetime:
    """The instant of `/Date(ticks)/` or `/Date(ticks+minutes)/`; ticks count in that zone."""
    match = _TICKS.fullmatch(value)
    if match is None:
        # The literal form stands in JSON at some services; without a zone it is UTC.
        told = datetime.fromisoformat(value)
        return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    ticks, sign, minutes = match.groups()
    try:
        local = EPOCH + int(ticks) * _MILLISECOND
        if sign is None:
            return local
        return local - timedelta(minutes=int(sign + minutes))
    except OverflowError as error:
        raise ValueError(f"a time beyond the year 9999 or before the year 1: {value}") from error


def _instant(value: Any) -> Value:
    moment = _moment(value)
    return None if moment.date() == EMPTY_DAY else moment


def _day(value: Any) -> Value:
    day = _moment(value).date()
    return None if day == EMPTY_DAY else day


# ---------------------------------------------------------------------------- writing


def _write_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value


def _write_guid(value: Any) -> str:
    return str(UUID(value))


def _write_time(value: Any) -> str:
    if not _TIME.fullmatch(value):
        raise ValueError(f"not a time of day such as PT13H20M00S: {value!r}")
    return str(value)


def _write_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"not a boolean: {value!r}")
    return value


def _integers(bits: int, *, signed: bool = True) -> tuple[int, int]:
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def _write_integer(bits: int, *, signed: bool = True) -> Write:
    least, most = _integers(bits, signed=signed)

    def write(value: Any) -> int | str:
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"not an integer: {value!r}")
        if not least <= value <= most:
            raise ValueError(f"{value} is not from {least} to {most}")
        return str(value) if bits > 32 else value

    return write


def _write_decimal(value: Any) -> str:
    """All digits, and never an exponent, which is none of a decimal's."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise TypeError(f"not a decimal: {value!r}")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value}")
    return format(number, "f")


def ticks(moment: datetime) -> int:
    """Milliseconds since 1970; digits below are cut, the format has no place for them."""
    return (moment - EPOCH) // _MILLISECOND


def _aware(value: Any) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"an instant needs a time zone: {value}")
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise TypeError(f"not a date or time: {value!r}")


def _write_local(value: Any) -> str:
    return f"/Date({ticks(_aware(value))})/"


def _write_offset(value: Any) -> str:
    return f"/Date({ticks(_aware(value))}+0000)/"


def _same(value: Any) -> Any:
    return value


# ---------------------------------------------------------------------------- types


def _whole(bits: int, *, signed: bool = True, native: Write = _same) -> EdmType:
    least, most = _integers(bits, signed=signed)
    write = _write_integer(bits, signed=signed)
    return EdmType(ValueType.INTEGER, _integer, write, native, least, most)


def _broken(suffix: str) -> EdmType:
    """A number with a fraction; pyodata passes on the finished literal."""
    return EdmType(
        ValueType.DECIMAL, _decimal, _write_decimal, lambda one: _write_decimal(one) + suffix
    )


_DAY = EdmType(ValueType.DATE, _day, _write_local, _aware)

TYPES: Mapping[str, EdmType] = {
    "Edm.String": EdmType(ValueType.TEXT, _text, _write_text, _write_text),
    "Edm.Guid": EdmType(ValueType.TEXT, lambda one: str(UUID(one)), _write_guid, _write_guid),
    "Edm.Time": EdmType(
        ValueType.TEXT, _text, _write_time, lambda one: f"time'{_write_time(one)}'"
    ),
    "Edm.Boolean": EdmType(ValueType.BOOLEAN, _boolean, _write_boolean, _write_boolean),
    "Edm.Byte": _whole(8, signed=False, native=str),
    "Edm.SByte": _whole(8, native=str),
    "Edm.Int16": _whole(16),
    "Edm.Int32": _whole(32),
    "Edm.Int64": _whole(64),
    "Edm.Decimal": _broken("M"),
    "Edm.Double": _broken("d"),
    "Edm.Single": _broken("f"),
    "Edm.Float": _broken("d"),
    "Edm.DateTime": EdmType(ValueType.INSTANT, _instant, _write_local, _aware),
    "Edm.DateTimeOffset": EdmType(ValueType.INSTANT, _instant, _write_offset, _aware),
}
"""What can travel; every other type is a column that cannot be read."""

FINISHED = frozenset({"Edm.Double", "Edm.Single", "Edm.Float"})
"""Types whose literal pyodata would write wrong even so: `native` is the whole literal."""


def edm_type(name: str, *, only_day: bool) -> EdmType | None:
    """How a type travels, None for one that does not; a date and time may be a date only."""
    if only_day and name in ("Edm.DateTime", "Edm.DateTimeOffset"):
        return _DAY if name == "Edm.DateTime" else _OFFSET_DAY
    return TYPES.get(name)


_OFFSET_DAY = EdmType(ValueType.DATE, _day, _write_offset, _aware)
