"""Comparing a whole table with the last look at it, with and without a network in between.

Run as a process of its own, so that its peak is that of the compare: `python -m
tests.bench.snapshots_bench compare FOLDER ROWS ROUND_TRIP CHANGED`.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from connector.endpoints.base import Row
from connector.endpoints.snapshots import Batch, Snapshots, Table
from tests.bench.report import Report

PAGE = 10_000
"""Rows of one page, as Finance and Operations gives them."""
ROUND_TRIP = 0.25
"""Seconds to one page of ids and versions: a fast service and a near one."""


class Cards:
    """Made-up rows: a key as long as a card number with its predicate, an ETag of usual length."""

    def __init__(self, rows: int, round_trip: float, changed: int) -> None:
        self._rows = rows
        self._round_trip = round_trip
        self._changed = changed

    def rows(self, mark: str | None) -> Iterator[Batch]:
        begin = int(mark or 0)
        for start in range(begin, self._rows, PAGE):
            end = min(start + PAGE, self._rows)
            page = [Row(id, version, (id,)) for id, version in self._page(start)]
            yield Batch(page, str(end) if end < self._rows else None)

    def versions(self) -> Iterator[Sequence[tuple[str, str]]]:
        for start in range(0, self._rows, PAGE):
            time.sleep(self._round_trip)
            yield self._page(start)

    def read(self, ids: Sequence[str]) -> Iterable[Row]:
        time.sleep(self._round_trip)
        return [Row(id, self._version(int(id[12:-1])), (id,)) for id in ids]

    def _page(self, start: int) -> list[tuple[str, str]]:
        numbers = range(start, min(start + PAGE, self._rows))
        return [(f"CardNumber='{number:012}'", self._version(number)) for number in numbers]

    def _version(self, number: int) -> str:
        return f'W/"JzE{number * 2654435761 + (number < self._changed):024}Jw=="'


def bench(report: Report, rows: int) -> None:
    """Peak memory and rows per second of a scan, an idle compare and one with changes."""
    report.head("snapshots", f"a table of {rows:,} rows compared with the last look")
    with tempfile.TemporaryDirectory() as folder:
        scan = _run("scan", folder, rows, 0, 0)
        report.add("snapshots", "first read: rows per second", rows / scan["seconds"], "rows/s")
        report.add("snapshots", "first read: peak memory", scan["peak"], "MB")
        for name, trip, changed in (
            ("nothing changed, no network", 0.0, 0),
            (f"nothing changed, {1000 * ROUND_TRIP:.0f} ms a page", ROUND_TRIP, 0),
            ("1 % changed, no network", 0.0, rows // 100),
        ):
            told = _run("compare", folder, rows, trip, changed, scan["position"])
            assert told["told"] == changed
            report.add("snapshots", f"{name}: rows per second", rows / told["seconds"], "rows/s")
            report.add("snapshots", f"{name}: peak memory", told["peak"], "MB")
        size = sum(path.stat().st_size for path in Path(folder).glob("*/*/*")) / rows
        report.add("snapshots", "on disk", size, "bytes/row", "two generations")


def _run(
    what: str, folder: str, rows: int, trip: float, changed: int, position: str = ""
) -> dict[str, Any]:
    words = [what, folder, str(rows), str(trip), str(changed), position]
    command = [sys.executable, "-m", "tests.bench.snapshots_bench", *words]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    answer: dict[str, Any] = json.loads(told)
    return answer


def main(what: str, folder: str, rows: str, trip: str, changed: str, position: str) -> None:
    """One reading, told as JSON."""
    source = Cards(int(rows), float(trip), int(changed))
    table = Table("RetailLoyaltyCards", ("CardNumber",), source)
    snapshots = Snapshots(Path(folder), "https://bench.example")
    began, told = time.perf_counter(), 0
    pages = snapshots.scan(table, None) if what == "scan" else snapshots.changes(table, position)
    for page in pages:
        told += len(page.rows)
        position = page.position or position
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "told": told, "position": position}))


if __name__ == "__main__":
    main(*sys.argv[1:])
