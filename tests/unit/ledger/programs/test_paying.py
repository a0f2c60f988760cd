"""What points pay, for whom, and which kind goes first."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connector.ledger.members.member import Member
from connector.ledger.programs.book import Programs, RedeemRule
from tests.unit.ledger.programs.making import NOON, member, programs


def redeem(**keys: Any) -> dict[str, Any]:
    whole = {"kind": "bonus", "currency": "EUR", "points": 100, "worth": 1}
    return {**whole, **{key.rstrip("_").replace("_", "-"): part for key, part in keys.items()}}


def rules(
    of: Programs, who: Member | None = None, days: int = 0, channel: str | None = None
) -> list[tuple[str, int]]:
    found = of.redeeming(who or member(), "EUR", NOON + timedelta(days), channel)
    return [(one.kind, int(one.points)) for one in found]


def one(**keys: Any) -> RedeemRule:
    (found,) = programs(redeem=[redeem(**keys)]).redeeming(member(), "EUR", NOON)
    return found


def test_a_rule_says_what_points_are_worth() -> None:
    found = one(worth=0.5)
    assert (found.program, found.version, found.kind, found.currency) == ("club", 3, "Bonus", "EUR")
    assert (found.points, found.worth, found.ranking) == (Decimal(100), Decimal("0.5"), 2)


@pytest.mark.parametrize(
    ("keys", "amount", "needs"),
    [
        ({}, "1", "100"),
        ({}, "0.99", "99"),
        ({}, "0.991", "100"),
        ({"points": 3}, "0.5", "2"),
        ({"points": 1, "worth": 3}, "10", "4"),
        ({"kind": "cash", "points": 1}, "12.34", "12.34"),
        ({"kind": "cash", "points": 3}, "0.001", "0.01"),
    ],
)
def test_points_for_an_amount_are_enough(keys: dict[str, Any], amount: str, needs: str) -> None:
    assert one(**keys).needs(Decimal(amount)) == Decimal(needs)


@pytest.mark.parametrize(
    ("keys", "points", "covers"),
    [
        ({}, "100", "1"),
        ({}, "99", "0.99"),
        ({"points": 3}, "2", "0.66"),
        ({"points": 3, "worth": 0.01}, "2", "0"),
        ({"kind": "cash", "points": 1}, "12.34", "12.34"),
    ],
)
def test_points_cover_no_more_than_they_are_worth(
    keys: dict[str, Any], points: str, covers: str
) -> None:
    assert one(**keys).covers(Decimal(points)) == Decimal(covers)


def test_yen_have_no_decimals() -> None:
    found = programs(redeem=[redeem(currency="JPY", points=3, worth=100)])
    (rule,) = found.redeeming(member(), "JPY", NOON)
    assert rule.covers(Decimal(2)) == 66
    assert found.redeeming(member(), "EUR", NOON) == []


def test_the_lowest_ranking_goes_first_then_where_fewer_points_are_needed() -> None:
    found = programs(
        redeem=[
            redeem(kind="yen", points=1),
            redeem(),
            redeem(points=80),
            redeem(kind="cash", points=200),
        ]
    )
    assert rules(found) == [("cash", 200), ("Bonus", 80), ("Bonus", 100), ("yen", 1)]


def test_points_that_do_not_pay_are_left_out() -> None:
    assert rules(programs(redeem=[redeem(kind="status"), redeem()])) == [("Bonus", 100)]


def test_conditions() -> None:
    tiers = [{"tier": "gold", "level": 1, "points": 1, "kind": "bonus"}]
    of = programs(
        redeem=[
            redeem(points=1, for_={"tiers": ["gold"]}),
            redeem(points=2, not_for={"tiers": ["gold"]}),
            redeem(points=3, for_={"groups": ["VIP"]}),
            redeem(points=4, for_={"channels": ["web"]}),
            redeem(points=5, for_={"until": "2026-03-04", "weekdays": ["wednesday"]}),
        ],
        tiers=tiers,
    )
    assert rules(of) == [("Bonus", 2), ("Bonus", 5)]
    assert rules(of, days=1) == [("Bonus", 2)]
    gold = member(tiers={"club": "gold"}, groups={"vip"})
    assert rules(of, gold, days=1, channel="Web") == [("Bonus", 1), ("Bonus", 3), ("Bonus", 4)]


def test_who_takes_part() -> None:
    of = programs(redeem=[redeem()], members="joined", excluded=["staff"])
    assert rules(of) == []
    joined = member(programs={"club"}, groups={"staff"})
    assert rules(of, joined) == [("Bonus", 100)], "excluded groups earn nothing, and still pay"


@pytest.mark.parametrize(("mixed", "expected"), [("no", False), ("rest", True), ("yes", True)])
def test_whether_one_order_earns_and_redeems(mixed: str, expected: bool) -> None:
    assert programs(mixed=mixed).mixed(member()) is expected
    assert not programs(mixed=mixed, members="joined").mixed(member())
