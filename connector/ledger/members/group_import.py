"""Members of groups from a CSV file.

Owns: the two columns, the count of what happened.
Never does: reading CSV (`line_import.py`), taking anybody out of a group.
Tested in: tests/unit/ledger/members/test_group_import.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connector.ledger.line_import import Cells, Columns, LineReport, import_lines
from connector.ledger.members.groups import GroupKind, added

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger, WriteTransaction


@dataclass(slots=True)
class GroupReport(LineReport):
    """What an import did."""

    added: int = 0
    unchanged: int = 0

    def as_dict(self) -> dict[str, object]:
        """The documented JSON form (docs/json.md)."""
        return {
            **LineReport.as_dict(self),
            "added": self.added,
            "unchanged": self.unchanged,
        }


def import_groups(
    ledger: Ledger,
    path: Path,
    columns: tuple[str, str],
    kind: GroupKind,
    *,
    by: str,
    create: bool = False,
) -> GroupReport:
    """Add the customer of each line to the group of the line.

    `columns` are those of the PartyNumber and of the group, in any case. A bad line is reported
    and the others go in. Raises UsageError where the file or its columns do not fit.
    """
    report = GroupReport(str(path))
    party, group = columns

    def enter(transaction: WriteTransaction, cells: Cells) -> None:
        new = added(transaction, cells[party], cells[group], kind, create=create)
        report.added += new
        report.unchanged += not new

    wanted = Columns(columns, "name one of its columns with --party and --group")
    import_lines(ledger, path, wanted, enter, report, by=by)
    return report
