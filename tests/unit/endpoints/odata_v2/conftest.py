"""An endpoint on the strict V2 stand-in, whose manners a test may set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from connector.endpoints.odata_v2 import ODataV2Endpoint
from connector.endpoints.web.auth import Nobody
from connector.endpoints.web.patience import Patience
from tests.integration.odata_v2.loyalty import loyalty_types
from tests.integration.odata_v2.service import Service, serving


@pytest.fixture(scope="session")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One server for all tests of a run."""
    with serving(Service(), tmp_path_factory.mktemp("odata-v2")) as found:
        yield found


@pytest.fixture
def service(line: Service) -> Service:
    """Cards and point kinds, empty, with ETags."""
    line.reset(loyalty_types())
    return line


@pytest.fixture
def bare(line: Service) -> Service:
    """The same without ETags."""
    line.reset(loyalty_types(etags=False))
    return line


MakeEndpoint: TypeAlias = Callable[..., ODataV2Endpoint]


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[MakeEndpoint]:
    """Makes endpoints on a service; it waits for nothing between attempts."""
    made: list[ODataV2Endpoint] = []

    def make(service: Service, **other: Any) -> ODataV2Endpoint:
        given: dict[str, Any] = {
            "tokens": Nobody(),
            "ca": service.ca,
            "patience": Patience(attempts=3, sleep=lambda _: None),
            "clock": lambda: datetime.now(UTC),
            "folder": tmp_path / "snapshots",
            "csrf": False,
            "page_size": 50,
        }
        made.append(ODataV2Endpoint(service.url, **{**given, **other}))
        return made[-1]

    yield make
    for endpoint in made:
        endpoint.close()


@pytest.fixture
def endpoint(service: Service, connect: MakeEndpoint) -> ODataV2Endpoint:
    """An endpoint on the service with ETags."""
    return connect(service)
