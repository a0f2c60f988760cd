"""Reads over OData V2: through our endpoint, and what the library alone makes of the same bytes.

The answers are made before and handed over without a line in between; the processor time is that
of taking them apart, rows of seven properties with ETags, in pages of 1,000.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import orjson

from connector.endpoints.odata_v2.connection import Connection
from connector.endpoints.odata_v2.metadata import Tables
from connector.endpoints.odata_v2.reads import Place, Reader
from connector.endpoints.web.answers import Reply
from connector.endpoints.web.governor import Turn
from tests.bench.report import Report
from tests.integration.odata_v2.loyalty import loyalty_service

ROOT = "https://service.example/odata/"
NAMES = ("CardNumber", "Note", "Tender", "Enrolled", "Balance", "Points", "Active")
PAGE = 1000
ROUNDS = 5
BENCH = "odata-v2"


def pages(count: int) -> dict[str, bytes]:
    """Answers by the page they are: `0`, `1` ..., each with the link to the next."""
    answers: dict[str, bytes] = {}
    for first in range(0, count, PAGE):
        results = [
            {
                "__metadata": {
                    "uri": f"{ROOT}Cards('M{n}')",
                    "type": "L.Cards",
                    "etag": f'W/"{n}"',
                },
                "CardNumber": f"M{n:09}",
                "Note": f"member {n}, Zoë" if n % 3 else None,
                "Tender": "AsCardTender",
                "Enrolled": f"/Date({1_500_000_000_000 + 86_400_000 * (n % 3000)})/",
                "Balance": f"{n / 8:.4f}",
                "Points": str(n),
                "Active": n % 2 == 0,
            }
            for n in range(first, min(first + PAGE, count))
        ]
        told: dict[str, Any] = {"results": results}
        page = first // PAGE
        if first + PAGE < count:
            told["__next"] = f"{ROOT}Cards?page={page + 1}"
        answers[str(page)] = orjson.dumps({"d": told})
    # What a reader asks for behind the last row.
    answers["end"] = orjson.dumps({"d": {"results": []}})
    return answers


class _Session:
    """What the library alone is given: a session whose answers are there already."""

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self._answers = answers

    def request(self, method: str, url: str, **_: Any) -> Any:
        from requests import Response

        response = Response()
        response.status_code = 200
        response.headers["Content-Type"] = "application/json; charset=utf-8"
        response.encoding = "utf-8"
        response._content = self._answers[url.partition("page=")[2] or "0"]
        response.url = url
        return response


class _Transport:
    """The same for the endpoint."""

    base = ROOT
    naming = SimpleNamespace(side="commerce")

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self._answers = answers

    def get(self, url: str) -> Reply:
        page = url.partition("page=")[2] or ("end" if "gt" in url else "0")
        now = datetime.now(UTC)
        return Reply(200, {}, self._answers[page], now, now, Turn(0, 0.0, None))


def bench(report: Report, count: int) -> None:
    """Entities per second of processor time, the best of some rounds."""
    report.head(BENCH, f"{count:,} entities of {len(NAMES)} properties, no line in between")
    answers = pages(count)
    document = loyalty_service()._document()
    alone = _best(lambda: _alone(document, answers), count)
    ours = _best(lambda: _ours(document, answers), count)
    report.add(BENCH, "pyodata alone", alone, "entities/s", "proxies, read into plain values")
    report.add(BENCH, "through the endpoint", ours, "entities/s", "rows with ids and versions")
    report.add(BENCH, "endpoint against pyodata alone", 100 * ours / alone, "%", "at least 80")


def _best(read: Callable[[], int], count: int) -> float:
    least = float("inf")
    for _ in range(ROUNDS):
        gc.collect()
        started = time.process_time()
        assert read() == count
        least = min(least, time.process_time() - started)
    return count / least


def _alone(document: bytes, answers: Mapping[str, bytes]) -> int:
    import pyodata
    from pyodata.v2.model import Config

    config = Config(retain_null=True)
    client = pyodata.Client(ROOT, _Session(answers), config=config, metadata=document)
    return sum(1 for _ in _proxies(client))


def _proxies(client: Any) -> Iterator[tuple[Any, ...]]:
    link: str | None = None
    while True:
        request = client.entity_sets.Cards.get_entities()
        found = (request if link is None else request.next_url(link)).execute()
        for one in found:
            yield tuple([getattr(one, name) for name in NAMES])
        link = found.next_url
        if link is None:
            return


def _ours(document: bytes, answers: Mapping[str, bytes]) -> int:
    transport: Any = _Transport(answers)
    reader = Reader(Connection(transport, csrf=False), PAGE)
    table = Tables(lambda: document, lambda _: True, side="commerce").get("Cards")
    projection = reader.projection(table, NAMES)
    return sum(
        len(reader.rows(table, projection, fetched))
        for fetched, _ in reader.pages(table, projection.select, Place(), table.keys)
    )
