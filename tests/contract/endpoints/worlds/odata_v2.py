"""A strict OData V2 service of the tests: with ETags or without, and with manners of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.contract.endpoints.world import PAGE_ROWS, World
from tests.integration.odata_v2.loyalty import loyalty_types
from tests.integration.odata_v2.service import Service


def world(*, etags: bool = True) -> Callable[..., Iterator[World]]:
    """The cards of a new service.

    The one with ETags gives smaller pages than are asked for, and its batches end at a failure
    unless it is asked to go on.
    """

    def build(request: pytest.FixtureRequest) -> Iterator[World]:
        from connector.endpoints.odata_v2 import ODataV2Endpoint
        from connector.endpoints.web.auth import Nobody
        from connector.endpoints.web.patience import Patience

        folder: Path = request.getfixturevalue("tmp_path")
        service: Service = request.getfixturevalue("odata_v2_service")
        service.reset(loyalty_types(etags=etags))
        service.manners.csrf = True
        service.manners.page = 2 if etags else None
        service.manners.stops = etags
        endpoint = ODataV2Endpoint(
            service.url,
            tokens=Nobody(),
            ca=service.ca,
            patience=Patience(),
            clock=lambda: datetime.now(UTC),
            folder=folder / "snapshots",
            page_size=PAGE_ROWS,
        )
        yield World(
            endpoint,
            "Cards",
            key="CardNumber",
            text="Note",
            day="Enrolled",
            longest_key=30,
            nobody="CardNumber='nobody'",
        )
        endpoint.close()

    return build
