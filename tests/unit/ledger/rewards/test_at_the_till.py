"""Rewards where they are earned and taken back: sales and returns through the till."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connector.ledger.journal.balances import balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Adjust, Entry, Posting
from connector.ledger.journal.statements import mismatches, page
from connector.ledger.ledger import Ledger
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.rewards import store
from connector.ledger.rewards.cart import Cart
from connector.ledger.rewards.document import RewardDocument
from connector.ledger.rewards.evaluator import Settings
from connector.ledger.rewards.prices import Price, put
from connector.ledger.rewards.shop import Shop
from connector.ledger.sales.receipt import Back
from connector.ledger.sales.till import Till
from tests.unit.ledger.conftest import START
from tests.unit.ledger.rewards.making import document, item

TEN = Decimal(10)
MUGS = document({"products": ["mug"]}, kind="plain", reward="mugs")
LARGE = document(
    {"order-total": {"value": 50, "currency": "EUR"}}, kind="plain", reward="large", points=25
)


def keep(ledger: Ledger, *wanted: RewardDocument) -> None:
    with ledger.writing("ann") as transaction:
        for one in wanted:
            store.keep(transaction, one)


def sell(ledger: Ledger, *lines: Item, **facts: Any) -> None:
    order = Sale("S-1", "A", START, "EUR", lines, **facts)
    Till(ledger).sale(order, by="till")


def back(ledger: Ledger, number: str, *lines: Back) -> None:
    Till(ledger).returned("S-1", number, lines or None, by="till")


def available(ledger: Ledger) -> Decimal:
    held = {one.kind: one.available for one in balances(ledger, "A", START.date())}
    return held.get("plain", Decimal(0))


def entries(ledger: Ledger) -> list[Entry]:
    return list(page(ledger, card="A", sort="entry").entries)


@pytest.fixture
def rewarding(shop: Ledger) -> Ledger:
    keep(shop, MUGS, LARGE)
    return shop


def test_a_sale_earns_what_its_rewards_pay(rewarding: Ledger) -> None:
    sell(rewarding, item(amount="30"), item(amount="30", variant="blue"), item("cup"))
    assert [(one.rule, one.points, one.sale) for one in entries(rewarding)] == [
        ("rewards/mugs@1", TEN, "s-1"),
        ("rewards/mugs@1", TEN, "s-1"),
        ("rewards/large@1", Decimal(25), "s-1"),
    ]
    assert entries(rewarding)[1].why == "Gift, r0: 10; line 2, mug"


def test_what_comes_back_takes_back_what_it_earned(rewarding: Ledger) -> None:
    sell(rewarding, item(amount="30"), item(amount="30"), item("cup", amount="5"))
    assert available(rewarding) == 45
    back(rewarding, "R-1", Back(3, Decimal(1)))
    assert available(rewarding) == 45
    back(rewarding, "R-2", Back(1, Decimal(1)))
    assert available(rewarding) == 10
    back(rewarding, "R-3")
    assert available(rewarding) == 0
    assert list(mismatches(rewarding)) == []


def test_a_return_is_judged_by_the_rewards_of_the_sale(rewarding: Ledger) -> None:
    sell(rewarding, item(amount="60"), item(amount="30"))
    assert available(rewarding) == 45
    with rewarding.writing("ann") as transaction:
        store.archive(transaction, "mugs")
        store.archive(transaction, "large")
    back(rewarding, "R-1", Back(2, Decimal(1)))
    assert available(rewarding) == 35


def test_facts_of_lines_and_orders_are_kept_for_the_return(shop: Ledger) -> None:
    rule = {
        "variants": ["blue"],
        "language": "de",
        "order-line-field": {"name": "note"},
        "shop": "web",
    }
    keep(shop, document(rule, kind="plain"))
    blue = item(variant="blue", language="de", fields={"note": "x"})
    sell(shop, blue, item("cup"), fields={"shop": "web"})
    assert available(shop) == 10
    back(shop, "R-1", Back(2, Decimal(1)))
    assert available(shop) == 10


def test_points_of_rewards_live_as_long_as_the_settings_say(rewarding: Ledger) -> None:
    with rewarding.writing("ann") as transaction:
        store.keep_settings(transaction, Settings(months=12))
    sell(rewarding, item())
    (one,) = entries(rewarding)
    assert (one.starts, one.expires) == (date(2026, 1, 2), date(2027, 1, 2))


def test_goods_bought_with_points_earn_and_bring_their_points_back(rewarding: Ledger) -> None:
    given = Posting("give", (Adjust("A", "plain", Decimal(1000)),))
    Journal(rewarding).post(given, by="test")
    with rewarding.writing("ann") as transaction:
        put(transaction, Price("Mug", "plain", Decimal(300), None, None))
    lines = [{"product": "mug", "quantity": 2, "pay-with": "plain"}]
    cart = Cart.model_validate({"order": "s-1", "card": "A", "currency": "EUR", "lines": lines})
    Shop(rewarding).checkout(cart, by="shop")
    sell(rewarding, item(quantity="2", amount="0", points=Decimal(600)), item("cup", amount="20"))
    assert available(rewarding) == 1000 - 600 + 10
    back(rewarding, "R-1", Back(1, Decimal(1)))
    assert available(rewarding) == 1000 - 300 + 10
    back(rewarding, "R-2", Back(2, Decimal(1)))
    assert available(rewarding) == 1000 - 300 + 10
    back(rewarding, "R-3")
    assert available(rewarding) == 1000
    assert list(mismatches(rewarding)) == []


def test_switched_off_goods_bought_with_points_earn_nothing(rewarding: Ledger) -> None:
    with rewarding.writing("ann") as transaction:
        store.keep_settings(transaction, Settings(on_points=False))
    sell(rewarding, item(amount="0", points=Decimal(300)), item())
    assert [(one.rule, one.points) for one in entries(rewarding)] == [("rewards/mugs@1", TEN)]
