"""Bringing a CSV file of orders into the ledger: each becomes a sale and earns points.

Owns: grouping the lines of an order, posting in batches, the count of what happened.
Never does: asking a person; keeping the file in memory.
Tested in: tests/unit/ledger/sales/test_order_import.py, tests/acceptance/test_orders_import.py.

An order is posted once under its number, so an import that was broken off is simply run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from connector.errors import Problem, RecordError
from connector.ledger.csv_source import KEPT_PROBLEMS, CsvSource, Line
from connector.ledger.fields import fold
from connector.ledger.importer import (
    ImportOptions,
    Progress,
    Rejects,
    refuse_rejects_over,
)
from connector.ledger.journal.posting import Refused
from connector.ledger.programs.occasion import Sale
from connector.ledger.sales.order_lines import OrderLine, OrderLines, order
from connector.ledger.sales.till import Till

BATCH = 500
"""Orders per transaction."""
MOST_LOST = 1_000
"""Lines in a row that do not tell their order, before they are taken for no part of it."""


@dataclass(slots=True)
class OrderReport:
    """What an import did; `lines` counts lines, all others orders, but for `points`."""

    file: str
    lines: int = 0
    orders: int = 0
    posted: int = 0
    repeated: int = 0
    """Orders that were in the ledger already."""
    refused: int = 0
    owed: int = 0
    """Posted orders for which a program gives its points later (`programs/owing.py`)."""
    points: dict[str, Decimal] = field(default_factory=dict)
    """What was earned, by kind."""
    problems: list[Problem] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        names = ("file", "lines", "orders", "posted", "repeated", "refused", "owed", "points")
        return {
            **{name: getattr(self, name) for name in names},
            "problems": [problem.as_dict() for problem in self.problems],
        }


class _Group(NamedTuple):
    """The lines of one order as the file has them; `problem` where it cannot be posted."""

    lines: Sequence[Line]
    sale: Sale | None
    problem: Problem | None


def import_orders(
    till: Till,
    path: Path,
    options: ImportOptions,
    *,
    by: str,
    decimal_comma: bool = False,
    enrol: bool = False,
    progress: Progress | None = None,
) -> OrderReport:
    """Post one sale for each order of `path`; lines of an order stand together.

    A bad order is reported and the others go in. Raises UsageError and MapError when file, header
    and mapping do not fit, before anything is posted.
    """
    refuse_rejects_over(path, options.rejects)
    report = OrderReport(str(path))
    source = CsvSource(path, encoding=options.encoding, delimiter=options.delimiter)
    with source:
        reader = OrderLines(
            source.header, options.mapping, path.stem, till.zone, decimal_comma=decimal_comma
        )
        groups = _Grouping(reader, path).groups(source.lines())
        with Rejects(options.rejects, source) as rejects:
            run = _Run(till, report, rejects, by, enrol)
            while batch := list(islice(groups, BATCH)):
                run.post(batch, path)
                if progress is not None:
                    progress(source.position, source.size)
    return report


class _Run:
    """One import under way."""

    def __init__(
        self, till: Till, report: OrderReport, rejects: Rejects, by: str, enrol: bool
    ) -> None:
        self._till = till
        self._report = report
        self._rejects = rejects
        self._by = by
        self._enrol = enrol

    def post(self, batch: Sequence[_Group], path: Path) -> None:
        """Post a batch, count what became of it, refuse what the ledger refused."""
        report = self._report
        wanted = [one.sale for one in batch if one.sale is not None]
        answers = iter(self._till.sales(wanted, enrol=self._enrol, by=self._by))
        for one in batch:
            report.lines += len(one.lines)
            report.orders += 1
            if one.problem is not None:
                self._refuse(one, one.problem)
                continue
            answer = next(answers)
            if isinstance(answer, Refused):
                self._refuse(one, _about(answer.error, one.lines[0], path))
            elif answer.repeated:
                report.repeated += 1
            else:
                report.posted += 1
                report.owed += bool(answer.owed)
                for entry in answer.entries:
                    before = report.points.get(entry.kind, Decimal(0))
                    report.points[entry.kind] = before + entry.points

    def _refuse(self, group: _Group, problem: Problem) -> None:
        self._report.refused += 1
        if len(self._report.problems) < KEPT_PROBLEMS:
            self._report.problems.append(problem)
        for line in group.lines:
            self._rejects.add(line, problem)


class _Grouping:
    """Puts lines with the same number that follow each other together.

    One bad line refuses its order as a whole, for the rest of it would earn too little for ever. A
    line that does not tell its order belongs to one whose lines stand on both sides of it.
    """

    def __init__(self, reader: OrderLines, path: Path) -> None:
        self._reader = reader
        self._path = path
        self._number: str | None = None
        self._held: list[Line] = []
        self._read: list[OrderLine] = []
        self._problem: Problem | None = None
        self._lost: list[tuple[Line, Problem]] = []

    def groups(self, lines: Iterable[Line]) -> Iterator[_Group]:
        """The orders of the file."""
        for line in lines:
            number, one, problem = self._look(line)
            if number is None and problem is not None:
                self._lost.append((line, problem))
                if not self._held or len(self._lost) > MOST_LOST:
                    yield from self._closed()
                continue
            if number != self._number:
                yield from self._closed()
            for lost, why in self._lost:
                self._add(lost, None, why)
            self._lost = []
            self._number = number
            self._add(line, one, problem)
        yield from self._closed()

    def _look(self, line: Line) -> tuple[str | None, OrderLine | None, Problem | None]:
        """The folded number of the order, and the line or what is wrong with it."""
        if line.problem is not None:
            return None, None, line.problem
        try:
            one = self._reader.read(line)
        except RecordError as error:
            number = self._reader.number(line)
            return None if number is None else fold(number), None, _about(error, line, self._path)
        return fold(one.head.number), one, None

    def _add(self, line: Line, one: OrderLine | None, problem: Problem | None) -> None:
        self._held.append(line)
        self._problem = self._problem or problem
        if one is not None:
            self._read.append(one)

    def _closed(self) -> Iterator[_Group]:
        """The order so far, and what stood lost behind it."""
        if self._held:
            yield _group(self._held, self._read, self._problem, self._path)
        for line, problem in self._lost:
            yield _Group([line], None, problem)
        self._held, self._read, self._problem, self._lost = [], [], None, []
        self._number = None


def _group(
    held: Sequence[Line], read: Sequence[OrderLine], problem: Problem | None, path: Path
) -> _Group:
    if problem is None:
        try:
            return _Group(held, order(read), None)
        except RecordError as error:
            problem = _about(error, held[0], path)
    return _Group(held, None, problem)


def _about(error: RecordError, line: Line, path: Path) -> Problem:
    place = replace(error.subject, file=str(path), line=line.number)
    return replace(Problem.of(error), subject=place)
