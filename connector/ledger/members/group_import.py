"""Members of groups from a CSV file.

Owns: the two columns, the chunks, the count of what happened.
Never does: reading CSV (`csv_source.py`), taking anybody out of a group.
Tested in: tests/unit/ledger/members/test_group_import.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.errors import Problem, RecordError, Subject, UsageError
from connector.ledger.csv_source import CsvSource, Line
from connector.ledger.members.groups import GroupKind, added

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger, WriteTransaction

CHUNK = 1_000
"""Lines per transaction."""
KEPT_PROBLEMS = 1_000
"""Bad lines that are kept for the report; all are counted."""


@dataclass(slots=True)
class GroupReport:
    """What an import did; `read` counts lines, good and bad."""

    file: str
    read: int = 0
    added: int = 0
    unchanged: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {
            "file": self.file,
            "read": self.read,
            "added": self.added,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "problems": [one.as_dict() for one in self.problems],
        }

    def refuse(self, problem: Problem) -> None:
        """One more bad line."""
        self.refused += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem)


def import_groups(
    ledger: Ledger,
    path: Path,
    columns: tuple[str, str],
    kind: GroupKind,
    *,
    by: str,
    create: bool = False,
) -> GroupReport:
    """Add the customer of each line to the group of the line, in transactions of `CHUNK`.

    `columns` are those of the PartyNumber and of the group, in any case. A bad line is reported
    and the others go in. Raises UsageError where the file or its columns do not fit.
    """
    report = GroupReport(str(path))
    with CsvSource(path) as source:
        places = _places(source, path, columns)
        lines = source.lines()
        while chunk := list(islice(lines, CHUNK)):
            with ledger.writing(by) as transaction:
                for line in chunk:
                    _enter(transaction, line, places, kind, create, report)
    return report


def _places(source: CsvSource, path: Path, columns: tuple[str, str]) -> tuple[int, int]:
    names = [name.casefold() for name in source.header]
    missing = [one for one in columns if one.casefold() not in names]
    if missing:
        raise UsageError(
            "columns-missing",
            f"the file has no column '{missing[0]}'",
            remedy=f"name one of its columns with --party and --group: {', '.join(source.header)}",
            subject=Subject(file=str(path)),
        )
    party, group = (names.index(one.casefold()) for one in columns)
    return party, group


def _enter(
    transaction: WriteTransaction,
    line: Line,
    places: tuple[int, int],
    kind: GroupKind,
    create: bool,
    report: GroupReport,
) -> None:
    report.read += 1
    if line.problem is not None:
        report.refuse(line.problem)
        return
    party, group = (line.cells[place] for place in places)
    try:
        new = added(transaction, party.strip(), group, kind, create=create)
    except RecordError as error:
        place = Subject(file=report.file, line=line.number, field=error.subject.field)
        report.refuse(Problem(error.code, error.message, error.remedy, place))
        return
    report.added += new
    report.unchanged += not new
