"""Laws of earning, on programs, members and occasions of any kind.

The naive evaluation asks every rule of every program, one by one, whatever the day.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.ledger.members.member import Member
from connector.ledger.programs.book import Program, Programs
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.earning import Earning, Offering, Seen
from connector.ledger.programs.missing import missed
from connector.ledger.programs.occasion import Activity, Earned, Item, Occasion, Sale
from connector.ledger.programs.rounding import PointKind
from tests.unit.ledger.programs.making import KINDS

LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FIRST = date(2026, 3, 1)
DAYS = st.integers(0, 13).map(lambda number: FIRST + timedelta(number))
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def names(*some: str) -> st.SearchStrategy[list[str]]:
    """As documents spell them."""
    spelled = [form for one in some for form in (one, one.upper())]
    return st.lists(st.sampled_from(spelled), min_size=1, max_size=2)


@functools.cache
def numbers(most: int, places: int = 2) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal("0.01"), Decimal(most), places=places)


WHOLE: dict[str, st.SearchStrategy[Any]] = {
    "groups": names("gold", "staff"),
    "tiers": st.lists(st.sampled_from(["low", "high"]), min_size=1, max_size=2),
    "channels": names("web", "store"),
    "units": names("052"),
    "weekdays": st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=5),
    "from": DAYS.map(str),
    "until": DAYS.map(str),
}
GOODS: dict[str, st.SearchStrategy[Any]] = {
    "products": names("p1", "p2", "p3"),
    "categories": names("c1", "c2", "c3"),
    "offers": names("o1", "o2"),
    "payments": names("card", "cash", "points"),
}
LEAST: dict[str, st.SearchStrategy[Any]] = {
    "least-amount": numbers(60),
    "least-quantity": numbers(6),
}
ACTIVITIES: dict[str, st.SearchStrategy[Any]] = {"activities": names("survey", "visit")}


def terms(keys: dict[str, st.SearchStrategy[Any]], most: int) -> st.SearchStrategy[dict[str, Any]]:
    """A few of the keys: with many, nothing would be met."""

    @functools.cache  # making a strategy costs more than drawing from it
    def of(chosen: frozenset[str]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({key: keys[key] for key in sorted(chosen)})

    return st.frozensets(st.sampled_from(sorted(keys)), max_size=most).flatmap(of)


def rule(
    by: str,
    includes: st.SearchStrategy[dict[str, Any]],
    excludes: st.SearchStrategy[dict[str, Any]],
) -> st.SearchStrategy[dict[str, Any]]:
    keys: dict[str, st.SearchStrategy[Any]] = {
        "rule": st.just("x"),
        "by": st.just(by),
        "points": numbers(20),
        "kind": st.sampled_from(["bonus", "cash"]),
        "every": st.integers(1, 3).map(Decimal) if by == "sale" else numbers(5),
        "for": includes,
        "not-for": excludes,
    }
    if by != "sale":
        keys["step"] = st.sampled_from(["exact", "whole"])
    if by != "activity":
        keys["currency"] = st.sampled_from(["EUR"] * 5 + ["USD"])
    return st.fixed_dictionaries(keys)


SOLD = terms({**WHOLE, **GOODS, **LEAST}, 2), terms({**WHOLE, **GOODS}, 1)
DONE = terms({**WHOLE, **ACTIVITIES}, 2), terms({**WHOLE, **ACTIVITIES}, 1)
RULES = st.one_of(
    *(rule(by, *SOLD) for by in ("amount", "amount", "quantity", "quantity", "sale")),
    rule("activity", *DONE),
)


TIERS = [
    {"tier": name, "level": n, "points": n, "kind": "bonus"}
    for n, name in enumerate(["low", "high"], start=1)
]
DOCUMENTS = st.fixed_dictionaries(
    {
        "program": st.just("club"),
        "members": st.sampled_from(["all", "all", "all", "joined"]),
        "excluded": st.sampled_from([None, None, ["Staff"]]),
        "mixed": st.sampled_from(["no", "rest", "rest", "yes"]),
        "tiers": st.just(TIERS),
        "earn": st.lists(RULES, min_size=2, max_size=8).map(
            lambda found: [{**one, "rule": f"r{n}"} for n, one in enumerate(found)]
        ),
    }
).map(ProgramDocument.model_validate)


@functools.cache
def programs(most: int = 3) -> st.SearchStrategy[list[Program]]:
    some = st.lists(DOCUMENTS, min_size=1, max_size=most)
    return some.map(
        lambda found: [
            Program(one.model_copy(update={"program": f"club-{n}"}), n + 1)
            for n, one in enumerate(found)
        ]
    )


ITEMS = st.builds(
    Item,
    product=st.sampled_from(["p1", "P2", "p3 ", "p4"]),
    quantity=numbers(4),
    amount=numbers(50) | st.just(Decimal(0)),
    categories=st.lists(st.sampled_from(["c1", "C2", "c3", "c4"]), max_size=2).map(tuple),
    offer=st.sampled_from([None, "o1", "O2"]),
)
TIMES = DAYS.map(lambda day: datetime(day.year, day.month, day.day, 10, tzinfo=UTC))
SALES = st.builds(
    Sale,
    number=st.just("S1"),
    card=st.just("1"),
    at=TIMES,
    currency=st.sampled_from(["EUR", "EUR", "EUR", "USD"]),
    lines=st.lists(ITEMS, min_size=1, max_size=5).map(tuple),
    channel=st.sampled_from([None, "web", "Store"]),
    unit=st.sampled_from([None, "052"]),
    payments=st.dictionaries(st.sampled_from(["card", "Cash", "points"]), numbers(80), max_size=2),
)
ACTIVITY = st.builds(
    Activity,
    number=st.just("A1"),
    card=st.just("1"),
    at=TIMES,
    activity=st.sampled_from(["Survey", "visit", "post"]),
    quantity=numbers(4),
    channel=st.sampled_from([None, "web"]),
    unit=st.none(),
)
OCCASIONS: st.SearchStrategy[Occasion] = st.one_of(SALES, SALES, SALES, ACTIVITY)
MEMBERS = st.builds(
    Member,
    card=st.just("1"),
    groups=st.frozensets(st.sampled_from(["gold", "staff", "other"]), max_size=2),
    programs=st.frozensets(st.sampled_from(["club-0", "club-1"]), max_size=2),
    tiers=st.dictionaries(
        st.sampled_from(["club-0", "club-1"]), st.sampled_from(["low", "high"]), max_size=2
    ),
    sales=st.integers(0, 5),
)


def naive(some: list[Program], occasion: Occasion, member: Member) -> list[Earned]:
    """Every rule is asked."""
    seen, found = Seen.of(occasion), []
    for program in some:
        offering = Offering.of(program.document, program.version)
        if not offering.rewards(member, seen):
            continue
        for rule in program.document.earn:
            earning = Earning.of(0, offering, rule, KINDS.get(rule.kind, PointKind(rule.kind)))
            if earning.terms.on(occasion.at.date()):
                one = earning.earned(member, seen)
                found += [] if one is None else [one]
    return found


@settings(LAW, max_examples=150)
@given(programs(), OCCASIONS, MEMBERS)
def test_the_index_misses_nothing_and_adds_nothing(
    some: list[Program], occasion: Occasion, member: Member
) -> None:
    assert Programs(some, KINDS).earned(occasion, member) == naive(some, occasion, member)


@LAW
@given(programs(), OCCASIONS, MEMBERS)
def test_a_rule_gives_something_or_there_is_a_reason(
    some: list[Program], occasion: Occasion, member: Member
) -> None:
    compiled = Programs(some, KINDS)
    gave = {(one.program, one.rule) for one in compiled.earned(occasion, member)}
    lacked = [(one.program, one.rule) for one in missed(compiled, occasion, member)]
    such = {
        (one.offering.program, one.rule.rule)
        for one in compiled.rules
        if (one.rule.by == "activity") is isinstance(occasion, Activity)
    }
    assert len(lacked) == len(set(lacked))
    assert gave.isdisjoint(lacked)
    assert gave.union(lacked) == such


@LAW
@given(programs(2), programs(1), OCCASIONS, MEMBERS)
def test_another_program_changes_nothing(
    some: list[Program], more: list[Program], occasion: Occasion, member: Member
) -> None:
    other = Program(more[0].document.model_copy(update={"program": "other"}), 1)
    found = Programs([*some, other], KINDS).earned(occasion, member)
    alone = Programs(some, KINDS).earned(occasion, member)
    assert [one for one in found if one.program != "other"] == alone


@LAW
@given(DOCUMENTS, RULES, OCCASIONS, MEMBERS)
def test_another_rule_changes_nothing(
    document: ProgramDocument, more: dict[str, Any], occasion: Occasion, member: Member
) -> None:
    extra = ProgramDocument.model_validate({"program": "x", "earn": [{**more, "rule": "more"}]})
    both = document.model_copy(update={"earn": (*extra.earn, *document.earn)})
    found = Programs([Program(both, 1)], KINDS).earned(occasion, member)
    alone = Programs([Program(document, 1)], KINDS).earned(occasion, member)
    assert [one for one in found if one.rule != "more"] == alone


@LAW
@given(programs(), SALES, MEMBERS, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(
    some: list[Program], sale: Sale, member: Member, chance: Any
) -> None:
    order = list(range(len(sale.lines)))
    chance.shuffle(order)
    shuffled = replace(sale, lines=tuple(sale.lines[place] for place in order))
    compiled = Programs(some, KINDS)
    again = [
        one._replace(lines=tuple(sorted(order[place] for place in one.lines)))
        for one in compiled.earned(shuffled, member)
    ]
    assert again == compiled.earned(sale, member)


@LAW
@given(programs(), SALES, MEMBERS)
def test_a_line_in_two_parts_earns_the_same(
    some: list[Program], sale: Sale, member: Member
) -> None:
    def halves(item: Item) -> tuple[Item, Item]:
        half = replace(item, amount=item.amount / 2, quantity=item.quantity / 2)
        return half, half

    parted = replace(sale, lines=tuple(part for item in sale.lines for part in halves(item)))
    compiled = Programs(some, KINDS)

    def told(found: list[Earned]) -> list[Earned]:
        return [one._replace(lines=()) for one in found]

    assert told(compiled.earned(parted, member)) == told(compiled.earned(sale, member))


@LAW
@given(programs(), OCCASIONS, MEMBERS)
def test_what_is_earned_fits_its_kind(
    some: list[Program], occasion: Occasion, member: Member
) -> None:
    for one in Programs(some, KINDS).earned(occasion, member):
        smallest = KINDS[one.kind.casefold()].smallest
        assert one.points > 0
        assert one.points % smallest == 0
        assert list(one.lines) == sorted(set(one.lines))


@LAW
@given(programs(), OCCASIONS, MEMBERS)
def test_a_document_kept_and_loaded_earns_the_same(
    some: list[Program], occasion: Occasion, member: Member
) -> None:
    loaded = [Program(ProgramDocument.parsed(one.document.kept()), one.version) for one in some]
    assert Programs(loaded, KINDS).earned(occasion, member) == Programs(some, KINDS).earned(
        occasion, member
    )
