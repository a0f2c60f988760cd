"""Any service of OData V4 as one side of a sync.

Owns: the endpoint protocol for one service; identity and clock.
Never does: what its parts do (`metadata.py`, `reads.py`, `writes.py`, `feeds.py`).
Tested in: tests/contract/endpoints/, tests/unit/endpoints/odata_v4/.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import orjson

from connector.endpoints.base import (
    Capabilities,
    Create,
    Entity,
    Exists,
    Found,
    Identity,
    Key,
    Operation,
    Outcome,
    Pace,
    Page,
    Throttling,
)
from connector.endpoints.looks import Detection, Hints, Looks
from connector.endpoints.manner import Manner
from connector.endpoints.odata_v4.batches import Batches
from connector.endpoints.odata_v4.client import Client
from connector.endpoints.odata_v4.dialect import Dialect
from connector.endpoints.odata_v4.faults import not_a_service, refused
from connector.endpoints.odata_v4.feeds import SetSource, Way
from connector.endpoints.odata_v4.metadata import TIMEOUT, Metadata
from connector.endpoints.odata_v4.reads import Reader
from connector.endpoints.odata_v4.rows import ETAG, Projection
from connector.endpoints.odata_v4.tables import Table
from connector.endpoints.odata_v4.writes import Writing
from connector.endpoints.snapshots import Snapshots, Watermarks, born
from connector.endpoints.snapshots import Table as Compared
from connector.endpoints.snapshots.advice import Offer, advice_on
from connector.endpoints.subjects import pages_of
from connector.endpoints.web.answers import Reply, clock_offset
from connector.endpoints.web.transport import Transport
from connector.errors import DualWriteError, MapError, Problem, Subject
from connector.mapping.values import Value, ValueType
from connector.odata.queries import query_string
from connector.process import monotonic

SINGLY = 20
"""Writes of one call where each is a request of its own."""


class ODataV4Endpoint:
    """`connector.endpoints.base.Endpoint` for one service.

    Entities are entity set names, columns property names; the id of a row is its key predicate.
    `way_of` says how the changes of an entity are found, `folder` is where what was seen is kept,
    `metadata` where descriptions are kept for other processes. `batches` says that the service
    takes `$batch`, `clock` gives seconds. In live mode, which `manner` says, a table is looked at
    once in `every` seconds, and what `hints` name is read in between.
    """

    def __init__(  # noqa: PLR0913 - all by name, each a part of its own
        self,
        transport: Transport,
        *,
        way_of: Callable[[str], Way],
        folder: Path,
        clock: Callable[[], float],
        dialect: Dialect | None = None,
        metadata: Path | None = None,
        page_size: int = 5000,
        batch_size: int = 100,
        batches: bool = True,
        manner: Manner = Manner.COMMAND,
        every: float = 0.0,
        hints: Hints | None = None,
    ) -> None:
        self._dialect = dialect or Dialect()
        self._transport = transport
        self._way_of = way_of
        self._clock = clock
        self._batch_size = batch_size
        self._metadata = Metadata(transport, metadata, clock)
        self._client = Client(transport, page_size, self._dialect.options)
        options = query_string(self._dialect.options)
        absolute = self._dialect.absolute_parts
        self._batches = Batches(transport, options, absolute=absolute) if batches else None
        self._reader = Reader(
            self._client, self._dialect, self._batches, lambda entity: way_of(entity).column
        )
        self._snapshots = Snapshots(folder, transport.base.lower())
        self._looks = Looks(manner, every, monotonic, self._snapshots, hints)
        self._lock = threading.Lock()
        self._tables: dict[str, Table] = {}

    # ------------------------------------------------------------------------ what it is

    def identity(self) -> Identity:
        """The address of the service; it names no user who wrote a row."""
        reply = self._transport.get("", timeout=TIMEOUT)
        if reply.status != 200:
            fault = self._transport.fault_of(reply)
            raise refused(self._transport.naming, fault, None, f"GET {self._transport.base}")
        self._require_service(reply)
        return Identity(self._world(), self._transport.host, clock_offset(reply))

    def _world(self) -> str:
        """What tells this service from every other one."""
        return self._transport.base.lower()

    def _require_service(self, reply: Reply) -> None:
        base = self._transport.base
        answer = self._client.read(reply, None, base, orjson.loads)
        if "@odata.context" not in answer:
            raise not_a_service(self._transport.naming, f"GET {base}", "it has no @odata.context")

    def describe(self, entity: str) -> Entity:
        """The entity set with this name."""
        table = self._table(entity, afresh=True)
        way = self._way_of(entity)
        watermark = None if way.column is None else table.find(way.column)
        timed = watermark is not None and watermark.column.type is ValueType.INSTANT
        return Entity(
            name=table.name,
            title=table.type_name.rpartition(".")[2],
            id_column=",".join(field.name for field in table.key),
            columns={name: field.column for name, field in table.fields.items()},
            keys=(Key("key", tuple(field.name for field in table.key)),),
            capabilities=Capabilities(
                preconditions="version" if table.versioned else "none",
                create="once",
                modified_time=timed,
                ordered_versions=False,
                change_feed=True,
                batch=self._batch_size if self._batches is not None else SINGLY,
                ids="key",
            ),
        )

    def id_for(self, entity: str, values: Mapping[str, Value], proposed: str) -> str:
        """The key written out; `proposed` where the service fills in a part of it."""
        table = self._table(entity)
        key = table.key_in(self._dialect.completed(table, values))
        return proposed if key is None else table.id_of(key)

    def _table(self, entity: str, *, afresh: bool = False) -> Table:
        """`afresh`: of a table that was empty it is asked again whether its rows bear ETags."""
        with self._lock:
            known = self._tables.get(entity)
            if known is None or (afresh and known.versioned is None):
                known = self._tables[entity] = self._described(entity)
        return known

    def _described(self, entity: str) -> Table:
        told = self._metadata.describe(entity)
        missing = [name for name in told.key if name not in told.properties]
        if not told.key or missing:
            raise MapError(
                "entity-keyless",
                f"{entity} has no key by which its rows could be known",
                remedy="map an entity set with a key",
                subject=Subject(side=self._transport.naming.side, entity=entity),
            )
        fields = {
            name: self._dialect.field_of(one, told.enums.get(one.type), key=name in told.key)
            for name, one in told.properties.items()
        }
        key = tuple(fields[name] for name in told.key)
        versioned = self._dialect.versioned
        if versioned is None:
            versioned = told.versioned or None
        table = Table(entity, told.type_name, fields, key, versioned)
        if versioned is None:
            table = Table(entity, told.type_name, fields, key, self._bears_tags(table))
        return table

    def _bears_tags(self, table: Table) -> bool | None:
        """Whether a row bears an ETag; None for an empty table."""
        projection = self._reader.projection(table, [])
        url = self._reader.url(table, projection, top="1")
        items, _ = next(self._client.pages(table.name, url, projection.loads))
        return ETAG in items[0] if items else None

    def advice(self, entity: str) -> Iterator[Problem]:
        """What is to be said of the way its changes are found."""
        way = self._way_of(entity)
        return advice_on(self._transport.naming, self._offer(entity), way.by, way.column)

    def _offer(self, entity: str, also: str = "") -> Offer:
        table = self._table(entity)
        columns = [field.column for field in table.fields.values()]
        return Offer(table.name, columns, bool(table.versioned), also)

    # ------------------------------------------------------------------------ changes

    def scan(self, entity: str, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        """The whole set, page by page."""
        pages = self._detection(entity).scan(self._compared(entity, columns), resume)
        return pages_of(self._transport.naming.side, pages)

    def changes(self, entity: str, columns: Sequence[str], position: str) -> Iterator[Page]:
        """What is found by the way of this entity."""
        table = self._compared(entity, columns)
        pages = self._looks.changes(self._detection(entity), table, position)
        return pages_of(self._transport.naming.side, pages)

    def _compared(self, entity: str, columns: Sequence[str]) -> Compared[SetSource]:
        source = SetSource(
            self._client, self._reader, self._table(entity), columns, self._way_of(entity)
        )
        return Compared(entity, tuple(columns), source)

    def _detection(self, entity: str) -> Detection[SetSource]:
        """What finds the changes of an entity; made for each call."""
        way = self._way_of(entity)
        if way.by == "watermark":
            return Watermarks(self._snapshots, way.overlap, way.sweep, self._clock)
        return self._snapshots

    # ------------------------------------------------------------------------ rows

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        """Records by id or text column, by filter."""
        return self._reader.read(self._table(entity), columns, by=by, values=values)

    def write(
        self, entity: str, columns: Sequence[str], operations: Sequence[Operation]
    ) -> Sequence[Outcome]:
        """Operations in one batch, or one after the other where there are none."""
        if not operations:
            return []
        table = self._table(entity)
        projection = self._reader.projection(table, columns)
        # Deleted before the next compare, they would stand in neither of its two ends.
        asked = [one.id for one in operations if isinstance(one, Create)]
        self._snapshots.note(entity, columns, asked)
        writing = Writing(self._client, self._dialect, self._batches, table, projection, operations)
        outcomes = writing.run()
        if writing.failed:
            self._look_for(table, projection, writing.failed, operations, outcomes)
        self._snapshots.note(entity, columns, born(operations, outcomes))
        return outcomes

    def _look_for(
        self,
        table: Table,
        projection: Projection,
        failed: Sequence[int],
        operations: Sequence[Operation],
        outcomes: list[Outcome],
    ) -> None:
        """A service may fail over a key that is taken, and say nothing: then the row is there."""
        try:
            rows = self._reader.by_ids(table, projection, [operations[at].id for at in failed])
        except DualWriteError:
            return  # the engine meets the same at its next try
        there = {row.id for row in rows}
        for at in failed:
            if operations[at].id in there:
                outcomes[at] = Exists(operations[at].id, "a row with this key is there")

    def newer(self, a: str, b: str) -> bool | None:  # noqa: ARG002 - the protocol's names
        """ETags tell equality only."""
        return None

    def throttling(self) -> Throttling:
        """Answers of 429, and of 503 with Retry-After, also for parts of a batch."""
        return self._transport.meter.read()

    def pace(self, entity: str) -> Pace:
        """As the measured calls allow."""
        return self._transport.governor.pace(entity)

    def close(self) -> None:
        """Release connections."""
        self._metadata.close()
        self._transport.close()
