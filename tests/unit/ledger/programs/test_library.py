"""Files come into the ledger together or not at all, and tiers follow."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from connector.errors import ConfigError
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posting
from connector.ledger.ledger import Ledger
from connector.ledger.programs import library, store

CLUB = """program: club
tiers:
  - {tier: silver, level: 1, points: 500, kind: bonus}
earn:
  - {rule: base, by: amount, currency: EUR, points: 1, kind: bonus}
"""


@pytest.fixture(autouse=True)
def kind(ledger: Ledger) -> None:
    values = {"RewardPointId": "bonus", "RewardPointType": "Quantity"}
    ledger.store("reward-points").create(values, by="test")


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def names(ledger: Ledger) -> list[tuple[str, int]]:
    with ledger.reading() as connection:
        return [(one.program, one.version) for one in store.listed(connection)]


def test_all_files_or_none(ledger: Ledger, tmp_path: Path) -> None:
    good = file(tmp_path, "good.yaml", CLUB)
    bad = file(tmp_path, "bad.yaml", CLUB.replace("club", "other").replace("by: amount, ", ""))
    with pytest.raises(ConfigError) as caught:
        library.bring(ledger, [good, bad], "test")
    assert caught.value.code == "document-missing-key"
    assert caught.value.subject.file == str(bad)
    assert names(ledger) == []
    brought = library.bring(ledger, [good], "test")
    assert [done for _, done in brought.files] == [("club", 1, "created")]
    assert names(ledger) == [("club", 1)]


def test_a_program_stands_in_one_file(ledger: Ledger, tmp_path: Path) -> None:
    files = [file(tmp_path, f"{name}.yaml", CLUB) for name in "ab"]
    with pytest.raises(ConfigError) as caught:
        library.bring(ledger, files, "test")
    assert caught.value.code == "program-twice"
    assert caught.value.subject.file == str(files[1])
    assert names(ledger) == []


def test_a_file_that_cannot_be_read_is_one_of_the_findings(tmp_path: Path) -> None:
    wrong = file(tmp_path, "a.yaml", "program: [")
    latin = tmp_path / "b.yaml"
    latin.write_bytes("program: club\ntitle: Größe\n".encode("latin-1"))
    found = library.check([wrong, tmp_path / "none.yaml", latin])
    assert [[problem.code for problem in one.problems] for one in found] == [
        ["yaml-broken"],
        ["yaml-unreadable"],
        ["yaml-unreadable"],
    ]


def test_a_ledger_is_asked_for_what_it_knows(ledger: Ledger, tmp_path: Path) -> None:
    path = file(tmp_path, "a.yaml", CLUB.replace("bonus", "points").replace("EUR", "XXX"))
    assert library.check([path])[0].problems == []
    codes = {one.code for one in library.check([path], ledger)[0].problems}
    assert codes == {"point-kind-unknown", "currency-unknown"}


def test_warnings_do_not_stop_an_import(ledger: Ledger, tmp_path: Path) -> None:
    path = file(tmp_path, "idle.yaml", "program: idle\n")
    assert [one.code for one in library.bring(ledger, [path], "test").warnings] == ["program-idle"]
    assert names(ledger) == [("idle", 1)]


def test_tiers_follow_imports_and_switches(ledger: Ledger, tmp_path: Path) -> None:
    ledger.store("cards").create({"CardNumber": "1001"}, by="test")
    Journal(ledger).post(Posting("a", (Earn("1001", "bonus", Decimal(600)),)), by="test")
    path = file(tmp_path, "club.yaml", CLUB)
    tiers = ledger.store("card-tiers")
    assert library.bring(ledger, [path], "test").tiers == 1
    assert [record.values[4] for record in tiers.listed(9, None)] == ["silver"]
    assert library.bring(ledger, [path], "test").tiers == 0
    assert library.switch(ledger, "club", "test", active=False) == (True, 1)
    assert tiers.count() == 0
    assert library.switch(ledger, "club", "test", active=False) == (False, 0)
    assert library.switch(ledger, "club", "test", active=True) == (True, 1)
    file(tmp_path, "club.yaml", CLUB.replace("500", "700"))
    assert library.bring(ledger, [path], "test").tiers == 1
    assert [record.values[4] for record in tiers.listed(9, None)] == [None]
