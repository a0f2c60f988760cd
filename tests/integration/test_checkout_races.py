"""Many shops that check out at once, on both databases: each order once, nothing overdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connector.errors import RecordError
from connector.ledger.journal.balances import balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Adjust, Posting
from connector.ledger.journal.statements import mismatches
from connector.ledger.ledger import Ledger
from connector.ledger.rewards.cart import Cart
from connector.ledger.rewards.prices import Price, put
from connector.ledger.rewards.shop import Shop

SHOPS, ORDERS, HELD = 6, 4, 10


@pytest.fixture
def shops(ledger_url: str) -> Iterator[list[Ledger]]:
    opened = [Ledger.open(ledger_url) for _ in range(SHOPS)]
    opened[0].store("cards").create({"CardNumber": "A"}, by="test")
    opened[0].store("reward-points").create(
        {"RewardPointId": "plain", "RewardPointType": "Quantity", "Redeemable": "Yes"}, by="test"
    )
    with opened[0].writing("test") as transaction:
        put(transaction, Price("mug", "plain", Decimal(1), None, None))
        put(transaction, Price("cup", "plain", Decimal(2), None, None))
    given = Posting("start", (Adjust("A", "plain", Decimal(HELD)),))
    Journal(opened[0]).post(given, by="test")
    yield opened
    for one in opened:
        one.close()


def cart(order: str) -> Cart:
    lines = [{"product": name, "pay-with": "plain"} for name in ("mug", "cup")]
    return Cart.model_validate({"order": order, "card": "A", "currency": "EUR", "lines": lines})


def test_orders_that_are_paid_at_once_never_overdraw(shops: list[Ledger]) -> None:
    def pay(number: int) -> list[bool]:
        return [paid(shops[number], cart(f"{number}-{order}")) for order in range(ORDERS)]

    with ThreadPoolExecutor(SHOPS) as pool:
        done = [one for each in pool.map(pay, range(SHOPS)) for one in each]
    assert (len(done), done.count(True)) == (SHOPS * ORDERS, HELD // 3)
    (balance,) = balances(shops[0], "A", datetime.now(UTC).date())
    assert balance.available == HELD % 3
    assert list(mismatches(shops[0])) == []


def paid(ledger: Ledger, wanted: Cart) -> bool:
    try:
        posted, _ = Shop(ledger).checkout(wanted, by="shop")
    except RecordError as error:
        if error.code != "points-short":
            raise
        return False
    assert [one.points for one in posted.entries] == [-1, -2]
    return True


def test_an_order_that_everybody_sends_is_paid_once(shops: list[Ledger]) -> None:
    with ThreadPoolExecutor(SHOPS) as pool:
        answers = list(pool.map(lambda one: Shop(one).checkout(cart("W-1"), by="shop"), shops))
    assert sum(not posted.repeated for posted, _ in answers) == 1
    assert len({posted.number for posted, _ in answers}) == 1
    (balance,) = balances(shops[0], "A", datetime.now(UTC).date())
    assert balance.available == HELD - 3
