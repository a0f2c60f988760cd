"""Plain OData V4, as a service in memory speaks it: with ETags, without, without batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import responses

from tests.contract.endpoints.world import PAGE_ROWS, World
from tests.odata_v4_service import LONGEST_KEY, ROOT, MemoryService


def world(
    *, etags: bool = True, batches: bool = True
) -> Callable[[pytest.FixtureRequest], Iterator[World]]:
    """The cards of an empty service."""

    def opened(request: pytest.FixtureRequest) -> Iterator[World]:
        from connector.endpoints.odata_v4 import ODataV4Endpoint
        from connector.endpoints.odata_v4.feeds import Way
        from connector.endpoints.odata_v4.service import service_of
        from connector.endpoints.web.auth import Nobody
        from connector.endpoints.web.governor import Governor
        from connector.endpoints.web.patience import Patience
        from connector.endpoints.web.transport import Transport

        folder: Path = request.getfixturevalue("tmp_path")
        service = MemoryService(etags=etags, batches=batches, page=PAGE_ROWS)
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            service.mount(mock)
            transport = Transport(
                service_of("commerce", ROOT),
                ROOT,
                tokens=[Nobody()],
                ca=None,
                patience=Patience(sleep=lambda _: None),
                clock=lambda: datetime.now(UTC),
                timeout=30.0,
                connections=4,
                governor=Governor(batch=100),
            )
            endpoint = ODataV4Endpoint(
                transport,
                way_of=lambda _: Way(),
                folder=folder / "snapshots",
                clock=lambda: datetime.now(UTC).timestamp(),
                batches=batches,
                page_size=PAGE_ROWS,
            )
            yield World(
                endpoint,
                "Cards",
                key="Number",
                text="Text",
                day="Day",
                longest_key=LONGEST_KEY,
                nobody="Number='nobody'",
                folds=False,
            )
            endpoint.close()

    return opened
