"""A sale as it stands in the ledger: its lines, and what has come back of them.

Owns: finding it, what is left of it, the part that came back.
Never does: storing a return, or what moves for it (`returns.py`).
Tested in: tests/unit/ledger/sales/test_returns.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.fields import fold
from connector.ledger.journal.amounts import points
from connector.ledger.programs.occasion import Sale
from connector.ledger.sales.forms import rebuilt
from connector.ledger.sales.tables import sale_lines, sales
from connector.ledger.schema import CARDS

_L = sale_lines.c


@dataclass(slots=True)
class SoldLine:
    """A line of the sale; ten-thousandths, what came back with this return included."""

    line: int
    product: str
    categories: Sequence[str]
    offer: str | None
    details: dict[str, Any] | None
    quantity: int
    amount: int
    returned_quantity: int
    returned_amount: int

    def take(self, quantity: int, amount: int | None) -> tuple[int, int, int]:
        """So much of it comes back: line, quantity and amount; RecordError `return-exceeds`."""
        left, rest = self.quantity - self.returned_quantity, self.amount - self.returned_amount
        if amount is None:
            # The last piece takes what is left of the amount, so nothing is lost by rounding.
            amount = round(Fraction(rest * quantity, left)) if quantity <= left and left else 0
        if quantity > left or amount > rest:
            paid = f" for {points(amount)}" if amount else ""
            raise RecordError(
                "return-exceeds",
                f"line {self.line} has {points(left)} left, for {points(rest)}; "
                f"{points(quantity)} cannot come back" + paid,
                remedy=f"return {points(left)} for {points(rest)} at most",
                subject=Subject(field=f"line {self.line}"),
            )
        self.returned_quantity += quantity
        self.returned_amount += amount
        return self.line, quantity, amount


def sale_of(connection: sa.Connection, number: str) -> Any:
    """The row of a sale, with the number of its card; RecordError `sale-unknown`."""
    query = (
        sa.select(sales, CARDS.table.c.card_number)
        .join(CARDS.table, CARDS.table.c.id == sales.c.card)
        .where(sales.c.key == fold(number))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise RecordError(
            "sale-unknown",
            "the ledger has no sale with this number",
            remedy="check the number; `dualwrite ledger transactions CARD` names the sales of a "
            "card",
            subject=Subject(record=number),
        )
    return row


def lines_of(connection: sa.Connection, sale: int) -> dict[int, SoldLine]:
    """Its lines by their numbers, from 1."""
    columns = (_L.line, _L.product, _L.categories, _L.offer, _L.details)
    numbers = (_L.quantity, _L.amount, _L.returned_quantity, _L.returned_amount)
    query = sa.select(*columns, *numbers).where(_L.sale == sale).order_by(_L.line)
    return {row.line: SoldLine(*row) for row in connection.execute(query)}


def rest_of(sale: Any, lines: Mapping[int, SoldLine], zone: tzinfo) -> Sale | None:
    """What has not come back of a sale, as of the sale; None where all of it did."""
    if _all_back(lines):
        return None
    return rebuilt(sale, list(lines.values()), 1 - part_back(lines), zone)


def part_back(lines: Mapping[int, SoldLine]) -> Fraction:
    """The part of the sale that came back so far, by money."""
    if _all_back(lines):
        return Fraction(1)
    total = sum(one.amount for one in lines.values())
    return (
        Fraction(sum(one.returned_amount for one in lines.values()), total) if total else Fraction()
    )


def _all_back(lines: Mapping[int, SoldLine]) -> bool:
    return all(one.returned_quantity == one.quantity for one in lines.values())
