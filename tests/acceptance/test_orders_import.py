"""69,000 orders from a CSV file: what every card earned equals an independent computation.

The file is made here, the same one every time, as shops have them: few customers buy much, amounts
have cents, some orders cost nothing, some come twice, some are in a currency that no rule asks for.
pandas works out the totals from the same file, exactly, and knows nothing of the ledger.
"""

from __future__ import annotations

import json
import random
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from connector.cli.app import run
from connector.ledger.journal.balances import balances
from connector.ledger.journal.statements import mismatches
from connector.ledger.ledger import Ledger

ORDERS, CUSTOMERS = 69_000, 23_000
FIRST, DAYS = date(2025, 1, 1), 540
LAST = FIRST + timedelta(DAYS)
CLUB = """
program: club
earn:
  - {rule: money, by: amount, currency: EUR, points: 1, kind: cents}
"""


def make(path: Path, orders: int) -> None:
    """Customers come back by a power law, and spend by another one."""
    chance = random.Random(69)
    twice: list[str] = []
    with path.open("w", encoding="utf-8") as file:
        file.write("order;customer;date;quantity;amount;currency\n")
        for number in range(orders):
            customer = int(CUSTOMERS * chance.random() ** 2.5)
            day = FIRST + timedelta(chance.randrange(DAYS))
            quantity = min(99, int(chance.paretovariate(1.3)))
            cents = (
                0 if chance.random() < 0.001 else int(quantity * chance.lognormvariate(7.1, 0.6))
            )
            currency = "USD" if chance.random() < 0.02 else "EUR"
            money = f"{cents // 100},{cents % 100:02}"
            line = f"{number};{customer:05};{day:%Y%m%d};{quantity};{money};{currency}\n"
            file.write(line)
            if chance.random() < 0.002:
                twice.append(line)
        file.writelines(twice)


def expected(path: Path) -> dict[str, Decimal]:
    """Euros by customer, added up as decimals."""
    frame = pd.read_csv(path, sep=";", dtype=str)
    frame = frame.drop_duplicates("order").loc[lambda one: one["currency"] == "EUR"]
    frame["money"] = frame["amount"].str.replace(",", ".").map(Decimal)
    totals = frame.groupby("customer")["money"].sum()
    return {str(card): total for card, total in totals.items() if total}


@pytest.mark.parametrize("orders", [4_000, pytest.param(ORDERS, marks=pytest.mark.long)])
def test_orders_earn_to_the_last_decimal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], orders: int
) -> None:
    monkeypatch.chdir(tmp_path)
    path, ledger = tmp_path / "orders.csv", "sqlite:///ledger.db"
    make(path, orders)
    Path("club.yaml").write_text(CLUB, "utf-8")
    where = ["--ledger", ledger, "--json"]
    kind = ["RewardPointType=Amount", "RewardPointCurrency=EUR", "Redeemable=Yes"]
    more = ["--create", "--entity", "reward-points"]
    assert run(["ledger", "set", "cents", *kind, *more, *where]) == 0
    assert run(["ledger", "programs", "import", "club.yaml", *where]) == 0
    capsys.readouterr()
    columns = ["Number=order", "Card=customer", "At=date"]
    words = [word for one in columns for word in ("--set", one)]
    began = time.perf_counter()
    code = run(
        ["ledger", "import-orders", "orders.csv", *words, "--decimal-comma", "--enrol", *where]
    )
    took = time.perf_counter() - began
    report = json.loads(capsys.readouterr().out)
    assert ";USD" in path.read_text("utf-8")
    assert (code, report["posted"]) == (0, orders)
    assert report["repeated"] > 0
    assert report["orders"] == report["posted"] + report["repeated"] + report["refused"]
    assert report["problems"] == []
    due = expected(path)
    with Ledger.open(ledger) as opened:
        held = {card: balances(opened, card, LAST)[0].available for card in due}
        assert list(mismatches(opened)) == []
    assert held == due
    assert Decimal(report["points"]["cents"]) == sum(due.values())
    with capsys.disabled():
        print(f"\n{orders} orders in {took:.1f} s, {orders / took:.0f} a second")  # noqa: T201
