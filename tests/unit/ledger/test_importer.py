"""A whole import: what goes in, what is refused, and that a second one changes nothing."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from connector.errors import UsageError
from connector.ledger import importer
from connector.ledger.entity_store import EntityStore
from connector.ledger.import_mapping import ImportMapping
from connector.ledger.importer import ImportOptions, ImportReport, import_file
from connector.ledger.ledger import Ledger

MEMBERS = """\
\ufeffMember,Name,Year,Month,Left\r
480934,"Zoë, A.",2016,2,0\r
549612,B,2016,3,2018\r
"""

HOW = ImportMapping(
    sources={"CardNumber": "Member", "LoyaltyEnrollmentDate": "{Year}-{Month}"},
    blocked_if="Left",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "members.csv"


def imported(
    ledger: Ledger, path: Path, text: str | bytes, entity: str = "cards", **options: Any
) -> ImportReport:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    kind = ledger.store(entity).entity
    return import_file(ledger, kind, path, ImportOptions(**options), by="ann")


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return (report.read, report.created, report.updated, report.unchanged, report.refused)


def codes(report: ImportReport) -> list[tuple[int | None, str]]:
    return [(problem.subject.line, problem.code) for problem in report.problems]


def test_members_become_cards(ledger: Ledger, cards: EntityStore, path: Path) -> None:
    report = imported(ledger, path, MEMBERS, mapping=HOW)
    assert counts(report) == (2, 2, 0, 0, 0)
    stored = [[str(value) for value in record.values[:2]] for record in cards.listed(9)]
    assert stored == [["480934", "AsCardTender"], ["549612", "Blocked"]]
    record = cards.find("480934")
    assert record is not None
    assert (str(record.values[5]), record.modified_by) == ("2016-02-01", "ann")


def test_a_second_import_changes_nothing(ledger: Ledger, cards: EntityStore, path: Path) -> None:
    imported(ledger, path, MEMBERS, mapping=HOW)
    before, head = cards.listed(9), ledger.head()
    assert counts(imported(ledger, path, MEMBERS, mapping=HOW)) == (2, 0, 0, 2, 0)
    assert (cards.listed(9), ledger.head()) == (before, head)


def test_an_import_changes_what_differs_and_keeps_what_it_does_not_give(
    ledger: Ledger, cards: EntityStore, path: Path
) -> None:
    imported(ledger, path, MEMBERS, mapping=HOW)
    text = "CardNumber,ReplacementCardNumber\n480934,7\n"
    assert counts(imported(ledger, path, text)) == (1, 0, 1, 0, 0)
    record = cards.find("480934")
    assert record is not None
    assert record.values[3] == "7"
    assert str(record.values[5]) == "2016-02-01"


def test_bad_lines_are_reported_and_the_rest_goes_in(
    ledger: Ledger, cards: EntityStore, path: Path
) -> None:
    text = (
        "CardNumber,CardTenderType,LoyaltyEnrollmentDate\n"
        "1,Blocked,2020-01-31\n"
        "2,Platinum,\n"
        "3,,2020-02-31\n"
        f"{'4' * 31},,\n"
        ",Blocked,\n"
        "6,,\n"
        "1 ,,\n"
        "7\n"
        "ok,,\n"
    )
    report = imported(ledger, path, text)
    assert codes(report) == [
        (3, "choice-unknown"),
        (4, "date-invalid"),
        (5, "text-too-long"),
        (8, "line-double"),
        (9, "line-width"),
        (6, "key-missing"),
    ]
    assert counts(report) == (9, 3, 0, 0, 6)
    assert [record.values[0] for record in cards.listed(9)] == ["1", "6", "ok"]
    double = report.problems[3]
    assert "line 2" in double.message
    assert double.subject.file == str(path)


def test_a_double_of_a_bad_line_goes_in(ledger: Ledger, cards: EntityStore, path: Path) -> None:
    text = "CardNumber,CardTenderType\n1,Platinum\n1,Blocked\n"
    assert counts(imported(ledger, path, text)) == (2, 1, 0, 0, 1)


def test_null_bytes_and_broken_bytes_are_bad_lines(ledger: Ledger, path: Path) -> None:
    report = imported(ledger, path, b"CardNumber,x\n1\x00,\n2,\xe4\n3,\n")
    assert codes(report) == [(2, "line-null-byte"), (3, "line-encoding")]
    assert report.created == 1


@pytest.mark.parametrize("bad", ["2,Platinum", "1,Blocked", "2"])
def test_strict_refuses_the_whole_file(
    ledger: Ledger, cards: EntityStore, path: Path, bad: str
) -> None:
    cards.create({"CardNumber": "0"}, by="ann")
    text = f"CardNumber,CardTenderType\n0,Blocked\n1,Blocked\n{bad}\n"
    report = imported(ledger, path, text, strict=True)
    assert counts(report) == (3, 0, 0, 0, 1)
    assert not report.written
    assert (cards.count(), ledger.head()) == (1, 1)


def test_strict_writes_a_file_without_fault(
    ledger: Ledger, cards: EntityStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "CHUNK_RECORDS", 2)
    text = "CardNumber\n" + "".join(f"{number}\n" for number in range(5))
    report = imported(ledger, path, text, strict=True)
    assert (counts(report), report.written) == ((5, 5, 0, 0, 0), True)
    assert cards.count() == ledger.head() == 5


def test_parties_and_units_are_added_and_a_currency_is_not(ledger: Ledger, path: Path) -> None:
    text = "CardNumber,PartyNumber,OmOperatingUnitNumber\n1,P1,S1\n2,p1,S2\n"
    assert counts(imported(ledger, path, text)) == (2, 2, 0, 0, 0)
    text = (
        "RewardPointId,RewardPointType,RewardPointCurrency\nA,Amount,EUR\nB,Amount,XYZ\n"
        "C,quantity,\nD,Amount,\n"
    )
    report = imported(ledger, path, text, entity="reward-points")
    assert codes(report) == [(3, "reference-unknown"), (5, "currency-required")]
    assert report.created == 2


def test_the_rejects_file_can_be_corrected_and_imported(
    ledger: Ledger, cards: EntityStore, path: Path, tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.csv"
    text = "CardNumber;CardTenderType;City\n1;Blocked;Åbo\n2;Platinum;Åbo\n".encode("cp1252")
    imported(ledger, path, text, rejects=rejects, encoding="cp1252")
    with rejects.open(encoding="cp1252", newline="") as file:
        header, bad = list(csv.reader(file, delimiter=";"))
    assert header == ["line", "reason", "CardNumber", "CardTenderType", "City"]
    assert bad[0] == "3"
    assert "Platinum" in bad[1]
    assert bad[2:] == ["2", "Platinum", "Åbo"]
    corrected = rejects.read_bytes().replace(b"2;Platinum", b"2;NoTender")
    report = imported(ledger, path, corrected, encoding="cp1252")
    assert counts(report) == (1, 1, 0, 0, 0)


def test_broken_bytes_reach_the_rejects_file_unchanged(
    ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.csv"
    imported(ledger, path, b"CardNumber,City\n1,\xe5bo\n", rejects=rejects)
    assert rejects.read_bytes().endswith(b",1,\xe5bo\r\n")


def test_a_rejects_file_that_cannot_be_written_stops_before_anything_is(
    ledger: Ledger, cards: EntityStore, path: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        imported(ledger, path, MEMBERS, mapping=HOW, rejects=tmp_path / "no" / "rejects.csv")
    assert caught.value.code == "file-unwritable"
    assert cards.count() == 0


def test_the_rejects_file_never_replaces_the_file_to_import(ledger: Ledger, path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        imported(ledger, path, MEMBERS, mapping=HOW, rejects=path)
    assert caught.value.code == "rejects-over-source"
    assert path.read_text(encoding="utf-8").startswith("\ufeffMember")


def test_the_report_keeps_some_problems_and_counts_all(
    ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "KEPT_PROBLEMS", 3)
    text = "CardNumber,CardTenderType\n" + "".join(f"{number},?\n" for number in range(5))
    report = imported(ledger, path, text)
    assert (report.refused, len(report.problems)) == (5, 3)


def test_progress_is_told_after_each_chunk(
    ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "CHUNK_RECORDS", 2)
    path.write_text("CardNumber\n1\n2\n3\n")
    told: list[tuple[int, int]] = []
    kind = ledger.store("cards").entity
    import_file(ledger, kind, path, ImportOptions(), by="a", progress=lambda *at: told.append(at))
    size = path.stat().st_size
    assert told == [(size, size)] * 2


def test_an_interrupted_import_keeps_its_finished_chunks_and_can_be_repeated(
    ledger: Ledger, cards: EntityStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "CHUNK_RECORDS", 2)
    path.write_text("CardNumber\n1\n2\n3\n4\n")
    kind = cards.entity

    def interrupt(done: int, size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(ledger, kind, path, ImportOptions(), by="ann", progress=interrupt)
    assert cards.count() == 2
    assert counts(import_file(ledger, kind, path, ImportOptions(), by="ann")) == (4, 2, 0, 2, 0)
