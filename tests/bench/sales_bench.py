"""Figures of posting sales: `python -m tests.bench sales [--orders N]`.

Orders of five lines against 200 rules, most of them for a product, a group or a season, on SQLite:
each in a transaction of its own, as tills do (durable at every commit), and in batches, as an
import does. A second figure shows a card that holds 10,000 lots. Asserts no times.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Adjust, Posting, Redeem, Refused
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Upsert
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.programs.store import keep
from connector.ledger.sales.till import Till
from tests.bench.report import Report

CARDS, PRODUCTS, GROUPS, LINES = 2_000, 1_000, 60, 5
BATCH = 500
SINGLE = 2_000
"""Orders of the figure with a commit for each."""
LOTS = 10_000
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def program() -> ProgramDocument:
    """200 rules: 140 for a product, 40 for a group, 18 for a season of one, 2 for every sale."""
    every: dict[str, Any] = {"currency": "EUR", "points": 1, "kind": "bonus"}
    rules = [
        {"rule": "base", "by": "amount", **every},
        {"rule": "large", "by": "sale", **every, "for": {"least-amount": 200}},
    ]
    rules += [
        {"rule": f"product-{one}", "by": "quantity", "points": 5, "kind": "bonus",
         "for": {"products": [f"p{one * 7}"]}}
        for one in range(140)
    ]  # fmt: skip
    rules += [
        {"rule": f"group-{one}", "by": "amount", **every, "for": {"categories": [f"g{one}"]}}
        for one in range(40)
    ]
    rules += [
        {"rule": f"season-{one}", "by": "amount", **every,
         "for": {"categories": [f"g{40 + one}"], "from": f"2026-{one % 12 + 1:02}-01",
                 "until": f"2026-{one % 12 + 1:02}-28"}}
        for one in range(18)
    ]  # fmt: skip
    return ProgramDocument.model_validate({"program": "bench", "earn": rules})


def orders(count: int, first: int = 0) -> Iterator[Sale]:
    """The same ones every time."""
    chance = random.Random(first)
    for number in range(first, first + count):
        lines = tuple(
            Item(
                f"p{product}",
                Decimal(chance.randint(1, 4)),
                Decimal(chance.randint(99, 9_999)).scaleb(-2),
                (f"g{product % GROUPS}",),
            )
            for product in (chance.randrange(PRODUCTS) for _ in range(LINES))
        )
        at = START + timedelta(seconds=number)
        card = f"C{chance.randrange(CARDS):05}"
        yield Sale(f"O{number:07}", card, at, "EUR", lines, "store", "001")


@contextmanager
def shop() -> Iterator[Ledger]:
    """A ledger with cards, a kind of points and the program."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(f"sqlite:///{Path(folder) / 'ledger.db'}") as ledger,
    ):
        cards = [Upsert({"CardNumber": f"C{one:05}"}) for one in range(CARDS)]
        ledger.store("cards").apply(cards, by="bench")
        kind = {"RewardPointId": "bonus", "RewardPointType": "Quantity", "Redeemable": "Yes"}
        ledger.store("reward-points").apply([Upsert(kind)], by="bench")
        with ledger.writing("bench") as transaction:
            keep(transaction, program(), "")
        yield ledger


def bench(report: Report, count: int) -> None:
    """Post `count` orders in batches, and some one by one."""
    report.head("sales", f"orders of {LINES} lines against 200 rules, SQLite, durable")
    with shop() as ledger:
        till = Till(ledger)
        single = list(orders(min(SINGLE, count), first=10_000_000))
        began = time.perf_counter()
        for one in single:
            till.sale(one, by="bench")
        took = time.perf_counter() - began
        report.add("sales", "one commit each", len(single) / took, "orders/s", "Till.sale")
        wanted = list(orders(count))
        began = time.perf_counter()
        for start in range(0, count, BATCH):
            refuse_none(till.sales(wanted[start : start + BATCH], by="bench"))
        took = time.perf_counter() - began
        report.add("sales", f"batches of {BATCH}", count / took, "orders/s", "Till.sales")
    with shop() as ledger:
        crowded(report, ledger)


def crowded(report: Report, ledger: Ledger) -> None:
    """A card with many open lots buys and pays."""
    journal, till = Journal(ledger), Till(ledger)
    one = Adjust("C00001", "bonus", Decimal(1))
    for start in range(0, LOTS, BATCH):
        lots = range(start, start + BATCH)
        journal.post_all([Posting(f"lot {lot}", (one,)) for lot in lots], by="bench")
    wanted = [_on_card(sale, "C00001") for sale in orders(100)]
    began = time.perf_counter()
    for sale in wanted:
        till.sale(sale, by="bench")
    each = (time.perf_counter() - began) / len(wanted) * 1000
    report.add("sales", f"a sale on a card with {LOTS:,} lots", each, "ms", "one commit each")
    began = time.perf_counter()
    for number in range(100):
        pay = Redeem("C00001", "bonus", Decimal(3))
        journal.post(Posting(f"pay {number}", (pay,)), by="bench")
    each = (time.perf_counter() - began) / 100 * 1000
    report.add("sales", f"paying with a card with {LOTS:,} lots", each, "ms", "one commit each")


def refuse_none(answers: Sequence[object]) -> None:
    """Figures of refused sales would say nothing."""
    refused = [one for one in answers if isinstance(one, Refused)]
    assert not refused, refused[:1]


def _on_card(sale: Sale, card: str) -> Sale:
    return Sale(sale.number, card, sale.at, sale.currency, sale.lines, sale.channel, sale.unit)
