"""`dualwrite ledger issue|enrol|replace|block|unblock|sequence` as a person uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Terminal


def test_a_card_from_issue_to_replacement(run: Terminal) -> None:
    assert run("sequence", "L-####", "--next", "7")[0] == 0
    _, shown = run.json("issue")
    assert (shown["key"], shown["effect"]) == ("L-0007", "issued")
    _, shown = run.json("enrol", "l-0007", "--party", "P1", "--create-references")
    assert (shown["effect"], shown["values"]["PartyNumber"]) == ("enrolled", "P1")
    run("set", "bonus", "RewardPointType=Quantity", "--create", "--entity", "reward-points")
    run("adjust", "L-0007", "bonus", "12")
    _, shown = run.json("replace", "L-0007")
    assert shown["card"]["key"] == "L-0008"
    assert [(one["card"], one["points"]) for one in shown["entries"]] == [
        ("L-0007", "-12"),
        ("L-0008", "12"),
    ]
    _, shown = run.json("show", "L-0007")
    assert shown["values"]["ReplacementCardNumber"] == "L-0008"


def test_a_customer_is_blocked_and_allowed_again(run: Terminal) -> None:
    for number in ("A", "B"):
        run("enrol", number, "--party", "P1", "--create-references")
    _, shown = run.json("block", "--party", "P1", "--why", "fraud")
    assert sorted(one["key"] for one in shown["cards"]) == ["A", "B"]
    code, shown = run.json("issue", "C", "--party", "P1")
    assert (code, shown["error"]["code"]) == (3, "customer-blocked")
    assert run.json("unblock", "--party", "P1")[1] == {"party": "P1", "changed": True}
    assert run.json("unblock", "--party", "P1")[1]["changed"] is False
    assert run("issue", "C", "--party", "P1")[0] == 0


def test_a_person_sees_what_was_done(run: Terminal) -> None:
    assert "Loyalty card issued" in run("issue", "A")[1]
    assert "Blocked: 1 cards" in run("block", "A")[1]
    _, out, _ = run("replace", "A", "B")
    assert "in place of the old one" in out
    assert "number 1 of L-##" in run("sequence", "L-##")[2]
    assert (
        "The next card of unit S1 gets number 4"
        in run("sequence", "S1-##", "--next", "4", "--unit", "S1")[2]
    )
    issued = run.json("issue", "--unit", "S1", "--create-references")[1]
    assert issued["key"] == "S1-04"
    assert "was not blocked" in run("unblock", "--party", "P1")[2]
    assert run("block", "--party", "P1")[0] == 0
    assert "Those that were blocked stay so" in run("unblock", "--party", "P1")[2]


def test_who_names_a_replacement_is_told_what_hands_over(run: Terminal, tmp_path: Path) -> None:
    run("set", "bonus", "RewardPointType=Quantity", "--create", "--entity", "reward-points")
    for card in ("A", "B"):
        run("issue", card)
        run("adjust", card, "bonus", "12")
    told = run("set", "A", "ReplacementCardNumber=C")[2]
    assert "A names a replacement and still holds points" in told
    assert "`dualwrite ledger replace A C` hands them over" in told
    assert run("set", "A", "CardTenderType=NoTender")[2] == ""
    file = tmp_path / "cards.csv"
    file.write_text("CardNumber,ReplacementCardNumber\nB,C\n", "utf-8")
    assert "(and 1 cards more: `dualwrite check`)" in run("import", str(file))[2]
    for card in ("A", "B"):
        assert run("replace", card)[0] == 0
    assert "names a replacement" not in run("import", str(file))[2]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("issue",), 2, "sequence-missing"),
        (("issue", "A", "--party", "P9"), 3, "reference-unknown"),
        (("issue", "A", "--tender", "Gold"), 3, "choice-unknown"),
        (("enrol", "A"), 2, "usage"),
        (("replace", "none"), 3, "card-unknown"),
        (("block",), 2, "usage"),
        (("block", "A", "--party", "P1"), 2, "usage"),
        (("block", "none"), 3, "card-unknown"),
        (("unblock",), 2, "usage"),
        (("sequence", "L"), 2, "sequence-form"),
    ],
)
def test_mistakes_are_named(run: Terminal, words: tuple[str, ...], code: int, error: str) -> None:
    run("set", "X", "CardTenderType=AsCardTender", "--create")
    answered, shown = run.json(*words)
    assert (answered, shown["error"]["code"]) == (code, error)
