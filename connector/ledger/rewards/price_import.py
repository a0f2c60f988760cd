"""Prices in points from a CSV file.

Owns: the columns, the count of what happened.
Never does: reading CSV (`line_import.py`), judging a price (`prices.py`), taking one away.
Tested in: tests/unit/ledger/rewards/test_price_import.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from connector.errors import RecordError, Subject
from connector.ledger.line_import import Cells, Columns, LineReport, import_lines
from connector.ledger.rewards.prices import Price, put

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger, WriteTransaction

_NEEDED = ("Product", "Kind", "Points")
_DAYS = ("From", "Until")
COLUMNS = Columns(
    _NEEDED,
    f"give it the columns {', '.join(_NEEDED)}, and perhaps {' and '.join(_DAYS)}",
    optional=_DAYS,
)


@dataclass(slots=True)
class PriceReport(LineReport):
    """What an import did."""

    kept: int = 0

    def as_dict(self) -> dict[str, object]:
        """The documented JSON form (docs/json.md)."""
        return {**LineReport.as_dict(self), "kept": self.kept}


def import_prices(ledger: Ledger, path: Path, *, by: str) -> PriceReport:
    """Give each line's product its price.

    A bad line is reported and the others go in. Raises UsageError where the file or its columns
    do not fit.
    """
    report = PriceReport(str(path))

    def enter(transaction: WriteTransaction, cells: Cells) -> None:
        put(transaction, _price(cells))
        report.kept += 1

    import_lines(ledger, path, COLUMNS, enter, report, by=by)
    return report


def _price(cells: Cells) -> Price:
    try:
        cost = Decimal(cells["Points"])
        first, last = (date.fromisoformat(day) if day else None for day in _days(cells))
    except (InvalidOperation, ValueError):
        told = ", ".join(f"{name} '{text}'" for name, text in cells.items())
        raise RecordError(
            "price-invalid",
            f"this is no price in points: {told}",
            remedy="write points as 120 or 2.5 and days as YYYY-MM-DD",
            subject=Subject(field="price"),
        ) from None
    return Price(cells["Product"], cells["Kind"], cost, first, last)


def _days(cells: Cells) -> tuple[str, str]:
    first, last = (cells.get(name, "") for name in _DAYS)
    return first, last
