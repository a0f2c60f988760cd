"""What a web shop asks: imports all or nothing, previews for a card, carts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connector.errors import ConfigError, RecordError
from connector.ledger.ledger import Ledger
from connector.ledger.members.groups import GroupKind, Groups
from connector.ledger.programs.yaml_text import YamlText, read_yaml
from connector.ledger.rewards import store
from connector.ledger.rewards.cart import Cart
from connector.ledger.rewards.prices import Price, put
from connector.ledger.rewards.shop import Shop
from tests.unit.ledger.rewards.making import item

GIFT = """
reward: gift
name: Gift
type: fixed
points: 10
kind: plain
rules:
  - {rule: vips, user-group: vip, products: [mug]}
"""
EMPTY = Cart.model_validate({"currency": "EUR"})


def file(text: str, name: str = "gift.yaml") -> YamlText:
    return read_yaml(text, name)


def kept(ledger: Ledger) -> list[str]:
    with ledger.reading() as connection:
        return [one.document.reward for one in store.latest(connection)]


def test_files_are_taken_over_together_or_not_at_all(shop: Ledger) -> None:
    wrong = GIFT.replace("plain", "plan").replace("gift", "other")
    with pytest.raises(ConfigError, match="point-kind-unknown") as raised:
        Shop(shop).take_over([file(GIFT), file(wrong, "other.yaml")], by="ann")
    assert (raised.value.subject.file, raised.value.subject.line) == ("other.yaml", 6)
    assert kept(shop) == []
    right = GIFT.replace("gift", "other")
    done = Shop(shop).take_over([file(GIFT), file(right)], by="ann")
    assert [one.effect for one in done] == ["created", "created"]
    assert kept(shop) == ["gift", "other"]


def test_a_warning_stops_nobody(shop: Ledger) -> None:
    text = GIFT.replace("points: 10", "points: 10\ndecimals: 2")
    assert [one.code for one in Shop(shop).examined([file(text)])] == ["reward-rounding"]
    assert Shop(shop).take_over([file(text)], by="ann")[0].effect == "created"


def words(ledger: Ledger, card: str | None, **cart: Any) -> list[str]:
    asked = EMPTY.model_copy(update={"card": card, **cart})
    (found,) = Shop(ledger).preview(item(), asked)
    return [one.words for one in found.missing]


def test_a_preview_knows_the_card(shop: Ledger) -> None:
    Shop(shop).take_over([file(GIFT)], by="ann")
    assert words(shop, None) == ["log in", "be a member of the group vip"]
    assert words(shop, "same") == ["be a member of the group vip"]
    Groups(shop).add("P1", "VIP", GroupKind.GROUP, by="ann")
    assert words(shop, "same") == []
    assert words(shop, "A") == ["be a member of the group vip"]


@pytest.mark.parametrize(("card", "code"), [("nobody", "card-unknown"), ("SHUT", "card-blocked")])
def test_a_preview_is_for_a_card_that_can_earn(shop: Ledger, card: str, code: str) -> None:
    with pytest.raises(RecordError) as raised:
        Shop(shop).preview(item(), EMPTY.model_copy(update={"card": card}))
    assert raised.value.code == code
    assert card not in str(raised.value) or len(card) <= 4


def test_lines_paid_with_points_are_known_as_such(shop: Ledger) -> None:
    Shop(shop).take_over([file(GIFT.replace("user-group: vip, ", ""))], by="ann")
    with shop.writing("ann") as transaction:
        store.keep_settings(
            transaction, store.settings(transaction.connection)._replace(on_points=False)
        )
        put(transaction, Price("Mug", "plain", Decimal(300), None, None))
    paid = Cart.model_validate(
        {"currency": "EUR", "card": "A", "lines": [{"product": "mug", "pay-with": "PLAIN"}]}
    )
    # The line of the cart is paid with points, the product looked at with money: two lines.
    assert words(shop, "A", lines=paid.lines) == []
    free = item(amount="0", points=Decimal(300))
    (found,) = Shop(shop).preview(free, paid)
    assert [one.words for one in found.missing] == ["pay with money, not with points"]
