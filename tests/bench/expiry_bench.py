"""The turn of a day on which every lot of a large ledger expires, and the first turn of an older
ledger, which has no balances yet: time, and memory beside what the process had before.

Four lots on each card, all with the same last day, which is the worst a turn can meet.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa

from connector.ledger.ledger import Ledger
from connector.ledger.shown.days import Turned, expired, turn_days
from connector.ledger.shown.proof import differences
from tests.bench.report import Report

T = TypeVar("T")

START = datetime(2026, 1, 2, 10, 0, tzinfo=UTC)
LAST = START.date() + timedelta(40)
LOTS_OF_A_CARD = 4

_ID = "printf('%08x-0000-7000-8000-%012x', n, n)"
_CARDS = f"""
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {{cards}})
INSERT INTO loyalty_cards (id, version, modified_at, modified_by, key, card_number,
  card_tender_type)
SELECT {_ID}, n + 1000, :at, 'bench', 'c' || n, 'C' || n, 'AsCardTender' FROM numbers
"""
_ENTRIES = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {lots})
INSERT INTO point_entries (number, posting, type, card, kind, units, asked, remaining, starts,
  expires, why)
SELECT n, 1, 'Earn', printf('%08x-0000-7000-8000-%012x', n % {cards} + 1, n % {cards} + 1), :kind,
  10000, 10000, 10000, :day, :last, '' FROM numbers
"""
_POSTING = """
INSERT INTO point_postings (number, key, digest, at, posted_at, posted_by, comment, source)
VALUES (1, 'bench', '', :at, :at, 'bench', '', '{}')
"""


def bench(report: Report, lots: int) -> None:
    """Both turns, one after the other, and the proof that they were right."""
    report.head("expiry", f"{lots:,} lots that expire on one day, {lots // LOTS_OF_A_CARD:,} cards")
    with tempfile.TemporaryDirectory(prefix="dualwrite-bench-") as folder:
        now = [START]
        with Ledger.open(f"sqlite:///{folder}/ledger.db", clock=lambda: now[0]) as ledger:
            _fill(ledger, lots)
            _turn(report, ledger, "first turn of an older ledger", lots)
            now[0] = START + timedelta((LAST - START.date()).days - 30)
            _turn(report, ledger, "turn: all come within 30 days", lots)
            now[0] = START + timedelta((LAST - START.date()).days + 1)
            _turn(report, ledger, "turn: all expire", lots)
            with ledger.reading() as connection:
                told, seconds = _timed(lambda: expired(connection, LAST, ledger.today()))
            assert [one.lots for one in told] == [lots]
            report.add("expiry", "telling what expired", seconds, "s")
            wrong, seconds = _timed(lambda: next(differences(ledger), None))
            assert wrong is None
            report.add("expiry", "proof of all balances", seconds, "s")
            _, seconds = _timed(lambda: turn_days(ledger))
            report.add("expiry", "turn with nothing to do", 1000 * seconds, "ms")


def _turn(report: Report, ledger: Ledger, name: str, lots: int) -> None:
    before, cpu = _peak_megabytes(), time.process_time()
    turned, seconds = _timed(lambda: turn_days(ledger))
    cpu = time.process_time() - cpu
    assert isinstance(turned, Turned)
    assert turned.balances == lots // LOTS_OF_A_CARD
    report.add("expiry", name, seconds, "s", f"{lots / seconds:,.0f} lots/s")
    report.add("expiry", "  its processor time", cpu, "s")
    grown = _peak_megabytes() - before
    report.add("expiry", "  its peak memory above that before", grown, "MB", f"{before:.0f} before")


def _fill(ledger: Ledger, lots: int) -> None:
    """The lots, without balances: as an older version left them."""
    kind = ledger.store("reward-points").create(
        {"RewardPointId": "bonus", "RewardPointType": "Quantity", "Redeemable": "Yes"}, by="bench"
    )
    cards = lots // LOTS_OF_A_CARD
    at = START.replace(tzinfo=None).isoformat(" ")
    days = {"kind": kind.id, "day": str(START.date()), "last": str(LAST)}
    with ledger.writing("bench") as transaction:
        execute = transaction.connection.execute
        execute(sa.text(_CARDS.format(cards=cards)), {"at": at})
        execute(sa.text(_POSTING).bindparams(at=at))
        execute(sa.text(_ENTRIES.format(lots=lots, cards=cards)), days)
        execute(sa.text("UPDATE feed_counter SET head = :head"), {"head": cards + 1000})
        execute(sa.text("DELETE FROM shown_days"))


def _timed(act: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    return act(), time.perf_counter() - began


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    bench(Report(), 1_000_000)
