"""Sales as rows: what is kept of them, and how they are rebuilt.

Owns: digests, rows of sales and their lines, the sale that is left of a sale.
Never does: running a statement.
Tested in: tests/unit/ledger/sales/test_till.py, test_returns.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from connector.ledger.column_types import utc
from connector.ledger.fields import fold
from connector.ledger.journal.amounts import points, units
from connector.ledger.programs.occasion import Activity, Item, Sale


def digest(*content: object) -> str:
    """The same for two that say the same: spelling of numbers and time zones does not count."""
    text = json.dumps(content, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def sale_digest(sale: Sale) -> str:
    """The digest of a sale; its number and card compare as people do."""
    head = (fold(sale.number), fold(sale.card), sale.at, sale.currency, sale.channel, sale.unit)
    return digest(head, sale.payments, sale.fields, [_content(line) for line in sale.lines])


def activity_digest(activity: Activity) -> str:
    """The digest of an activity; its number and card compare as people do."""
    head = (fold(activity.number), fold(activity.card), activity.at, activity.activity)
    rest = (activity.quantity, activity.channel, activity.unit)
    return digest(head, rest, activity.fields)


def sale_row(sale: Sale, of: str) -> dict[str, Any]:
    """What a row of `sales` says of the sale itself; `of` is its digest."""
    return {
        "number": sale.number,
        "key": fold(sale.number),
        "digest": of,
        "at": utc(sale.at),
        "utc_offset": _offset(sale.at),
        "currency": sale.currency,
        "channel": sale.channel,
        "unit": sale.unit,
        "payments": {means: str(amount) for means, amount in sale.payments.items()},
        "fields": dict(sale.fields),
    }


def activity_row(activity: Activity, of: str) -> dict[str, Any]:
    """What a row of `activities` says of the activity itself."""
    return {
        "number": activity.number,
        "key": fold(activity.number),
        "digest": of,
        "at": utc(activity.at),
        "activity": activity.activity,
        "quantity": units(activity.quantity),
        "channel": activity.channel,
        "unit": activity.unit,
        "fields": dict(activity.fields),
    }


def line_row(sale: int, number: int, line: Item) -> dict[str, Any]:
    """The row of a line of the sale with this id."""
    return {
        "sale": sale,
        "line": number,
        "product": line.product,
        "product_key": fold(line.product),
        "categories": list(line.categories),
        "category_keys": _searchable(line.categories),
        "offer": line.offer,
        "details": _details(line),
        "quantity": units(line.quantity),
        "amount": units(line.amount),
        "returned_quantity": 0,
        "returned_amount": 0,
    }


def rebuilt(row: Any, lines: Sequence[Any], left: Fraction, zone: tzinfo) -> Sale:
    """What is left of a sale, from its row and those of its lines; at least one line is.

    `left` is the part of the money that stays: so much of each payment does. Its day is the one it
    was judged on; `zone` says which where that was not kept.
    """
    judged = zone if row.utc_offset is None else timezone(timedelta(seconds=row.utc_offset))
    return Sale(
        row.number,
        row.card_number,
        row.at.replace(tzinfo=UTC).astimezone(judged),
        row.currency,
        tuple(_left(line) for line in lines if line.quantity > line.returned_quantity),
        row.channel,
        row.unit,
        {means: _part(Decimal(amount), left) for means, amount in row.payments.items()},
        row.fields,
    )


def _offset(at: datetime) -> int:
    """Seconds ahead of UTC, in the zone it is told in."""
    ahead = at.utcoffset()
    assert ahead is not None, "checked before"
    return int(ahead.total_seconds())


def _content(line: Item) -> tuple[object, ...]:
    head = (line.product, line.quantity, line.amount, line.categories, line.offer)
    return (*head, line.variant, line.language, line.points, line.fields)


def _left(line: Any) -> Item:
    details = dict(line.details or {})
    quantity = line.quantity - line.returned_quantity
    paid = Decimal(details.pop("points", 0))
    share = Fraction(quantity, line.quantity)
    return Item(
        line.product,
        points(quantity),
        points(line.amount - line.returned_amount),
        tuple(line.categories),
        line.offer,
        points=_part(paid, share),
        **details,
    )


def _part(amount: Decimal, share: Fraction) -> Decimal:
    """What was paid for the whole goes back with a part of it."""
    return points(round(units(amount) * share))


def _details(line: Item) -> dict[str, Any] | None:
    held: dict[str, Any] = {
        "variant": line.variant,
        "language": line.language,
        "points": str(line.points) if line.points else None,
        "fields": dict(line.fields),
    }
    return {name: value for name, value in held.items() if value} or None


def _searchable(categories: Sequence[str]) -> str:
    return "\n".join(["", *map(fold, categories), ""]) if categories else ""


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return dict(value) if isinstance(value, Mapping) else str(value)
