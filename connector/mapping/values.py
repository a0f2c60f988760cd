"""Canonical values: the one form in which a value is compared, stored and shown.

Owns: the value types, sides, images, and how a key is brought into normal form.
Never does: knowing an endpoint's spelling of a value; each endpoint translates its own wire
form into these types (empty string and 1900-01-01 of commerce become None there).
Tested in: tests/unit/mapping/test_values.py.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = str | int | bool | Decimal | date | datetime | None
"""One canonical value. An instant is an aware datetime in UTC, a reference is the target's id."""

Image: TypeAlias = tuple[Value, ...]
"""The values of one record on one side, in the order of a column list."""


class ValueType(StrEnum):
    """The canonical types; a column has exactly one."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    CHOICE = "choice"
    """Commerce holds the symbol (`AsCardTender`), Dataverse the number (806380000)."""
    REFERENCE = "reference"
    """The id of a row of another table; a lookup translates it to a column of that row."""


class Side(StrEnum):
    """The two ends of every map."""

    COMMERCE = "commerce"
    DATAVERSE = "dataverse"

    @property
    def other(self) -> Side:
        """The opposite end."""
        return Side.DATAVERSE if self is Side.COMMERCE else Side.COMMERCE


REPLACED = "\ufffd"
"""Stands for a control character where a text is shown."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def has_control(value: Value) -> bool:
    """Whether a text holds a control character, which no key may."""
    # Printable text, which is nearly all of it, needs no search.
    return isinstance(value, str) and not value.isprintable() and bool(_CONTROL.search(value))


def visible(text: str) -> str:
    """The text with each control character shown as `REPLACED`: no database refuses that."""
    return text if text.isprintable() else _CONTROL.sub(REPLACED, text)


def normal_key(*parts: Value) -> str | None:
    """One key in normal form: case folded, trailing blanks stripped.

    None if a part is null or holds a control character: parts are joined with one, the unit
    separator, and the engine begins keys of its own with another.
    """
    if len(parts) == 1 and isinstance(parts[0], str):
        return None if has_control(parts[0]) else parts[0].rstrip(" ").casefold() or None
    texts: list[str] = []
    for part in parts:
        if part is None or has_control(part):
            return None
        text = part if isinstance(part, str) else str(part)
        text = text.rstrip(" ")
        if not text:
            return None
        texts.append(text.casefold())
    return "\x1f".join(texts)
