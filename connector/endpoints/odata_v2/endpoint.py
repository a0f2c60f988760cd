"""A service of OData V2 as one side of a sync.

Owns: the endpoint protocol for one service; which way the changes of each entity are found.
Never does: what its parts do (`metadata.py`, `reads.py`, `writes.py`, `changes.py`).
Tested in: tests/contract/endpoints/, tests/acceptance/test_odata_v2.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from connector.endpoints.base import (
    Create,
    Entity,
    Found,
    Identity,
    Operation,
    Outcome,
    Pace,
    Page,
    Throttling,
)
from connector.endpoints.looks import Looks
from connector.endpoints.manner import Manner
from connector.endpoints.odata_v2.changes import TableSource, WatermarkSource
from connector.endpoints.odata_v2.connection import Connection
from connector.endpoints.odata_v2.faults import fault_of
from connector.endpoints.odata_v2.keys import id_of, key_in
from connector.endpoints.odata_v2.metadata import Policy, Table, Tables
from connector.endpoints.odata_v2.reads import Reader
from connector.endpoints.odata_v2.rows import etag_of
from connector.endpoints.odata_v2.sending import Habits
from connector.endpoints.odata_v2.writes import Writing
from connector.endpoints.snapshots import Snapshots, Watermarks, born
from connector.endpoints.snapshots import Table as Watched
from connector.endpoints.snapshots.advice import Offer, advice_on
from connector.endpoints.subjects import pages_of
from connector.endpoints.web.faults import Fault
from connector.endpoints.web.governor import Governor
from connector.endpoints.web.limits import Limit, Refusal
from connector.endpoints.web.patience import WRITE_REQUESTS, Patience, longest_write
from connector.endpoints.web.service import Naming, Service
from connector.endpoints.web.transport import TokenSource, Transport
from connector.errors import Problem
from connector.mapping.values import Value

BATCH = 100
"""Operations of one batch."""
PAGE_SIZE = 1_000
_HEADERS = {
    "Accept": "application/json",
    "DataServiceVersion": "2.0",
    "MaxDataServiceVersion": "2.0",
}


class Finding(NamedTuple):
    """How the changes of one entity are found: by `column`, a watermark, or by comparing all."""

    column: str | None = None
    key_column: str | None = None
    overlap: float = 120.0
    """Seconds, or numbers, below the highest watermark that are read again."""
    sweep: float = 21_600.0
    """Seconds between two whole comparisons that find deletes."""


class ODataV2Endpoint:
    """`connector.endpoints.base.Endpoint` for one service.

    `url` is the service root, `side` the name of this side in the config, `update` the method of
    updates, `folder` where the last look is kept, `finding` how the changes of an entity are
    found, `every` the least seconds between two looks in live mode, which `manner` says. Entities
    are entity sets, columns are properties; both are named without case.
    """

    def __init__(  # noqa: PLR0913 - all by name, each a figure or a part of its own
        self,
        url: str,
        *,
        tokens: TokenSource,
        ca: str | None,
        patience: Patience,
        clock: Callable[[], datetime],
        folder: Path,
        side: str = "commerce",
        policy: Policy = "warning",
        update: Literal["PATCH", "MERGE", "PUT"] = "PATCH",
        csrf: bool = True,
        timeout: float = 60.0,
        page_size: int = PAGE_SIZE,
        batch_size: int = BATCH,
        connections: int = 4,
        finding: Callable[[str], Finding] = lambda _: Finding(),
        manner: Manner = Manner.COMMAND,
        every: float = 60.0,
        governor: Governor | None = None,
    ) -> None:
        transport = Transport(
            _service(side, url),
            url,
            tokens=[tokens],
            ca=ca,
            patience=patience,
            clock=clock,
            timeout=timeout,
            connections=connections,
            governor=governor
            or Governor(
                users=1,
                most=connections,
                batch=batch_size,
                timeout=timeout,
                clock=patience.monotonic,
                sleep=patience.sleep,
            ),
            affinity=True,  # a CSRF token is good with its cookie only
        )
        self._transport = transport
        self._connection = Connection(transport, csrf=csrf)
        self._finding = finding
        self._monotonic = patience.monotonic
        self._longest = longest_write(timeout, patience)
        self._method = update
        self._habits = Habits()

        def modified(entity: str) -> str | None:
            return finding(entity).column

        self._reader = Reader(self._connection, page_size, modified)
        self._tables = Tables(
            lambda: self._connection.get("$metadata").content,
            self._shows_etag,
            side=side,
            policy=policy,
            batch=batch_size,
            modified=modified,
        )
        self._snapshots = Snapshots(folder, transport.base)
        self._looks = Looks(manner, every, patience.monotonic, self._snapshots)
        self._clock = clock
        self._watermarks: dict[Finding, Watermarks] = {}

    # ------------------------------------------------------------------------ description

    def identity(self) -> Identity:
        """The address of the service; it names no user and no modifier."""
        offset = self._connection.clock().offset
        return Identity(self._transport.base.lower(), self._transport.host, offset)

    def describe(self, entity: str) -> Entity:
        """The entity set of this name."""
        return self._tables.describe(entity)

    def advice(self, entity: str) -> Iterator[Problem]:
        """What is to be said of the way its changes are found."""
        table = self._tables.get(entity)
        finding = self._finding(table.name)
        offer = Offer(table.name, [*table.entity.columns.values()], table.versioned)
        by = "snapshot" if finding.column is None else "watermark"
        return advice_on(self._transport.naming, offer, by, finding.column)

    def _shows_etag(self, table: Table) -> bool:
        """Whether a row of the table carries an ETag; False for an empty one."""
        fetched = self._reader.fetch(table, lambda request: request.top(1))
        return any(etag_of(entity) for entity in fetched.answer.entities)

    # ------------------------------------------------------------------------ reading

    def scan(self, entity: str, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        """The whole table, page by page."""
        table = self._tables.get(entity)
        finding = self._finding(table.name)
        if finding.column is None:
            pages = self._snapshots.scan(self._watched(table, columns), resume)
        else:
            pages = self._marks(finding).scan(self._timed(table, columns, finding), resume)
        return pages_of(self._connection.side, pages)

    def changes(self, entity: str, columns: Sequence[str], position: str) -> Iterator[Page]:
        """What a look at the table finds against the last one."""
        table = self._tables.get(entity)
        finding = self._finding(table.name)
        if finding.column is None:
            pages = self._looks.changes(self._snapshots, self._watched(table, columns), position)
        else:
            timed = self._timed(table, columns, finding)
            pages = self._looks.changes(self._marks(finding), timed, position)
        return pages_of(self._connection.side, pages)

    def _watched(self, table: Table, columns: Sequence[str]) -> Watched[TableSource]:
        source = TableSource(self._reader, table, columns)
        return Watched(table.name, tuple(columns), source)

    def _timed(
        self, table: Table, columns: Sequence[str], finding: Finding
    ) -> Watched[WatermarkSource]:
        assert finding.column is not None
        watermark = (finding.column, finding.key_column)
        source = WatermarkSource(self._connection, self._reader, table, columns, watermark)
        return Watched(table.name, tuple(columns), source)

    def _marks(self, finding: Finding) -> Watermarks:
        if finding not in self._watermarks:
            self._watermarks[finding] = Watermarks(
                self._snapshots, finding.overlap, finding.sweep, lambda: self._clock().timestamp()
            )
        return self._watermarks[finding]

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        """Records by id or by a column, by filter."""
        table = self._tables.get(entity)
        found = self._reader.read(table, columns, by=by, values=values)
        if by is not None and table.entity.capabilities.ids == "allotted":
            # A row of a lost create is found by its key, and may be gone before the next look.
            told = [row.id for rows in found.rows.values() for row in rows]
            self._snapshots.note(table.name, columns, told)
        return found

    # ------------------------------------------------------------------------ writing

    def id_for(self, entity: str, values: Mapping[str, Value], proposed: str) -> str:
        """The key of the new row; `proposed` where the service makes up a part of it."""
        table = self._tables.get(entity)
        key = key_in(table, values)
        if key is None or table.entity.capabilities.ids != "key":
            return proposed
        try:
            return id_of(table, key)
        except (ValueError, TypeError):
            return proposed  # the write refuses it, and says why

    def write(
        self, entity: str, columns: Sequence[str], operations: Sequence[Operation]
    ) -> Sequence[Outcome]:
        """The operations in a batch, and in further ones as long as time allows."""
        if not operations:
            return []
        table = self._tables.get(entity)
        # The last request must end while the lease still stands.
        end = self._monotonic() + self._longest * (WRITE_REQUESTS - 1) / WRITE_REQUESTS
        writing = Writing(
            self._connection,
            self._reader,
            table,
            columns,
            method=self._method,
            habits=self._habits,
            late=lambda: self._monotonic() > end,
        )
        # A row made now and deleted before the next look is in neither of two looks.
        if table.entity.capabilities.ids == "key":
            asked = [one.id for one in operations if isinstance(one, Create)]
            self._snapshots.note(table.name, columns, asked)
        outcomes = writing.run(operations)
        self._snapshots.note(table.name, columns, born(operations, outcomes))
        return outcomes

    # ------------------------------------------------------------------------ the rest

    def newer(self, a: str, b: str) -> bool | None:  # noqa: ARG002 - the protocol's
        """ETags are equal or not, and nothing else."""
        return None

    def throttling(self) -> Throttling:
        """Answers of 429, and of 503 with Retry-After."""
        return self._transport.meter.read()

    def pace(self, entity: str) -> Pace:
        """As the measured calls allow."""
        return self._transport.governor.pace(entity)

    def close(self) -> None:
        """Release connections."""
        self._transport.close()


def naming(side: str) -> Naming:
    """How a service is called that the config names `side`."""
    return Naming(
        side=side,
        section=side if side == "commerce" else f"sides.{side}",
        title="the service",
        kind="service",
        whole="OData V2 service",
        example="https://HOST/odata2webservices/NAME",
    )


def _service(side: str, url: str) -> Service:
    """The service behind a URL; a client of an SAP system in its query goes into a header."""
    named, parts = naming(side), urlsplit(url)
    client = dict(parse_qsl(parts.query)).get("sap-client")
    return Service(
        naming=named,
        path=parts.path.rstrip("/") + "/",
        headers=_HEADERS if client is None else {**_HEADERS, "sap-client": client},
        fault_of=fault_of,
        refusal_of=_refusal_of,
        unknown_client=f"check that {named.section}.url and where its tokens come from belong "
        "together, and what this client may do there",
    )


def _refusal_of(fault: Fault) -> Refusal | None:
    """Too many requests, or a service that asks for a pause."""
    if fault.status == 429 or (fault.status == 503 and fault.retry_after is not None):
        return Refusal(Limit.BUSY, fault.retry_after)
    return None
