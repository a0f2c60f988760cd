"""Many tills at once, in threads of their own, on both databases: each sale counts once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connector.errors import RecordError
from connector.ledger.journal.balances import balances
from connector.ledger.journal.statements import mismatches
from connector.ledger.ledger import Ledger
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.programs.store import keep
from connector.ledger.sales.receipt import Back, Receipt
from connector.ledger.sales.selling import SaleBatch
from connector.ledger.sales.terms import LedgerTermsSource
from connector.ledger.sales.till import Till

TILLS, SALES = 4, 6
AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
BASE = {"rule": "base", "by": "amount", "currency": "EUR", "points": 1, "kind": "plain"}


@pytest.fixture
def tills(ledger_url: str) -> Iterator[list[Ledger]]:
    with ExitStack() as stack:
        opened = [stack.enter_context(Ledger.open(ledger_url)) for _ in range(TILLS)]
        opened[0].store("cards").create({"CardNumber": "A"}, by="test")
        kind = {"RewardPointId": "plain", "RewardPointType": "Quantity", "Redeemable": "Yes"}
        opened[0].store("reward-points").create(kind, by="test")
        with opened[0].writing("test") as transaction:
            keep(transaction, ProgramDocument.model_validate({"program": "c", "earn": [BASE]}), "")
        yield opened


def sale(number: int, product: str = "Tea") -> Sale:
    item = Item(product, Decimal("2.5"), Decimal(10), ("Food", "Hot drinks"), fields={"a": "b"})
    return Sale(f"S-{number}", "A", AT, "EUR", (item,), payments={"card": Decimal(10)})


def held(ledger: Ledger) -> Decimal:
    assert list(mismatches(ledger)) == []
    (balance,) = balances(ledger, "A", datetime.now(UTC).date())
    return balance.available


def test_the_same_sales_from_every_till_count_once(tills: list[Ledger]) -> None:
    def sell(ledger: Ledger) -> list[Receipt]:
        return [Till(ledger).sale(sale(number), by="t") for number in range(SALES)]

    with ThreadPoolExecutor(TILLS) as pool:
        receipts = [one for each in pool.map(sell, tills) for one in each]
    assert sum(not one.repeated for one in receipts) == SALES
    assert held(tills[0]) == SALES * 10


def test_goods_come_back_once_whoever_takes_them(tills: list[Ledger]) -> None:
    Till(tills[0]).sale(sale(1), by="t")

    def take(number: int) -> str:
        try:
            Till(tills[number]).returned("s-1", f"R-{number}", [Back(1, Decimal(1))], by="t")
        except RecordError as error:
            return error.code
        return "taken"

    with ThreadPoolExecutor(TILLS) as pool:
        ends = sorted(pool.map(take, range(TILLS)))
    assert ends == ["return-exceeds"] * 2 + ["taken"] * 2
    assert held(tills[0]) == 2


def broken_off(ledger: Ledger, wanted: list[Sale]) -> None:
    with ledger.writing("t") as transaction:
        SaleBatch(transaction, UTC, LedgerTermsSource()).sold(wanted)
        raise KeyboardInterrupt


def test_a_batch_that_breaks_leaves_nothing(tills: list[Ledger]) -> None:
    wanted = [sale(number) for number in range(3)]
    with pytest.raises(KeyboardInterrupt):
        broken_off(tills[0], wanted)
    answers = Till(tills[1]).sales(wanted, by="t")
    assert [isinstance(one, Receipt) and not one.repeated for one in answers] == [True] * 3
    assert held(tills[1]) == 30
