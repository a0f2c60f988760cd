"""A cycle with nothing to do, over few and over many bound rows."""

from __future__ import annotations

import time

from tests.bench.report import Report
from tests.bench.site import site

TIMES = 5


def bench(report: Report, sizes: tuple[int, ...]) -> None:
    """Requests, seconds and processor time of the quickest of some idle syncs."""
    report.head("idle", "a sync with nothing to do")
    for cards in sizes:
        with site(cards) as shop:
            shop.load()
            shop.sync()
            before = shop.asked()
            quickest, least = float("inf"), float("inf")
            for _ in range(TIMES):
                began, cpu = time.perf_counter(), time.process_time()
                outcome = shop.sync()
                assert outcome.writes == 0
                quickest = min(quickest, time.perf_counter() - began)
                least = min(least, time.process_time() - cpu)
            after = shop.asked()
            told = sum(n - before.get(k, 0) for k, n in after.items() if "deltatoken" in k)
            name = f"{cards:,} bound rows"
            report.add("idle", f"{name}: requests to the feed", told / TIMES, "per sync")
            report.add("idle", f"{name}: quickest of {TIMES}", 1000 * quickest, "ms")
            report.add("idle", f"{name}: processor time", 1000 * least, "ms")
