"""`dualwrite ledger import-orders` as a person uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.ledger.ledger import Ledger
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.store import keep
from tests.unit.cli.conftest import Terminal

BASE = {"rule": "base", "by": "amount", "currency": "EUR", "points": 1, "kind": "bonus"}
COLUMNS = ("--set", "Card=Customer", "--set", "At=Day", "--constant", "Currency=EUR")


@pytest.fixture(autouse=True)
def club(run: Terminal) -> None:
    kind = ("RewardPointType=Quantity", "Redeemable=Yes", "--create", "--entity", "reward-points")
    assert run("set", "bonus", *kind)[0] == 0
    document = ProgramDocument.model_validate({"program": "club", "earn": [BASE]})
    with Ledger.open("sqlite:///ledger.db") as ledger, ledger.writing("test") as transaction:
        keep(transaction, document, "")


def test_orders_are_imported_once(run: Terminal) -> None:
    Path("orders.csv").write_text(
        "Customer;Day;Amount\n1;2026-01-02;10,5\n2;2026-01-03;7\n2;2026-01-03;x\n", "utf-8"
    )
    words = ("import-orders", "orders.csv", *COLUMNS, "--decimal-comma", "--enrol")
    code, report = run.json(*words, "--rejects", "bad.csv")
    assert (code, report["posted"], report["refused"]) == (3, 2, 1)
    assert report["points"] == {"bonus": "18"}
    assert "x" in Path("bad.csv").read_text("utf-8")
    code, out, _ = run(*words)
    assert code == 3
    assert "cannot read 'x'" in out
    assert run.json("balance", "1")[1]["balances"][0]["available"] == "11"


def test_cards_are_made_only_where_that_is_asked_for(run: Terminal) -> None:
    Path("orders.csv").write_text("Customer,Day,Amount\n1,2026-01-02,10\n", "utf-8")
    code, report = run.json("import-orders", "orders.csv", *COLUMNS)
    assert (code, report["problems"][0]["code"]) == (3, "card-unknown")
