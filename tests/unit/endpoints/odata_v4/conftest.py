"""A service in memory behind the endpoint, and how a test opens it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import responses

from connector.endpoints.odata_v4 import ODataV4Endpoint
from connector.endpoints.odata_v4.feeds import Way
from connector.endpoints.odata_v4.service import service_of
from connector.endpoints.web.auth import Nobody
from connector.endpoints.web.governor import Governor
from connector.endpoints.web.patience import Patience
from connector.endpoints.web.transport import Transport
from tests.odata_v4_service import ROOT, MemoryService

Open: TypeAlias = Callable[..., ODataV4Endpoint]


class Clock:
    """Seconds that pass by sleeping, or when a test says so."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service() -> Iterator[MemoryService]:
    made = MemoryService()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.mount(mock)
        yield made


@pytest.fixture
def transport(clock: Clock) -> Iterator[Transport]:
    patience = Patience(3, sleep=clock.sleep, random=lambda: 1.0, monotonic=clock)
    made = Transport(
        service_of("commerce", ROOT),
        ROOT,
        tokens=[Nobody()],
        ca=None,
        patience=patience,
        clock=lambda: datetime.fromtimestamp(clock.now, UTC),
        timeout=30.0,
        connections=2,
        governor=Governor(clock=clock, sleep=clock.sleep),
    )
    yield made
    made.close()


@pytest.fixture
def opened(
    service: MemoryService, transport: Transport, clock: Clock, tmp_path: Path
) -> Iterator[Open]:
    """Opens endpoints at the service; a `Way` and other arguments by name."""
    made: list[ODataV4Endpoint] = []

    def open_endpoint(way: Way | None = None, **more: Any) -> ODataV4Endpoint:
        made.append(
            ODataV4Endpoint(
                transport,
                way_of=lambda _: way or Way(),
                folder=tmp_path / "snapshots",
                clock=clock,
                **more,
            )
        )
        return made[-1]

    yield open_endpoint
    for one in made:
        one.close()


@pytest.fixture
def endpoint(opened: Open) -> ODataV4Endpoint:
    return opened()
