"""Dataverse as one side of a sync.

Owns: the endpoint protocol for one organization; identity and clock.
Never does: what its parts do (`feed.py`, `reads.py`, `writes.py`, `metadata.py`,
`web/transport.py`).
Tested in: tests/contract/endpoints/, tests/unit/endpoints/dataverse/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import orjson

from connector.endpoints.base import (
    Entity,
    Found,
    Identity,
    Operation,
    Outcome,
    Pace,
    Page,
    Throttling,
)
from connector.endpoints.dataverse.authors import Authors
from connector.endpoints.dataverse.faults import access_error, fault_of, refused, unreadable
from connector.endpoints.dataverse.feed import Feed
from connector.endpoints.dataverse.metadata import BATCH, Tables
from connector.endpoints.dataverse.reads import Reader
from connector.endpoints.dataverse.service import SERVICE
from connector.endpoints.dataverse.support import BulkCreates
from connector.endpoints.dataverse.upserts import upsert
from connector.endpoints.dataverse.writes import Writing
from connector.endpoints.web.answers import Reply, clock_offset
from connector.endpoints.web.governor import Governor
from connector.endpoints.web.patience import Patience
from connector.endpoints.web.transport import TokenSource, Transport
from connector.errors import ConfigError, Subject
from connector.mapping.values import Value

PAGE_SIZE = 5000
"""Rows per page; the service gives no more."""


class DataverseEndpoint:
    """`connector.endpoints.base.Endpoint` for one organization.

    `url` is `https://NAME.crm.dynamics.com`, `ca` a PEM file or None for the system's trust,
    `timeout` the seconds one answer may take, `clock` gives aware datetimes, `batch_size` the
    operations one write request takes at most. `others` are tokens of further application users;
    `governor` paces the requests of all, as the transport's. Entities are entity set names,
    columns are logical names.
    """

    def __init__(  # noqa: PLR0913 - all by name, each a figure or a part of its own
        self,
        url: str,
        *,
        tokens: TokenSource,
        ca: str | None,
        patience: Patience,
        clock: Callable[[], datetime],
        timeout: float = 120.0,
        page_size: int = PAGE_SIZE,
        batch_size: int = BATCH,
        connections: int = 8,
        others: Sequence[TokenSource] = (),
        governor: Governor | None = None,
        affinity: bool = False,
    ) -> None:
        governor = governor or Governor(
            users=1 + len(others),
            most=connections,
            batch=batch_size,
            timeout=timeout,
            clock=patience.monotonic,
            sleep=patience.sleep,
        )
        self._transport = Transport(
            SERVICE,
            url,
            tokens=[tokens, *others],
            ca=ca,
            patience=patience,
            clock=clock,
            timeout=timeout,
            connections=connections,
            governor=governor,
            affinity=affinity,
        )
        self._bulk = BulkCreates(self._transport)
        self._users: dict[int, tuple[str, str]] = {}
        """World and id of each application user, once it has said so."""
        self._tables = Tables(self._transport, batch_size)
        self._feed = Feed(self._transport, self._tables, page_size)
        self._reader = Reader(self._transport, self._tables, page_size)

    def identity(self) -> Identity:
        """OrganizationId and our application users, from WhoAmI.

        Each user is asked once; later whoever is free tells that it is still the same world.
        """
        said: tuple[str, Reply] | None = None
        for number in range(self._transport.users):
            if number not in self._users:
                world, user, reply = self._who_am_i(number)
                self._users[number], said = (world, user), (world, reply)
        worlds = {world for world, _ in self._users.values()}
        if len(worlds) > 1:
            raise ConfigError(
                "users-apart",
                "the application users of the config are users of different organizations",
                remedy="use applications that are users of the organization at dataverse.url",
                subject=Subject(side="dataverse", field="users"),
            )
        if said is None:
            world, _, reply = self._who_am_i(None)
            said = world, reply
        world, reply = said
        return Identity(
            world=world,
            title=self._transport.host,
            clock_offset=clock_offset(reply),
            users=self._ours(),
        )

    def _ours(self) -> frozenset[str]:
        """The ids of our application users."""
        if len(self._users) < self._transport.users:
            return self.identity().users
        return frozenset(user for _, user in self._users.values())

    def _who_am_i(self, user: int | None) -> tuple[str, str, Reply]:
        reply = self._transport.get("WhoAmI", user=user)
        if reply.status != 200:
            fault = fault_of(reply.status, reply.headers, reply.body)
            raise (
                access_error(fault, None)
                if fault.status == 403
                else refused(fault, "WhoAmI", "GET WhoAmI")
            )
        try:
            answer = orjson.loads(reply.body)
            world, user_id = str(answer["OrganizationId"]), str(answer["UserId"])
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise unreadable("WhoAmI", "GET WhoAmI", error) from error
        return world.lower(), user_id.lower(), reply

    def describe(self, entity: str) -> Entity:
        """The table with this entity set name."""
        return self._tables.describe(entity).entity

    def kept(self) -> AbstractContextManager[None]:
        """Within, `describe` reads no table twice."""
        return self._tables.kept()

    def scan(self, entity: str, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        """The whole table by a tracked read."""
        pages = self._feed.scan(entity, columns, resume)
        return Authors(columns, self._ours).pages(pages)

    def changes(self, entity: str, columns: Sequence[str], position: str) -> Iterator[Page]:
        """The delta feed."""
        pages = self._feed.changes(entity, columns, position)
        return Authors(columns, self._ours).pages(pages)

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        """Records by id or text column, by filter."""
        found = self._reader.read(entity, columns, by=by, values=values)
        return Authors(columns, self._ours).found(found)

    def id_for(self, entity: str, values: Mapping[str, Value], proposed: str) -> str:
        """The id we chose, which says nothing of the row; where a map gives the id, that one."""
        given = values.get(self._tables.get(entity).id_column)
        return proposed if given is None else str(given).lower()

    def write(
        self, entity: str, columns: Sequence[str], operations: Sequence[Operation]
    ) -> Sequence[Outcome]:
        """Up to 1000 operations in at most three requests."""
        if not operations:
            return []
        table = self._tables.get(entity)
        outcomes = Writing(self._transport, table, columns, operations, self._bulk).run()
        return Authors(columns, self._ours).outcomes(outcomes)

    def upsert(self, entity: str, rows: Mapping[str, Mapping[str, Value]]) -> None:
        """Have rows hold these values, by id, in one request (`endpoints/upserting.py`)."""
        if rows:
            upsert(self._transport, self._tables.get(entity), rows)

    def newer(self, a: str, b: str) -> bool | None:
        """Versions are numbers that grow with every change in the organization."""
        return int(a) > int(b)

    def throttling(self) -> Throttling:
        """Answers of 429, and of 503 with Retry-After, also for parts of a batch."""
        return self._transport.meter.read()

    def pace(self, entity: str) -> Pace:
        """As the service's limits and the measured calls allow."""
        return self._transport.governor.pace(entity)

    def close(self) -> None:
        """Release connections."""
        self._transport.close()
