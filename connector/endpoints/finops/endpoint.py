"""Finance and Operations as one side of a sync.

Owns: putting the OData endpoint together with this system's dialect; its identity.
Never does: what its parts do (`dialect`, `refusals`, `connector/endpoints/odata_v4`).
Tested in: tests/contract/endpoints/, tests/unit/endpoints/finops/.

Facts: "Finance and Operations: odata": pages of at most 10,000 rows; a batch takes 5,000
operations, and each change set is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from connector.endpoints.finops.dialect import FinopsDialect
from connector.endpoints.odata_v4.endpoint import ODataV4Endpoint
from connector.endpoints.odata_v4.feeds import Way
from connector.endpoints.web.transport import Transport

PAGE_SIZE = 10_000
BATCH = 100


class FinopsEndpoint(ODataV4Endpoint):
    """`connector.endpoints.base.Endpoint` for one environment.

    `company` is the one that is read and written, None means all companies our user may see. The
    rest is as for `ODataV4Endpoint`.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        way_of: Callable[[str], Way],
        folder: Path,
        clock: Callable[[], float],
        company: str | None = None,
        metadata: Path | None = None,
        page_size: int = PAGE_SIZE,
        batch_size: int = BATCH,
    ) -> None:
        super().__init__(
            transport,
            way_of=way_of,
            folder=folder,
            clock=clock,
            dialect=FinopsDialect(company=company),
            metadata=metadata,
            page_size=page_size,
            batch_size=batch_size,
        )

    def _world(self) -> str:
        """The host; `/data` is the same in every environment."""
        return self._transport.host.lower()
