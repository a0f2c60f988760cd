"""Whatever is asked of whatever shop: the one statement picks whom plain Python picks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.ledger.ledger import Ledger
from connector.ledger.schema import CARDS
from connector.ledger.segments.document import SegmentDocument
from connector.ledger.segments.picking import statement
from tests.unit.ledger.segments.filling import KINDS, fill
from tests.unit.ledger.segments.naive import Holder, Line, Lot, Shop, Ticket

ON = date(2026, 6, 15)
PRODUCTS, CATEGORIES = ("Bread", "MILK", "tea"), ("Food", "drinks", "50%_off")
CHANNELS, UNITS = ("Shop", "WEB"), ("S1", "s2")
PROGRAMS, TIERS, GROUPS = ("gold-club", "kids", "free"), ("silver", "gold"), ("staff", "Straße")


def in_ledger(ledger: Ledger, shop: Shop, document: SegmentDocument) -> set[str]:
    """The cards the statement picks."""
    with ledger.reading() as connection:
        query = statement(connection, document, shop.on, UTC)
        return set(connection.scalars(query.with_only_columns(CARDS.table.c.card_number)))


# ---------------------------------------------------------------------------- shops and segments

some_day = st.integers(-5, 3).map(lambda days: ON + timedelta(days))
AMOUNTS = (Decimal("0.5"), Decimal(1), Decimal("1.5"), Decimal(2), Decimal("4.5"))
numbers = st.sampled_from(AMOUNTS)


def busy_shop(chance: Random, size: int = 120) -> Shop:
    """A shop in which hardly two cards are alike."""

    def day() -> date:
        return ON + timedelta(chance.randint(-6, 4))

    def line() -> Line:
        names = chance.sample(CATEGORIES, chance.randint(0, 2))
        amounts = chance.choice(AMOUNTS), chance.choice(AMOUNTS)
        return Line(chance.choice(PRODUCTS), names, *amounts, back=chance.random() < 0.3)

    def ticket() -> Ticket:
        at = datetime.combine(day(), time(chance.choice([0, 12, 23]), 59), UTC)
        channel, unit = chance.choice([None, "shop", "Web"]), chance.choice([None, "S1", "S2"])
        lines = [line() for _ in range(chance.randint(1, 3))]
        return Ticket(at, lines, chance.choice(["EUR", "USD"]), channel, unit)

    def lot() -> Lot:
        expires = chance.choice([None, day(), day()])
        return Lot(chance.choice(KINDS), chance.choice(AMOUNTS), day(), expires)

    def holder(number: int) -> Holder:
        return Holder(
            f"C{number}",
            chance.choice([None, None, *(f"P{one}" for one in range(size // 2))]),
            chance.random() < 0.2,
            chance.choice([None, day(), day()]),
            chance.choice([None, "S1", "S2"]),
            frozenset(chance.sample(PROGRAMS[:2], chance.randint(0, 2))),
            {name: chance.choice(TIERS) for name in chance.sample(PROGRAMS, chance.randint(0, 2))},
            [ticket() for _ in range(chance.randint(0, 3))],
            [lot() for _ in range(chance.randint(0, 3))],
        )

    holders = [holder(number) for number in range(size)]
    parties = sorted({one.party for one in holders if one.party is not None})
    groups = {
        party: {name.casefold() for name in chance.sample(GROUPS, chance.randint(0, 2))}
        for party in parties
    }
    return Shop(holders, groups, frozenset({"free"}), ON)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ledger, Shop]]:
    shop = busy_shop(Random(7))
    folder = tmp_path_factory.mktemp("segments")
    with Ledger.open(f"sqlite:///{folder}/ledger.db") as ledger:
        fill(ledger, shop)
        yield ledger, shop


def some_of(names: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)


def chosen(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    spelled = {name.replace("_", "-"): values for name, values in keys.items()}
    return st.fixed_dictionaries({}, optional=spelled)


spans = st.integers(1, 6).map(lambda days: f"{days} days")
days = some_day.map(str)
periods: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    chosen(within=spans),
    chosen(until=days).flatmap(lambda end: days.map(lambda first: {"from": first, **end})),
)


def bought(period: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    if asked.keys() & {"least-amount", "most-amount"}:
        asked = {"currency": "EUR", **asked}
    return {**period, **asked}


purchases = st.builds(
    bought,
    periods,
    chosen(
        products=some_of(PRODUCTS),
        categories=some_of(CATEGORIES),
        channels=some_of(CHANNELS),
        units=some_of(UNITS),
        currency=st.sampled_from(["EUR", "USD"]),
        least_sales=st.integers(1, 3),
        most_sales=st.integers(0, 2),
        least_amount=numbers,
        most_amount=numbers,
        least_quantity=numbers,
        most_quantity=numbers,
    ),
)
held = chosen(expiring=spans, least=numbers, most=numbers | st.just(Decimal(0))).flatmap(
    lambda asked: st.sampled_from(KINDS).map(lambda kind: {"kind": kind.upper(), **asked})
)
enrolled = st.builds(lambda period, more: {**period, **more}, periods, chosen(units=some_of(UNITS)))
tier = chosen(one_of=some_of(TIERS)).flatmap(
    lambda asked: st.sampled_from(PROGRAMS).map(lambda name: {"program": name, **asked})
)
single = st.one_of(
    chosen(programs=some_of(PROGRAMS), groups=some_of(GROUPS), customer=st.booleans()),
    purchases.map(lambda asked: {"sales": asked}),
    spans.map(lambda span: {"idle": span}),
    held.map(lambda asked: {"points": asked}),
    enrolled.map(lambda asked: {"enrolled": asked}),
    tier.map(lambda asked: {"tier": asked}),
).filter(bool)
conditions = st.recursive(
    single,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
        st.builds(lambda one, other: {**one, **other}, inner, inner),
    ),
    max_leaves=4,
)
documents = st.builds(
    lambda who, of: SegmentDocument.model_validate({"segment": "s", "of": of, "who": who}),
    conditions,
    st.sampled_from(["card", "customer"]),
)


@settings(max_examples=500, deadline=None)
@given(document=documents)
def test_the_statement_picks_whom_plain_python_picks(
    filled: tuple[Ledger, Shop], document: SegmentDocument
) -> None:
    ledger, shop = filled
    assert in_ledger(ledger, shop, document) == shop.picked(document)


def test_the_same_on_postgresql(postgresql_url: str) -> None:
    shop = busy_shop(Random(8), 60)
    asked = [documents_of(one) for one in EACH]
    with Ledger.open(postgresql_url) as ledger:
        fill(ledger, shop)
        picks = [in_ledger(ledger, shop, one) for one in asked]
    assert picks == [shop.picked(one) for one in asked]
    assert all(picks), "each of them picks somebody"


EACH: list[dict[str, Any]] = [
    {"programs": ["kids"]},
    {"programs": ["free"], "customer": "yes"},
    {"tier": {"program": "gold-club", "one-of": ["gold"]}},
    {"groups": ["STRASSE"]},
    {"not": {"groups": ["staff"]}},
    {"idle": "2 days"},
    {"points": {"kind": "bonus", "least": 2}},
    {"points": {"kind": "bonus", "expiring": "2 days"}},
    {"enrolled": {"units": ["s1"], "within": "4 days"}},
    {"sales": {"products": ["BREAD"], "categories": ["50%_OFF"]}},
    {"sales": {"channels": ["web"], "units": ["s2"], "from": "2026-06-12"}},
    {"sales": {"currency": "EUR", "least-amount": 4, "most-sales": 2}},
    {"sales": {"currency": "EUR", "most-amount": 4, "most-quantity": 2, "until": "2026-06-14"}},
    {"any": [{"groups": ["staff"]}, {"sales": {"least-sales": 3}}]},
]
"""One of each condition."""


def documents_of(who: dict[str, Any]) -> SegmentDocument:
    return SegmentDocument.model_validate({"segment": "s", "of": "customer", "who": who})


@pytest.mark.parametrize("who", EACH, ids=str)
@pytest.mark.parametrize("of", ["card", "customer"])
def test_each_condition_picks_some_and_not_all(
    filled: tuple[Ledger, Shop], who: dict[str, Any], of: str
) -> None:
    ledger, shop = filled
    for asked in (who, {"not": who}):
        document = SegmentDocument.model_validate({"segment": "s", "of": of, "who": asked})
        picked = in_ledger(ledger, shop, document)
        assert picked == shop.picked(document)
        assert picked


@pytest.mark.parametrize(
    ("who", "index"),
    [
        ({"sales": {"products": ["bread"]}}, "product_key"),
        ({"points": {"kind": "bonus", "least": 1}}, "point_lots"),
        ({"groups": ["staff"]}, "customer_groups_by_name"),
        ({"programs": ["kids"]}, "card_programs_by_program"),
    ],
    ids=str,
)
def test_what_selects_is_found_by_an_index(
    filled: tuple[Ledger, Shop], who: dict[str, Any], index: str
) -> None:
    ledger, shop = filled
    document = SegmentDocument.model_validate({"segment": "s", "who": who})
    with ledger.reading() as connection:
        query = statement(connection, document, shop.on)
        text = query.compile(connection, compile_kwargs={"literal_binds": True})
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}".replace("%", "%%"))
        steps = [row.detail for row in plan]
    assert any(index in step for step in steps), steps
