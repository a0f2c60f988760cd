"""A sale as a JSON file, for tills that hand in more than fits a command line.

Owns: the form, and what is wrong with a file that does not have it.
Never does: judging quantities and amounts (`checks.py`).
Tested in: tests/unit/ledger/sales/test_document.py.

Numbers may be written as numbers or as texts; either way they are exact.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from connector.errors import Subject, UsageError
from connector.ledger.programs.occasion import Item, Sale

_SALE = ("number", "card", "at", "currency", "lines", "channel", "unit", "payments", "fields")
_LINE = (
    *("product", "quantity", "amount", "categories", "offer"),
    *("variant", "language", "points", "fields"),
)


def parse_sale(
    text: str, zone: tzinfo, made: Callable[[str], datetime], file: str | None = None
) -> Sale:
    """The sale of a JSON text.

    A time without offset is in `zone`; where there is none, `made` tells it by the sale's number.
    Raises UsageError `sale-file`, which names the place in the file.
    """
    reader = _Reader(file)
    try:
        data = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except ValueError as error:
        raise reader.wrong("", f"this is no JSON: {error}") from None
    held = reader.table(data, "", _SALE)
    number = reader.text(held, "number", "")
    lines = reader.listed(held.get("lines"), "lines")
    at = reader.moment(held.get("at"))
    if at is None:
        at = made(number)
    return Sale(
        number,
        reader.text(held, "card", ""),
        at if at.tzinfo is not None else at.replace(tzinfo=zone),
        reader.text(held, "currency", ""),
        tuple(_line(reader, one, f"lines[{place}]") for place, one in enumerate(lines)),
        reader.text_or_none(held, "channel", ""),
        reader.text_or_none(held, "unit", ""),
        {
            means: reader.number(some, f"payments.{means}")
            for means, some in reader.pairs(held, "payments", "").items()
        },
        _texts(reader, held, ""),
    )


def _line(reader: _Reader, data: object, place: str) -> Item:
    held = reader.table(data, place, _LINE)
    categories = reader.listed(held.get("categories") or [], f"{place}.categories")
    return Item(
        reader.text(held, "product", place),
        reader.number(held.get("quantity", 1), f"{place}.quantity"),
        reader.number(held.get("amount"), f"{place}.amount"),
        tuple(reader.plain(one, f"{place}.categories") for one in categories),
        reader.text_or_none(held, "offer", place),
        reader.text_or_none(held, "variant", place),
        reader.text_or_none(held, "language", place),
        reader.number(held.get("points", 0), f"{place}.points"),
        _texts(reader, held, place),
    )


def _texts(reader: _Reader, held: Mapping[str, Any], place: str) -> Mapping[str, str]:
    given = reader.pairs(held, "fields", place)
    return {name: reader.plain(text, f"fields.{name}") for name, text in given.items()}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes values out of parsed JSON, and tells where one is not as it must be."""

    file: str | None

    def wrong(self, place: str, message: str) -> UsageError:
        return UsageError(
            "sale-file",
            message,
            remedy="docs/ledger.md, Sales and returns, shows the form of a sale as JSON",
            subject=Subject(file=self.file, field=place or None),
        )

    def table(self, data: object, place: str, known: tuple[str, ...]) -> Mapping[str, Any]:
        if not isinstance(data, dict):
            raise self.wrong(place, "this must be an object, in braces")
        for name in data:
            if name not in known:
                raise self.wrong(_under(place, name), f"there is no such key; {_listed(known)}")
        return data

    def listed(self, data: object, place: str) -> list[object]:
        if not isinstance(data, list):
            raise self.wrong(place, "this must be a list, in brackets")
        return data

    def pairs(self, held: Mapping[str, Any], name: str, place: str) -> Mapping[str, object]:
        data = held.get(name) or {}
        if not isinstance(data, dict):
            raise self.wrong(_under(place, name), "this must be an object, in braces")
        return data

    def plain(self, value: object, place: str) -> str:
        if isinstance(value, Decimal):
            return str(value)
        if not isinstance(value, str):
            raise self.wrong(place, "this must be a text")
        return value

    def text(self, held: Mapping[str, Any], name: str, place: str) -> str:
        if held.get(name) is None:
            raise self.wrong(_under(place, name), f"'{name}' is missing")
        return self.plain(held[name], _under(place, name))

    def text_or_none(self, held: Mapping[str, Any], name: str, place: str) -> str | None:
        return None if held.get(name) is None else self.text(held, name, place)

    def number(self, value: object, place: str) -> Decimal:
        try:
            if isinstance(value, str | Decimal | int) and not isinstance(value, bool):
                return Decimal(value)
        except InvalidOperation:
            pass
        raise self.wrong(place, "this must be a number, such as 9.99")

    def moment(self, value: object) -> datetime | None:
        if value is None:
            return None
        try:
            return datetime.fromisoformat(self.plain(value, "at"))
        except ValueError:
            raise self.wrong("at", "this must be a time, such as 2026-01-31T18:30+01:00") from None


def _under(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _listed(names: tuple[str, ...]) -> str:
    return f"there are {', '.join(names)}"
