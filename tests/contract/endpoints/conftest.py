"""The worlds the endpoint contract runs in: one entry per endpoint.

A new endpoint adds a file to `worlds/` whose `world` yields a `World`, and a line in `WORLDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from tests.contract.endpoints.world import World
from tests.contract.endpoints.worlds import (
    dataverse,
    dynamicweb,
    finops,
    ledger,
    odata_v2,
    odata_v4,
)
from tests.integration.odata_v2.service import Service, serving

Build: TypeAlias = Callable[[pytest.FixtureRequest], Iterator[World]]
WORLDS: dict[str, Build] = {
    "finops": finops.world,
    "dataverse": dataverse.world,
    "dynamicweb, postgresql": dynamicweb.world("postgresql_url"),
    "dynamicweb, sqlite": dynamicweb.world("sqlite"),
    "ledger": ledger.world,
    "odata-v4": odata_v4.world(),
    "odata-v4, without ETags": odata_v4.world(etags=False),
    "odata-v4, without batches": odata_v4.world(batches=False),
    "odata-v2": odata_v2.world(),
    "odata-v2, without ETags": odata_v2.world(etags=False),
}


@pytest.fixture(scope="session")
def odata_v2_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One V2 server for all tests of a run, emptied for each of them."""
    with serving(Service(), tmp_path_factory.mktemp("odata-v2")) as service:
        yield service


@pytest.fixture(params=sorted(WORLDS))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Each endpoint in turn, on an empty table."""
    yield from WORLDS[request.param](request)
