"""Finance and Operations as one side of a sync.

Owns: putting the OData endpoint together with this system's dialect, exports and events; its
identity.
Never does: what its parts do (`dialect.py`, `refusals.py`, `exports/`, `ear.py`,
`connector/endpoints/odata_v4`).
Tested in: tests/contract/endpoints/, tests/unit/endpoints/finops/.

Facts: "Finance and Operations: odata": pages of at most 10,000 rows; a batch takes 5,000
operations, and each change set is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from connector.endpoints.base import Entity
from connector.endpoints.finops.advice import (
    advice_on_company,
    advice_on_events,
    advice_on_exports,
    companies_of,
    of_side,
    projects_of,
)
from connector.endpoints.finops.dialect import COMPANY, FinopsDialect
from connector.endpoints.finops.ear import Ear
from connector.endpoints.finops.exporting import Exporting, named_by
from connector.endpoints.finops.exports.detection import Exports
from connector.endpoints.finops.exports.download import Downloads
from connector.endpoints.finops.exports.runs import Clockwork
from connector.endpoints.looks import Detection
from connector.endpoints.manner import Manner
from connector.endpoints.odata_v4.endpoint import ODataV4Endpoint
from connector.endpoints.odata_v4.feeds import SetSource, Way
from connector.endpoints.snapshots.advice import advice_on
from connector.endpoints.web.transport import Transport
from connector.errors import Problem
from connector.mapping.values import Value

PAGE_SIZE = 10_000
BATCH = 100
NO_PROJECT = "once an export project is made"


class FinopsEndpoint(ODataV4Endpoint):
    """`connector.endpoints.base.Endpoint` for one environment.

    `company` is the one that is read and written, None means all companies our user may see. The
    rest is as for `ODataV4Endpoint`; `ear` hears the environment's events, which `listens` says
    are expected.
    """

    def __init__(  # noqa: PLR0913 - all by name, each a part of its own
        self,
        transport: Transport,
        *,
        way_of: Callable[[str], Way],
        folder: Path,
        clock: Callable[[], float],
        downloads: Downloads,
        clockwork: Clockwork,
        company: str | None = None,
        metadata: Path | None = None,
        page_size: int = PAGE_SIZE,
        batch_size: int = BATCH,
        manner: Manner = Manner.COMMAND,
        every: float = 0.0,
        listens: bool = False,
    ) -> None:
        self._heard = folder / f"events-{named_by(transport.base, company)}"
        self.ear = Ear(self._named_by, company, self._heard)
        super().__init__(
            transport,
            way_of=way_of,
            folder=folder,
            clock=clock,
            dialect=FinopsDialect(company=company),
            metadata=metadata,
            page_size=page_size,
            batch_size=batch_size,
            manner=manner,
            every=every,
            hints=self.ear,
        )
        self._company = company
        self._manner = manner
        self._listens = listens
        self._exporting = Exporting(transport, downloads, folder, company, clockwork)

    def describe(self, entity: str) -> Entity:
        """The entity set with this name; events may be about it from now on."""
        described = super().describe(entity)
        self.ear.learn(described)
        return described

    def advice(self, entity: str) -> Iterator[Problem]:
        """What is to be said of the company, exports, events and the way that was chosen."""
        naming = self._transport.naming
        if self._company is not None and COMPANY in self._table(entity).fields:
            companies = companies_of(self._client)
            yield from advice_on_company(self._company, companies, naming, entity)
        projects = projects_of(self._client)
        also = "" if projects is None else f"export ({', '.join(sorted(projects)) or NO_PROJECT})"
        way = self._way_of(entity)
        yield from advice_on(naming, self._offer(entity, also), way.by, way.column)
        if way.by == "export":
            assert way.project is not None, "the settings see to it"
            runs = self._exporting.runs(self._table(entity), way.project)
            for problem in advice_on_exports(runs.wanted, runs.journal, projects):
                yield of_side(problem, naming.side)
        if self._listens:
            yield from advice_on_events(self._heard, naming.side)

    def close(self) -> None:
        """Release connections."""
        self._exporting.close()
        super().close()

    def _detection(self, entity: str) -> Detection[SetSource]:
        way = self._way_of(entity)
        if way.by != "export":
            return super()._detection(entity)
        assert way.project is not None, "the settings see to it"
        runs = self._exporting.runs(self._table(entity), way.project)
        return Exports(self._snapshots, runs, way.sweep, self._manner, self._clock)

    def _named_by(self, entity: str, key: Mapping[str, Value]) -> str:
        """The id of the row with a key an event names."""
        return self.id_for(entity, key, "")

    def _world(self) -> str:
        """The host; `/data` is the same in every environment."""
        return self._transport.host.lower()
