"""`dualwrite ledger catch-up`, and how a till is told that a program owes."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.endpoints.ledger.endpoint import LedgerEndpoint
from connector.ledger.ledger import Ledger
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.store import keep
from tests.unit.cli.conftest import Terminal

SALE = ("sale", "100001", "S-1", "--line", "tea:1:10", "--currency", "EUR")
LATE = {
    "program": "late",
    "earn": [{"rule": "base", "by": "amount", "currency": "EUR", "points": 1, "kind": "bonus"}],
    "extensions": [{"use": "not-installed"}],
}


@pytest.fixture(autouse=True)
def shop(run: Terminal) -> None:
    run("set", "100001", "CardTenderType=AsCardTender", "--create")
    kind = ("RewardPointType=Quantity", "Redeemable=Yes", "--create", "--entity", "reward-points")
    run("set", "bonus", *kind)
    with Ledger.open("sqlite:///ledger.db") as ledger, ledger.writing("test") as transaction:
        keep(transaction, ProgramDocument.model_validate(LATE), "")


def test_the_till_is_told_and_sells(run: Terminal) -> None:
    code, _, err = run(*SALE)
    assert code == 0
    assert "late gives its points later" in err
    assert "extension-unknown" in err
    assert "dualwrite ledger catch-up" in err


def test_an_import_tells_for_how_many(run: Terminal) -> None:
    order = "O-1,100001,2026-01-02,EUR,3"
    Path("orders.csv").write_text(f"Number,Card,At,Currency,Amount\n{order}\n", "utf-8")
    code, report = run.json("import-orders", "orders.csv")
    assert (code, report["posted"], report["owed"]) == (0, 1, 1)


def test_what_is_owed_is_told_until_it_is_given(run: Terminal) -> None:
    code, _, err = run("catch-up")
    assert (code, "Nothing is owed" in err) == (0, True)
    run(*SALE)
    code, told = run.json("catch-up", "--plan")
    (due,) = told["left"]
    assert (code, told["settled"], due["program"], due["name"]) == (0, [], "late", "s-1")
    assert due["code"] == "extension-unknown"
    code, out, _ = run("catch-up")
    assert code == 3
    assert "not-installed" in out
    run("return", "S-1", "R-1", "--all")
    code, told = run.json("catch-up")
    assert (code, [one["points"] for one in told["settled"]], told["left"]) == (0, [{}], [])


def test_check_tells(run: Terminal) -> None:
    def doubts() -> list[str]:
        with Ledger.open("sqlite:///ledger.db") as ledger:
            return [one.code for one in LedgerEndpoint(ledger).advice("RetailLoyaltyCards")]

    assert doubts() == ["extension-unknown"]
    run(*SALE)
    assert doubts() == ["extension-unknown", "programs-owe"]
    run("programs", "disable", "late")
    assert doubts() == ["programs-owe"]
