"""Points and money are rounded as their kind and currency ask."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ledger.programs.paying import RedeemRule
from connector.ledger.programs.rounding import PointKind, money, plain

WHOLE = PointKind("a")
EURO = PointKind("b", whole=False, currency="EUR")
YEN = PointKind("c", whole=False, currency="JPY")
DINAR = PointKind("d", whole=False, currency="KWD")


@pytest.mark.parametrize(
    ("kind", "points", "rounded", "enough"),
    [
        (WHOLE, "0.5", "1", "1"),
        (WHOLE, "1.5", "2", "2"),
        (WHOLE, "2.4999", "2", "3"),
        (EURO, "0.005", "0.01", "0.01"),
        (EURO, "0.0049", "0", "0.01"),
        (EURO, "1.10", "1.10", "1.10"),
        (YEN, "7.5", "8", "8"),
        (DINAR, "0.0005", "0.001", "0.001"),
    ],
)
def test_rounding(kind: PointKind, points: str, rounded: str, enough: str) -> None:
    assert kind.rounded(Decimal(points)) == Decimal(rounded)
    assert kind.enough(Decimal(points)) == Decimal(enough)


def test_money_is_rounded_down() -> None:
    assert [str(money(Decimal("7.999"), one)) for one in ("EUR", "JPY", "KWD")] == [
        "7.99",
        "7",
        "7.999",
    ]


@pytest.mark.parametrize(
    ("number", "text"), [("1E+2", "100"), ("1.500", "1.5"), ("100", "100"), ("0.0", "0")]
)
def test_numbers_for_people(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text


def numbers(least: str, most: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(least), Decimal(most), places=places)


@given(
    numbers("0.0001", "1000000000", 4),
    numbers("0.0001", "1000000000", 4),
    numbers("0.01", "1000000", 2),
    st.sampled_from([WHOLE, EURO]),
)
def test_points_that_are_enough_cover_the_amount(
    points: Decimal, worth: Decimal, amount: Decimal, kind: PointKind
) -> None:
    rule = RedeemRule("p", 1, kind.name, "EUR", points, worth, rounding=kind)
    needed = rule.needs(amount)
    assert rule.covers(needed) >= amount
    fewer = needed - kind.smallest
    assert fewer * worth / points < amount
