"""One field of a ledger entity: what it accepts, and how text becomes its value.

Owns: the kinds of field, their limits, the errors for a value that does not fit.
Never does: SQL; rules between two fields (`schema.py`).
Tested in: tests/unit/ledger/test_fields.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

from connector.errors import RecordError, Subject
from connector.ledger.journal.amounts import LARGEST, SCALE, UNIT, scaled

Value: TypeAlias = str | int | Decimal | date | datetime | None
"""One stored value; empty is None, never an empty text and never 1900-01-01. An instant is an
aware datetime in UTC, a decimal has up to four decimals."""

EMPTY_DATE = date(1900, 1, 1)
"""How Finance and Operations spells "no date" (mapping-tables, section 10)."""

LAST_DATE = date(2154, 12, 31)
"""The last date Finance and Operations can hold."""

UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters, and halves of characters left over from a wrong encoding."""
UNSTORABLE_IN_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""The same where a text may have several lines."""

_ISO_DATE = re.compile(
    r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[T ][0-9:.]+(?:Z|[+-]\d\d:?\d\d)?)?"
)
_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,19}")


class Kind(StrEnum):
    """The kinds of field the loyalty entities have."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    INSTANT = "instant"
    CHOICE = "choice"


def fold(text: str) -> str:
    """The form in which keys and references compare: no case, no trailing blanks."""
    return text.rstrip(" ").casefold()


@dataclass(frozen=True, slots=True)
class Field:
    """One field, named as in the Finance and Operations entity.

    `column` is the physical column. `reference` names the reference table that must hold the
    value. A field that is not nullable and has a `default` takes it when a new record lacks
    the value; without a default the value must be given.
    """

    name: str
    column: str
    kind: Kind
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    choices: Mapping[str, str] = dataclass_field(default_factory=dict)
    """Symbol to label, in the order of the enum."""
    nullable: bool = True
    default: str | None = None
    reference: str | None = None
    lines: bool = False
    """Whether a text may have several lines."""
    read_only: bool = False
    """Whether the ledger alone gives it a value."""
    symbols: Mapping[str, str] = dataclass_field(init=False)
    """Folded symbol to symbol: maps, files and OData differ in the case of enum members."""
    _holds: type = dataclass_field(init=False, repr=False)
    _fit: Callable[[Any], Value] = dataclass_field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Chosen once per field: this runs for every value of every record.
        holds, fit = {
            Kind.TEXT: (str, self._text),
            Kind.CHOICE: (str, self._choice),
            Kind.DATE: (date, self._date),
            Kind.INSTANT: (datetime, self._instant),
            Kind.INTEGER: (int, self._integer),
            Kind.DECIMAL: (Decimal, self._decimal),
        }[self.kind]
        object.__setattr__(self, "symbols", {fold(symbol): symbol for symbol in self.choices})
        object.__setattr__(self, "_holds", holds)
        object.__setattr__(self, "_fit", fit)

    @property
    def required(self) -> bool:
        """Whether a new record must bring a value."""
        return not self.nullable and self.default is None

    def accept(self, value: object) -> Value:
        """The value as it will be stored.

        Raises RecordError: `type-mismatch`, `text-invalid`, `text-too-long`,
        `number-out-of-range`, `date-out-of-range`, `choice-unknown`.
        """
        if value is None:
            return None
        holds = self._holds
        # A bool is an int and a datetime is a date to Python, but not here.
        if type(value) is holds or (
            isinstance(value, holds) and not isinstance(value, (bool, datetime))
        ):
            return self._fit(value)
        if self.kind is Kind.DECIMAL and type(value) is int:
            return self._fit(Decimal(value))
        raise self.error(
            "type-mismatch",
            f"field '{self.name}' takes a {self.kind.value}, not a {type(value).__name__}",
            f"give a {self.kind.value}",
        )

    def parse(self, text: str, date_format: str | None = None) -> Value:
        """The value a person or a file wrote as text, without blanks around it; none is None.

        Dates are `YYYY-MM-DD` or `YYYY-MM` (the first of that month), with `-`, `/` or `.`
        between the parts and a time of day that is dropped; any other form needs
        `date_format` (as of `datetime.strptime`). Instants are ISO 8601 with their offset.
        Raises RecordError as `accept` does, and `number-invalid` and `date-invalid`.
        """
        text = text.strip()
        if not text:
            return None
        if self.kind is Kind.INTEGER:
            return self.accept(self._parse_integer(text))
        if self.kind is Kind.DECIMAL:
            return self.accept(self._parse_decimal(text))
        if self.kind is Kind.DATE:
            try:
                return self.accept(parse_date(text, date_format))
            except ValueError:
                raise self._date_invalid(text, date_format) from None
        if self.kind is Kind.INSTANT:
            return self.accept(self._parse_instant(text))
        return self.accept(text)

    def error(self, code: str, message: str, remedy: str) -> RecordError:
        """A refusal of this field's value."""
        return RecordError(code, message, remedy=remedy, subject=Subject(field=self.name))

    def _text(self, value: str) -> str | None:
        text = value.rstrip(" ")
        # Printable text, which is nearly all of it, needs no search.
        unstorable = UNSTORABLE_IN_LINES if self.lines else UNSTORABLE
        if not text.isprintable() and unstorable.search(text):
            raise self.error(
                "text-invalid",
                f"field '{self.name}' holds a control character or a broken character",
                "remove it, or name the encoding the value was written in",
            )
        if self.max_length is not None and len(text) > self.max_length:
            # The length is named, not the value: it may be a card number.
            raise self.error(
                "text-too-long",
                f"field '{self.name}' holds {len(text)} characters, {self.max_length} fit",
                "shorten the value; nothing is cut off silently",
            )
        return text or None

    def _choice(self, value: str) -> str | None:
        folded = fold(value)
        if not folded:
            return None
        symbol = self.symbols.get(folded)
        if symbol is None:
            raise self.error(
                "choice-unknown",
                f"field '{self.name}' has no choice '{value[:64]}'",
                f"use one of: {', '.join(self.choices)}",
            )
        return symbol

    def _date(self, value: date) -> date | None:
        if value == EMPTY_DATE:
            return None
        if not EMPTY_DATE < value <= LAST_DATE:
            raise self.error(
                "date-out-of-range",
                f"field '{self.name}' cannot hold {value.isoformat()}",
                f"give a date after {EMPTY_DATE} and up to {LAST_DATE}, or leave it empty",
            )
        return value

    def _instant(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise self.error(
                "type-mismatch",
                f"field '{self.name}' takes an instant, not a time of no time zone",
                "give it with its offset from UTC",
            )
        return value.astimezone(UTC)

    def _decimal(self, value: Decimal) -> Decimal:
        low = -LARGEST // UNIT if self.minimum is None else self.minimum
        high = LARGEST // UNIT if self.maximum is None else self.maximum
        if not value.is_finite() or not low <= value <= high:
            raise self.error(
                "number-out-of-range",
                f"field '{self.name}' cannot hold {value}",
                f"give a number from {low} to {high}",
            )
        if scaled(value) is None:
            raise self.error(
                "number-invalid",
                f"field '{self.name}' keeps {SCALE} decimals, {value} has more",
                f"round it to {SCALE} decimals; nothing is cut off silently",
            )
        return value

    def _integer(self, value: int) -> int:
        low, high = self.minimum, self.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            raise self.error(
                "number-out-of-range",
                f"field '{self.name}' cannot hold {value}",
                f"give a whole number from {low} to {high}",
            )
        return value

    def _parse_integer(self, text: str) -> int:
        if not _WHOLE_NUMBER.fullmatch(text):
            raise self.error(
                "number-invalid",
                f"field '{self.name}' cannot read '{text[:64]}' as a whole number",
                "write digits only, without separators or decimals",
            )
        return int(text)

    def _parse_decimal(self, text: str) -> Decimal:
        try:
            return Decimal(text)
        except InvalidOperation:
            raise self.error(
                "number-invalid",
                f"field '{self.name}' cannot read '{text[:64]}' as a number",
                "write it as 120 or 2.5, with a point and without separators",
            ) from None

    def _parse_instant(self, text: str) -> datetime:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise self.error(
                "date-invalid",
                f"field '{self.name}' cannot read '{text[:64]}' as an instant",
                "write it as 2026-01-31T14:05:00Z",
            ) from None

    def _date_invalid(self, text: str, date_format: str | None) -> RecordError:
        return self.error(
            "date-invalid",
            f"field '{self.name}' cannot read '{text[:64]}' as a date",
            f"the form asked for is {date_format}"
            if date_format
            else "write YYYY-MM-DD or YYYY-MM, or name the form (import: --date-format)",
        )


@lru_cache(maxsize=4096)
def parse_date(text: str, date_format: str | None) -> date:
    """A date from text in the forms of `Field.parse`; ValueError when it is none.

    Cached because a file names the same few thousand days again and again.
    """
    if date_format is not None:
        moment = datetime.strptime(text, date_format).replace(tzinfo=UTC)
        return moment.date()
    match = _ISO_DATE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day = match.groups()
    return date(int(year), int(month), int(day or 1))
