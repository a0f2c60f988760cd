"""`dualwrite ledger balance|transactions|adjust|redeem|transfer` as a person uses them."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Terminal


@pytest.fixture(autouse=True)
def cards(run: Terminal) -> None:
    for number in ("100001", "100002"):
        assert run("set", number, "CardTenderType=AsCardTender", "--create")[0] == 0
    kind = ("RewardPointType=Quantity", "Redeemable=Yes", "--create", "--entity", "reward-points")
    assert run("set", "bonus", *kind)[0] == 0


def available(run: Terminal, card: str) -> str | None:
    _, shown = run.json("balance", card)
    return next((one["available"] for one in shown["balances"]), None)


def test_points_come_go_and_move(run: Terminal) -> None:
    code, shown = run.json("adjust", "100001", "bonus", "50", "--comment", "sorry")
    assert (code, shown["repeated"], shown["entries"][0]["points"]) == (0, False, "50")
    assert run("redeem", "100001", "bonus", "20")[0] == 0
    assert run("adjust", "100001", "bonus", "-5")[0] == 0
    assert run("transfer", "100001", "100002", "bonus", "10")[0] == 0
    assert (available(run, "100001"), available(run, "100002")) == ("15", "10")
    _, shown = run.json("transactions", "100001", "--limit", "2")
    assert [one["points"] for one in shown["entries"]] == ["-10", "-5"]
    _, shown = run.json("transactions", "100001", "--before", str(shown["entries"][-1]["number"]))
    assert [(one["type"], one["points"]) for one in shown["entries"]] == [
        ("Redeem", "-20"),
        ("Adjust", "50"),
    ]


def test_a_name_makes_it_happen_once(run: Terminal) -> None:
    words = ("adjust", "100001", "bonus", "50", "--once", "goodwill 7")
    assert run.json(*words)[1]["repeated"] is False
    assert run.json(*words)[1]["repeated"] is True
    assert "nothing was done again" in run(*words)[2]
    assert available(run, "100001") == "50"
    code, shown = run.json(*words[:3], "51", *words[4:])
    assert (code, shown["error"]["code"]) == (3, "posting-differs")


def test_too_few_points_are_said_with_what_there_is(run: Terminal) -> None:
    run("adjust", "100001", "bonus", "5")
    code, _, err = run("redeem", "100001", "bonus", "6")
    assert code == 3
    assert "points-short" in err
    assert "has 5 available points" in err
    assert "100001" not in err


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("balance", "999999"), 3, "card-unknown"),
        (("transactions", "999999"), 3, "card-unknown"),
        (("adjust", "999999", "bonus", "1"), 3, "card-unknown"),
        (("adjust", "100001", "nothing", "1"), 3, "point-kind-unknown"),
        (("adjust", "100001", "bonus", "1,5"), 2, "usage"),
        (("balance", "100001", "--on", "tomorrow"), 2, "usage"),
    ],
)
def test_mistakes_are_named(run: Terminal, words: tuple[str, ...], code: int, error: str) -> None:
    answered, shown = run.json(*words)
    assert (answered, shown["error"]["code"]) == (code, error)


def test_a_person_sees_tables(run: Terminal) -> None:
    _, out, _ = run("adjust", "100001", "bonus", "50")
    assert "Posting 1" in out
    _, out, _ = run("balance", "100001")
    assert "Points of 100001 on " in out
    assert "expiring in 30 days" in out
    _, out, _ = run("transactions", "100001")
    assert "Adjust" in out


def test_who_posted_and_what_they_noted_is_shown(run: Terminal) -> None:
    run("adjust", "100001", "bonus", "50", "--comment", "sorry for the wait", "--by", "maria")
    assert "sorry for the wait" in run("transactions", "100001")[1]
    _, shown = run.json("transactions", "100001")
    assert [(one["by"], one["comment"]) for one in shown["entries"]] == [
        ("cli:maria", "sorry for the wait")
    ]
    number = str(shown["entries"][0]["number"])
    assert run.json("why", "100001", number)[1]["comment"] == "sorry for the wait"
    why = run("why", "100001", number)[1]
    assert "maria" in why
    assert "sorry for the wait" in why


def test_a_card_without_points_has_an_empty_balance(run: Terminal) -> None:
    assert run.json("balance", "100002")[1]["balances"] == []


def test_transactions_of_a_customer_are_sorted_and_paged(run: Terminal) -> None:
    for card, points in (("100001", "50"), ("100002", "70"), ("100001", "-20"), ("100002", "-5")):
        assert run("adjust", card, "bonus", points)[0] == 0
        assert run("enrol", card, "--party", "P1", "--create-references")[0] == 0
    run("set", "100003", "CardTenderType=AsCardTender", "--create")
    run("adjust", "100003", "bonus", "999")

    def listed(*words: str) -> list[str]:
        code, shown = run.json("transactions", *words)
        assert (code, shown["total"]) == (0, 4)
        return [one["points"] for one in shown["entries"]]

    of = ("--party", "p1")
    assert listed(*of) == ["-5", "-20", "70", "50"]
    assert listed(*of, "--sort", "-points") == ["70", "50", "-5", "-20"]
    assert listed(*of, "--sort", "card") == ["-20", "50", "-5", "70"]
    assert listed(*of, "--sort", "entry", "--limit", "2") == ["50", "70"]
    assert listed(*of, "--sort", "entry", "--limit", "2", "--skip", "2") == ["-20", "-5"]
    assert listed(*of, "--before", "3") == ["70", "50"]
    _, shown = run.json("transactions", "--party", "p1")
    assert (shown["card"], shown["party"]) == (None, "p1")
    assert "4 of 4" in run("transactions", "--party", "P1")[1]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        ((), 2, "usage"),
        (("100001", "--party", "P1"), 2, "usage"),
        (("100001", "--sort", "colour"), 2, "usage"),
        (("--party", "nobody"), 3, "customer-unknown"),
    ],
)
def test_whose_transactions_has_to_be_clear(
    run: Terminal, words: tuple[str, ...], code: int, error: str
) -> None:
    answered, shown = run.json("transactions", *words)
    assert (answered, shown["error"]["code"]) == (code, error)
