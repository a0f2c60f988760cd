"""`dualwrite ledger programs …` as a person uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.shipped import shipped
from tests.unit.cli.conftest import Terminal

SIMPLE = shipped("programs") / "points-per-euro.yaml"
RICH = shipped("programs") / "gold-club.yaml"


@pytest.fixture(autouse=True)
def kinds(run: Terminal) -> None:
    for kind, pays in (("bonus", "Yes"), ("status", "No")):
        values = ("RewardPointType=Quantity", f"Redeemable={pays}")
        assert run("set", kind, *values, "--create", "--entity", "reward-points")[0] == 0


def test_programs_come_in_by_version(run: Terminal, tmp_path: Path) -> None:
    code, shown = run.json("programs", "import", SIMPLE, RICH)
    assert code == 0
    assert [(one["program"], one["version"], one["effect"]) for one in shown["programs"]] == [
        ("points-per-euro", 1, "created"),
        ("gold-club", 1, "created"),
    ]
    assert run.json("programs", "import", RICH)[1]["programs"][0]["effect"] == "unchanged"
    changed = tmp_path / "gold.yaml"
    changed.write_text(RICH.read_text("utf-8").replace("points: 2000", "points: 1500"), "utf-8")
    code, out, _ = run("programs", "import", changed, "--by", "ben")
    assert (code, out) == (0, f"gold-club: version 2, updated ({changed})\n")
    _, shown = run.json("programs", "list")
    assert [(one["program"], one["version"], one["by"]) for one in shown["programs"]] == [
        ("gold-club", 2, "cli:ben"),
        ("points-per-euro", 1, "cli:ann"),
    ]
    assert shown["programs"][0]["tiers"] == ["silver", "gold"]
    assert "Gold Club" in run("programs", "list")[1]


def test_a_program_is_shown_as_it_was_written(run: Terminal, tmp_path: Path) -> None:
    run("programs", "import", RICH)
    changed = tmp_path / "gold.yaml"
    changed.write_text(RICH.read_text("utf-8").replace("points: 2000", "points: 1500"), "utf-8")
    run("programs", "import", changed)
    assert run("programs", "show", "gold-club")[1] == changed.read_text("utf-8")
    assert run("programs", "show", "gold-club", "--number", "1")[1] == RICH.read_text("utf-8")
    _, shown = run.json("programs", "show", "gold-club", "--number", "1")
    assert (shown["version"], shown["text"]) == (1, RICH.read_text("utf-8"))
    assert [one["version"] for one in shown["versions"]] == [2, 1]
    code, _, err = run("programs", "show", "gold-club", "--number", "3")
    assert code == 2
    assert "program-version-unknown" in err


def test_findings_are_shown_with_their_places(run: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "program: a\nearn:\n  - {rule: x, by: sale, points: 1, kind: bonsu}\n"
        "  - {rule: y, by: sale, points: 1, kind: bonsu}\n",
        "utf-8",
    )
    code, out, _ = run("programs", "check", path, SIMPLE)
    assert code == 2
    assert f"error point-kind-unknown: {path}:3:" in out
    assert "did you mean `bonus`?" in out
    assert "warning rules-overlap" in out
    assert out.endswith("checked 2 files: 2 errors, 1 warnings\n")
    code, shown = run.json("programs", "check", path)
    assert (code, shown["ok"]) == (2, False)
    assert [one["subject"]["line"] for one in shown["problems"]] == [3, 4, 4]
    code, out, err = run("programs", "import", path)
    assert (code, out) == (2, "")
    assert "point-kind-unknown" in err
    assert "and 1 more" in err
    assert run.json("programs", "list")[1] == {"programs": []}


def test_files_are_checked_without_a_ledger(
    run: Terminal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from connector.cli.app import run as run_alone

    path = tmp_path / "a.yaml"
    path.write_text("program: a\nearn:\n  - {rule: x, by: sale, points: 1, kind: z}\n", "utf-8")
    nowhere = ["--ledger", f"sqlite:///{tmp_path}/none.db"]
    assert run_alone(["ledger", "programs", "check", str(path), "--alone", *nowhere]) == 0
    assert capsys.readouterr().out == "checked 1 file: all well\n"
    assert not (tmp_path / "none.db").exists()
    assert run_alone(["ledger", "programs", "check", str(path), *nowhere]) == 2
    assert "ledger-missing" in capsys.readouterr().err


def test_a_program_is_switched_off_and_on(run: Terminal) -> None:
    run("programs", "import", SIMPLE)
    assert run("programs", "disable", "points-per-euro")[1] == "points-per-euro is off\n"
    assert run("programs", "disable", "points-per-euro")[1] == "points-per-euro was off\n"
    assert run.json("programs", "list")[1]["programs"][0]["active"] is False
    assert run.json("programs", "enable", "points-per-euro") == (
        0,
        {"program": "points-per-euro", "active": True, "changed": True, "tiers": 0},
    )
    code, _, err = run("programs", "enable", "points-per-eur")
    assert code == 2
    assert "did you mean `points-per-euro`?" in err


def test_a_sale_is_tried(run: Terminal, tmp_path: Path) -> None:
    run("programs", "import", SIMPLE, RICH)
    assert run("issue", "A1")[0] == 0
    file = tmp_path / "sale.json"
    line = '{"product": "tea", "amount": 9.98, "categories": ["food"]}'
    file.write_text(f'{{"number": "T", "card": "A1", "currency": "EUR", "lines": [{line}]}}')
    code, shown = run.json("programs", "try", file)
    assert code == 0
    (earned,) = shown["earned"]
    assert (earned["program"], earned["points"]) == ("points-per-euro", "10")
    reasons = {one["why"] for one in shown["missed"]}
    assert reasons == {"the card has not joined gold-club"}
    out = run("programs", "try", file)[1]
    assert "points-per-euro" in out
    assert "the card has not joined gold-club" in out
    assert run.json("balance", "A1")[1]["balances"] == []
    file.write_text(file.read_text().replace("A1", "A2"))
    assert run("programs", "try", file)[0] == 3
