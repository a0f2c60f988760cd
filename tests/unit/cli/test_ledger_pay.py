"""`dualwrite ledger pay …` as a person and as a till use it."""

from __future__ import annotations

import pytest

from connector.ledger.ledger import Ledger
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.store import keep
from tests.unit.cli.conftest import Terminal

CARD = "100001"
RULE = {"kind": "bonus", "currency": "EUR", "points": 100, "worth": 1}


@pytest.fixture(autouse=True)
def club(run: Terminal) -> None:
    assert run("set", CARD, "CardTenderType=AsCardTender", "--create")[0] == 0
    kind = ("RewardPointType=Quantity", "Redeemable=Yes", "--create", "--entity", "reward-points")
    assert run("set", "bonus", *kind)[0] == 0
    assert run("adjust", CARD, "bonus", "1000")[0] == 0
    document = ProgramDocument.model_validate({"program": "club", "redeem": [RULE]})
    with Ledger.open("sqlite:///ledger.db") as ledger, ledger.writing("test") as transaction:
        keep(transaction, document, "")


def available(run: Terminal) -> str:
    _, shown = run.json("balance", CARD)
    return str(shown["balances"][0]["available"])


def test_a_payment_from_the_quote_to_the_return(run: Terminal) -> None:
    code, quote = run.json("pay", "quote", CARD, "12", "EUR")
    assert (code, quote["amount"], quote["missing"]) == (0, "10.00", "2.00")
    words = ("pay", "authorise", CARD, "4.50", "EUR", "--order", "A-1", "--once", "till 1")
    code, answer = run.json(*words, "--channel", "pos", "--hold", "2")
    assert (code, answer["accepted"], answer["rejected"]) == (0, True, None)
    assert answer["payment"]["parts"] == [
        {"kind": "bonus", "points": "450", "amount": "4.50", "program": "club", "version": 1}
    ]
    assert (answer["payment"]["channel"], answer["payment"]["by"]) == ("pos", "cli:ann")
    code, captured = run.json("pay", "capture", "1", "--amount", "4")
    assert (code, captured["state"], captured["amount"]) == (0, "captured", "4.00")
    assert available(run) == "600"
    code, back = run.json("pay", "refund", "A-1", "1.00", "--once", "R-1")
    assert (code, back["amount"], back["entries"][0]["points"]) == (0, "1.00", "100")
    assert run.json("pay", "refund", "A-1", "1.00", "--once", "R-1")[1]["repeated"] is True
    assert available(run) == "700"
    for which in (("1",), ("--order", "a-1"), ("--card", CARD)):
        code, shown = run.json("pay", "show", *which)
        assert [(one["number"], one["amount"]) for one in shown["payments"]] == [(1, "3.00")]


def test_a_rejection_has_an_exit_code_of_its_own(run: Terminal) -> None:
    words = ("pay", "authorise", CARD, "12", "EUR", "--order", "A-1")
    code, answer = run.json(*words)
    assert (code, answer["accepted"], answer["rejected"]) == (3, False, "payment-short")
    assert (answer["covered"]["amount"], answer["payment"]) == ("10.00", None)
    code, out, err = run(*words)
    assert code == 3
    assert "10.00 of 12.00 EUR covered" in out
    assert "Rejected (payment-short): nothing was taken." in err
    assert "the card has 1000 of 'bonus'" in err
    code, answer = run.json(*words, "--partial", "--kind", "bonus")
    assert (code, answer["payment"]["amount"]) == (0, "10.00")


def test_a_person_reads_what_happened(run: Terminal) -> None:
    _, out, _ = run("pay", "quote", CARD, "3", "EUR")
    assert "3.00 of 3.00 EUR covered" in out
    _, out, _ = run("pay", "authorise", CARD, "3", "EUR", "--order", "A-1")
    assert "300 bonus" in out
    assert run("pay", "void", "1")[0] == 0
    _, out, err = run("pay", "void", "1")
    assert "voided" in out
    assert "nothing changed" in err
    run("pay", "authorise", CARD, "3", "EUR", "--order", "A-2")
    run("pay", "capture", "2")
    for expected in ("Payments with points", "nothing was done again"):
        _, out, err = run("pay", "refund", "A-2", "1", "--once", "R")
        assert expected in out + err
    assert "A-2" in run("pay", "show", "--card", CARD)[1]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("quote", "999999", "1", "EUR"), 3, "card-unknown"),
        (("quote", CARD, "1,5", "EUR"), 2, "usage"),
        (("quote", CARD, "1", "XXX"), 3, "currency-unknown"),
        (("capture", "7"), 3, "payment-unknown"),
        (("void", "7"), 3, "payment-unknown"),
        (("refund", "A-9", "1"), 3, "payment-unknown"),
        (("show", "7"), 3, "payment-unknown"),
        (("show",), 2, "usage"),
        (("show", "1", "--card", CARD), 2, "usage"),
    ],
)
def test_mistakes_are_named(run: Terminal, words: tuple[str, ...], code: int, error: str) -> None:
    answered, shown = run.json("pay", *words)
    assert (answered, shown["error"]["code"]) == (code, error)
