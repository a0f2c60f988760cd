"""The load of many cards through a sandbox without limits, beside the official client.

The official Python client sends the same cards by `records.upsert` in calls of 1,000, into an
organization of its own. It keeps no books: no audit, no state, no read-back.
"""

from __future__ import annotations

import gc
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connector.cli.demo.people import card_number
from connector.operations.runs.comparing import verify_map
from connector.sandbox.run import running
from tests.bench.report import Report
from tests.bench.sampling import sampled
from tests.bench.site import Site, site

CALL = 1000
SHOWN = 12


def bench(report: Report, cards: int, store: str = "sqlite") -> None:
    """Both clients, one after the other, each with an empty sandbox."""
    report.head("load", f"{cards:,} cards, profile `fast`, store {store}")
    official = _official(cards)
    report.add("load", "official client, upsert by 1,000", official, "rows/s")
    with site(cards, store) as shop:
        base = _peak_megabytes()
        began, cpu = time.perf_counter(), time.process_time()
        with sampled() as seen:
            shop.load()
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        asked = shop.asked()
        writes = sum(n for kind, n in asked.items() if "CreateMultiple" in kind)
        reads = sum(n for kind, n in asked.items() if kind.startswith("GET msdyn_loyaltycards"))
        written = shop.took("created dataverse")
        report.add("load", "dualwrite load, whole run", cards / seconds, "rows/s")
        report.add("load", "dualwrite load, while writing", cards / written, "rows/s")
        report.add("load", "share of the official client", 100 * cards / seconds / official, "%")
        report.add("load", "processor time of this process", 1e6 * cpu / cards, "us/row")
        report.add("load", "write requests per 1,000 rows", 1000 * writes / cards, "")
        report.add("load", "read pages per 1,000 rows", 1000 * reads / cards, "")
        report.add("load", "peak memory", _peak_megabytes(), "MB", f"{base:.0f} MB before")
        _verify(report, shop, cards)
        _books(report, shop, cards)
    total = seen.total() or 1
    for place, count in seen.most_common(SHOWN):
        report.add("load", f"profile: {place}"[:44], 100 * count / total, "%")


def _official(cards: int) -> float:
    """Rows per second of the official client."""
    from azure.identity import ClientSecretCredential
    from PowerPlatform.Dataverse.client import DataverseClient
    from PowerPlatform.Dataverse.models.upsert import UpsertItem

    with (
        tempfile.TemporaryDirectory(prefix="dualwrite-bench-") as name,
        running(Path(name)) as where,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("REQUESTS_CA_BUNDLE", str(where["ca"]))
        credential = ClientSecretCredential(
            where["tenant"],
            where["client_id"],
            where["client_secret"],
            authority=where["dataverse"],
            disable_instance_discovery=True,
        )
        with credential, DataverseClient(where["dataverse"], credential) as client:
            client.records.upsert("msdyn_loyaltycard", [UpsertItem(**_item(-1))])
            gc.collect()
            began = time.perf_counter()
            for first in range(0, cards, CALL):
                numbers = range(first, min(first + CALL, cards))
                client.records.upsert(
                    "msdyn_loyaltycard", [UpsertItem(**_item(n)) for n in numbers]
                )
            return cards / (time.perf_counter() - began)


def _item(number: int) -> dict[str, Any]:
    return {
        "alternate_key": {"msdyn_cardnumber": card_number(number)},
        "record": {
            "msdyn_partynumber": f"{number:09d}",
            "msdyn_cardtendertype": 806380000,
            "msdyn_operatingunitnumber": "052",
            "msdyn_enrollmentdate": "2024-02-29",
            "msdyn_effectivedate": "2024-02-29",
        },
    }


def _verify(report: Report, shop: Site, cards: int) -> None:
    began = time.perf_counter()
    verdict = verify_map(shop.project, shop.cards, lambda _finding: None)
    assert verdict.equal
    assert verdict.compared == cards
    report.add("load", "verify", verdict.compared / (time.perf_counter() - began), "rows/s")


def _books(report: Report, shop: Site, cards: int) -> None:
    """The books after the load: nothing was left out to be fast."""
    engine = sa.create_engine(shop.settings.store.url)
    with engine.connect() as books:
        created = "SELECT count(*) FROM changes WHERE kind = 'create' AND outcome = 'applied'"
        applied = books.exec_driver_sql(created).scalar_one()
        unseen = "SELECT count(*) FROM records WHERE unconfirmed <> 0"
        open_ones = books.exec_driver_sql(unseen).scalar_one()
    engine.dispose()
    assert applied >= cards
    report.add("load", "creates audited", applied, "rows", f"{open_ones} not read back")


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
