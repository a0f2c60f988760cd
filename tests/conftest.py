"""Fixtures every room may use: a running sandbox, sessions of its users, a database server."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
import requests
from hypothesis import settings

from tests.postgresql import ledger_url, postgresql, postgresql_url

__all__ = ["ledger_url", "postgresql", "postgresql_url"]

TIMEOUT_SECONDS = 60
"""A request of a test; a loaded machine may take long."""
DAY = timedelta(days=1)
PATIENCE = 120.0
"""Seconds until a test gives up waiting for a state that must come."""

# The command is started many hundred times: what is compiled once is not compiled again by each.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell's background jobs ignore SIGINT, and so would every command that is started from here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples on every machine and every run; `--hypothesis-profile=long` looks for others.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("long", derandomize=False, deadline=None, max_examples=1200)
settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that none of them is left over for one worker alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def one_day() -> None:
    """Midnight (UTC), at which a day's limits begin anew and points expire, is not near."""
    now = datetime.now(UTC)
    left = (now.replace(hour=0, minute=0, second=0, microsecond=0) + DAY - now).total_seconds()
    if left < PATIENCE:
        time.sleep(left)


class StandInSession(requests.Session):
    """What both sides of the sandbox tell tests, and let them switch, at `host`."""

    host: str

    def told(self) -> dict[str, Any]:
        """Requests since the last reset (`kinds`), the `faults` they met, those `under_way`."""
        told: dict[str, Any] = self.get(f"{self.host}/sandbox/requests").json()
        return told

    def disarm(self) -> None:
        """Disarm all faults, and wait until whatever was under way has happened.

        Also what nobody waits for any more: the requests of a process that was killed.
        """
        assert self.delete(f"{self.host}/sandbox/faults").status_code == 200
        end = time.monotonic() + PATIENCE
        while self.told()["under_way"]:
            assert time.monotonic() < end, "a request has no end"
            time.sleep(0.01)


class DataverseSession(StandInSession):
    """A plain HTTP session of one user; a relative URL counts from the Web API root."""

    def __init__(self, sandbox: dict[str, Any], token: str) -> None:
        super().__init__()
        self.api = f"{sandbox['dataverse']}/api/data/v9.2"
        self.host = str(sandbox["dataverse"])
        # The environment's REQUESTS_CA_BUNDLE would win over `verify`.
        self.trust_env = False
        self.verify = sandbox["ca"]
        self.headers.update({"Authorization": f"Bearer {token}", "Accept": "application/json"})

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> Any:
        """The request, with a time limit."""
        place = str(url)
        if "://" not in place:
            place = f"{self.api}/{place}"
        kwargs.setdefault("timeout", TIMEOUT_SECONDS)
        return super().request(method, place, *args, **kwargs)

    def switch(self, name: str, value: dict[str, Any] | None = None) -> None:
        """`POST /sandbox/<name>`."""
        answer = self.post(f"{self.host}/sandbox/{name}", json=value or {})
        assert answer.status_code == 200, answer.text

    def counts(self) -> dict[str, int]:
        """Requests since the last reset, by kind."""
        kinds: dict[str, int] = self.told()["kinds"]
        return kinds


SignIn: TypeAlias = Callable[..., DataverseSession]


def fetch_token(sandbox: dict[str, Any], who: str = "", resource: str = "dataverse") -> str:
    """An access token of the connector (`""`), the `agent_` or the `outsider_` user."""
    answer = requests.post(
        f"{sandbox['authority']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": sandbox[f"{who}client_id"],
            "client_secret": sandbox[f"{who}client_secret"],
            "scope": f"{sandbox[resource]}/.default",
        },
        verify=sandbox["ca"],
        timeout=TIMEOUT_SECONDS,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The ready object of a sandbox that runs in a process of its own."""
    from connector.sandbox.run import running

    with running(tmp_path_factory.mktemp("sandbox")) as ready:
        yield ready


@pytest.fixture
def sign_in(sandbox: dict[str, Any]) -> Iterator[SignIn]:
    """Makes sessions: `sign_in()` the connector's, `sign_in("agent_")` the person's."""
    sessions: list[DataverseSession] = []

    def make(who: str = "", where: dict[str, Any] | None = None) -> DataverseSession:
        place = sandbox if where is None else where
        sessions.append(DataverseSession(place, fetch_token(place, who)))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


class FinopsSession(StandInSession):
    """A session of one user in Finance and Operations; a relative URL counts from `/data`."""

    def __init__(self, sandbox: dict[str, Any], token: str) -> None:
        super().__init__()
        self.host = str(sandbox["finops"])
        self.trust_env = False
        self.verify = sandbox["ca"]
        self.headers.update({"Authorization": f"Bearer {token}", "Accept": "application/json"})

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> Any:
        """The request, with a time limit."""
        place = str(url)
        if "://" not in place:
            place = f"{self.host}/data/{place}"
        kwargs.setdefault("timeout", TIMEOUT_SECONDS)
        return super().request(method, place, *args, **kwargs)

    def switch(self, name: str, value: dict[str, Any] | None = None) -> Any:
        """`POST /sandbox/<name>` of this side; what it answers."""
        answer = self.post(f"{self.host}/sandbox/{name}", json=value or {})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def finops_session(sandbox: dict[str, Any]) -> Iterator[FinopsSession]:
    """One signed-in session of the connector for all tests."""
    with FinopsSession(sandbox, fetch_token(sandbox, resource="finops")) as session:
        yield session


@pytest.fixture
def finops(finops_session: FinopsSession) -> FinopsSession:
    """The connector's session in Finance and Operations, with master data and nothing else."""
    finops_session.switch("reset")
    return finops_session


@pytest.fixture
def dataverse(sign_in: SignIn) -> DataverseSession:
    """The connector's session, in an organization emptied for this test."""
    session = sign_in()
    session.switch("reset")
    return session
