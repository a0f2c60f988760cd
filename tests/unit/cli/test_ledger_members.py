"""`dualwrite ledger group|household|join|leave|member` as a person uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Terminal


@pytest.fixture(autouse=True)
def cards(run: Terminal) -> None:
    kind = ("RewardPointType=Quantity", "Redeemable=Yes", "--create", "--entity", "reward-points")
    assert run("set", "bonus", *kind)[0] == 0
    for card, party in (("A1", "P1"), ("A2", "P1"), ("B1", "P2")):
        assert run("issue", card, "--party", party, "--create-references")[0] == 0
        assert run("adjust", card, "bonus", "10")[0] == 0
    assert run("issue", "N1")[0] == 0
    tier = "{tier: silver, level: 1, points: 500, kind: bonus}"
    club = f"program: gold-club\nmembers: joined\ntiers: [{tier}]\n"
    Path("club.yaml").write_text(club, "utf-8")
    assert run("programs", "import", "club.yaml")[0] == 0


def together(shown: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {one["kind"]: one["available"] for one in shown["balances"]}


def test_groups_are_filled_listed_and_left(run: Terminal) -> None:
    added = {"party": "p1", "group": "Staff"}
    assert run.json("group", "add", "p1", "Staff") == (0, {**added, "changed": True})
    assert run.json("group", "add", "p1", "Staff")[1]["changed"] is False
    run("group", "add", "P2", "veteran", "--kind", "affiliation")
    run("group", "add", "P3", "staff", "--create-references", "--by", "ben")
    _, shown = run.json("group", "list")
    assert shown["groups"] == [
        {"group": "Staff", "kind": "group", "members": 2},
        {"group": "veteran", "kind": "affiliation", "members": 1},
    ]
    _, shown = run.json("group", "list", "STAFF")
    assert [(one["party"], one["by"]) for one in shown["members"]] == [
        ("P1", "cli:ann"),
        ("P3", "cli:ben"),
    ]
    _, shown = run.json("group", "list", "--party", "P2")
    assert [one["group"] for one in shown["members"]] == ["veteran"]
    assert "veteran" in run("group", "list")[1]
    assert "cli:ben" in run("group", "list", "staff")[1]
    assert "is no member" in run("group", "remove", "P1", "staff")[2]
    assert "was none" in run("group", "remove", "P1", "staff")[2]


def test_groups_come_from_a_file(run: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    file.write_text("Name;Customer;Team\nAnna;p1;Staff\nBen;P2;staff\nX;P9;staff\nY;P1\n", "utf-8")
    words = ("group", "import", file, "--party", "customer", "--group", "TEAM")
    code, shown = run.json(*words)
    counts = {name: shown[name] for name in ("read", "added", "unchanged", "refused")}
    assert (code, counts) == (3, {"read": 4, "added": 2, "unchanged": 0, "refused": 2})
    assert [(one["code"], one["subject"]["line"]) for one in shown["problems"]] == [
        ("customer-unknown", 4),
        ("line-width", 5),
    ]
    code, shown = run.json(*words, "--create-references")
    assert (code, shown["added"], shown["unchanged"]) == (3, 1, 2)
    _, out, _ = run(*words)
    assert "the line has 2 cells" in out
    code, shown = run.json("group", "import", file)
    assert (code, shown["error"]["code"]) == (2, "columns-missing")


def test_a_household_shares_and_its_points_are_shown_together(run: Terminal) -> None:
    assert run("set", "A1", "CardTenderType=AsContactTender")[0] == 0
    assert run("redeem", "A1", "bonus", "25")[0] == 3
    for party in ("P1", "P2"):
        assert run.json("household", "set", party, "Elm")[1]["changed"] is True
    _, shown = run.json("household", "show", "elm")
    assert [one["party"] for one in shown["members"]] == ["P1", "P2"]
    assert run("redeem", "A1", "bonus", "25")[0] == 0
    _, shown = run.json("balance", "--household", "elm")
    assert [one["card"] for one in shown["cards"]] == ["A1", "A2", "B1"]
    assert together(shown) == {"bonus": "5"}
    assert "Points of elm" in run("balance", "--household", "elm")[1]
    assert run.json("household", "leave", "P2")[1] == {"party": "P2", "changed": True}
    _, shown = run.json("household", "show", "--party", "P1")
    assert [one["party"] for one in shown["members"]] == ["P1"]
    assert "Elm" in run("household", "show", "--party", "P1")[1]


def test_balances_of_a_customer_leave_out_blocked_cards(run: Terminal) -> None:
    run("block", "A2")
    _, shown = run.json("balance", "--party", "p1")
    assert [(one["card"], one["tender"]) for one in shown["cards"]] == [
        ("A1", "AsCardTender"),
        ("A2", "Blocked"),
    ]
    assert together(shown) == {"bonus": "10"}
    assert together(shown["cards"][1]) == {"bonus": "10"}


def test_everything_about_a_customer_in_one_place(run: Terminal) -> None:
    run("group", "add", "P1", "staff")
    run("household", "set", "P1", "Elm")
    assert run.json("join", "A2", "Gold-Club")[1]["changed"] is True
    assert run.json("join", "A2", "gold-club")[1]["changed"] is False
    run("replace", "A1", "A3")
    _, shown = run.json("member", "a2")
    assert shown == run.json("member", "--party", "p1")[1]
    assert [one["card"] for one in shown["cards"]] == ["A1", "A2", "A3"]
    assert [one["replaced_by"] for one in shown["cards"]] == ["A3", None, None]
    assert [one["program"] for one in shown["cards"][1]["programs"]] == ["gold-club"]
    below = {"program": "gold-club", "tier": None, "until": None, "next": "silver"}
    assert shown["cards"][1]["tiers"] == [{**below, "points": "0", "missing": "500"}]
    assert shown["cards"][0]["tiers"] == []
    assert [one["group"] for one in shown["groups"]] == ["staff"]
    assert [one["household"] for one in shown["household"]] == ["Elm"]
    assert (shown["party"], shown["blocked"], together(shown)) == ("P1", None, {"bonus": "20"})
    run("block", "--party", "P1", "--why", "fraud")
    _, shown = run.json("member", "A2")
    assert (shown["blocked"]["why"], shown["balances"]) == ("fraud", [])
    _, out, _ = run("member", "A2")
    for word in ("gold-club", "staff", "Elm", "fraud", "Tiers", "silver", "Points of A2"):
        assert word in out
    assert "left" in run("leave", "A2", "gold-club")[2]


def test_an_anonymous_card_is_shown_by_itself(run: Terminal) -> None:
    _, shown = run.json("member", "N1")
    assert (shown["party"], [one["card"] for one in shown["cards"]]) == (None, ["N1"])
    assert run("member", "N1")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("group", "add", "P9", "staff"), 3, "customer-unknown"),
        (("group", "add", "P1", ""), 3, "name-missing"),
        (("group", "add", "P1", "staff", "--kind", "clan"), 2, "usage"),
        (("household", "show"), 2, "usage"),
        (("household", "show", "Elm", "--party", "P1"), 2, "usage"),
        (("household", "show", "nowhere"), 3, "household-unknown"),
        (("household", "leave", "P9"), 3, "customer-unknown"),
        (("join", "none", "gold-club"), 3, "card-unknown"),
        (("join", "A1", "silver-club"), 2, "program-unknown"),
        (("member",), 2, "usage"),
        (("member", "none"), 3, "card-unknown"),
        (("member", "--party", "P9"), 3, "customer-unknown"),
        (("balance",), 2, "usage"),
        (("balance", "A1", "--party", "P1"), 2, "usage"),
        (("balance", "--household", "nowhere"), 3, "household-unknown"),
    ],
)
def test_what_makes_no_sense_is_said(
    run: Terminal, words: tuple[str, ...], code: int, error: str
) -> None:
    exit_code, shown = run.json(*words)
    assert (exit_code, shown["error"]["code"]) == (code, error)
    assert shown["error"]["remedy"]
