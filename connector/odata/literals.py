"""OData V4 literals as they stand in URLs: keys, filters, function arguments.

Owns: one scalar to text and back, before any percent-encoding.
Never does: percent-encoding (`paths`, `queries`), JSON bodies (each endpoint's own matter).
Tested in: tests/unit/odata/test_literals.py.

Facts: "Dataverse Web API: webapi/query/filter-rows" (quotes doubled; guids, numbers, dates
unquoted), OData V4 ABNF (primitiveLiteral).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Self, TypeAlias

from connector.odata.malformed import MalformedError


class Guid(str):
    """A GUID, always lower case and without braces; the one text that is not quoted."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raises `MalformedError` if `text` is not 8-4-4-4-12 hexadecimal digits."""
        if GUID.fullmatch(text) is None:
            raise MalformedError(f"not a GUID: {text[:60]!r}")
        return super().__new__(cls, text.lower())


Scalar: TypeAlias = str | int | bool | Decimal | date | datetime | None
"""What a literal can hold; a reference is a `Guid`, an instant an aware datetime."""

GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
QUOTED = r"'(?:[^']|'')*'"

_STRING = re.compile(QUOTED)
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:Z|[+-]\d\d:\d\d)")
_WORDS: dict[str, Scalar] = {"null": None, "true": True, "false": False}


def literal(value: Scalar) -> str:
    """The URL literal of `value`, not yet percent-encoded.

    Raises `MalformedError` for an instant without a time zone and for a decimal that is not
    finite.
    """
    if value is None:
        return "null"
    if isinstance(value, Guid):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise MalformedError(f"not a finite number: {value}")
        return format(value, "f")
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat()


def instant_text(value: datetime) -> str:
    """`2026-01-02T03:04:05Z`, with a fraction only where there is one."""
    if value.tzinfo is None:
        raise MalformedError(f"an instant needs a time zone: {value.isoformat()}")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_instant(text: str) -> datetime:
    """The aware UTC datetime of an Edm.DateTimeOffset; digits below 1 microsecond are cut."""
    if _INSTANT.fullmatch(text) is None:
        raise MalformedError(f"not an instant: {text[:60]!r}")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise MalformedError(f"not an instant: {text!r}: {error}") from error


def parse_literal(text: str) -> Scalar:
    """The value of one literal, already percent-decoded.

    A bare GUID comes back as `Guid`, a number with point or exponent as `Decimal`.
    Raises `MalformedError`.
    """
    if text[:1] == "'":
        if _STRING.fullmatch(text) is None:
            raise MalformedError(f"unbalanced quotes in {text[:60]!r}")
        return text[1:-1].replace("''", "'")
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if GUID.fullmatch(text):
        return Guid(text)
    if _DECIMAL.fullmatch(text):
        return Decimal(text)
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise MalformedError(f"not a date: {text!r}: {error}") from error
    if _INSTANT.fullmatch(text):
        return parse_instant(text)
    raise MalformedError(f"not a literal: {text[:60]!r}")
