"""Paying with points: what is refused, what is withdrawn, and what comes back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from connector.errors import RecordError
from connector.ledger.journal.balances import balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Adjust, Posted, Posting
from connector.ledger.journal.statements import mismatches
from connector.ledger.ledger import Ledger
from connector.ledger.rewards import checkout
from connector.ledger.rewards.cart import Cart
from connector.ledger.rewards.prices import Price, put
from tests.unit.ledger.conftest import START

TODAY = START.date()


@pytest.fixture
def store(shop: Ledger) -> Ledger:
    """Mugs cost 300 or 2.50, cups 100; card A holds 1,000, and 10.00 of the other kind."""
    with shop.writing("ann") as transaction:
        for product, kind, points in (
            ("Mug", "plain", "300"),
            ("Mug", "money", "2.5"),
            ("Cup", "plain", "100"),
            ("Pin", "tier", "1"),
        ):
            put(transaction, Price(product, kind, Decimal(points), None, None))
    give(shop, "A", "plain", 1000)
    give(shop, "A", "money", 10)
    return shop


def give(ledger: Ledger, card: str, kind: str, points: int) -> None:
    line = Adjust(card, kind, Decimal(points))
    Journal(ledger).post(Posting(f"give {card} {kind}", (line,)), by="test")


def line(product: str = "mug", quantity: str = "1", **keys: Any) -> dict[str, Any]:
    return {"product": product, "quantity": Decimal(quantity), "pay-with": "plain", **keys}


def cart(*lines: dict[str, Any], **keys: Any) -> Cart:
    given = {"order": "W-1", "card": "A", "currency": "EUR", **keys}
    return Cart.model_validate({**given, "lines": list(lines)})


def problems(ledger: Ledger, wanted: Cart, on: date = TODAY) -> list[str]:
    with ledger.reading() as connection:
        return [one.code for one in checkout.checked(connection, wanted, on).problems]


def pay(ledger: Ledger, wanted: Cart) -> Posted:
    with ledger.writing("shop") as transaction:
        return checkout.carried_out(transaction, wanted)[0]


def held(ledger: Ledger, card: str = "A") -> dict[str, Decimal]:
    return {one.kind: one.available for one in balances(ledger, card, TODAY)}


def test_a_cart_is_added_up_by_kind(store: Ledger) -> None:
    money = {"product": "plate", "amount": Decimal(5)}
    wanted = cart(line(quantity="2"), line("cup"), line(**{"pay-with": "Money"}), money)
    with store.reading() as connection:
        found = checkout.checked(connection, wanted, TODAY)
    assert found.problems == ()
    assert [(one.line, one.kind, one.each, one.points) for one in found.due] == [
        (0, "plain", 300, 600),
        (1, "plain", 100, 100),
        (2, "money", Decimal("2.5"), Decimal("2.5")),
    ]
    assert found.totals == (
        checkout.Total("plain", Decimal(700), Decimal(1000)),
        checkout.Total("money", Decimal("2.5"), Decimal(10)),
    )


@pytest.mark.parametrize(
    ("wrong", "codes"),
    [
        (cart(line(quantity="2.5")), ["quantity-fractional"]),
        (cart(line("plate")), ["price-unknown"]),
        (cart(line(**{"pay-with": "later"})), ["price-unknown"]),
        (cart(line(amount=Decimal(3))), ["points-line-money"]),
        (cart(line(discount=Decimal(3))), ["points-line-money"]),
        (cart(line(tax=Decimal(3))), ["points-line-money"]),
        (cart(line(offer="spring")), ["points-line-money"]),
        (cart(line(), card=None), ["card-required"]),
        (cart(line(), card="nobody"), ["card-unknown"]),
        (cart(line(), card="SHUT"), ["card-blocked"]),
        (cart(line(), card="EARNS"), ["card-earns-only"]),
        (cart(line(quantity="4")), ["points-short"]),
        (cart(line(quantity="3"), line("cup", "2")), ["points-short"]),
        (cart(line("pin", **{"pay-with": "tier"})), ["points-not-redeemable"]),
        (
            cart(line("plate"), line(tax=Decimal(1)), line(quantity="4")),
            ["price-unknown", "points-line-money", "points-short"],
        ),
        (
            cart(line("plate", quantity="0.5", tax=Decimal(1)), card="SHUT"),
            ["points-line-money", "quantity-fractional", "price-unknown", "card-blocked"],
        ),
        (cart(line(), line("cup"), card="EARNS"), ["card-earns-only"]),
    ],
    ids=str,
)
def test_what_cannot_be_paid(store: Ledger, wrong: Cart, codes: list[str]) -> None:
    before = held(store)
    assert problems(store, wrong) == codes
    with pytest.raises(RecordError) as raised:
        pay(store, wrong)
    assert raised.value.code == codes[0]
    assert held(store) == before


def test_a_check_posts_nothing(store: Ledger) -> None:
    before = held(store)
    assert problems(store, cart(line(), line("cup"))) == []
    assert held(store) == before


def test_a_cart_of_money_alone_has_nothing_to_check(store: Ledger) -> None:
    wanted = cart({"product": "plate", "amount": Decimal(5)}, card=None)
    assert problems(store, wanted) == []
    with pytest.raises(RecordError, match="card-required"):
        pay(store, wanted)
    with pytest.raises(RecordError, match="checkout-empty"):
        pay(store, cart({"product": "plate", "amount": Decimal(5)}))


def test_checkout_pays_all_lines_at_once_and_once(store: Ledger) -> None:
    wanted = cart(line(quantity="2"), line("cup"), line(**{"pay-with": "money"}))
    posted = pay(store, wanted)
    assert [(one.kind, one.points, one.why) for one in posted.entries] == [
        ("plain", -600, "2 x mug at 300"),
        ("plain", -100, "1 x cup at 100"),
        ("money", Decimal("-2.5"), "1 x mug at 2.5"),
    ]
    assert held(store) == {"plain": 300, "money": Decimal("7.5")}
    again = pay(store, wanted)
    assert (again.number, again.repeated) == (posted.number, True)
    assert held(store) == {"plain": 300, "money": Decimal("7.5")}


def test_the_same_order_is_answered_even_after_prices_changed(store: Ledger) -> None:
    wanted = cart(line())
    posted = pay(store, wanted)
    with store.writing("ann") as transaction:
        put(transaction, Price("Mug", "plain", Decimal(999), None, None))
    assert pay(store, wanted)._replace(repeated=False) == posted


def test_another_cart_under_the_same_order_is_refused(store: Ledger) -> None:
    pay(store, cart(line()))
    with pytest.raises(RecordError, match="posting-differs"):
        pay(store, cart(line(quantity="2"), order="w-1"))
    assert held(store)["plain"] == 700


def test_a_checkout_without_a_number_is_refused(store: Ledger) -> None:
    with pytest.raises(RecordError, match="order-required"):
        pay(store, cart(line(), order=None))


def test_points_of_all_cards_of_a_customer_pay(store: Ledger) -> None:
    give(store, "POOL", "plain", 200)
    give(store, "SAME", "plain", 200)
    wanted = cart(line(), card="POOL")
    assert problems(store, wanted) == []
    assert sorted(one.points for one in pay(store, wanted).entries) == [-200, -100]


# ---------------------------------------------------------------------------- coming back


def come_back(ledger: Ledger, key: str, shares: dict[int, Fraction]) -> list[Decimal]:
    with ledger.reading() as connection:
        lines = checkout.come_back(connection, "w-1", shares)
    if lines:
        Journal(ledger).post(Posting(key, tuple(lines)), by="test")
    return [one.points for one in lines]


def test_goods_that_come_back_bring_their_points(store: Ledger) -> None:
    pay(store, cart(line("cup"), line(quantity="3"), line(**{"pay-with": "money"})))
    assert come_back(store, "one mug", {1: Fraction(1, 3)}) == [300]
    assert come_back(store, "again", {1: Fraction(1, 3)}) == []
    assert come_back(store, "rest", {0: Fraction(1), 1: Fraction(1)}) == [100, 600]
    assert held(store) == {"plain": 1000, "money": Decimal("7.5")}
    assert come_back(store, "half", {2: Fraction(1, 2)}) == [Decimal("1.25")]
    assert list(mismatches(store)) == []


def test_whole_points_come_back_whole_the_rest_with_the_last_piece(store: Ledger) -> None:
    give(store, "POOL", "plain", 101)
    give(store, "SAME", "plain", 202)
    pay(store, cart(line(), card="POOL"))
    parts = [come_back(store, f"part {n}", {0: Fraction(n, 7)}) for n in range(1, 8)]
    assert sum(sum(part, Decimal(0)) for part in parts) == 300
    assert held(store, "POOL")["plain"] + held(store, "SAME")["plain"] == 303
    assert list(mismatches(store)) == []


def test_an_order_that_was_not_paid_with_points_brings_nothing(store: Ledger) -> None:
    assert come_back(store, "nothing", {0: Fraction(1)}) == []
