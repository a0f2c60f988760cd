"""`dualwrite ledger sale|return|activity|why` as a till and the person at it use them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from connector.ledger.ledger import Ledger
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.store import keep
from tests.unit.cli.conftest import Terminal

CARD = "100001"
CLUB = {
    "program": "club",
    "earn": [
        {"rule": "base", "by": "amount", "currency": "EUR", "points": 1, "kind": "bonus"},
        {
            "rule": "food",
            "by": "quantity",
            "points": 5,
            "kind": "bonus",
            "for": {"categories": ["food"]},
        },
        {
            "rule": "survey",
            "by": "activity",
            "points": 20,
            "kind": "bonus",
            "for": {"activities": ["survey"]},
        },
    ],
}
SALE = ("sale", CARD, "S-1", "--line", "tea:2:9.98:food", "--line", "pen:1:5", "--currency", "EUR")


@pytest.fixture(autouse=True)
def club(run: Terminal) -> None:
    assert run("set", CARD, "CardTenderType=AsCardTender", "--create")[0] == 0
    kind = ("RewardPointType=Quantity", "Redeemable=Yes", "ExpirationTimeValue=10")
    assert run("set", "bonus", *kind, "--create", "--entity", "reward-points")[0] == 0
    document = ProgramDocument.model_validate(CLUB)
    with Ledger.open("sqlite:///ledger.db") as ledger, ledger.writing("test") as transaction:
        keep(transaction, document, "")


def test_a_sale_and_its_return(run: Terminal) -> None:
    code, sold = run.json(*SALE, "--channel", "store", "--pay", "card=14.98")
    earned = [(one["points"], one["rule"]) for one in sold["entries"]]
    assert (code, earned) == (0, [("15", "club/base@1"), ("10", "club/food@1")])
    again = run.json(*SALE, "--channel", "store", "--pay", "card=14.98")[1]
    assert (again["repeated"], again["entries"]) == (True, sold["entries"])
    code, back = run.json("return", "S-1", "R-1", "--line", "1:1")
    assert [one["points"] for one in back["entries"]] == ["-5", "-5"]
    code, back = run.json("return", "S-1", "R-2", "--all")
    assert [one["points"] for one in back["entries"]] == ["-10", "-5"]
    code, shown = run.json("balance", CARD)
    assert shown["balances"][0]["available"] == "0"


def test_a_sale_from_a_file_and_from_standard_input(
    run: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = {
        "number": "S-2",
        "card": CARD,
        "at": "2026-01-31T18:30",
        "currency": "EUR",
        "lines": [{"product": "tea", "amount": 9.98, "categories": ["food"]}],
    }
    Path("sale.json").write_text(json.dumps(form), "utf-8")
    code, sold = run.json("sale", "--file", "sale.json")
    assert (code, [one["points"] for one in sold["entries"]]) == (0, ["10", "5"])
    assert sold["entries"][0]["at"] == "2026-01-31T18:30:00+00:00"
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(form)))
    assert run.json("sale", "--file", "-")[1]["repeated"] is True


def test_a_customer_is_enrolled_at_the_sale(run: Terminal) -> None:
    sale = ("sale", "900", *SALE[2:])
    assert run(*sale)[0] == 3
    code, sold = run.json(*sale, "--party", "P1", "--create-references")
    assert (code, sold["card"]) == (0, "900")
    assert run.json("show", "900")[1]["values"]["PartyNumber"] == "P1"


def test_an_activity(run: Terminal) -> None:
    words = ("activity", CARD, "V-1", "survey", "--quantity", "2")
    code, done = run.json(*words)
    assert (code, [one["points"] for one in done["entries"]]) == (0, ["40"])
    assert run.json(*words)[1]["repeated"] is True
    assert "no rule gives points for it" in "".join(run("activity", CARD, "V-2", "visit")[1:])


def test_why_an_entry_is_what_it_is(run: Terminal) -> None:
    assert run(*SALE)[0] == 0
    assert run("redeem", CARD, "bonus", "20")[0] == 0
    assert run("return", "S-1", "R-1", "--line", "1:1")[0] == 0
    _, base = run.json("why", CARD, "1")
    assert (base["program"], base["rule"], base["version"]) == ("club", "base", 1)
    assert [(one["product"], one["returned_quantity"]) for one in base["sale"]["lines"]] == [
        ("tea", "1"),
        ("pen", "0"),
    ]
    assert [(one["entry"]["type"], one["points"]) for one in base["used"]] == [("Redeem", "15")]
    _, redeemed = run.json("why", CARD, "3")
    assert [(one["entry"]["rule"], one["points"]) for one in redeemed["drawn"]] == [
        ("club/base@1", "15"),
        ("club/food@1", "5"),
    ]
    assert [one["type"] for one in base["returns"]] == ["ReturnEarned"]
    text = run("why", CARD, "1")[1]
    assert "rule base of club, version 1" in text
    assert "Sale S-1" in text
    assert "line 1: 1 of 2" in text


def test_expired_points_say_when(run: Terminal) -> None:
    assert run(*SALE, "--at", "2026-01-01")[0] == 0
    _, shown = run.json("why", CARD, "1")
    assert (shown["rest"]["state"], shown["rest"]["points"]) == ("expired", "15")
    assert "their last day was 2026-01-11" in run("why", CARD, "1")[1]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("sale", CARD, "S-1", "--line", "tea", "--currency", "EUR"), 2, "PRODUCT:QUANTITY"),
        (("sale", CARD, "S-1", "--line", "tea:1:x", "--currency", "EUR"), 2, "cannot read 'x'"),
        (("sale", CARD, "S-1", "--line", "tea:1:1"), 3, "sale-currency"),
        (("sale", CARD, "S-1", "--currency", "EUR"), 3, "sale-empty"),
        ((*SALE, "--at", "soon"), 2, "--at"),
        ((*SALE, "--file", "sale.json"), 2, "whole sale"),
        (("sale", "--file", "none.json"), 2, "file-unreadable"),
        (("return", "S-1", "R-1"), 2, "--all"),
        (("return", "S-1", "R-1", "--line", "x:1"), 2, "LINE:QUANTITY"),
        (("return", "S-9", "R-1", "--all"), 3, "sale-unknown"),
        (("why", CARD, "77"), 2, "record-missing"),
    ],
)
def test_what_cannot_be_is_told(
    run: Terminal, words: tuple[str, ...], code: int, told: str
) -> None:
    ended, out, err = run(*words)
    assert (ended, told in out + err) == (code, True), out + err
