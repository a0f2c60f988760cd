"""`dualwrite serve` between two busy sides: how long until an edit stands on the other one.

Counted from before an edit is sent until somebody who looks every few milliseconds sees it, so
the times hold the sending and, on average, half a look as well.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import requests

from connector.cli.demo.people import CARDS, card_number
from connector.ledger.operations import Operation, Refused, Upsert
from tests.bench.report import Report
from tests.bench.site import Site, site
from tests.conftest import DataverseSession, fetch_token

DUALWRITE = Path(sys.executable).with_name("dualwrite")
TABLE = "msdyn_loyaltycards"
RATE = 200
TICK = 0.05
SECONDS = 15
COUNT = RATE * SECONDS
LOOK = 0.02
PATIENCE = 60.0
KEY = "bench"

Sent: TypeAlias = dict[str, float]
"""When each card was edited, by number."""
Seen: TypeAlias = Callable[[], list[str]]
"""The numbers of cards whose edit has arrived since the last call."""


def bench(report: Report, sizes: tuple[int, ...]) -> None:
    """Latency both ways under load, with and without webhooks; then what a look at rest costs."""
    report.head("live", f"{RATE} edits a second for {SECONDS} s, visible on the other side")
    with site(COUNT) as shop:
        shop.load()
        agent = DataverseSession(dict(shop.sandbox), fetch_token(dict(shop.sandbox), "agent_"))
        ids = _ids(agent)
        with serving(shop, webhooks=True):
            day = date(2030, 1, 1)
            sent = _measure(_in_dataverse(agent, ids, day), _in_ledger(shop, day))
            _told(report, "Dataverse to commerce, by webhook", sent)
            day = date(2031, 1, 1)
            sent = _measure(_by_clerk(shop, day), _at_dataverse(agent, day))
            _told(report, "commerce to Dataverse, by commit", sent)
        with serving(shop, webhooks=False):
            day = date(2032, 1, 1)
            sent = _measure(_in_dataverse(agent, ids, day), _in_ledger(shop, day))
            _told(report, "Dataverse to commerce, by polling", sent, "poll_min 1 s")
        agent.close()
    for cards in sizes:
        _at_rest(report, cards)


def _measure(edit: Callable[[range], None], seen: Seen) -> list[float]:
    """Edit at the rate; seconds until each edit was seen, in order."""
    sent: Sent = {}

    def edits() -> None:
        began = time.perf_counter()
        step = int(RATE * TICK)
        for tick in range(COUNT // step):
            time.sleep(max(0.0, began + tick * TICK - time.perf_counter()))
            numbers = range(tick * step, (tick + 1) * step)
            now = time.perf_counter()
            sent.update({card_number(number): now for number in numbers})
            edit(numbers)

    seen()
    editor = threading.Thread(target=edits)
    editor.start()
    took: list[float] = []
    end = time.perf_counter() + SECONDS + PATIENCE
    while len(took) < COUNT:
        now = time.perf_counter()
        assert now < end, f"{COUNT - len(took)} edits never arrived"
        arrived = seen()
        now = time.perf_counter()
        took += [now - sent.pop(number) for number in arrived]
        time.sleep(LOOK)
    editor.join()
    return sorted(took)


def _told(report: Report, name: str, took: list[float], note: str = "") -> None:
    for share in (50, 95, 99):
        value = took[len(took) * share // 100]
        report.add("live", f"{name}: p{share}", 1000 * value, "ms", note)


# ---------------------------------------------------------------------------- both sides


def _ids(agent: DataverseSession) -> dict[str, str]:
    found: dict[str, str] = {}
    url: str | None = f"{TABLE}?$select=msdyn_cardnumber"
    while url is not None:
        answer = agent.get(url).json()
        found |= {row["msdyn_cardnumber"]: row["msdyn_loyaltycardid"] for row in answer["value"]}
        url = answer.get("@odata.nextLink")
    return found


def _in_dataverse(
    agent: DataverseSession, ids: Mapping[str, str], day: date
) -> Callable[[range], None]:
    """An agent's tool edits some cards in one request."""

    def edit(numbers: range) -> None:
        targets = [
            {
                "@odata.type": "Microsoft.Dynamics.CRM.msdyn_loyaltycard",
                "msdyn_loyaltycardid": ids[card_number(number)],
                "msdyn_enrollmentdate": (day + timedelta(days=number)).isoformat(),
            }
            for number in numbers
        ]
        url = f"{TABLE}/Microsoft.Dynamics.CRM.UpdateMultiple"
        answer = agent.post(url, json={"Targets": targets})
        assert answer.status_code == 204, answer.text

    return edit


def _at_dataverse(agent: DataverseSession, day: date) -> Seen:
    """Follows the table's changes."""
    expected = {
        card_number(number): (day + timedelta(days=number)).isoformat() for number in range(COUNT)
    }
    link: list[str] = []

    def seen() -> list[str]:
        if not link:
            url = f"{TABLE}?$select=msdyn_cardnumber,msdyn_enrollmentdate"
            prefer = {"Prefer": "odata.track-changes"}
            answer = agent.get(url, headers=prefer).json()
            link.append(answer["@odata.deltaLink"])
            return []
        answer = agent.get(link[0]).json()
        link[0] = answer["@odata.deltaLink"]
        rows = [(row["msdyn_cardnumber"], row["msdyn_enrollmentdate"]) for row in answer["value"]]
        return _arrived(rows, expected)

    return seen


def _by_clerk(shop: Site, day: date) -> Callable[[range], None]:
    """A clerk's till edits some cards in one commit."""
    store = shop.ledger.store(CARDS)

    def edit(numbers: range) -> None:
        changes: list[Operation] = [
            Upsert(
                {
                    "CardNumber": card_number(number),
                    "LoyaltyEnrollmentDate": day + timedelta(days=number),
                }
            )
            for number in numbers
        ]
        assert not any(isinstance(one, Refused) for one in store.apply(changes, by="clerk"))

    return edit


def _in_ledger(shop: Site, day: date) -> Seen:
    """Follows the ledger's feed."""
    store = shop.ledger.store(CARDS)
    expected = {card_number(n): day + timedelta(days=n) for n in range(COUNT)}
    since = [shop.ledger.head()]

    def seen() -> list[str]:
        page = store.changes(
            since[0], shop.ledger.head(), 10_000, ["CardNumber", "LoyaltyEnrollmentDate"]
        )
        since[0] = page.through
        return _arrived([(str(one.values[0]), one.values[1]) for one in page.records], expected)

    return seen


def _arrived(rows: Iterable[tuple[str, object]], expected: dict[str, Any]) -> list[str]:
    """Those that hold what is expected of them, each told once."""
    found = [number for number, value in rows if expected.get(number) == value]
    for number in found:
        del expected[number]
    return found


# ---------------------------------------------------------------------------- the service


@contextmanager
def serving(
    shop: Site, *, webhooks: bool, poll: float | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """An instance at work; with `webhooks` Dataverse tells it of every change."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    config = shop.folder / "connector.toml"
    config.write_text(_config(shop, port, poll), "utf-8")
    command = [str(DUALWRITE), "--config", str(config)]
    environment = {**os.environ, "BENCH_KEY": KEY}
    hooks = address if webhooks else "off"
    done = subprocess.run(
        [*command, "provision", "--webhooks", hooks],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    process = subprocess.Popen(
        [*command, "serve"], env=environment, stderr=(shop.folder / "serve.err").open("wb")
    )
    try:
        _wait_until_ready(process, address)
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _config(shop: Site, port: int, poll: float | None) -> str:
    sandbox = shop.sandbox
    polling = "" if poll is None else f"poll_min = {poll}\npoll_max = {poll}\n"
    return f"""
[commerce]
kind = "ledger"
url = "{shop.settings.commerce.url}"
[dataverse]
url = "{sandbox["dataverse"]}"
authority = "{sandbox["authority"]}"
client_id = "{sandbox["client_id"]}"
client_secret = "file:{shop.folder / "sandbox" / "client_secret"}"
token_cache = "{shop.folder / "tokens"}"
ca = "{sandbox["ca"]}"
[store]
url = "{shop.settings.store.url}"
[maps]
path = "{shop.settings.maps.path}"
[serve]
listen = "127.0.0.1:{port}"
webhook_key = "env:BENCH_KEY"
{polling}"""


def _wait_until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, "it ended"
        assert time.monotonic() < end, "it never became ready"
        try:
            if requests.get(f"{address}/health", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)


def _at_rest(report: Report, cards: int) -> None:
    """What a look costs the service while nothing changes: requests and its processor time."""
    poll, seconds = 0.2, 10.0
    with site(cards) as shop:
        shop.load()
        with serving(shop, webhooks=False, poll=poll) as process:
            time.sleep(3.0)
            before, cpu = shop.asked(), _cpu(process.pid)
            time.sleep(seconds)
            cpu, after = _cpu(process.pid) - cpu, shop.asked()
    asked = {kind: n - before.get(kind, 0) for kind, n in after.items() if n > before.get(kind, 0)}
    feeds = sum(n for kind, n in asked.items() if "deltatoken" in kind)
    name = f"at rest, {cards:,} bound rows"
    others = sum(asked.values()) - feeds
    report.add("live", f"{name}: looks at a map", feeds / seconds, "per s", f"every {poll} s")
    report.add("live", f"{name}: other requests", float(others), "")
    report.add("live", f"{name}: processor time of a look", 1000 * cpu / feeds, "ms")


def _cpu(pid: int) -> float:
    """Seconds of processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
