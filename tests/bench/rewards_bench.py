"""Figures of rewards: orders a second through the triggers, and previews, on one core.

The orders are those of the programs' benchmark, against 200 rewards of which most are for some
products or groups. It does not include posting.
"""

from __future__ import annotations

import gc
import random
import time
from decimal import Decimal
from typing import Any

from connector.ledger.programs.rounding import PointKind
from connector.ledger.rewards.document import RewardDocument
from connector.ledger.rewards.evaluator import Reward, Rewards
from connector.ledger.rewards.preview import prospects
from tests.bench.programs_bench import CATEGORIES, LINES, PRODUCTS, orders
from tests.bench.report import Report

KIND = PointKind("bonus")
ROUNDS = 3
PREVIEWS = 1_000


def rewards(count: int) -> Rewards:
    """So many rewards: of eight, six for some products or groups, two for large or web orders."""
    chance = random.Random(7)
    made = [_reward(number, chance) for number in range(count)]
    return Rewards([Reward.of(RewardDocument.model_validate(one), 1, KIND) for one in made])


def _reward(number: int, chance: random.Random) -> dict[str, Any]:
    products = [f"p{chance.randrange(PRODUCTS)}" for _ in range(20)]
    groups = [f"c{chance.randrange(CATEGORIES)}" for _ in range(2)]
    large = {"value": 300 + number, "currency": "EUR"}
    rules: tuple[dict[str, Any], ...] = (
        {"products": products},
        {"groups": groups, "quantity": {"value": 2}},
        {"products": products, "order-total": large},
        {"groups": groups, "from": "2026-03-01", "until": "2026-08-31"},
        {"products": products, "groups": groups},
        {"groups": groups, "user-group": f"g{number % 40}"},
        {"order-total": large, "user-group": f"g{number % 40}"},
        {"shop": "web", "country": "DE"},
    )
    half = {"type": "percentage", "percentage": Decimal("2.5"), "currency": "EUR"}
    pays: dict[str, Any] = half if number % 2 else {"type": "fixed", "points": 10}
    rule = {"rule": "only", **rules[number % len(rules)]}
    return {"reward": f"r{number}", "name": "Gift", "kind": "bonus", **pays, "rules": [rule]}


def bench(report: Report, count: int = 10_000, documents: int = 200) -> None:
    """Add the figures to the report."""
    title = f"{count:,} orders of {LINES} lines by {documents} rewards, one core"
    report.head("rewards", title)
    some, these = orders(count), rewards(documents)
    least, given = float("inf"), 0
    for _ in range(ROUNDS):
        gc.collect()
        started = time.process_time()
        given = sum(len(these.earned(sale, member)) for sale, member in some)
        least = min(least, time.process_time() - started)
    report.add("rewards", "evaluated", count / least, "orders/s")
    report.add("rewards", "entries an order earns", given / count, "")
    started = time.process_time()
    for sale, member in some[:PREVIEWS]:
        prospects(these, sale, 0, member)
    took = (time.process_time() - started) / min(PREVIEWS, count)
    report.add("rewards", f"preview of a product, {documents} rewards", took * 1000, "ms")
