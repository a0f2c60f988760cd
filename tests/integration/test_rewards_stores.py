"""Rewards, prices and checkout on both databases: the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from connector.ledger.journal.statements import page
from connector.ledger.ledger import Ledger
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.programs.yaml_text import read_yaml
from connector.ledger.rewards import checkout, prices, store
from connector.ledger.rewards.cart import Cart
from connector.ledger.rewards.evaluator import SETTINGS, Settings
from connector.ledger.rewards.shop import Shop
from connector.ledger.sales.till import Till

MUGS = """
reward: mugs
name: Mugs
type: fixed
points: 500
kind: bonus
rules: [{rule: mugs, products: [mug]}]
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgresql_url"))
    with Ledger.open(url) as opened:
        opened.store("cards").create({"CardNumber": "A"}, by="test")
        opened.store("reward-points").create(
            {"RewardPointId": "bonus", "RewardPointType": "Quantity", "Redeemable": "Yes"},
            by="test",
        )
        yield opened


def test_a_reward_is_kept_earned_spent_and_archived(ledger: Ledger) -> None:
    shop = Shop(ledger)
    shop.take_over([read_yaml(MUGS, "mugs.yaml")], by="ann")
    with ledger.writing("ann") as transaction:
        store.keep_settings(transaction, Settings(months=12))
        prices.put(transaction, prices.Price("Mug", "bonus", Decimal(150), None, None))
        prices.put(transaction, prices.Price("Mug", "bonus", Decimal(99), date(2020, 1, 1), None))
    lines = (Item("mug", Decimal(1), Decimal(20)),)
    Till(ledger).sale(Sale("S-1", "A", ledger.now(), "EUR", lines), by="till")
    cart = Cart.model_validate(
        {
            "order": "W-1",
            "card": "a",
            "currency": "EUR",
            "lines": [{"product": "MUG", "quantity": 2, "pay-with": "bonus"}],
        }
    )
    assert shop.checked(cart).totals == (checkout.Total("bonus", Decimal(198), Decimal(500)),)
    shop.checkout(cart, by="shop")
    with ledger.reading() as connection:
        (back,) = checkout.come_back(connection, "W-1", {0: Fraction(1, 2)})
        assert back.points == 99
        assert store.load(connection).versions == {"mugs": 1, SETTINGS: 1}
    found = page(ledger, card="A", sort="points")
    assert [(one.points, one.rule) for one in found.entries] == [
        (Decimal(-198), None),
        (Decimal(500), "rewards/mugs@1"),
    ]
    with ledger.writing("ann") as transaction:
        store.archive(transaction, "mugs")
        assert prices.drop(transaction, "mug") == 2
    with ledger.reading() as connection:
        assert store.load(connection).versions == {}
        assert [one.version for one in store.history(connection, "mugs")] == [2, 1]
        assert prices.listed(connection) == []
