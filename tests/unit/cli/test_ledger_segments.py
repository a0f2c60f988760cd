"""`dualwrite ledger segments …` as a person uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.cli import app as program
from connector.shipped import shipped
from tests.unit.cli.conftest import Terminal

STAFF = "segment: staff\ntitle: Our people\nkept: {kept}\nwho:\n  groups: [staff]\n"


@pytest.fixture(autouse=True)
def people(run: Terminal, tmp_path: Path) -> None:
    for card, party in (("A1", "P1"), ("A2", "P1"), ("B1", "P2"), ("C1", "P3")):
        assert run("issue", card, "--party", party, "--create-references")[0] == 0
    for party in ("P1", "P2"):
        assert run("group", "add", party, "staff")[0] == 0
    (tmp_path / "staff.yaml").write_text(STAFF.format(kept="no"), "utf-8")
    assert run("segments", "import", "staff.yaml")[0] == 0


def test_a_segment_from_file_to_list(run: Terminal) -> None:
    _, shown = run.json("segments", "list")
    (one,) = shown["segments"]
    assert (one["segment"], one["title"], one["version"]) == ("staff", "Our people", 1)
    assert (one["kept"], one["marked_at"], one["by"]) == (False, None, "cli:ann")
    _, shown = run.json("segments", "show", "staff")
    assert [version["version"] for version in shown["versions"]] == [1]
    assert "groups: [staff]" in shown["text"]
    assert "Our people" in run("segments", "list")[1]
    assert run("segments", "show", "staff")[1].startswith("segment: staff")
    _, shown = run.json("segments", "import", "staff.yaml")
    assert [(one["file"], one["effect"]) for one in shown["segments"]] == [
        ("staff.yaml", "unchanged")
    ]


def test_it_is_counted_with_a_sample_and_listed(run: Terminal) -> None:
    _, shown = run.json("segments", "count", "staff", "--sample", "1", "--on", "2026-01-02")
    assert shown == {
        "segment": "staff",
        "on": "2026-01-02",
        "cards": 3,
        "customers": 2,
        "sample": [{"card": "A1", "party": "P1"}],
    }
    assert "3 cards of 2 customers" in run("segments", "count", "staff")[1]
    assert run("segments", "count", "staff", "--sample", "0")[1].count("\n") == 1
    _, shown = run.json("segments", "members", "staff", "--after", "A1", "--limit", "5")
    assert [one["card"] for one in shown["members"]] == ["A2", "B1"]
    assert "A2" in run("segments", "members", "staff")[1]


def test_it_is_written_to_a_file(run: Terminal, tmp_path: Path) -> None:
    _, shown = run.json(
        "segments", "export", "staff", "out.csv", "--columns", "PartyNumber, groups"
    )
    assert (shown["cards"], shown["file"]) == (3, "out.csv")
    lines = (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()
    assert lines == ["PartyNumber,groups", "P1,staff", "P1,staff", "P2,staff"]
    assert "3 cards are in out.csv" in run("segments", "export", "staff", "out.csv")[2]


def test_cards_are_marked_and_a_marked_segment_stays(run: Terminal, tmp_path: Path) -> None:
    done = {"segment": "staff", "added": 3, "removed": 0, "renamed": 0}
    assert run.json("segments", "mark", "staff") == (0, done)
    _, shown = run.json("list", "--entity", "card-segments")
    assert [one["values"]["CardNumber"] for one in shown["records"]] == ["A1", "A2", "B1"]
    assert "0 cards marked" in run("segments", "mark", "staff")[1]
    assert run.json("segments", "delete", "staff")[1]["error"]["code"] == "segment-marked"
    (tmp_path / "staff.yaml").write_text(STAFF.format(kept="yes"), "utf-8")
    run("segments", "import", "staff.yaml")
    assert run.json("segments", "unmark", "staff")[1]["error"]["code"] == "segment-kept"
    (tmp_path / "staff.yaml").write_text(STAFF.format(kept="no"), "utf-8")
    run("segments", "import", "staff.yaml")
    assert run.json("segments", "unmark", "staff")[1]["removed"] == 3
    assert run.json("segments", "delete", "staff")[1] == {"segment": "staff", "deleted": True}
    assert run.json("segments", "list")[1]["segments"] == []


def test_the_shipped_ones_go_with_the_shipped_program(run: Terminal) -> None:
    for kind in ("bonus", "status"):
        words = ("RewardPointType=Quantity", "Redeemable=Yes", "--create")
        assert run("set", kind, *words, "--entity", "reward-points")[0] == 0
    assert run("programs", "import", shipped("programs") / "gold-club.yaml")[0] == 0
    files = sorted(shipped("segments").glob("*.yaml"))
    _, shown = run.json("segments", "import", *files)
    names = [one["segment"] for one in shown["segments"]]
    assert names == [file.stem for file in files]
    for name in names:
        assert run.json("segments", "count", name)[1]["cards"] == 0


def test_the_schema_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.run(["ledger", "segments", "schema"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["required"] == ["segment", "who"]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("count", "stuff"), 2, "segment-unknown"),
        (("count", "staff", "--on", "soon"), 2, "usage"),
        (("show", "stuff"), 2, "segment-unknown"),
        (("members", "stuff"), 2, "segment-unknown"),
        (("mark", "stuff"), 2, "segment-unknown"),
        (("unmark", "stuff"), 2, "segment-unknown"),
        (("delete", "stuff"), 2, "segment-unknown"),
        (("import", "none.yaml"), 2, "yaml-unreadable"),
        (("export", "stuff", "out.csv"), 2, "segment-unknown"),
        (("export", "staff", "out.csv", "--columns", "Colour"), 2, "export-column"),
        (("export", "staff", "none/out.csv"), 2, "report-unwritable"),
    ],
)
def test_what_makes_no_sense_is_said(
    run: Terminal, words: tuple[str, ...], code: int, error: str
) -> None:
    exit_code, shown = run.json("segments", *words)
    assert (exit_code, shown["error"]["code"]) == (code, error)
    assert shown["error"]["remedy"]
