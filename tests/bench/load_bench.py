"""Figures of the initial load and of a sync with nothing to do, through the TLS sandbox.

Run: `make bench`, or `python tests/bench/load_bench.py [--cards N] [--store S]` from the project's
folder; S is `sqlite`, `postgresql` (a server of its own, from the pgserver wheel) or a store.url.
Prints figures and asserts nothing: a slow machine is not a wrong program. Client and sandbox
are two processes of one machine; the bookkeeping (intent, audit, read-back) is complete.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

from connector.bootstrap import Project, open_project
from connector.cli.demo import settings_for
from connector.cli.demo_people import Clerk
from connector.ledger.ledger import Ledger
from connector.operations.comparing import verify_map
from connector.operations.outcomes import MapOutcome
from connector.operations.runs import load_maps, sync_maps
from connector.sandbox.run import running
from connector.settings import StoreSettings
from tests.postgresql import store_url


def main() -> None:
    """Load, sync and verify once; print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, default=100_000)
    parser.add_argument("--store", default="sqlite")
    chosen = parser.parse_args()
    cards: int = chosen.cards
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    with (
        tempfile.TemporaryDirectory() as name,
        store_url(chosen.store, Path(name)) as url,
        running(Path(name) / "sandbox") as sandbox,
    ):
        settings = settings_for(Path(name), sandbox)
        settings = settings.model_copy(update={"store": StoreSettings(url=url)})
        print(f"store: {chosen.store}")
        with Ledger.open(settings.commerce.url) as ledger:
            Clerk(ledger).open_shop(cards)
            base = _peak_megabytes()
            with open_project(settings) as project:
                _load(project, sandbox, cards, base)
                _idle_sync(project, sandbox)
                _verify(project, cards)
        _audited(url, cards)


def _load(project: Project, sandbox: Mapping[str, Any], cards: int, base: float) -> None:
    before = _requests(sandbox)
    began, cpu = time.perf_counter(), time.process_time()
    outcome = _cards(load_maps(project, list(project.documents.values())))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    asked = _delta(before, _requests(sandbox))
    writes = sum(n for kind, n in asked.items() if "CreateMultiple" in kind)
    reads = sum(n for kind, n in asked.items() if kind.startswith("GET msdyn_loyaltycards"))
    assert outcome.error is None, outcome.error
    print(f"load: {cards:,} cards in {seconds:.2f} s: {cards / seconds:,.0f} rows/s")
    print(f"load: {cpu:.2f} s of processor time in this process")
    print(
        f"load: {1000 * writes / cards:.2f} write requests and {1000 * reads / cards:.2f} "
        "read pages per 1,000 rows"
    )
    print(f"load: peak memory {_peak_megabytes():.0f} MB ({base:.0f} MB before)")


def _idle_sync(project: Project, sandbox: Mapping[str, Any]) -> None:
    document = project.documents["loyalty-card"]
    sync_maps(project, [document])
    before = _requests(sandbox)
    began, cpu = time.perf_counter(), time.process_time()
    outcome = _cards(sync_maps(project, [document]))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    asked = _delta(before, _requests(sandbox))
    feeds = sum(n for kind, n in asked.items() if "deltatoken" in kind)
    print(
        f"idle sync: {seconds:.3f} s, {cpu:.3f} s of processor time, {outcome.writes} writes, "
        f"{feeds} request to the feed"
    )


def _verify(project: Project, cards: int) -> None:
    began = time.perf_counter()
    verdict = verify_map(project, project.documents["loyalty-card"], lambda _finding: None)
    seconds = time.perf_counter() - began
    assert verdict.equal
    print(
        f"verify: {verdict.compared:,} of {cards:,} in {seconds:.2f} s: "
        f"{verdict.compared / seconds:,.0f} rows/s"
    )


def _audited(url: str, cards: int) -> None:
    """The books after the load: nothing was left out to be fast."""
    engine = sa.create_engine(url)
    with engine.connect() as books:
        created = "SELECT count(*) FROM changes WHERE kind = 'create' AND outcome = 'applied'"
        applied = books.exec_driver_sql(created).scalar_one()
        unseen = "SELECT count(*) FROM records WHERE unconfirmed <> 0"
        open_ones = books.exec_driver_sql(unseen).scalar_one()
    engine.dispose()
    print(f"books: {applied:,} creates audited, {open_ones} not read back, of {cards:,} cards")


def _cards(outcomes: list[MapOutcome]) -> MapOutcome:
    return next(outcome for outcome in outcomes if outcome.map == "loyalty-card")


def _requests(sandbox: Mapping[str, Any]) -> dict[str, int]:
    url = f"{sandbox['dataverse']}/sandbox/requests"
    answer = requests.get(url, verify=sandbox["ca"], timeout=30)
    kinds: dict[str, int] = answer.json()["kinds"]
    return kinds


def _delta(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    return {kind: n - before.get(kind, 0) for kind, n in after.items()}


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
