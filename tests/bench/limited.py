"""A load and a run of updates under the service's limits, beside what they allow in theory.

The sandbox models 200 ms and 3 ms per row of execution time and refuses what goes beyond the
limits, over a window that is scaled down with them: the rate they allow in the long run is the
same. Both begin with an empty window, which allows more for its length, so that a short run may
come out above 100 %.
"""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from connector.operations.outcomes import MapOutcome
from connector.operations.runs.comparing import rehearse_map
from tests.bench.report import Report
from tests.bench.site import Site, site

WINDOW = 30.0
CALL = 1000
LATENCY, ROW = 0.2, 0.003
EXECUTION = 1200 / 300
"""Seconds of execution per second."""
PARALLEL = 4


def bench(report: Report, cards: int) -> None:
    """A load of new cards, then a run of updates, predicted by how the load went."""
    report.head("limits", f"{cards:,} cards, profile `real`, window {WINDOW:.0f} s")
    call = min(CALL, cards)
    theory = min(EXECUTION, PARALLEL) * call / (LATENCY + ROW * call)
    numbers: dict[str, Any] = {
        "window": WINDOW,
        "seconds": EXECUTION * WINDOW,
        "requests": 20 * WINDOW,
    }
    with site(cards, profile="real", dop=PARALLEL, **numbers) as shop:
        _path(report, shop, "load", "created", shop.load(), cards, theory)
        shop.edit(cards, date(2001, 1, 1))
        rehearsal, estimate = rehearse_map(shop.project, shop.cards, None)
        assert rehearsal.writes == cards
        time.sleep(WINDOW)  # what the load took is forgotten
        began = time.perf_counter()
        _path(report, shop, "updates", "updated", shop.sync(), cards, theory)
        seconds = time.perf_counter() - began
        report.add("limits", "updates: `plan` predicted", estimate.seconds, "s", estimate.basis)
        report.add("limits", "updates: took", seconds, "s")
        off = 100 * abs(estimate.seconds - seconds) / seconds
        report.add("limits", "updates: prediction off by", off, "%", "aim: at most 20")


def _path(
    report: Report,
    shop: Site,
    path: str,
    verb: str,
    outcome: MapOutcome,
    cards: int,
    theory: float,
) -> None:
    assert outcome.finished
    counts = outcome.counts
    rate = cards / shop.took(f"{verb} dataverse")
    pace = outcome.pace["dataverse"]
    report.add("limits", f"{path}: in theory", theory, "rows/s", "in the long run")
    report.add("limits", f"{path}: measured while writing", rate, "rows/s", str(pace["limited_by"]))
    report.add("limits", f"{path}: share of theory", 100 * rate / theory, "%", "aim: at least 95")
    allowed = pace["allowed_rows_per_second"]
    assert isinstance(allowed, float)
    report.add("limits", f"{path}: allowed, as it reckons", allowed, "rows/s")
    report.add("limits", f"{path}: whole run", cards / outcome.seconds, "rows/s")
    report.add("limits", f"{path}: answers of 429", counts.get("throttled dataverse", 0), "")
    report.add("limits", f"{path}: rows lost", cards - counts[f"{verb} dataverse"], "rows")
