"""Single columns: what they hold in the database, and what of it is a canonical value.

Owns: facets of a column, and both ways of a value; what does not fit is refused, nothing is cut.
Never does: running a statement.
Tested in: tests/unit/endpoints/dynamicweb/test_fields.py.

A `float` of the shop is a decimal of `SCALE` places here: what sums of floats add behind them is
rounded off (half to even) when it is read. A decimal is written only if it is read back as the same
one; that is so for up to 15 digits. A float that is no number reads as empty. A `decimal`,
`numeric` or `money`, as the table of users may have, keeps every digit. Empty text is null, and
`1900-01-01` is no date. A time without a zone is taken as UTC. Lengths of text are counted as
`nvarchar` counts them: a character beyond the Basic Multilingual Plane, such as an emoji, is two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.mssql import MONEY, SMALLMONEY
from sqlalchemy.types import TypeEngine

from connector.errors import RecordError, Subject
from connector.mapping.columns import Column
from connector.mapping.values import Value, ValueType, has_control

SCALE = 6
_STEP = Decimal(1).scaleb(-SCALE)
_MONEY_PLACES = 4
_INT32 = 2**31 - 1
_UNSET = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Field:
    """One column an entity offers."""

    name: str
    type: ValueType
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    writable: bool = True
    scale: int | None = SCALE
    """Places of a decimal; None where its column has no bound."""

    @property
    def column(self) -> Column:
        """The column as the protocol describes it."""
        return Column(
            self.name,
            self.type,
            creatable=self.writable,
            updatable=self.writable,
            max_length=self.max_length,
            scale=self.scale if self.type is ValueType.DECIMAL else None,
            minimum=self.minimum,
            maximum=self.maximum,
        )

    def read(self, raw: Any) -> Value:
        """The canonical value of what the database holds."""
        if raw is None:
            return None
        match self.type:
            case ValueType.TEXT:
                return str(raw) or None
            case ValueType.INTEGER:
                return int(raw)
            case ValueType.BOOLEAN:
                return bool(raw)
            case ValueType.DECIMAL:
                return exact(raw) if isinstance(raw, Decimal) else decimal_of(float(raw))
            case ValueType.INSTANT:
                moment = raw.replace(tzinfo=UTC) if raw.tzinfo is None else raw.astimezone(UTC)
                return None if moment <= _UNSET else moment
            case ValueType.DATE:
                return None if raw <= _UNSET.date() else raw
        raise AssertionError(f"{self.name} is of a type no table here has")

    def accept(self, value: Value) -> Any:
        """What the database is given.

        Raises `RecordError`: `type-mismatch`, `text-invalid`, `text-too-long`,
        `number-out-of-range`, `number-inexact`.
        """
        if value is None:
            return None
        match self.type, value:
            case ValueType.TEXT, str():
                return self._text(value)
            case ValueType.BOOLEAN, bool():
                return value
            case ValueType.INTEGER, int() if not isinstance(value, bool):
                return self._integer(value)
            case ValueType.DECIMAL, Decimal():
                return self._float(value)
        raise self._error(
            "type-mismatch",
            f"field '{self.name}' takes {self.type.value}, not {type(value).__name__}",
            "map it to a column of its type",
        )

    def _text(self, text: str) -> str:
        if has_control(text):
            raise self._error(
                "text-invalid", f"field '{self.name}' holds a control character", "remove it"
            )
        try:
            length = len(text.encode("utf-16-le")) // 2
        except UnicodeEncodeError as error:
            raise self._error(
                "text-invalid", f"field '{self.name}' holds half a character", "remove it"
            ) from error
        if self.max_length is not None and length > self.max_length:
            raise self._error(
                "text-too-long",
                f"field '{self.name}' holds {length} characters, {self.max_length} fit",
                "shorten the value; nothing is cut off",
            )
        return text

    def _integer(self, number: int) -> int:
        low, high = self.minimum, self.maximum
        if (low is not None and number < low) or (high is not None and number > high):
            raise self._error(
                "number-out-of-range",
                f"field '{self.name}' takes {low} to {high}",
                "correct the value",
            )
        return number

    def _float(self, number: Decimal) -> float:
        held = float(number)
        if decimal_of(held) != number:
            raise self._error(
                "number-inexact",
                f"field '{self.name}' is a float and cannot hold this number exactly",
                f"give it at most {SCALE} places and 15 digits in all",
            )
        return held

    def _error(self, code: str, message: str, remedy: str) -> RecordError:
        return RecordError(code, message, remedy=remedy, subject=Subject(field=self.name))


def text(name: str, length: int | None, *, writable: bool = True) -> Field:
    """A column of text."""
    return Field(name, ValueType.TEXT, max_length=length, writable=writable)


def integer(name: str, *, writable: bool = True) -> Field:
    """A column of whole numbers of 32 bits."""
    return Field(name, ValueType.INTEGER, None, -_INT32 - 1, _INT32, writable=writable)


def boolean(name: str, *, writable: bool = True) -> Field:
    """A column of yes and no."""
    return Field(name, ValueType.BOOLEAN, writable=writable)


def decimal(name: str, *, writable: bool = True) -> Field:
    """A column of floats."""
    return Field(name, ValueType.DECIMAL, writable=writable)


def instant(name: str) -> Field:
    """A column of times; nothing here writes one."""
    return Field(name, ValueType.INSTANT, writable=False)


def field_of(column: sa.Column[Any]) -> Field | None:
    """A column of a table we only read, as its database describes it; None for another type."""
    kind, name = column.type, str(column.name)
    if isinstance(kind, sa.String):
        return text(name, kind.length, writable=False)
    if isinstance(kind, sa.Boolean):
        return boolean(name, writable=False)
    if isinstance(kind, sa.Integer):
        return Field(name, ValueType.INTEGER, writable=False)
    if isinstance(kind, sa.Numeric | sa.Float | MONEY | SMALLMONEY):
        return Field(name, ValueType.DECIMAL, writable=False, scale=_places(kind))
    if isinstance(kind, sa.DateTime):
        return instant(name)
    if isinstance(kind, sa.Date):
        return Field(name, ValueType.DATE, writable=False)
    return None


def _places(kind: TypeEngine[Any]) -> int | None:
    if isinstance(kind, sa.Float):
        return SCALE
    return kind.scale if isinstance(kind, sa.Numeric) else _MONEY_PLACES


def decimal_of(number: float) -> Decimal | None:
    """A float as a decimal of `SCALE` places; None if it is no number."""
    if not math.isfinite(number):
        return None
    exact = Decimal(repr(number))
    exponent = exact.as_tuple().exponent
    assert isinstance(exponent, int)
    rounded = exact.quantize(_STEP) if exponent < -SCALE else exact
    return rounded.normalize() if rounded else Decimal(0)


def exact(number: Decimal) -> Decimal | None:
    """A number of a column that keeps every digit; None if it is no number."""
    return (number or Decimal(0)) if number.is_finite() else None


def day_of(moment: Value) -> date | None:
    """The day of an instant."""
    return moment.date() if isinstance(moment, datetime) else None
