"""Service protection over HTTP: headers, refusals, modelled execution time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.declared import wait_for

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

CARDS = "msdyn_loyaltycards"
REQUESTS_LEFT = "x-ms-ratelimit-burst-remaining-xrm-requests"
SECONDS_LEFT = "x-ms-ratelimit-time-remaining-xrm-requests"


@pytest.fixture
def limited(dataverse: DataverseSession) -> Iterator[DataverseSession]:
    """A session whose limits are the fast profile's again afterwards."""
    yield dataverse
    dataverse.switch("reset", {"data": False})


def test_the_fast_profile_limits_nothing(dataverse: DataverseSession) -> None:
    answers = [dataverse.get("WhoAmI") for _ in range(3)]
    assert {one.headers[REQUESTS_LEFT] for one in answers} == {"6000"}
    assert {one.headers[SECONDS_LEFT] for one in answers} == {"1200.00"}
    assert {one.headers["x-ms-dop-hint"] for one in answers} == {"4"}
    assert not answers[0].cookies
    limits = dataverse.get(f"{dataverse.host}/sandbox/limits").json()
    assert limits["requests"] == limits["seconds"] == limits["concurrent"] == 0


def test_requests_are_refused_until_the_window_has_room(limited: DataverseSession) -> None:
    limited.switch("limits", {"requests": 3, "window": 5, "dop": 9})
    answers = [limited.get("WhoAmI") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert [one.headers[REQUESTS_LEFT] for one in answers] == ["2", "1", "0", "0"]
    assert answers[0].headers["x-ms-dop-hint"] == "9"
    error = answers[3].json()["error"]
    assert error["code"] == "0x80072322"
    assert "limit of 3 over time window of 5 seconds" in error["message"]
    time.sleep(int(answers[3].headers["Retry-After"]))
    assert limited.get("WhoAmI").status_code == 200


def test_execution_time_is_spent_and_counted(limited: DataverseSession, add_cards: Any) -> None:
    limited.switch("limits", {"seconds": 3, "latency_ms": 50, "row_ms": 100, "read_row_ms": 1})
    began = time.monotonic()
    add_cards(f"C-{number}" for number in range(20))
    assert time.monotonic() - began >= 2.05
    began = time.monotonic()
    answer = limited.get(CARDS)
    assert 0.07 <= time.monotonic() - began < 2.05, "a row that is read costs less"
    # The cost of a request counts when it is done: this one still had the rest of 3 s.
    assert 0 < float(answer.headers[SECONDS_LEFT]) <= 0.95
    refused = limited.get("WhoAmI")
    assert refused.status_code == 200
    while refused.status_code == 200:
        refused = limited.get("WhoAmI")
    assert refused.status_code == 429
    error = refused.json()["error"]
    assert error["code"] == "0x80072321"
    assert "limit of 3,000 milliseconds over time window of 300 seconds" in error["message"]
    assert refused.headers[SECONDS_LEFT] == "0.00"


def test_modelled_time_holds_nobody_else_up(limited: DataverseSession) -> None:
    limited.switch("limits", {"latency_ms": 1000})
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: limited.get("WhoAmI").status_code, range(8)))
    assert statuses == [200] * 8
    assert 1.0 <= time.monotonic() - began < 6.0


def test_too_many_at_a_time(limited: DataverseSession) -> None:
    limited.switch("limits", {"concurrent": 2})
    limited.switch("faults", {"kind": "slow", "seconds": 600, "count": 2})
    with ThreadPoolExecutor(2) as pool:
        at_work = pool.map(lambda _: limited.get("WhoAmI").status_code, range(2))
        wait_for(lambda: limited.told()["under_way"] == 2)
        refused = [limited.get("WhoAmI") for _ in range(3)]
        limited.disarm()
        assert list(at_work) == [200, 200]
    assert [one.status_code for one in refused] == [429] * 3
    assert {one.json()["error"]["code"] for one in refused} == {"0x80072326"}
    assert all(int(one.headers["Retry-After"]) >= 1 for one in refused)


def test_users_and_servers_have_limits_of_their_own(
    limited: DataverseSession, sign_in: SignIn
) -> None:
    limited.switch("limits", {"requests": 1, "servers": 2})
    first = limited.get("WhoAmI")
    assert first.status_code == 200
    assert first.cookies["ARRAffinity"]
    # The session keeps the cookie, so it stays with its server.
    assert limited.get("WhoAmI").status_code == 429
    limited.cookies.clear()
    statuses = []
    for _ in range(2):
        statuses.append(limited.get("WhoAmI").status_code)
        limited.cookies.clear()
    assert statuses == [200, 429]
    assert sign_in("agent_").get("WhoAmI").status_code == 200


def test_the_real_profile_by_switch(limited: DataverseSession) -> None:
    limited.switch("limits", {"profile": "real", "latency_ms": 1, "window": 30})
    answer = limited.get("WhoAmI")
    assert answer.headers[REQUESTS_LEFT] == "5999"
    limits = limited.get(f"{limited.host}/sandbox/limits").json()
    assert (limits["requests"], limits["seconds"], limits["concurrent"]) == (6000, 1200, 52)
    for wrong in ({"profile": "slow"}, {"requests": -1}, {"speed": 1}):
        assert limited.post(f"{limited.host}/sandbox/limits", json=wrong).status_code == 400
