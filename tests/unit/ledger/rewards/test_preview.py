"""What a product would earn, and what is said to be missing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.rewards.document import RewardDocument
from connector.ledger.rewards.evaluator import AS_DELIVERED, Settings, Several
from connector.ledger.rewards.preview import Prospect, prospects, with_product
from tests.unit.ledger.rewards.making import ANN, AT, document, item, rewards, sale

EMPTY = Sale("", "", AT, "EUR", ())
MUG = item()
TEN = Decimal(10)


def look(
    *documents: RewardDocument,
    cart: Sale = EMPTY,
    product: Item = MUG,
    settings: Settings = AS_DELIVERED,
    logged_in: bool = True,
) -> list[Prospect]:
    put, place = with_product(cart, product)
    these = rewards(*documents, settings=settings)
    return prospects(these, put, place, ANN if logged_in else None, "de")


def words(one: Prospect) -> list[str]:
    return [each.words for each in one.missing]


def test_what_is_earned_stands_first_in_the_language_of_the_customer() -> None:
    far = document({"shop": "web"}, reward="far")
    near = document(reward="near", translations={"de": "Geschenk"})
    found = look(far, near)
    assert [(one.reward, one.name, one.points) for one in found] == [
        ("near", "Geschenk", TEN),
        ("far", "Gift", TEN),
    ]
    assert found[0].missing == ()
    assert words(found[1]) == ["buy in the shop web"]


def test_the_nearest_rule_is_told() -> None:
    two = document(
        {"shop": "web", "country": "DE"}, {"quantity": {"value": 3}}, {"products": ["plate"]}
    )
    (found,) = look(two)
    assert (found.rule, words(found), found.possible) == ("r1", ["add 2 more"], True)


def test_what_is_for_other_products_is_out_of_reach() -> None:
    (found,) = look(document({"products": ["plate"]}))
    assert not found.possible


def test_the_cart_counts() -> None:
    total = document({"order-total": {"value": Decimal("72.50"), "currency": "EUR"}})
    cart = sale(item("plate", amount="40"))
    assert words(look(total)[0]) == ["spend 52.50 EUR more"]
    assert words(look(total, cart=cart)[0]) == ["spend 12.50 EUR more"]
    assert look(total, cart=cart, product=item(amount="32.50"))[0].missing == ()


def test_a_product_that_is_in_the_cart_adds_to_its_line() -> None:
    three = document({"products": ["mug"], "quantity": {"value": 3}})
    assert words(look(three, cart=sale(item(quantity="1")))[0]) == ["add 1 more"]
    assert look(three, cart=sale(item("plate"), item(quantity="2")))[0].missing == ()
    other = sale(item(quantity="2", variant="blue"))
    assert words(look(three, cart=other)[0]) == ["add 2 more"]
    paid = sale(item(quantity="2", amount="0", points=Decimal(600)))
    assert words(look(three, cart=paid)[0]) == ["add 2 more"]
    put, place = with_product(sale(item("plate"), item()), item(categories=("cups",)))
    assert (place, len(put.lines)) == (1, 2)
    assert put.lines[1].quantity == 2
    assert put.lines[1].amount == 40
    assert put.lines[1].categories == ("cups",)


def test_nobody_earns_without_logging_in() -> None:
    (found,) = look(document({"user-group": "vip"}), logged_in=False)
    assert words(found) == ["log in", "be a member of the group vip"]
    (all_,) = look(document(), logged_in=False)
    assert (words(all_), all_.possible, all_.points) == (["log in"], True, TEN)


def test_points_that_pay_earn_nothing_where_that_is_switched_off() -> None:
    off = Settings(on_points=False)
    paid = item(amount="0", points=Decimal(300))
    (found,) = look(document({"products": ["mug"]}), product=paid, settings=off)
    assert words(found) == ["pay with money, not with points"]
    order = replace(sale(), payments={"points": Decimal(40)})
    (found,) = look(document(), cart=order, settings=off)
    assert words(found) == ["pay with money, not with points"]


def test_too_little_for_a_point_is_said() -> None:
    percent = document(type="percentage", percentage=Decimal(1), currency="EUR")
    (found,) = look(percent)
    assert (found.points, words(found)) == (
        Decimal(0),
        ["spend more: this is not enough for a point"],
    )
    assert look(percent, product=item(amount="100"))[0].missing == ()


def test_only_the_largest_is_promised_where_only_it_counts() -> None:
    small, large = document(reward="small", points=5), document(reward="large", points=7)
    found = look(small, large, settings=Settings(several=Several.LARGEST))
    assert [(one.reward, one.possible) for one in found] == [("large", True), ("small", False)]
    assert words(found[1]) == ["Gift counts instead, it pays more"]


def test_rewards_that_are_off_are_not_told() -> None:
    assert look(document(active=False), document(archived=True, reward="old")) == []
    assert look(document({"active": False})) == []
