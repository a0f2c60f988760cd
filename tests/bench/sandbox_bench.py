"""Figures of the sandbox's server side: `python tests/bench/sandbox_bench.py [--cards N]`.

Calls the organization service in process, without sockets, TLS and a client, in requests as
the connector sends them. Prints rows/s of each; asserts no times.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from connector.odata.batch import BatchRequest, encode_batch
from connector.sandbox.dataverse.messages import Request
from connector.sandbox.dataverse.rights.privileges import ADMINISTRATOR
from connector.sandbox.dataverse.service import Service
from connector.sandbox.dataverse.standard.seed import Member
from connector.sandbox.dataverse.writing.records import new_id

BASE = "https://127.0.0.1/api/data/v9.2"
CARDS = "msdyn_loyaltycards"
CARD_TYPE = "Microsoft.Dynamics.CRM.msdyn_loyaltycard"
COLUMNS = (
    "$select=msdyn_cardnumber,msdyn_cardtendertype,msdyn_partynumber,msdyn_replacementcardnumber,"
    "msdyn_operatingunitnumber,msdyn_enrollmentdate,msdyn_effectivedate,modifiedon"
)
PER_REQUEST = 1_000


class Bench:
    """One service, and the seconds its requests took."""

    def __init__(self, folder: Path) -> None:
        self._service = Service(folder, (Member("bench", "bench", "Bench", ADMINISTRATOR),))
        self._user = self._service.user_of("bench") or ""
        self.seconds: list[float] = []

    def ask(
        self, method: str, path: str, query: str = "", body: bytes = b"", **headers: str
    ) -> bytes:
        """The body of a good answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(method, BASE, path, query, named, body, self._user)
        started = time.perf_counter()
        response = self._service.run(request)
        self.seconds.append(time.perf_counter() - started)
        assert response.status < 300, response.body[:500]
        return response.body

    @contextmanager
    def figure(self, title: str, rows: int) -> Iterator[None]:
        """Prints mean and best rows/s of the requests inside, each of `rows`."""
        self.seconds.clear()
        yield
        mean = rows * len(self.seconds) / sum(self.seconds)
        best = rows / min(self.seconds)
        sys.stdout.write(f"  {title:<40} mean {mean:>10,.0f}/s   best {best:>10,.0f}/s\n")

    def close(self) -> None:
        """Release the folder."""
        self._service.close()


def create(bench: Bench, cards: int) -> None:
    """CreateMultiple with ids chosen by the client."""
    for start in range(0, cards, PER_REQUEST):
        targets = [
            {
                "@odata.type": CARD_TYPE,
                "msdyn_loyaltycardid": new_id(),
                "msdyn_cardnumber": f"CARD-{number:08}",
                "msdyn_cardtendertype": 806380000,
                "msdyn_partynumber": f"P{number}",
                "msdyn_operatingunitnumber": "100",
                "msdyn_enrollmentdate": "2020-01-02",
                "msdyn_effectivedate": "2020-01-02",
            }
            for number in range(start, start + PER_REQUEST)
        ]
        body = orjson.dumps({"Targets": targets})
        bench.ask("POST", f"{CARDS}/Microsoft.Dynamics.CRM.CreateMultiple", body=body)


def read(bench: Bench) -> tuple[list[dict[str, Any]], str]:
    """All tracked pages; the rows of the first one and the query of the delta link."""
    first: list[dict[str, Any]] = []
    query = COLUMNS
    while True:
        page = orjson.loads(bench.ask("GET", CARDS, query, prefer="odata.track-changes"))
        first = first or page["value"]
        link = page.get("@odata.nextLink") or page["@odata.deltaLink"]
        query = link.partition("?")[2]
        if "@odata.deltaLink" in page:
            return first, query


def update(bench: Bench, rows: list[dict[str, Any]]) -> None:
    """$batch of conditional PATCHes that ask for the representation."""
    parts = [
        BatchRequest(
            "PATCH",
            f"/api/data/v9.2/{CARDS}({row['msdyn_loyaltycardid']})?{COLUMNS}",
            {
                "Content-Type": "application/json",
                "If-Match": row["@odata.etag"],
                "Prefer": "return=representation",
            },
            b'{"msdyn_partynumber":"Q","msdyn_cardtendertype":806380001}',
        )
        for row in rows
    ]
    kind = "multipart/mixed; boundary=b"
    bench.ask("POST", "$batch", body=encode_batch(parts, "b"), content_type=kind)


def main() -> None:
    """Run all of it in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, default=50_000)
    cards = parser.parse_args().cards
    sys.stdout.write(f"{platform.python_version()}, {os.cpu_count()} cores, {cards:,} cards\n")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        with bench.figure("CreateMultiple of 1,000", PER_REQUEST):
            create(bench, cards)
        with bench.figure("tracked pages of 5,000", 5_000):
            rows, delta = read(bench)
        with bench.figure("$batch of 1,000 conditional updates", PER_REQUEST):
            for start in range(0, len(rows), PER_REQUEST):
                update(bench, rows[start : start + PER_REQUEST])
        with bench.figure("delta of the updated rows", min(cards, 5_000)):
            bench.ask("GET", CARDS, delta)
        bench.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(f"  peak memory {peak} MB\n")


if __name__ == "__main__":
    main()
