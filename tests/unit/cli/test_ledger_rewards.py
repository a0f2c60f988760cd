"""`dualwrite ledger rewards import|list|show|check|archive|settings` as a person uses them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.cli.conftest import Terminal

GIFT = """
reward: gift
name: Gift
type: fixed
points: 10
kind: bonus
rules:
  - {rule: mugs, products: [mug, 4711], from: 2026-01-01}
"""


@pytest.fixture(autouse=True)
def kinds(run: Terminal) -> None:
    kind = ("RewardPointType=Quantity", "Redeemable=Yes", "--create", "--entity", "reward-points")
    assert run("set", "bonus", *kind)[0] == 0


@pytest.fixture
def gift(tmp_path: Path) -> Path:
    file = tmp_path / "gift.yaml"
    file.write_text(GIFT, encoding="utf-8")
    return file


def test_a_reward_comes_in_changes_and_goes(run: Terminal, gift: Path) -> None:
    assert run.json("rewards", "import", gift) == (
        0,
        {"rewards": [{"reward": "gift", "version": 1, "effect": "created"}]},
    )
    assert "version 1, unchanged" in run("rewards", "import", gift)[1]
    gift.write_text(GIFT.replace("points: 10", "points: 20"), encoding="utf-8")
    assert "version 2, updated" in run("rewards", "import", gift)[1]
    _, shown = run.json("rewards", "list")
    (row,) = shown["rewards"]
    assert (row["name"], row["points"], row["rules"], row["version"]) == ("Gift", "20", 1, 2)
    assert run.json("rewards", "archive", "gift")[1]["effect"] == "updated"
    assert run.json("rewards", "list")[1]["rewards"] == []
    _, shown = run.json("rewards", "list", "--archived")
    assert shown["rewards"][0]["archived"] is True
    assert "version 4" in run("rewards", "archive", "gift", "--restore")[1]
    told = run("rewards", "list")[1]
    assert "Gift" in told
    assert "yes" in told
    assert "True" not in told


def test_what_is_shown_can_be_imported(run: Terminal, gift: Path) -> None:
    run("rewards", "import", gift)
    code, out, _ = run("rewards", "show", "gift")
    assert code == 0
    assert out.startswith("# version 1 of 1, ")
    assert yaml.safe_load(out)["rules"][0]["products"] == ["mug", "4711"]
    gift.write_text(out, encoding="utf-8")
    assert run.json("rewards", "import", gift)[1]["rewards"][0]["effect"] == "unchanged"


def test_a_version_is_shown_as_it_was(run: Terminal, gift: Path) -> None:
    run("rewards", "import", gift)
    run("rewards", "archive", "gift")
    _, shown = run.json("rewards", "show", "gift", "--number", "1")
    assert (shown["version"], shown["versions"], shown["by"]) == (1, 2, "cli:ann")
    assert "archived" not in shown["document"]
    assert run.json("rewards", "show", "gift")[1]["document"]["archived"] is True


def test_files_are_checked(run: Terminal, gift: Path) -> None:
    assert run.json("rewards", "check", gift) == (0, {"ok": True, "problems": []})
    assert "checked 2 files: all well" in run("rewards", "check", gift, gift)[1]
    gift.write_text(GIFT.replace("kind: bonus", "kind: bonsu"), encoding="utf-8")
    code, shown = run.json("rewards", "check", gift)
    assert (code, shown["ok"], shown["problems"][0]["code"]) == (2, False, "point-kind-unknown")
    code, out, _ = run("rewards", "check", gift)
    assert code == 2
    assert "did you mean `bonus`?" in out
    assert "checked 1 file: 1 errors, 0 warnings" in out
    assert run.json("rewards", "list")[1]["rewards"] == []


def test_settings(run: Terminal) -> None:
    delivered = {"earn_on_points": True, "months": None, "several": "all"}
    assert run.json("rewards", "settings") == (0, delivered)
    changed = ("--earn-on-points", "no", "--months", "12", "--several", "largest")
    wanted = {"earn_on_points": False, "months": 12, "several": "largest"}
    assert run.json("rewards", "settings", *changed) == (0, wanted)
    assert run.json("rewards", "settings") == (0, wanted)
    assert run.json("rewards", "settings", "--months", "kind")[1]["months"] is None
    assert "for ever" in run("rewards", "settings", "--months", "0")[1]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("show", "nothing"), 2, "reward-unknown"),
        (("archive", "nothing"), 2, "reward-unknown"),
        (("import", "nothing.yaml"), 2, "yaml-unreadable"),
        (("settings", "--earn-on-points", "maybe"), 2, "usage"),
        (("settings", "--months", "-1"), 2, "usage"),
        (("settings", "--months", "1201"), 2, "usage"),
        (("settings", "--several", "some"), 2, "usage"),
    ],
)
def test_mistakes_are_named(run: Terminal, words: tuple[str, ...], code: int, error: str) -> None:
    answered, shown = run.json("rewards", *words)
    assert (answered, shown["error"]["code"]) == (code, error)
