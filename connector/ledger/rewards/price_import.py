"""Prices in points from a CSV file.

Owns: the columns, the chunks, the count of what happened.
Never does: reading CSV (`csv_source.py`), judging a price (`prices.py`), taking one away.
Tested in: tests/unit/ledger/rewards/test_price_import.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Any

from connector.errors import Problem, RecordError, Subject, UsageError
from connector.ledger.csv_source import CsvSource, Line
from connector.ledger.ledger import Ledger, WriteTransaction
from connector.ledger.rewards.prices import Price, put

COLUMNS = ("Product", "Kind", "Points")
DAYS = ("From", "Until")
"""Columns a file may leave out."""
CHUNK = 1_000
"""Lines per transaction."""
KEPT_PROBLEMS = 1_000
"""Bad lines that are kept for the report; all are counted."""


@dataclass(slots=True)
class PriceReport:
    """What an import did; `read` counts lines, good and bad."""

    file: str
    read: int = 0
    kept: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {
            "file": self.file,
            "read": self.read,
            "kept": self.kept,
            "refused": self.refused,
            "problems": [one.as_dict() for one in self.problems],
        }


def import_prices(ledger: Ledger, path: Path, *, by: str) -> PriceReport:
    """Give each line's product its price, in transactions of `CHUNK` lines.

    A bad line is reported and the others go in. Raises UsageError where the file or its columns
    do not fit.
    """
    report = PriceReport(str(path))
    with CsvSource(path) as source:
        places = _places(source, path)
        lines = source.lines()
        while chunk := list(islice(lines, CHUNK)):
            with ledger.writing(by) as transaction:
                for line in chunk:
                    _enter(transaction, line, places, report)
    return report


def _places(source: CsvSource, path: Path) -> Mapping[str, int]:
    names = [name.strip().casefold() for name in source.header]
    missing = [one for one in COLUMNS if one.casefold() not in names]
    if missing:
        raise UsageError(
            "columns-missing",
            f"the file has no column '{missing[0]}'",
            remedy=f"give it the columns {', '.join(COLUMNS)}, and perhaps {' and '.join(DAYS)}",
            subject=Subject(file=str(path)),
        )
    known = [one for one in (*COLUMNS, *DAYS) if one.casefold() in names]
    return {one: names.index(one.casefold()) for one in known}


def _enter(
    transaction: WriteTransaction, line: Line, places: Mapping[str, int], report: PriceReport
) -> None:
    report.read += 1
    problem = line.problem
    if problem is None:
        try:
            put(transaction, _price({name: line.cells[at].strip() for name, at in places.items()}))
            report.kept += 1
            return
        except RecordError as error:
            place = Subject(file=report.file, line=line.number, field=error.subject.field)
            problem = Problem(error.code, error.message, error.remedy, place)
    report.refused += 1
    if len(report.problems) < KEPT_PROBLEMS:
        report.problems.append(problem)


def _price(cells: Mapping[str, str]) -> Price:
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


def _days(cells: Mapping[str, str]) -> tuple[str, str]:
    first, last = (cells.get(name, "") for name in DAYS)
    return first, last
