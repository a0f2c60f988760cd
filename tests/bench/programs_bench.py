"""Figures of programs: orders a second through the rules, on one core.

10,000 orders of five lines against 200 rules, most of them for some products, groups or days. The
same through every rule one by one shows what the index saves. It does not include posting.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connector.ledger.members.member import Member
from connector.ledger.programs.book import Program, Programs
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.earning import Earning, Seen
from connector.ledger.programs.occasion import Earned, Item, Sale
from connector.ledger.programs.rounding import PointKind
from tests.bench.report import Report

LINES = 5
PRODUCTS = 5_000
CATEGORIES = 300
GROUPS = 40
DAYS = 365
FOR_ALL = 4
"""Rules that every order meets."""
ROUNDS = 3
KINDS = {"bonus": PointKind("bonus"), "cash": PointKind("cash", whole=False, currency="EUR")}
BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)


def documents(rules: int) -> list[ProgramDocument]:
    """A program of so many rules: few for all, most for some products, groups or days."""
    chance = random.Random(7)
    earn = [{**_rule(number, chance), "rule": f"r{number}"} for number in range(rules)]
    return [ProgramDocument.model_validate({"program": "club", "earn": earn, "mixed": "rest"})]


def _rule(number: int, chance: random.Random) -> dict[str, Any]:
    rule: dict[str, Any] = {"by": "amount", "currency": "EUR", "points": 1, "kind": "bonus"}
    if number < FOR_ALL:
        return {**rule, "kind": "cash", "points": Decimal("0.01")} if number else rule
    begin = (BEGIN + timedelta(chance.randrange(DAYS))).date()
    narrowed: tuple[dict[str, Any], ...] = (
        {"products": [f"p{chance.randrange(PRODUCTS)}" for _ in range(20)]},
        {"categories": [f"c{chance.randrange(CATEGORIES)}" for _ in range(2)]},
        {"groups": [f"g{chance.randrange(GROUPS)}"]},
        {"from": str(begin), "until": str(begin + timedelta(14))},
    )
    way = {"by": "quantity", "every": 2, "step": "whole"} if number % 3 == 0 else {}
    return {**rule, **way, "for": narrowed[number % 4]}


def orders(count: int) -> list[tuple[Sale, Member]]:
    """Orders of a year, and who ordered."""
    chance = random.Random(11)
    return [(_sale(number, chance), _member(chance)) for number in range(count)]


def _sale(number: int, chance: random.Random) -> Sale:
    lines = tuple(
        Item(
            f"P{chance.randrange(PRODUCTS)}",
            Decimal(chance.randrange(1, 5)),
            Decimal(chance.randrange(100, 20_000)).scaleb(-2),
            (f"c{chance.randrange(CATEGORIES)}", "all"),
        )
        for _ in range(LINES)
    )
    paid = {"card": sum((line.amount for line in lines), Decimal(0))}
    at = BEGIN + timedelta(chance.randrange(DAYS))
    return Sale(f"S{number}", "1", at, "EUR", lines, channel="web", payments=paid)


def _member(chance: random.Random) -> Member:
    groups = frozenset(f"g{chance.randrange(GROUPS)}" for _ in range(2))
    return Member("1", "P1", groups, sales=chance.randrange(50))


def one_by_one(programs: Programs) -> Callable[[Sale, Member], Sequence[Earned]]:
    """The same answers without the index."""
    rules = [
        Earning.of(place, one.offering, rule, KINDS[rule.kind])
        for one in programs.programs
        for place, rule in enumerate(one.document.earn)
    ]

    def earned(sale: Sale, member: Member) -> Sequence[Earned]:
        seen, day = Seen.of(sale), sale.at.date()
        found = [rule.earned(member, seen) for rule in rules if rule.terms.on(day)]
        return [one for one in found if one is not None]

    return earned


def bench(report: Report, count: int = 10_000, rules: int = 200) -> None:
    """Add the figures to the report."""
    report.head("programs", f"{count:,} orders of {LINES} lines by {rules} rules, one core")
    some = orders(count)
    started = time.process_time()
    programs = Programs([Program(one, 1) for one in documents(rules)], KINDS)
    report.add("programs", "rules compiled in", time.process_time() - started, "s")
    given = 0
    for name, earned in (("by the index", programs.earned), ("rule by rule", one_by_one(programs))):
        least = float("inf")
        for _ in range(ROUNDS):
            gc.collect()
            started = time.process_time()
            given = sum(len(earned(sale, member)) for sale, member in some)
            least = min(least, time.process_time() - started)
        report.add("programs", f"evaluated, {name}", count / least, "orders/s")
    report.add("programs", "entries an order earns", given / count, "")
