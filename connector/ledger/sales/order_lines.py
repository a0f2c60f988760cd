"""From the lines of an order file to lines of sales.

Owns: the columns an order line has, and how numbers, times and lists are read.
Never does: reading the file (`csv_source.py`), judging what was sold (`checks.py`).
Tested in: tests/unit/ledger/sales/test_order_import.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from connector.errors import MapError, RecordError, Subject, UsageError
from connector.ledger.csv_source import Line
from connector.ledger.fields import Field, Kind, fold
from connector.ledger.import_mapping import ImportMapping, RecordReader
from connector.ledger.programs.occasion import Item, Sale

SEPARATOR = "|"
"""Between the categories of a product."""
ANY_PRODUCT = "goods"
"""What is sold where the file names no product."""

_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?")
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}([. ’'\u00a0\u202f]\d{3})+)(,\d+)?")
_GROUPS = re.compile(r"[. ’'\u00a0\u202f]")


def _field(name: str) -> Field:
    return Field(name, name.lower(), Kind.TEXT, max_length=4_000)


@dataclass(frozen=True, slots=True)
class _OrderForm:
    """The columns of an order file; `import_mapping.Form`."""

    name: str
    fields: tuple[Field, ...]
    key: Field

    def field(self, name: str) -> Field:
        for one in self.fields:
            if fold(one.name) == fold(name):
                return one
        raise MapError(
            "column-unknown",
            f"an order line has no field '{name}'",
            remedy=f"use one of: {', '.join(one.name for one in self.fields)}",
            subject=Subject(entity=self.name, field=name),
        )


_CARD = _field("Card")
_NAMES = ("Number", "At", "Currency", "Product", "Quantity", "Amount")
_NEEDED = ("At", "Currency", "Amount")
_MORE = ("Categories", "Offer", "Channel", "Unit", "Payment")
ORDER_LINES = _OrderForm("orders", (_CARD, *map(_field, (*_NAMES, *_MORE))), _CARD)
"""What `--set` may name; `Payment` is the means by which the whole order was paid."""


class Head(NamedTuple):
    """What all lines of an order say alike."""

    number: str
    card: str
    at: datetime
    currency: str
    channel: str | None
    unit: str | None
    payment: str | None


class OrderLine(NamedTuple):
    """One line of the file that could be read."""

    head: Head
    item: Item


class OrderLines:
    """Reads lines of one file. `decimal_comma` takes 1.234,50 for a number.

    `stem` makes numbers of orders where no column gives them: the file's name and the line. Raises
    UsageError and MapError where the mapping does not fit the header.
    """

    def __init__(
        self,
        header: Sequence[str],
        mapping: ImportMapping,
        stem: str,
        zone: tzinfo,
        *,
        decimal_comma: bool = False,
    ) -> None:
        self._reader = RecordReader(ORDER_LINES, header, mapping)
        if missing := [name for name in _NEEDED if name not in self._reader.fields]:
            columns = ", ".join(name for name in header if name)
            raise UsageError(
                "fields-unmapped",
                f"no column gives {', '.join(missing)}",
                remedy=f"add --set {missing[0]}=COLUMN for each, with one of: {columns}; or "
                "--constant FIELD=TEXT where all lines have the same",
                subject=Subject(entity=ORDER_LINES.name, field=missing[0]),
            )
        self._date_format = mapping.date_format
        self._stem = stem
        self._zone = zone
        self._comma = decimal_comma

    def number(self, line: Line) -> str | None:
        """The order a line belongs to, as its column says; None where that cannot be told."""
        try:
            held = self._reader.read(line.cells).get("Number")
        except RecordError:
            return None
        return str(held) if held else None

    def read(self, line: Line) -> OrderLine:
        """One line; RecordError says which field cannot be read."""
        held = {name: str(value) for name, value in self._reader.read(line.cells).items() if value}
        head = Head(
            held.get("Number") or f"{self._stem}:{line.number}",
            held.get("Card", ""),
            self._moment(held.get("At")),
            held.get("Currency", ""),
            held.get("Channel"),
            held.get("Unit"),
            held.get("Payment"),
        )
        item = Item(
            held.get("Product", ANY_PRODUCT),
            self._decimal("Quantity", held.get("Quantity", "1")),
            self._decimal("Amount", held.get("Amount")),
            tuple(filter(None, map(str.strip, held.get("Categories", "").split(SEPARATOR)))),
            held.get("Offer"),
        )
        return OrderLine(head, item)

    def _decimal(self, name: str, text: str | None) -> Decimal:
        if text is None:
            raise _missing(name)
        if self._comma and _COMMA.fullmatch(text):
            return Decimal(_GROUPS.sub("", text).replace(",", "."))
        if not self._comma and _PLAIN.fullmatch(text):
            return Decimal(text)
        raise RecordError(
            "number-invalid",
            f"field '{name}' cannot read '{text[:64]}' as a number",
            remedy="write it like 1234,50"
            if self._comma
            else "write it like 1234.50; --decimal-comma reads 1.234,50",
            subject=Subject(field=name),
        )

    def _moment(self, text: str | None) -> datetime:
        if text is None:
            raise _missing("At")
        try:
            at = _parsed(text, self._date_format)
        except ValueError:
            raise RecordError(
                "date-invalid",
                f"field 'At' cannot read '{text[:64]}' as a time",
                remedy=f"the form asked for is {self._date_format}"
                if self._date_format
                else "write 2026-01-31 or 2026-01-31T18:30, or name the form with --date-format",
                subject=Subject(field="At"),
            ) from None
        return at if at.tzinfo is not None else at.replace(tzinfo=self._zone)


def order(lines: Sequence[OrderLine]) -> Sale:
    """The sale of the lines of one order; RecordError `order-contradicts`."""
    head = lines[0].head
    for place, name in enumerate(Head._fields):
        if any(one.head[place] != head[place] for one in lines):
            raise RecordError(
                "order-contradicts",
                f"the lines of order {head.number} differ in {name}",
                remedy="give all lines of an order the same, or different order numbers",
                subject=Subject(record=head.number, field=name),
            )
    items = tuple(one.item for one in lines)
    payments = {}
    if head.payment is not None:
        payments = {head.payment: sum((one.amount for one in items), Decimal(0))}
    return Sale(
        *(head.number, head.card, head.at, head.currency, items),
        *(head.channel, head.unit, payments),
    )


@lru_cache(maxsize=4096)
def _parsed(text: str, date_format: str | None) -> datetime:
    """Cached because a file names the same few thousand days again and again."""
    if date_format:
        return datetime.strptime(text, date_format)  # noqa: DTZ007  the caller adds the zone
    return datetime.fromisoformat(text)


def _missing(name: str) -> RecordError:
    return RecordError(
        "value-missing",
        f"field '{name}' must have a value",
        remedy=f"give it one, or name its column with --set {name}=COLUMN",
        subject=Subject(field=name),
    )
