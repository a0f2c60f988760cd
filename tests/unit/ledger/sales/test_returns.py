"""Goods come back: points go as far as the rest would not earn them, and points paid return."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from connector.ledger.desk import Desk
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Adjust, Earn, Posting, Redeem
from connector.ledger.sales.receipt import Back, Receipt
from connector.ledger.sales.till import Till
from tests.unit.ledger.conftest import START, Clock
from tests.unit.ledger.sales.conftest import Shop, item, sale

Refusing = Callable[[Callable[[], object]], str]
BOOKS = (item(20, 2, "novel", "books"), item(10, 4, "pen"))


def back(line: int, quantity: object = 1, amount: object = None) -> tuple[Back, ...]:
    part = None if amount is None else Decimal(str(amount))
    return (Back(line, Decimal(str(quantity)), part),)


def moved(receipt: Receipt) -> list[tuple[str, str, Decimal]]:
    return [(str(one.type), one.kind, one.points) for one in receipt.entries]


def test_a_part_takes_back_its_part(shop: Shop) -> None:
    shop.sell(lines=BOOKS)
    assert moved(shop.back(lines=back(1))) == [
        ("ReturnEarned", "money", Decimal(-10)),
        ("ReturnEarned", "plain", Decimal(-5)),
    ]
    assert moved(shop.back("R-2", lines=back(2, 3))) == [("ReturnEarned", "money", Decimal("-7.5"))]
    assert shop.available() == {"money": Decimal("12.5"), "plain": Decimal(5)}


def test_what_is_left_comes_back_at_last(shop: Shop) -> None:
    shop.sell(lines=BOOKS)
    before = shop.of()
    shop.sell("S-2", lines=BOOKS)
    shop.back(of="S-2", lines=back(2, 1, "9.99"))
    shop.back("R-2", of="S-2")
    assert shop.of() == before


def test_money_that_does_not_divide_is_not_lost(shop: Shop) -> None:
    shop.sell(lines=(item(10, 3),))
    parts = [shop.back(f"R-{n}", lines=back(1)).entries[0].points for n in range(3)]
    assert parts == [Decimal("-3.3333"), Decimal("-3.3334"), Decimal("-3.3333")]
    assert shop.available() == {}


def test_the_rest_is_judged_as_the_sale_was(shop: Shop) -> None:
    shop.sell("S-0")
    shop.sell("S-00")
    shop.sell(lines=BOOKS)
    assert shop.available()["tier"] == 7
    # Now points are worth double, and the card has had more sales.
    shop.rules.version = 2
    shop.sell("S-3")
    received = shop.back(lines=back(1))
    assert moved(received)[0] == ("ReturnEarned", "money", Decimal(-10))
    assert [one.kind for one in received.entries] == ["money", "plain"]


def test_a_kind_may_be_renamed_or_counted_otherwise_meanwhile(shop: Shop) -> None:
    shop.sell(lines=(item("10.02", 2),))
    kinds = shop.ledger.store("reward-points")
    changed = {"RewardPointId": "silver", "RewardPointType": "Quantity"}
    kind = kinds.find("money")
    assert kind is not None
    kinds.update(kind.id, changed, by="test")
    assert moved(shop.back(lines=back(1))) == [("ReturnEarned", "silver", Decimal("-5.01"))]
    shop.back("R-2")
    assert shop.available() == {}


def test_a_return_happens_once(shop: Shop, refused: Refusing) -> None:
    shop.sell(lines=BOOKS)
    first = shop.back(lines=back(1))
    assert shop.back(lines=back(1)) == first._replace(repeated=True)
    assert refused(lambda: shop.back(lines=back(2))) == "return-differs"
    assert refused(shop.back) == "return-differs"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"of": "S-9"}, "sale-unknown"),
        ({"lines": ()}, "return-empty"),
        ({"lines": back(3)}, "return-exceeds"),
        ({"lines": back(0)}, "return-exceeds"),
        ({"lines": back(1, 3)}, "return-exceeds"),
        ({"lines": back(1, 1, "20.01")}, "return-exceeds"),
        ({"lines": back(1) + back(1, "1.0001")}, "return-exceeds"),
        ({"lines": back(1, 0)}, "sale-quantity"),
        ({"lines": back(1, -1)}, "sale-quantity"),
        ({"lines": back(1, 1, -1)}, "sale-amount"),
        ({"number": ""}, "sale-number"),
        ({"at": START - timedelta(seconds=1)}, "return-before-sale"),
        ({"at": START + timedelta(days=2)}, "posting-ahead"),
        ({"at": START.replace(tzinfo=None)}, "sale-date"),
    ],
)
def test_what_cannot_come_back_is_refused(
    shop: Shop, refused: Refusing, how: dict[str, object], code: str
) -> None:
    shop.sell(lines=BOOKS)
    assert refused(lambda: shop.back(**how)) == code  # type: ignore[arg-type]


def test_nothing_comes_back_twice(shop: Shop, refused: Refusing) -> None:
    shop.sell()
    shop.back()
    assert refused(lambda: shop.back("R-2")) == "return-empty"
    assert refused(lambda: shop.back("R-2", lines=back(1))) == "return-exceeds"


def test_a_return_of_what_earned_nothing_is_kept(shop: Shop, refused: Refusing) -> None:
    shop.sell(lines=(item(0),))
    received = shop.back()
    assert (received.posting, received.entries) == (None, ())
    assert refused(lambda: shop.back("R-2")) == "return-empty"


def test_a_clock_set_back_takes_nothing(shop: Shop, clock: Clock, refused: Refusing) -> None:
    shop.sell(at=START - timedelta(days=9))
    clock.forward(-3600)
    assert refused(shop.back) == "clock-set-back"


def test_what_a_cap_kept_out_is_not_taken(shop: Shop) -> None:
    lines = (item(0, 30, "atlas", "books"),)
    journal = Journal(shop.ledger)
    journal.post(Posting("x", (Earn("A", "capped", Decimal(70)),)), by="t")

    def capped(occasion: object, member: object, _: object = None) -> list[object]:
        return [one._replace(kind="capped") for one in earned(occasion, member)]  # type: ignore[arg-type]

    earned, made = shop.rules.earned, shop.rules.of
    shop.rules.earned = capped  # type: ignore[assignment,method-assign]
    shop.rules.of = lambda *_: shop.rules  # type: ignore[method-assign]
    (entry,) = shop.sell(lines=lines).entries
    assert (entry.asked, entry.points) == (Decimal(150), Decimal(30))
    # 10 books left earn 50, which is more than was granted.
    assert shop.back(lines=back(1, 20)).entries == ()
    assert [one.points for one in shop.back("R-2", lines=back(1, 9)).entries] == [Decimal(-25)]
    assert made is not None


# ---------------------------------------------------------------------------- points that paid


def paid(shop: Shop, number: str = "S-1", points: int = 9, kind: str = "plain") -> None:
    journal = Journal(shop.ledger)
    journal.post(Posting(f"give {number}", (Adjust("A", kind, Decimal(points)),)), by="t")
    pay = Redeem("A", kind, Decimal(points))
    journal.post(Posting(f"pay {number}", (pay,), sale=number), by="t")


def test_points_paid_return_in_proportion(shop: Shop) -> None:
    paid(shop)
    shop.sell(lines=(item(20, 3), item(10)))
    # A third of the sale, then five ninths of it; what is left comes with the last piece.
    assert ("Refund", "plain", Decimal(3)) in moved(shop.back(lines=back(2)))
    assert ("Refund", "plain", Decimal(2)) in moved(shop.back("R-2", lines=back(1)))
    assert ("Refund", "plain", Decimal(4)) in moved(shop.back("R-3"))
    assert shop.available() == {"plain": Decimal(9)}


def test_a_replaced_card_settles_with_the_new_one(shop: Shop) -> None:
    shop.sell(lines=BOOKS)
    Desk(shop.ledger).replace("A", "A2", by="desk")
    received = shop.back()
    assert {one.card for one in received.entries} == {"A2"}
    assert shop.available("A2") == {}


def test_spent_points_are_told(shop: Shop) -> None:
    shop.sell()
    Journal(shop.ledger).post(Posting("p", (Redeem("A", "money", Decimal(4)),)), by="t")
    (entry,) = shop.back().entries
    assert (entry.points, entry.asked) == (Decimal(-6), Decimal(-10))
    assert "4 of them are spent already" in entry.why


def test_the_day_of_a_sale_is_the_one_it_was_judged_on(shop: Shop) -> None:
    """Also where the config names another time zone by the time goods come back."""
    late = START.replace(hour=23, minute=30) - timedelta(days=1)
    tokyo = Till(shop.ledger, ZoneInfo("Asia/Tokyo"), shop.rules)
    tokyo.sale(sale(at=late, lines=BOOKS), by="till")
    shop.back(lines=back(1))
    (sold, rest) = shop.rules.occasions
    assert (rest.at, rest.at.date()) == (sold.at, sold.at.date()) == (late, START.date())
