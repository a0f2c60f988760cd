"""Bringing a CSV file in of which each line is one act of its own: a member of a group, a price.

Owns: finding the columns, the transactions, the bad lines and their number.
Never does: reading CSV (`csv_source.py`), knowing what a line means.
Tested in: tests/unit/ledger/members/test_group_import.py,
tests/unit/ledger/rewards/test_price_import.py.

Records of an entity have an import of their own, with a mapping (`importer.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from connector.errors import Problem, RecordError, Subject, UsageError
from connector.ledger.csv_source import KEPT_PROBLEMS, CsvSource

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger, WriteTransaction

CHUNK = 1_000
"""Lines per transaction."""

Cells: TypeAlias = Mapping[str, str]
"""By name of the column, without blanks around them."""
Enter: TypeAlias = Callable[["WriteTransaction", Cells], None]
"""Carries out one line; RecordError says what is wrong with it."""


@dataclass(slots=True)
class LineReport:
    """What an import did; `read` counts lines, good and bad."""

    file: str
    read: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """The documented JSON form (docs/json.md)."""
        return {
            "file": self.file,
            "read": self.read,
            "refused": self.refused,
            "problems": [one.as_dict() for one in self.problems],
        }

    def refuse(self, problem: Problem) -> None:
        """One more bad line."""
        self.refused += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem)


@dataclass(frozen=True, slots=True)
class Columns:
    """What a file has to have, in any case, and what it may have; `remedy` where it has not."""

    needed: Sequence[str]
    remedy: str
    optional: Sequence[str] = ()

    def places(self, source: CsvSource, path: Path) -> Mapping[str, int]:
        """Where they are; UsageError `columns-missing`."""
        names = [name.strip().casefold() for name in source.header]
        missing = [one for one in self.needed if one.casefold() not in names]
        if missing:
            raise UsageError(
                "columns-missing",
                f"the file has no column '{missing[0]}'",
                remedy=f"{self.remedy}; it has {', '.join(source.header)}",
                subject=Subject(file=str(path)),
            )
        known = [one for one in (*self.needed, *self.optional) if one.casefold() in names]
        return {one: names.index(one.casefold()) for one in known}


def import_lines(
    ledger: Ledger, path: Path, columns: Columns, enter: Enter, report: LineReport, *, by: str
) -> None:
    """Carry out each line, in transactions of `CHUNK`; a bad one is reported, the others go in.

    Raises UsageError where the file or its columns do not fit, before anything is done.
    """
    with CsvSource(path) as source:
        places = columns.places(source, path)
        lines = source.lines()
        while chunk := list(islice(lines, CHUNK)):
            with ledger.writing(by) as transaction:
                for line in chunk:
                    report.read += 1
                    if line.problem is not None:
                        report.refuse(line.problem)
                        continue
                    cells = {name: line.cells[place].strip() for name, place in places.items()}
                    try:
                        enter(transaction, cells)
                    except RecordError as error:
                        place = Subject(
                            file=report.file, line=line.number, field=error.subject.field
                        )
                        report.refuse(Problem(error.code, error.message, error.remedy, place))
