"""The worlds the endpoint contract runs in: one entry per endpoint.

A new endpoint adds a file to `worlds/` whose `world` yields a `World`, and a line in `WORLDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from tests.contract.endpoints.world import World
from tests.contract.endpoints.worlds import dataverse, finops, ledger, odata_v2

Build: TypeAlias = Callable[[pytest.FixtureRequest], Iterator[World]]
WORLDS: dict[str, Build] = {
    "dataverse": dataverse.world,
    "finops": finops.world,
    "ledger": ledger.world,
    "odata-v2": odata_v2.world(),
    "odata-v2, small pages": odata_v2.world(paged=True),
    "odata-v2, without ETags": odata_v2.world(etags=False),
}


@pytest.fixture(params=sorted(WORLDS))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Each endpoint in turn, on an empty table."""
    yield from WORLDS[request.param](request)
