"""Prices in points: which one holds on a day, and what is no price."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from connector.errors import RecordError
from connector.ledger.ledger import Ledger
from connector.ledger.rewards.prices import Price, drop, listed, on_day, put

DAY = date(2026, 6, 15)


def price(points: str, first: date | None = None, last: date | None = None, **of: str) -> Price:
    return Price(of.get("product", "Mug"), of.get("kind", "plain"), Decimal(points), first, last)


def kept(ledger: Ledger, *wanted: Price) -> None:
    with ledger.writing("ann") as transaction:
        for one in wanted:
            put(transaction, one)


def cost(ledger: Ledger, on: date = DAY, kind: str = "plain") -> Decimal | None:
    with ledger.reading() as connection:
        found = on_day(connection, ["MUG"], on).get(("mug", kind))
    return None if found is None else found.points


def test_a_product_has_a_price_in_several_kinds(shop: Ledger) -> None:
    kept(shop, price("300"), price("2.5", kind="MONEY"), price("7", product="Cup"))
    assert cost(shop) == 300
    assert cost(shop, kind="money") == Decimal("2.5")
    with shop.reading() as connection:
        names = [(one.product, one.kind) for one in listed(connection)]
        assert names == [("Cup", "plain"), ("Mug", "money"), ("Mug", "plain")]
        assert len(listed(connection, "mug")) == 2


def test_the_price_that_began_last_counts(shop: Ledger) -> None:
    later = price("400", date(2026, 6, 15))
    kept(shop, later, price("300"), price("200", date(2026, 6, 16), date(2026, 6, 17)))
    asked = [date(2026, 6, 14), DAY, date(2026, 6, 16), date(2026, 6, 17), date(2026, 6, 18)]
    assert [cost(shop, day) for day in asked] == [300, 400, 200, 200, 400]
    with shop.reading() as connection:
        assert listed(connection, on=DAY) == [later]
        assert len(listed(connection)) == 3


def test_a_price_of_the_same_day_takes_the_place_of_the_other(shop: Ledger) -> None:
    kept(shop, price("300"), price("350"), price("1", DAY), price("2", DAY))
    with shop.reading() as connection:
        assert [one.points for one in listed(connection)] == [350, 2]


def test_prices_go_by_kind_or_all(shop: Ledger) -> None:
    kept(shop, price("300"), price("2", kind="money"), price("4", DAY))
    with shop.writing("ann") as transaction:
        assert drop(transaction, "mug", "Money") == 1
        assert drop(transaction, "MUG") == 2
        assert drop(transaction, "mug") == 0
    assert cost(shop) is None


def test_a_kind_that_goes_takes_its_prices_along(shop: Ledger) -> None:
    kept(shop, price("300"))
    store = shop.store("reward-points")
    kind = store.find("plain")
    assert kind is not None
    store.delete(kind.id, by="test", version=kind.version)
    assert cost(shop) is None


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (price("300", kind="nothing"), "point-kind-unknown"),
        (price("2.5"), "points-fractional"),
        (price("0.00001", kind="money"), "points-invalid"),
        (price("NaN"), "points-invalid"),
        (price("0"), "price-invalid"),
        (price("-3"), "price-invalid"),
        (price("3", DAY, date(2026, 6, 14)), "price-invalid"),
        (price("3", product=" "), "price-invalid"),
        (price("3", product="x" * 129), "price-invalid"),
    ],
    ids=str,
)
def test_what_is_no_price(shop: Ledger, wrong: Price, code: str) -> None:
    kept(shop, price("300"))
    with pytest.raises(RecordError) as raised, shop.writing("ann") as transaction:
        put(transaction, wrong)
    assert raised.value.code == code
    assert cost(shop) == 300
