"""Events of Finance and Operations: what they name is read at once, and they can do no harm."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.acceptance.conftest import Project
from tests.acceptance.finops_project import Shop, finops_project
from tests.acceptance.living import Live, living, until

if TYPE_CHECKING:
    from tests.conftest import FinopsSession, SignIn

pytestmark = pytest.mark.slow

SECRET = "the-secret-of-events"
SELDOM = {
    "SERVE__POLL_MIN": "300",
    "SERVE__POLL_MAX": "600",
    "COMMERCE__CHANGES__EVERY": "600",
    "COMMERCE__EVENTS__LISTEN": "true",
    "COMMERCE__EVENTS__SECRET": "env:TEST_EVENTS_SECRET",
}
"""Looks that no test waits for: what arrives was told."""
BLOCKED = 806380003


@pytest.fixture
def loaded(
    tmp_path: Path,
    sandbox: dict[str, Any],
    finops: FinopsSession,  # empties the environment
    sign_in: SignIn,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[tuple[Project, Shop]]:
    project, shop = finops_project(tmp_path / "project", sandbox, sign_in)
    project.environment["TEST_EVENTS_SECRET"] = SECRET
    capsys.readouterr()
    project.connector.switch("reset")
    shop.put([{"CardNumber": f"5500{n}", "CardTenderType": "AsCardTender"} for n in range(9)])
    project.json("load")
    yield project, shop
    shop.clerk.delete(f"{shop.clerk.host}/sandbox/listeners")
    project.end()
    shop.clerk.close()


def sent_events(shop: Shop, live: Live, sort: str) -> None:
    """Have events sent to an instance."""
    told = {"url": f"{live.url}/webhooks/commerce?code={SECRET}", "sort": sort}
    shop.clerk.switch("listeners", {**told, "entities": ["RetailLoyaltyCards"]})


def post(live: Live, body: bytes, key: str = SECRET) -> int:
    url = f"{live.url}/webhooks/commerce"
    answer = requests.post(url, data=body, headers={"x-dualwrite-key": key}, timeout=20)
    assert "Traceback" not in answer.text
    return answer.status_code


def forged(number: str, event: str) -> bytes:
    told = {"BusinessEventId": "Forged", "EventId": event, "CardNumber": number}
    return json.dumps(told).encode()


def test_edits_and_deletes_arrive_without_a_look(
    loaded: tuple[Project, Shop], tmp_path: Path
) -> None:
    project, shop = loaded
    with living(project, tmp_path, **SELDOM) as live:
        live.comes_to("active")
        sent_events(shop, live, "data")
        shop.edit("55001", CardTenderType="Blocked")
        until("the edit", lambda: tender(project, "55001") == BLOCKED)
        shop.remove("55002")
        until("the delete", lambda: "55002" not in project.cards())
        shop.put([{"CardNumber": "56000", "CardTenderType": "Blocked"}])
        until("the new card", lambda: "56000" in project.cards())
        shop.remove("56000")
        until("its end", lambda: "56000" not in project.cards())
        shop.clerk.delete(f"{shop.clerk.host}/sandbox/listeners")

        sent_events(shop, live, "business")
        until("the test event", lambda: live.health()["events"]["unrelated"])
        shop.clerk.switch("events", {"twice": 1, "late": 2, "seconds": 0.3})
        shop.edit("55003", CardTenderType="Blocked")
        shop.edit("55004", CardTenderType="Blocked")
        until("both", lambda: tender(project, "55003") == tender(project, "55004") == BLOCKED)
        until("the repetitions", lambda: live.health()["events"]["repeated"] >= 2)
        assert live.ends() == 143
        assert "Traceback" not in live.said()
    project.verified()


def test_lost_repeated_and_forged_events_do_no_harm(
    loaded: tuple[Project, Shop], tmp_path: Path
) -> None:
    project, shop = loaded
    with living(project, tmp_path, **SELDOM) as live:
        live.comes_to("active")
        live.comes_to("active", "loyalty-reward-points")
        assert post(live, forged("55001", "a"), key="wrong") == 401
        assert post(live, b"x" * 600_000) == 413
        for garbage in (b"", b"{", b"[]", b'{"PrimaryEntityName": 7}', b"[" * 99_999):
            assert post(live, garbage) == 400
        for number, event in (("55001", "a"), ("55001", "a"), ("nobody", "b"), ("5'5/00é", "c")):
            assert post(live, forged(number, event)) == 202
        assert post(live, b'{"PrimaryEntityName": "mserp_vendvendorv2entity"}') == 202
        assert live.health()["events"] == {
            "taken": 3,
            "repeated": 1,
            "unrelated": 1,
            "wrong_key": 1,
            "malformed": 5,
            "too_large": 1,
        }
        shop.edit("55003", CardTenderType="Blocked")  # of which nobody is told
        shop.edit("55001", CardTenderType="Blocked")
        assert post(live, forged("55001", "d")) == 202
        until("what was told", lambda: tender(project, "55001") == BLOCKED)
        assert tender(project, "55003") != BLOCKED, "nobody told of it"
        assert live.ends() == 143
        assert SECRET not in live.said()
        assert "Traceback" not in live.said()
    assert project.json("sync")["synced"] == 1, "what nobody told is found by the next look"
    project.verified()


def test_events_between_lives_of_an_instance_lose_nothing(
    loaded: tuple[Project, Shop], tmp_path: Path
) -> None:
    project, shop = loaded
    numbers = ["55000", "55001"]
    for turn, number in enumerate(numbers):
        with living(project, tmp_path, **SELDOM) as live:
            live.comes_to("active")
            sent_events(shop, live, "data")
            shop.edit(number, CardTenderType="Blocked")
            time.sleep(0.05 * turn)
            assert live.ends(signal.SIGKILL) == -signal.SIGKILL
            shop.edit(f"5500{turn + 5}", CardTenderType="Blocked")  # told to nobody
            shop.clerk.delete(f"{shop.clerk.host}/sandbox/listeners")
    with living(project, tmp_path, **SELDOM) as live:
        live.comes_to("active")
        for number in (*numbers, "55005", "55006"):
            until(number, lambda number=number: tender(project, number) == BLOCKED)  # type: ignore[misc]
        assert live.ends() == 143
    project.verified()


def tender(project: Project, number: str) -> object:
    return project.cards()[number]["msdyn_cardtendertype"]
