"""What rewards pay: per line and per order, rounding, settings, and what never pays."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connector.ledger.rewards.evaluator import Settings, Several
from tests.unit.ledger.rewards.making import ANN, document, earned, item, rewards, sale

TEN = Decimal(10)


def percent(percentage: str, *rules: dict[str, Any], **keys: Any) -> Any:
    return document(
        *rules, type="percentage", percentage=Decimal(percentage), currency="EUR", **keys
    )


def test_a_rule_of_lines_pays_for_each_line_a_rule_of_the_order_once() -> None:
    order = sale(item(), item("cup"), item("plate"))
    assert earned(rewards(document({"products": ["mug", "cup"]})), order) == [("gift", TEN)] * 2
    assert earned(rewards(document({})), order) == [("gift", TEN)]


def test_each_line_says_where_it_was_earned() -> None:
    order = sale(item("plate"), item())
    (one,) = rewards(document({"products": ["mug"]})).earned(order, ANN)
    assert (one.program, one.version, one.rule, one.kind, one.lines) == (
        "rewards",
        1,
        "gift",
        "bonus",
        (1,),
    )
    assert one.why == "Gift, r0: 10; line 2, mug"
    (whole,) = rewards(document({})).earned(order, ANN)
    assert (whole.lines, whole.why) == ((), "Gift, r0: 10; the order")


def test_any_rule_of_a_reward_triggers_it_but_only_once_a_line() -> None:
    these = rewards(document({"products": ["mug"]}, {"groups": ["cups"]}, {"products": ["plate"]}))
    assert earned(these, sale(item(categories=("cups",)))) == [("gift", TEN)]
    assert earned(these, sale(item("plate"))) == [("gift", TEN)]
    assert earned(these, sale(item("glass"))) == []


def test_several_rewards_add_up_or_the_largest_counts() -> None:
    small, large = document(reward="small", points=5), document(reward="large", points=7)
    other = document(reward="other", points=1, kind="cash")
    of_line = document({"products": ["mug"]}, reward="line", points=2)
    both = earned(rewards(small, large, other, of_line), sale())
    assert sorted(both) == [("large", 7), ("line", 2), ("other", 1), ("small", 5)]
    most = Settings(several=Several.LARGEST)
    found = earned(rewards(small, large, other, of_line, settings=most), sale())
    assert sorted(found) == [("large", 7), ("line", 2), ("other", 1)]


@pytest.mark.parametrize(
    ("rounding", "decimals", "kind", "points"),
    [
        ("nearest", 0, "bonus", "3"),
        ("up", 0, "bonus", "3"),
        ("down", 0, "bonus", "2"),
        ("none", 0, "bonus", "2"),
        ("none", 0, "cash", "2.50"),
        ("nearest", 1, "cash", "2.5"),
        ("nearest", 0, "cash", "3"),
        ("up", 2, "bonus", "3"),
    ],
)
def test_rounding(rounding: str, decimals: int, kind: str, points: str) -> None:
    gift = percent("12.5", rounding=rounding, decimals=decimals, kind=kind)
    assert earned(rewards(gift), sale(item(amount="20.03"))) == [("gift", Decimal(points))]


def test_a_percentage_is_of_the_line_or_of_the_order() -> None:
    order = sale(item(amount="30"), item("plate", amount="70"))
    assert earned(rewards(percent("10")), order) == [("gift", TEN)]
    assert earned(rewards(percent("10", {"products": ["mug"]})), order) == [("gift", 3)]
    (one,) = rewards(percent("10")).earned(order, ANN)
    assert one.why == "Gift, r0: 10 % of 100 EUR = 10; the order"


def test_what_rounds_to_nothing_is_not_earned() -> None:
    assert earned(rewards(percent("1")), sale(item(amount="20"))) == []
    assert earned(rewards(percent("1")), sale(item(amount="0"))) == []


def test_another_currency_earns_nothing() -> None:
    assert earned(rewards(percent("10")), sale(currency="USD")) == []
    assert earned(rewards(document(currency="USD")), sale()) == []
    assert earned(rewards(document()), sale(currency="USD")) == [("gift", TEN)]


@pytest.mark.parametrize("off", [{"active": False}, {"archived": True}])
def test_what_is_off_or_archived_never_pays(off: dict[str, bool]) -> None:
    these = rewards(document(**off))
    assert earned(these, sale()) == []
    assert these.rewards == ()


def test_a_rule_that_is_off_does_not_trigger() -> None:
    assert earned(rewards(document({"active": False})), sale()) == []
    assert earned(rewards(document({"active": False}, {})), sale()) == [("gift", TEN)]


# ---------------------------------------------------------------------------- points pay


OFF = Settings(on_points=False)
WITH_POINTS = item(amount="0", points=Decimal(300))


def test_what_is_paid_with_points_earns_unless_that_is_switched_off() -> None:
    line, whole = document({"products": ["mug"]}), document()
    for one in (line, whole):
        assert earned(rewards(one), sale(WITH_POINTS)) == [("gift", TEN)]
        assert earned(rewards(one, settings=OFF), sale(WITH_POINTS)) == []
    mixed = sale(WITH_POINTS, item("plate"))
    assert earned(rewards(line, settings=OFF), mixed) == []
    assert earned(rewards(whole, settings=OFF), mixed) == [("gift", TEN)]


def test_switched_off_a_percentage_counts_what_money_paid() -> None:
    order = sale(
        item(amount="60"), payments={"points": Decimal(20), "card": Decimal(40)}, currency="EUR"
    )
    assert earned(rewards(percent("10")), order) == [("gift", 6)]
    assert earned(rewards(percent("10"), settings=OFF), order) == [("gift", 4)]
    line = percent("10", {"products": ["mug"]})
    assert earned(rewards(line, settings=OFF), order) == [("gift", 4)]
    (one,) = rewards(line, settings=OFF).earned(order, ANN)
    assert "(40 of 60 paid with money)" in one.why


def test_a_third_paid_with_points_is_exact() -> None:
    order = sale(item(amount="3"), payments={"Points": Decimal(1)})
    up = percent("100", rounding="up")
    assert earned(rewards(up, settings=OFF), order) == [("gift", 2)]


def test_an_order_all_of_which_points_paid_earns_nothing_when_switched_off() -> None:
    order = sale(payments={"points": Decimal(20)})
    assert earned(rewards(document(), settings=OFF), order) == []
    assert earned(rewards(document()), order) == [("gift", TEN)]


def test_points_live_as_long_as_the_settings_say() -> None:
    (as_kind,) = rewards(document()).earned(sale(), ANN)
    (year,) = rewards(document(), settings=Settings(months=12)).earned(sale(), ANN)
    assert (as_kind.months, year.months) == (None, 12)
