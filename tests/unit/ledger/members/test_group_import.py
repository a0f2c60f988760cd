"""Members of groups from a file: good lines go in, bad ones are told, nobody is taken out."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.errors import UsageError
from connector.ledger import line_import
from connector.ledger.ledger import Ledger
from connector.ledger.members.group_import import import_groups
from connector.ledger.members.groups import GroupKind, Groups

COLUMNS = ("Customer", "Team")


def brought(ledger: Ledger, path: Path, *, create: bool = True) -> tuple[int, int, int, int]:
    report = import_groups(ledger, path, COLUMNS, GroupKind.GROUP, by="ann", create=create)
    return report.read, report.added, report.unchanged, report.refused


def test_a_second_import_changes_nothing(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_import, "CHUNK", 2)
    file = tmp_path / "teams.csv"
    lines = ["team;name;customer", *(f"staff;N{one};P{one}" for one in range(5)), "VIP;N;p0"]
    file.write_text("\n".join(lines), "utf-8")
    assert brought(ledger, file) == (6, 6, 0, 0)
    assert brought(ledger, file) == (6, 0, 6, 0)
    groups = Groups(ledger)
    assert [one.party for one in groups.members("staff")] == [f"P{one}" for one in range(5)]
    assert [one.party for one in groups.members("vip")] == ["P0"]
    file.write_text("team;customer\nstaff;P9\n", "utf-8")
    assert brought(ledger, file) == (1, 1, 0, 0)
    assert len(groups.members("staff")) == 6


def test_bad_lines_are_told_by_number_and_the_others_go_in(ledger: Ledger, tmp_path: Path) -> None:
    Groups(ledger).add("P1", "veteran", GroupKind.AFFILIATION, by="ann", create=True)
    file = tmp_path / "teams.csv"
    file.write_text("Customer,Team\nP1,staff\nP1,veteran\nP1,\nP9,staff\nP1\n", "utf-8")
    report = import_groups(ledger, file, COLUMNS, GroupKind.GROUP, by="ann")
    assert (report.read, report.added, report.refused) == (5, 1, 4)
    assert [(one.subject.line, one.code) for one in report.problems] == [
        (3, "group-kind"),
        (4, "name-missing"),
        (5, "customer-unknown"),
        (6, "line-width"),
    ]
    assert all(one.remedy for one in report.problems)


def test_a_file_without_the_columns_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "teams.csv"
    file.write_text("Customer,Group\nP1,staff\n", "utf-8")
    with pytest.raises(UsageError) as caught:
        brought(ledger, file)
    assert caught.value.code == "columns-missing"
    assert "Customer, Group" in caught.value.remedy
