"""Dividing an amount among kinds of points, to the last cent."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from connector.ledger.payments.covering import Means, Share, cover, kept, total
from connector.ledger.programs.paying import RedeemRule
from connector.ledger.programs.rounding import PointKind

D = Decimal


def rule(kind: str, points: object, worth: object, currency: str | None = None) -> RedeemRule:
    how = PointKind(kind, whole=currency is None, currency=currency)
    return RedeemRule("club", 1, kind, "EUR", D(str(points)), D(str(worth)), None, how)


def told(shares: list[Share]) -> list[tuple[str, str, str]]:
    return [(one.rule.kind, f"{one.points:f}", f"{one.amount:f}") for one in shares]


def test_one_kind_that_is_enough_pays_alone() -> None:
    means = [Means(rule("a", 100, 1), D(1000)), Means(rule("b", 1, 1), D(9))]
    assert told(cover(means, D("9.99"))) == [("a", "999", "9.99")]


def test_points_are_rounded_up_to_what_the_kind_allows() -> None:
    assert told(cover([Means(rule("a", 3, 1), D(10))], D("1.01"))) == [("a", "4", "1.01")]
    cash = rule("c", "0.9", 1, "EUR")
    assert told(cover([Means(cash, D(10))], D("1.01"))) == [("c", "0.91", "1.01")]


def test_what_covers_no_whole_cent_stays_on_the_card() -> None:
    # 7 of 3 for 1: 2.33, for which 7 points are needed; 250 of 100 for 1 in yen: 2 for 200.
    assert told(cover([Means(rule("a", 3, 1), D(7))], D(5))) == [("a", "7", "2.33")]
    yen = RedeemRule("club", 1, "y", "JPY", D(100), D(1))
    assert told(cover([Means(yen, D(250))], D(5))) == [("y", "200", "2")]
    assert cover([Means(rule("a", 1000, 1), D(9))], D(5)) == []


def test_the_next_kind_pays_what_is_left() -> None:
    means = [
        Means(rule("a", 3, 1), D(4)),
        Means(rule("a", 1, 1), D(4)),
        Means(rule("b", 10, 1), D(99)),
    ]
    assert told(cover(means, D(2))) == [("a", "4", "1.33"), ("b", "7", "0.67")]


number = st.decimals("0.0001", "5000", places=4)
money = st.integers(1, 50_000).map(lambda cents: D(cents).scaleb(-2))
kinds = st.lists(
    st.tuples(number, number, st.sampled_from([None, "EUR", "JPY"]), st.integers(0, 3000)),
    max_size=4,
).map(
    lambda drawn: [
        Means(rule(f"k{place}", points, worth, currency), D(held))
        for place, (points, worth, currency, held) in enumerate(drawn)
    ]
)


@given(kinds, money)
def test_no_cent_is_paid_twice_or_lost(means: list[Means], amount: Decimal) -> None:
    shares = cover(means, amount)
    held = {one.rule.kind: one.available for one in means}
    paid = total(shares)
    assert 0 <= paid <= amount
    for one in shares:
        assert 0 < one.points <= held[one.rule.kind]
        assert one.points % one.rule.rounding.smallest == 0
        assert one.amount == one.amount.quantize(D("0.01"))
        # Never less than the money is worth, and never by a whole step more.
        exact = one.amount * one.rule.points / one.rule.worth
        assert exact <= one.points < exact + one.rule.rounding.smallest
    if paid < amount:
        for had in means:
            spent = sum((share.points for share in shares if share.rule is had.rule), D(0))
            assert had.rule.covers(had.available - spent) == 0


@given(kinds, money, st.lists(st.integers(0, 100), max_size=4))
def test_giving_back_in_parts_is_giving_back_at_once(
    means: list[Means], amount: Decimal, parts: list[int]
) -> None:
    shares = tuple(cover(means, amount))
    by_parts, rest = shares, total(shares)
    for percent in parts:
        rest = (rest * percent / 100).quantize(D("0.01"))
        by_parts = kept(by_parts, rest)
    assert by_parts == kept(shares, rest)
    assert total(by_parts) == rest
    assert all(one.points <= before.points for one, before in zip(by_parts, shares, strict=True))
    assert all(one.points == 0 for one in kept(shares, D(0)))
