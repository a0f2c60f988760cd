"""Figures of the store on one core: `python tests/bench/store_bench.py [--records N] [--store S]`.

S is `sqlite`, `postgresql` (a server of its own, from the pgserver wheel), or the URL of an empty
database.

Prints records/s of each hot call, in pages as the engine sends them. Asserts no times.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from connector.mapping.values import Image, Side, ValueType
from connector.store.opening import open_store
from connector.store.record import Layout, Presence, Record, SideState, State
from connector.store.sql_store import SqlStore
from connector.store.work import Adoption, Change, ChangeKind, Completion, Lease, Position, Work
from tests.postgresql import store_url

PAGE = 1_000
ADOPTED = 5_000

COLUMNS = {
    Side.COMMERCE: (
        ("CardNumber", ValueType.TEXT),
        ("CardTenderType", ValueType.CHOICE),
        ("ReplacementCardNumber", ValueType.TEXT),
        ("LoyaltyEnrollmentDate", ValueType.DATE),
        ("LoyaltyEnrollmentDateLocal", ValueType.DATE),
        ("PartyNumber", ValueType.TEXT),
        ("Balance", ValueType.DECIMAL),
    ),
    Side.DATAVERSE: (
        ("msdyn_cardnumber", ValueType.TEXT),
        ("msdyn_cardtendertype", ValueType.CHOICE),
        ("msdyn_replacementcardnumber", ValueType.TEXT),
        ("msdyn_enrollmentdate", ValueType.DATE),
        ("msdyn_effectivedate", ValueType.INSTANT),
        ("msdyn_partynumber", ValueType.TEXT),
        ("msdyn_balance", ValueType.DECIMAL),
    ),
}
DAY = date(2024, 5, 17)
INSTANT = datetime(2024, 5, 17, 12, 30, tzinfo=UTC)


def commerce_image(number: int) -> Image:
    return (f"CARD-{number:09}", "AsCardTender", None, DAY, DAY, f"P{number:08}", Decimal("12.50"))


def dataverse_image(number: int) -> Image:
    key = f"CARD-{number:09}"
    return (key, 806380000, None, DAY, INSTANT, f"P{number:08}", Decimal("12.5000"))


def dataverse_id(number: int) -> str:
    return f"018f8a2b-{number >> 16:04x}-7{number & 0xFFF:03x}-8000-{number:012x}"


def new_record(number: int) -> Record:
    key, intended = f"card-{number:09}", dataverse_image(number)
    seen = commerce_image(number)
    return Record(
        number,
        "loyalty-card",
        key,
        commerce=SideState(
            Presence.PRESENT, f"{5_637_144_576 + number}", key.upper(), f"W/{number}", 1,
            seen, seen, 17, 1.7e9, "admin",
        ),
        dataverse=SideState(
            Presence.PRESENT, dataverse_id(number), key.upper(), None, 1, None, intended, 17
        ),
        unconfirmed=True,
        state=State.SETTLED,
    )  # fmt: skip


def intent(change: int, record: Record, kind: ChangeKind, batch: int) -> Change:
    after = dict(
        zip(
            (name for name, _ in COLUMNS[Side.DATAVERSE]),
            dataverse_image(record.number),
            strict=True,
        )
    )
    id, before = record.dataverse.id, None if kind is ChangeKind.CREATE else {"msdyn_balance": "1"}
    return Change(
        change, record.number, kind, Side.DATAVERSE, batch, id, None, before, after, outcome=None
    )


class Clock:
    """Collects the time of each page by what was done."""

    def __init__(self) -> None:
        self.pages: dict[str, list[tuple[float, float, int]]] = {}

    @contextmanager
    def page(self, name: str, rows: int) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        spent = (time.perf_counter() - wall, time.process_time() - processor, rows)
        self.pages.setdefault(name, []).append(spent)

    def report(self, out: Callable[[str], object]) -> None:
        out(f"{'call':34}{'median ms':>10}{'cpu ms':>9}{'rows/s':>10}{'best':>10}\n")
        for name, spent in self.pages.items():
            wall = statistics.median(page[0] for page in spent)
            cpu = statistics.median(page[1] for page in spent)
            rows = spent[0][2]
            best = min(page[0] for page in spent)
            out(
                f"{name:34}{wall * 1e3:10.2f}{cpu * 1e3:9.2f}"
                f"{rows / wall:10,.0f}{rows / best:10,.0f}\n"
            )


def load(store: SqlStore, lease: Lease, run: int, clock: Clock, pages: int) -> None:
    """Insert with intents, then settle each batch, as an initial load does."""
    for _ in range(pages):
        first = store.numbers("record", PAGE)
        change, batch = store.numbers("change", PAGE), store.numbers("batch", 1)
        new = [new_record(first + i) for i in range(PAGE)]
        changes = [
            intent(change + i, record, ChangeKind.CREATE, batch) for i, record in enumerate(new)
        ]
        with clock.page("insert 1,000 + intents", PAGE):
            store.commit(lease, Work(run, 1.7e9, inserted=new, changes=changes))
        with clock.page("complete a batch", PAGE):
            store.commit(lease, Work(run, 1.7e9, completed_batches=[(batch, "applied")]))


def adopt(store: SqlStore, lease: Lease, layout: Layout, clock: Clock, total: int) -> None:
    for start in range(1, total + 1, ADOPTED):
        rows = [
            Adoption(dataverse_id(n), f"{n}", dataverse_image(n), 1.7e9, "us")
            for n in range(start, min(start + ADOPTED, total + 1))
        ]
        position = Position(Side.DATAVERSE, "scan", f"page {start}")
        with clock.page(f"adopt {ADOPTED:,}", len(rows)):
            left = store.adopt(lease, layout, Side.DATAVERSE, 19, rows, position, 1, 1.7e9)
        assert not left


def edit(store: SqlStore, lease: Lease, layout: Layout, run: int, clock: Clock, pages: int) -> None:
    """Read pages by id, write intents, then the updated records with their completions."""
    for page in range(pages):
        ids = [dataverse_id(number) for number in range(page * PAGE + 1, (page + 1) * PAGE + 1)]
        with clock.page("by_ids 1,000", PAGE):
            records = list(store.by_ids(layout, Side.DATAVERSE, ids).values())
        keys = [record.key for record in records]
        with clock.page("by_keys 1,000", PAGE):
            assert len(store.by_keys(layout, keys)) == PAGE
        change, batch = store.numbers("change", PAGE), store.numbers("batch", 1)
        intents = [intent(change + i, r, ChangeKind.UPDATE, batch) for i, r in enumerate(records)]
        store.commit(lease, Work(run, 1.7e9, changes=intents))
        completions = []
        for i, record in enumerate(records):
            image = (*dataverse_image(record.number)[:-1], Decimal("99.00"))
            record.dataverse.image = record.dataverse.agreed = image
            record.dataverse.version = f"v{change + i}"
            completions.append(Completion(change + i, "applied", record.dataverse.version))
        with clock.page("update 1,000 + completions", PAGE):
            store.commit(lease, Work(run, 1.7e9, updated=records, completions=completions))


def questions(store: SqlStore, layout: Layout, clock: Clock, total: int) -> None:
    for _ in range(3):
        with clock.page(f"counts over {total:,}", total):
            store.counts("loyalty-card")
        with clock.page(f"bound over {total:,}", total):
            assert store.bound("loyalty-card", Side.DATAVERSE) == total
        with clock.page("due, next_due, needing, unconfirmed", 1):
            store.due(layout, 2e9, 0, PAGE)
            store.next_due("loyalty-card")
            store.needing(layout, [State.PARKED, State.CONFLICT], 0, PAGE)
            store.unconfirmed("loyalty-card")


def scratch(store: SqlStore, layout: Layout, clock: Clock, total: int) -> None:
    with store.scratch(layout, Side.COMMERCE) as table:
        rows = ((f"card-{n:09}", f"{n}", commerce_image(n)) for n in range(total))
        with clock.page(f"scratch put {total:,}", total):
            table.put(rows)
        for start in range(0, total, PAGE):
            with clock.page("scratch take 1,000", PAGE):
                table.take([f"card-{n:09}" for n in range(start, start + PAGE)])
        with clock.page("scratch rest, empty", total):
            assert not list(table.rest())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=50_000)
    options.add_argument("--store", default="sqlite")
    total, place = (chosen := options.parse_args()).records, chosen.store
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder, store_url(place, Path(folder)) as url:
        store = open_store(url)
        layout = store.layout("loyalty-card", COLUMNS)
        lease = store.acquire("loyalty-card", "bench", 3_600)
        run = store.start_run("load", "loyalty-card", "0", 1.7e9)
        load(store, lease, run, clock, total // PAGE)
        adopt(store, lease, layout, clock, total)
        edit(store, lease, layout, run, clock, min(20, total // PAGE))
        questions(store, layout, clock, total)
        scratch(store, layout, clock, total)
        store.close()
    out = sys.stdout.write
    out(f"{platform.python_version()}, {os.cpu_count()} cores, {total:,} records, ")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    out(f"{place}, peak memory {peak} MB\n")
    clock.report(out)


if __name__ == "__main__":
    main()
