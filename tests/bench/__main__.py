"""`make bench`: the figures of this machine, as a table and with `--json FILE` as a file.

Prints figures and asserts no times: a slow machine is not a wrong program. Client and sandbox are
two processes of one machine; the bookkeeping (intent, audit, read-back) is complete.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from tests.bench import (
    expiry_bench,
    exports_bench,
    idle,
    limited,
    live,
    loading,
    odata_v2_reads,
    programs_bench,
    rewards_bench,
    sales_bench,
    segments_bench,
    snapshots_bench,
)
from tests.bench.report import Report


def main(arguments: list[str] | None = None) -> Report:
    """Run the chosen benchmarks one after the other."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--cards", type=int, default=100_000, help="cards of the load")
    parser.add_argument("--limited", type=int, default=50_000, help="cards under the limits")
    parser.add_argument("--idle", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--live", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--compared", type=int, default=1_000_000, help="rows compared")
    parser.add_argument("--exported", type=int, default=100_000, help="rows of an export")
    parser.add_argument("--store", default="sqlite", help="sqlite, postgresql, or a store.url")
    parser.add_argument("--entities", type=int, default=50_000, help="of the V2 reads")
    parser.add_argument("--orders", type=int, default=10_000, help="sales that are posted")
    parser.add_argument("--judged", type=int, default=10_000, help="orders through the rules")
    parser.add_argument("--held", type=int, default=100_000, help="cards segments choose from")
    parser.add_argument("--lots", type=int, default=1_000_000, help="lots that expire on a day")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument(
        "only",
        nargs="*",
        help="load, limits, idle, live, snapshots, exports, odata-v2, sales, segments, programs, "
        "rewards, expiry; all if none is named",
    )
    chosen = parser.parse_args(arguments)
    report = Report()
    benches: dict[str, Callable[[], None]] = {
        "load": lambda: loading.bench(report, chosen.cards, chosen.store),
        "limits": lambda: limited.bench(report, chosen.limited),
        "idle": lambda: idle.bench(report, tuple(chosen.idle)),
        "live": lambda: live.bench(report, tuple(chosen.live)),
        "snapshots": lambda: snapshots_bench.bench(report, chosen.compared),
        "exports": lambda: exports_bench.bench(report, chosen.exported),
        "odata-v2": lambda: odata_v2_reads.bench(report, chosen.entities),
        "segments": lambda: segments_bench.bench(report, chosen.held),
        "programs": lambda: programs_bench.bench(report, chosen.judged),
        "rewards": lambda: rewards_bench.bench(report, chosen.judged),
        "expiry": lambda: expiry_bench.bench(report, chosen.lots),
        "sales": lambda: sales_bench.bench(report, chosen.orders),
    }
    wrong = [name for name in chosen.only if name not in benches]
    if wrong:
        parser.error(f"no benchmark {wrong[0]!r}: there are {', '.join(benches)}")
    print(report.machine)
    for name in chosen.only or benches:
        benches[name]()
    if chosen.json is not None:
        report.write(chosen.json)
    return report


if __name__ == "__main__":
    main()
