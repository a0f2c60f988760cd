"""What each kind of rule gives."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from connector.ledger.members.member import Member
from connector.ledger.programs.book import Program, Programs
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.missing import missed
from connector.ledger.programs.occasion import Activity, Earned, Sale
from tests.unit.ledger.programs.making import (
    KINDS,
    activity,
    exact,
    item,
    member,
    programs,
    rule,
    sale,
)


def points(
    *rules: dict[str, Any], of: Sale | Activity, who: Member | None = None, **keys: Any
) -> list[str]:
    found = programs(*rules, **keys).earned(of, who or member())
    return [f"{one.points} {one.kind}" for one in found]


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T12:00:00+00:00")


@pytest.mark.parametrize(
    ("keys", "amount", "expected"),
    [
        ({}, "45", ["45 Bonus"]),
        ({}, "45.49", ["45 Bonus"]),
        ({}, "45.50", ["46 Bonus"]),
        ({}, "0.49", []),
        ({}, "0", []),
        ({"points": 0.1}, "45", ["5 Bonus"]),
        ({"points": 0.1}, "44.99", ["4 Bonus"]),
        ({"every": 10}, "45", ["5 Bonus"]),
        ({"every": 10, "step": "whole"}, "45", ["4 Bonus"]),
        ({"every": 10, "step": "whole"}, "9.99", []),
        ({"every": 10, "points": 3, "step": "whole"}, "29.99", ["6 Bonus"]),
        ({"every": 0.3, "step": "whole"}, "0.9", ["3 Bonus"]),
        ({"every": 3}, "2", ["1 Bonus"]),
        ({"kind": "cash", "points": 0.05}, "45.50", ["2.28 cash"]),
        ({"kind": "cash", "points": 0.05}, "0.09", []),
        ({"kind": "yen", "points": 0.5}, "45", ["23 yen"]),
    ],
)
def test_by_amount(keys: dict[str, Any], amount: str, expected: list[str]) -> None:
    assert points(rule(**keys), of=sale(item(amount=amount))) == expected


def test_lines_are_summed_before_anything_is_rounded() -> None:
    lines = [item(amount="0.4") for _ in range(5)]
    assert points(rule(), of=sale(*lines)) == ["2 Bonus"]


def test_a_line_that_is_a_discount_counts_against_the_others() -> None:
    assert points(rule(), of=sale(item(amount="30"), item("voucher", "-10"))) == ["20 Bonus"]
    assert points(rule(), of=sale(item(amount="30"), item("voucher", "-30"))) == []


@pytest.mark.parametrize(
    ("keys", "quantity", "expected"),
    [
        ({}, "3", ["3 Bonus"]),
        ({"every": 2, "points": 20}, "3", ["30 Bonus"]),
        ({"every": 2, "points": 20, "step": "whole"}, "3", ["20 Bonus"]),
        ({"every": 0.5}, "1.25", ["3 Bonus"]),
        ({"every": 0.5, "step": "whole"}, "1.25", ["2 Bonus"]),
    ],
)
def test_by_quantity(keys: dict[str, Any], quantity: str, expected: list[str]) -> None:
    of = sale(item(quantity=quantity, amount="0"))
    assert points(rule(by="quantity", **keys), of=of) == expected


@pytest.mark.parametrize(
    ("every", "before", "expected"),
    [(1, 0, ["5 Bonus"]), (10, 8, []), (10, 9, ["5 Bonus"]), (10, 10, []), (10, 19, ["5 Bonus"])],
)
def test_by_sale(every: int, before: int, expected: list[str]) -> None:
    one = rule(by="sale", every=every, points=5)
    assert points(one, of=sale(), who=member(sales=before)) == expected


@pytest.mark.parametrize(
    ("pooled", "pool", "expected"),
    [
        (False, 9, "sale 3 of the card, each 3. counts = 1"),
        (True, 5, "sale 6 of all cards together, each 3. counts = 1"),
        (True, None, "sale 3 of all cards together, each 3. counts = 1"),
        (True, 6, None),
    ],
)
def test_a_pooled_program_counts_the_sales_of_the_pool(
    pooled: bool, pool: int | None, expected: str | None
) -> None:
    of, who = programs(rule(by="sale", every=3), pooled=pooled), member(sales=2, pool_sales=pool)
    told = [one.why for one in of.earned(sale(), who)]
    assert told == ([f"Club, base: {expected}"] if expected else [])
    why = [one.why for one in missed(of, sale(), who)]
    assert why == ([] if expected else ["it is sale 7 of all cards together, each 3. counts"])


def test_by_activity() -> None:
    survey = rule(by="activity", points=25, for_={"activities": ["Survey"]})
    assert points(survey, of=activity("survey")) == ["25 Bonus"]
    assert points(survey, of=activity("SURVEY", "2")) == ["50 Bonus"]
    assert points(survey, of=activity("visit")) == []
    assert points(survey, of=sale()) == []
    anything = rule(by="activity", points=2, every=3, step="whole")
    assert points(anything, of=activity("visit", "7")) == ["4 Bonus"]
    assert points(rule(), of=activity()) == []
    but = rule(by="activity", not_for={"activities": ["survey"]})
    assert points(but, of=activity("survey")) == []
    assert points(but, of=activity("visit")) == ["1 Bonus"]


def test_rules_add_up_and_each_is_rounded_by_itself() -> None:
    of = sale(item(amount="2.50"))
    found = points(rule(), rule(rule="more", points=0.3), rule(rule="cash", kind="cash"), of=of)
    assert found == ["3 Bonus", "1 Bonus", "2.50 cash"]


SHOES = item("shoe", "30", "2", categories=("shoes", "apparel"), offer="Spring")
HAT = item("Hat", "20", "1", categories=("hats", "apparel"))
TEA = item("tea", "5", "0.25")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"for_": {"products": ["SHOE"]}}, 30),
        ({"for_": {"products": ["shoe", "hat "]}}, 50),
        ({"for_": {"products": ["coat"]}}, None),
        ({"for_": {"categories": ["Apparel"]}}, 50),
        ({"for_": {"categories": ["hats", "apparel"]}}, 50),
        ({"for_": {"offers": ["spring"]}}, 30),
        ({"for_": {"categories": ["apparel"], "offers": ["spring"]}}, 30),
        ({"for_": {"products": ["hat"], "offers": ["spring"]}}, None),
        ({"not_for": {"products": ["tea"]}}, 50),
        ({"not_for": {"categories": ["shoes"]}}, 25),
        ({"not_for": {"offers": ["spring"]}}, 25),
        ({"not_for": {"products": ["tea"], "categories": ["apparel"]}}, None),
        ({"for_": {"categories": ["apparel"]}, "not_for": {"products": ["hat"]}}, 30),
        ({"for_": {"categories": ["apparel"], "least_amount": 50}}, 50),
        ({"for_": {"categories": ["apparel"], "least_amount": 50.01}}, None),
        ({"for_": {"least_amount": 55}}, 55),
        ({"for_": {"least_quantity": 3.25}}, 55),
        ({"for_": {"products": ["shoe"], "least_quantity": 3}}, None),
    ],
)
def test_conditions_of_lines(conditions: dict[str, Any], expected: int | None) -> None:
    for part in conditions.values():
        for key in [key for key in part if "_" in key]:
            part[key.replace("_", "-")] = part.pop(key)
    found = points(rule(**conditions), of=sale(SHOES, HAT, TEA))
    assert found == ([] if expected is None else [f"{expected} Bonus"])


def test_the_lines_that_count_are_told() -> None:
    def places(**conditions: Any) -> tuple[int, ...]:
        (found,) = programs(rule(**conditions)).earned(sale(SHOES, HAT, TEA), member())
        return found.lines

    assert places() == ()
    assert places(for_={"categories": ["apparel"]}) == (0, 1)
    assert places(not_for={"products": ["hat"]}) == (0, 2)
    assert places(by="sale", for_={"products": ["tea"]}) == (2,)


@pytest.mark.parametrize(
    ("key", "value", "met", "missed"),
    [
        ("groups", ["Gold", "vip"], {"who": member(groups={"vip"})}, {"who": member()}),
        (
            "tiers",
            ["gold"],
            {"who": member(tiers={"club": "gold"})},
            {"who": member(tiers={"club": "silver", "other": "gold"})},
        ),
        ("channels", ["Web"], {"of": sale(channel="WEB")}, {"of": sale(channel="store")}),
        ("channels", ["Web"], {"of": sale(channel="WEB")}, {"of": sale()}),
        ("units", ["052"], {"of": sale(unit="052")}, {"of": sale(unit="52")}),
        ("weekdays", ["wednesday"], {"of": sale()}, {"of": sale(at=day("2026-03-05"))}),
        ("from", "2026-03-04", {"of": sale()}, {"of": sale(at=day("2026-03-03"))}),
        ("until", "2026-03-04", {"of": sale()}, {"of": sale(at=day("2026-03-05"))}),
    ],
)
def test_conditions_of_the_whole(
    key: str, value: Any, met: dict[str, Any], missed: dict[str, Any]
) -> None:
    tiers = [
        {"tier": one, "level": n, "points": n, "kind": "bonus"}
        for n, one in enumerate(["silver", "gold"], 1)
    ]
    only, never = rule(for_={key: value}), rule(not_for={key: value})
    assert points(only, of=met.get("of", sale()), who=met.get("who"), tiers=tiers)
    assert not points(never, of=met.get("of", sale()), who=met.get("who"), tiers=tiers)
    assert not points(only, of=missed.get("of", sale()), who=missed.get("who"), tiers=tiers)
    assert points(never, of=missed.get("of", sale()), who=missed.get("who"), tiers=tiers)


def test_a_period_to_leave_out_and_a_weekday_to_leave_out_are_two_exceptions() -> None:
    but = rule(not_for={"from": "2026-03-01", "until": "2026-03-04", "weekdays": ["friday"]})
    days = {
        text: bool(points(but, of=sale(at=day(text))))
        for text in (
            "2026-02-27",
            "2026-02-28",
            "2026-03-01",
            "2026-03-04",
            "2026-03-05",
            "2026-03-06",
        )
    }
    assert [text for text, met in days.items() if met] == ["2026-02-28", "2026-03-05"]


def test_a_day_is_that_of_the_moment_as_it_is_given() -> None:
    late = datetime.fromisoformat("2026-03-05T00:30:00+02:00")
    assert points(rule(for_={"weekdays": ["thursday"]}), of=sale(at=late)) == ["10 Bonus"]


def test_another_currency_earns_nothing() -> None:
    rules = [rule(), rule(rule="usd", currency="USD", points=2), rule(rule="count", by="sale")]
    assert points(*rules, of=sale(currency="USD")) == ["20 Bonus", "1 Bonus"]


# ---------------------------------------------------------------------------- payment


@pytest.mark.parametrize(
    ("mixed", "paid", "expected"),
    [
        ("no", {}, ["100 Bonus"]),
        ("no", {"cash": "100"}, ["100 Bonus"]),
        ("no", {"cash": "99", "points": "1"}, []),
        ("no", {"cash": "100", "points": "0"}, ["100 Bonus"]),
        ("rest", {"cash": "75", "Points": "25"}, ["75 Bonus"]),
        ("rest", {"points": "25"}, ["75 Bonus"]),
        ("rest", {"points": "100"}, []),
        ("yes", {"cash": "75", "points": "25"}, ["100 Bonus"]),
        ("yes", {"points": "100"}, ["100 Bonus"]),
    ],
)
def test_what_is_paid_with_points(mixed: str, paid: dict[str, str], expected: list[str]) -> None:
    assert points(rule(), of=sale(item(amount="100"), payments=paid), mixed=mixed) == expected


def test_means_of_payment_count_by_their_part() -> None:
    of = sale(item(amount="100"), payments={"Card": "60", "cash": "30", "points": "10"})
    card = {"payments": ["card"]}
    assert points(rule(for_=card), of=of, mixed="rest") == ["60 Bonus"]
    assert points(rule(for_={"payments": ["card", "cash"]}), of=of, mixed="rest") == ["90 Bonus"]
    assert points(rule(not_for=card), of=of, mixed="rest") == ["30 Bonus"]
    assert points(rule(for_={"payments": ["cheque"]}), of=of, mixed="rest") == []
    assert points(rule(for_={"payments": ["points"]}), of=of, mixed="rest") == []
    assert points(rule(for_={"payments": ["points"]}), of=of, mixed="yes") == ["10 Bonus"]
    assert points(rule(for_=card), of=sale()) == [], "nobody told how it was paid"
    count = rule(by="sale", for_=card)
    assert points(count, of=of, mixed="rest") == ["1 Bonus"]
    half = rule(by="quantity", for_=card)
    of = sale(item(quantity="5", amount="100"), payments={"card": "40", "cash": "60"})
    assert points(half, of=of) == ["2 Bonus"]


def test_lines_bought_with_points_earn_nothing_and_the_others_do() -> None:
    lines = [item("shoe", "30", "2"), item("hat", "0", "3", points=Decimal(500))]
    count = rule(by="quantity")
    assert points(count, of=sale(*lines)) == [], "an order does not earn and redeem at once"
    assert points(count, of=sale(*lines), mixed="rest") == ["2 Bonus"]
    assert points(count, of=sale(*lines), mixed="yes") == ["5 Bonus"]
    assert points(count, rule(rule="sale", by="sale"), of=sale(*lines[1:]), mixed="rest") == []
    (found,) = programs(count, mixed="rest").earned(sale(*lines), member())
    assert found.lines == (0,)


def test_more_money_than_the_sale_needs() -> None:
    of = sale(item(amount="90"), payments={"cash": "100", "points": "50"})
    assert points(rule(), of=of, mixed="rest") == ["60 Bonus"]


# ---------------------------------------------------------------------------- programs


def test_who_takes_part() -> None:
    assert points(rule(), of=sale(), members="joined") == []
    assert points(rule(), of=sale(), who=member(programs={"club"}), members="joined")
    assert points(rule(), of=sale(), who=member(groups={"staff"}), excluded=["Staff"]) == []
    assert points(rule(), of=sale(), who=member(groups={"other"}), excluded=["Staff"])


def test_programs_and_rules_come_in_their_order() -> None:
    def document(name: str, *rules: dict[str, Any], **keys: Any) -> Program:
        data = {"program": name, "earn": list(rules), **keys}
        return Program(ProgramDocument.model_validate(exact(data)), 1)

    both = Programs(
        [
            document("b", rule(rule="z", for_={"products": ["shoe"]}), rule(rule="a")),
            document("a", rule(rule="y"), rule(rule="x", for_={"categories": ["c"]})),
            document("c", rule(), members="joined"),
        ],
        KINDS,
    )
    found = both.earned(sale(item(categories=("c",))), member())
    assert [(one.program, one.rule) for one in found] == [
        ("a", "y"),
        ("a", "x"),
        ("b", "z"),
        ("b", "a"),
    ]
    assert both.versions == {"a": 1, "b": 1, "c": 1}
    assert not both.tiered


def test_the_answer_names_its_rule() -> None:
    one = rule(every=2, points=3, for_={"products": ["shoe"]}, title="Shoes")
    (found,) = programs(one).earned(sale(item(amount="45.50")), member())
    assert found == Earned(
        "club",
        3,
        "base",
        "Bonus",
        Decimal(68),
        (0,),
        "Club, Shoes: 3 for each 2 EUR: 45.5 EUR = 68.25, rounded to 68",
    )


@pytest.mark.parametrize(
    ("keys", "of", "why"),
    [
        ({}, sale(item(amount="10")), "1 for each EUR: 10 EUR = 10"),
        (
            {"every": 4, "step": "whole"},
            sale(item(amount="10")),
            "1 for each full 4 EUR: 10 EUR = 2",
        ),
        (
            {"by": "quantity"},
            sale(item(quantity="2.5")),
            "1 for each piece: 2.5 pieces = 2.5, rounded to 3",
        ),
        ({"by": "sale"}, sale(), "each sale = 1"),
        (
            {"by": "quantity", "every": 2},
            sale(item(quantity="4")),
            "1 for each 2 pieces: 4 pieces = 2",
        ),
        (
            {"every": 3},
            sale(item(amount="10")),
            "1 for each 3 EUR: 10 EUR = 3.333333333, rounded to 3",
        ),
        ({"by": "activity"}, activity("survey", "3"), "1 for each time: 3 times = 3"),
        (
            {},
            sale(item(amount="100"), payments={"points": "25"}),
            "1 for each EUR: 75 EUR (of 100 paid 75 count) = 75",
        ),
    ],
)
def test_the_arithmetic_is_told(keys: dict[str, Any], of: Sale | Activity, why: str) -> None:
    (found,) = programs(rule(**keys), mixed="rest").earned(of, member())
    assert found.why == f"Club, base: {why}"


def test_which_sale_it_was_is_told() -> None:
    (found,) = programs(rule(by="sale", every=10)).earned(sale(), member(sales=19))
    assert found.why == "Club, base: sale 20 of the card, each 10. counts = 1"


def test_large_numbers_are_exact() -> None:
    of = sale(item(amount="99999999999999.9999"), item(amount="0.0001"))
    assert points(rule(points=1000000000), of=of) == [f"{10**14 * 10**9} Bonus"]
