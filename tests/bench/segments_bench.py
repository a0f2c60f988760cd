"""Figures of segments: `python -m tests.bench segments [--held N]`.

100,000 cards of 80,000 customers, 69,000 orders of five lines, a lot of points on every card, on
SQLite: how long it takes to count various segments, to write the largest to a file, to mark its
cards, and to find that no mark has to change. Asserts no times.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import sqlalchemy as sa

from connector.ledger.journal.tables import entries, postings
from connector.ledger.ledger import Ledger
from connector.ledger.members.tables import customer_groups
from connector.ledger.operations import Upsert
from connector.ledger.sales.tables import sale_lines, sales
from connector.ledger.schema import CARDS, REWARD_POINTS
from connector.ledger.segments import marking, picking, store
from connector.ledger.segments.document import SegmentDocument
from connector.ledger.segments.export import export
from tests.bench.report import Report

ORDERS, LINES, PRODUCTS, GROUPS, CHUNK = 69_000, 5, 5_000, 60, 10_000
ON = date(2026, 6, 30)
SEGMENTS: dict[str, dict[str, Any]] = {
    "a group": {"groups": ["staff"]},
    "one product, a quarter": {"sales": {"products": ["p77"], "within": "3 months"}},
    "a product group, amount": {
        "sales": {"categories": ["g7"], "currency": "EUR", "least-amount": 100}
    },
    "idle for 180 days": {"idle": "180 days"},
    "points about to expire": {"points": {"kind": "bonus", "expiring": "30 days", "least": 50}},
    "all of it, with not": {
        "not": {"any": [{"groups": ["staff"]}, {"sales": {"products": ["p77"]}}]},
        "points": {"kind": "bonus", "least": 20},
        "sales": {"within": "12 months", "least-sales": 1, "most-sales": 9},
    },
}


def bench(report: Report, cards: int) -> None:
    """One ledger for all segments."""
    report.head("segments", f"{cards:,} cards, {ORDERS:,} orders of {LINES} lines, SQLite")
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(f"sqlite:///{folder}/ledger.db") as ledger,
    ):
        _fill(ledger, cards)
        for name, who in SEGMENTS.items():
            for of in ("card", "customer"):
                document = _kept(ledger, who, of)
                with ledger.reading() as connection:
                    seconds, found = _timed(
                        lambda: picking.counted(connection, document, ON)  # noqa: B023  at once
                    )
                report.add("segments", f"{name}, by {of}", seconds, "s", f"{found.cards:,} cards")
        _kept(ledger, {"points": {"kind": "bonus", "least": 1}}, "card")
        columns = ["CardNumber", "PartyNumber", "groups", "sales", "available:bonus"]
        seconds, written = _timed(lambda: export(ledger, "bench", Path(folder, "a"), columns, ON))
        report.add("segments", "written to a file", written / seconds, "cards/s", f"{written:,}")
        for name in ("marked", "marked again, nothing new"):
            seconds, done = _timed(lambda: marking.mark(ledger, "bench", ON, by="bench"))
            report.add("segments", name, seconds, "s", f"{done.added:,} marks")


def _kept(ledger: Ledger, who: dict[str, Any], of: str) -> SegmentDocument:
    document = SegmentDocument.model_validate({"segment": "bench", "of": of, "who": who})
    with ledger.writing("bench") as transaction:
        store.keep(transaction, document, "")
    return document


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = perf_counter()
    answer = work()
    return perf_counter() - begin, answer


def _fill(ledger: Ledger, cards: int) -> None:
    chance = random.Random(1)
    ledger.store("reward-points").create(
        {"RewardPointId": "bonus", "RewardPointType": "Quantity"}, by="bench"
    )
    for start in range(0, cards, CHUNK):
        rows = [
            {"CardNumber": f"C{one:07}", "PartyNumber": f"P{one * 4 // 5:07}"}
            for one in range(start, min(start + CHUNK, cards))
        ]
        ledger.store("cards").apply([Upsert(row) for row in rows], by="b", create_references=True)
    with ledger.writing("bench") as transaction:
        connection = transaction.connection
        ids = list(connection.scalars(sa.select(CARDS.table.c.id)))
        kind = connection.scalar(sa.select(REWARD_POINTS.table.c.id))
        at = transaction.at.replace(tzinfo=None)
        _insert(connection, customer_groups, _staff(cards // 20, at))
        _insert(connection, postings, [_posting(at)])
        lots = (_lot(number, card, str(kind), chance) for number, card in enumerate(ids))
        _insert(connection, entries, lots)
        _insert(connection, sales, (_sale(n, chance.choice(ids), chance) for n in range(ORDERS)))
        _insert(
            connection,
            sale_lines,
            (_line(n, line, chance) for n in range(ORDERS) for line in range(LINES)),
        )


def _insert(connection: sa.Connection, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    left = iter(rows)
    while some := list(islice(left, CHUNK)):
        connection.execute(sa.insert(table), some)


def _staff(many: int, at: datetime) -> Iterable[dict[str, Any]]:
    for one in range(many):
        who = {"party": f"P{one:07}", "name": "staff", "title": "staff"}
        yield {**who, "kind": "group", "since": at, "by": "bench"}


def _posting(at: datetime) -> dict[str, Any]:
    when = {"at": at, "posted_at": at, "posted_by": "bench"}
    return {"number": 1, "key": "1", "digest": "", "comment": "", "source": {}, **when}


def _lot(number: int, card: str, kind: str, chance: random.Random) -> dict[str, Any]:
    units = chance.randint(1, 200) * 10_000
    starts = ON - timedelta(chance.randint(1, 700))
    return {
        "number": number + 1,
        "posting": 1,
        "type": "Earn",
        "card": card,
        "kind": kind,
        "units": units,
        "asked": units,
        "remaining": units,
        "starts": starts,
        "expires": starts + timedelta(730),
        "why": "",
    }


def _sale(number: int, card: str, chance: random.Random) -> dict[str, Any]:
    at = datetime.combine(ON - timedelta(chance.randint(0, 700)), time(12))
    return {
        "id": number + 1,
        "number": f"O{number}",
        "key": f"o{number}",
        "digest": "",
        "card": card,
        "at": at,
        "currency": "EUR",
        "channel": "store",
        "unit": "001",
        "payments": {},
        "fields": {},
        "member": {},
        "versions": {},
    }


def _line(number: int, line: int, chance: random.Random) -> dict[str, Any]:
    product = chance.randrange(PRODUCTS)
    return {
        "sale": number + 1,
        "line": line + 1,
        "product": f"p{product}",
        "product_key": f"p{product}",
        "categories": [f"g{product % GROUPS}"],
        "category_keys": f"\ng{product % GROUPS}\n",
        "quantity": 10_000,
        "amount": chance.randint(99, 9_999) * 100,
        "returned_quantity": 0,
        "returned_amount": 0,
    }
