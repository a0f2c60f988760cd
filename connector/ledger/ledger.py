"""The ledger as one object: opening, its identity, its transactions.

Owns: creating the tables and the first rows, refusing a ledger of another version.
Never does: knowing what is read or written (`entity_store.py`, `batch.py`).
Tested in: tests/unit/ledger/test_ledger.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, tzinfo
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

import sqlalchemy as sa

from connector.errors import ConfigError
from connector.ledger import feed
from connector.ledger.batch import Batch
from connector.ledger.corrections.entity import CORRECTIONS
from connector.ledger.corrections.limits import Limits
from connector.ledger.entities import ENTITIES, entity_type
from connector.ledger.entity_store import EntityStore
from connector.ledger.fields import fold
from connector.ledger.ids import TimeOrderedIds
from connector.ledger.members.tables import cards_by_party
from connector.ledger.operations import Operation, Result
from connector.ledger.payments import tables as _payments  # noqa: F401  as are these
from connector.ledger.programs import tables as _programs
from connector.ledger.rewards import tables as _rewards  # noqa: F401
from connector.ledger.sales import tables as _sales  # noqa: F401  its tables are made with the rest
from connector.ledger.schema import (
    CARDS,
    CURRENCIES,
    REFERENCES,
    REWARD_POINTS,
    SCHEMA_VERSION,
    UPGRADABLE,
    EntityType,
    feed_counter,
    ledger_info,
    metadata,
)
from connector.ledger.segments import tables as _segments  # noqa: F401
from connector.ledger.shown.tables import shown_days
from connector.ledger.shown.touched import Touched
from connector.ledger.sql import add_columns, engine_for, missing_ledger, transaction
from connector.ledger.watch import Watch

if TYPE_CHECKING:
    from connector.ledger.corrections.desk import CorrectionDesk


_HOLDING = frozenset(CARDS.places(("PartyNumber", "ReplacementCardNumber")))
"""What of a card says whose points count for its tiers."""
_NAMED = (CARDS, REWARD_POINTS)
"""What balances and transactions are shown under the names of."""


def utc_now() -> datetime:
    """The clock a ledger uses unless it is handed another one."""
    return datetime.now(UTC)


class WriteTransaction:
    """One open write transaction: everything in it becomes visible together, or not at all."""

    def __init__(
        self,
        connection: sa.Connection,
        at: datetime,
        by: str,
        new_id: Callable[[], str],
        zone: tzinfo = UTC,
        desk: CorrectionDesk | None = None,
    ) -> None:
        self.connection = connection
        self.at = at
        self.by = by
        self.zone = zone
        """Where days begin and end."""
        self.feed = feed.FeedWriter(connection, at, by)
        self.new_id = new_id
        self.touched = Touched()
        """What it did that has to show when it commits (`shown/settling.py`)."""
        self._desk = desk

    def apply(
        self,
        entity: EntityType,
        operations: Sequence[Operation],
        *,
        create_references: bool = False,
    ) -> list[Result]:
        """Carry out `operations`; one result each, in order (see `batch.Batch`).

        Whoever writes requests to correct points has them judged and posted as well.
        """
        if entity is CORRECTIONS and self._desk is not None:
            return self._desk.apply(self, operations)
        return self.put(entity, operations, create_references=create_references)

    def put(
        self,
        entity: EntityType,
        operations: Sequence[Operation],
        *,
        create_references: bool = False,
    ) -> list[Result]:
        """Write `operations` into the entity's table, and do no more than that."""
        batch = Batch(
            self.connection,
            entity,
            self.feed,
            self.new_id,
            create_references=create_references,
        )
        results = batch.apply(operations)
        if entity in _NAMED:
            self.touched.rename(batch.renamed)
        if entity is CARDS:
            self.touched.gone.update(batch.removed)
            self.touched.held.update(batch.inserted)
            self.touched.held.update(
                one for one, places in batch.changed.items() if places & _HOLDING
            )
        return results


class Ledger:
    """An open ledger. Safe to use from several threads and several processes at once."""

    def __init__(
        self,
        engine: sa.Engine,
        ledger_id: str,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        zone: tzinfo = UTC,
        corrections: Limits | None = None,
    ) -> None:
        self._corrections = corrections or Limits()
        self._engine = engine
        self._clock = clock
        self.zone = zone
        """Where its days begin and end."""
        self.id = ledger_id
        """Which ledger this is: a GUID made when it was created."""
        self.new_id = new_id
        self.turned_to: date | None = None
        """The day that what is shown of points was last seen brought to (`shown/days.py`)."""
        self.stores: Mapping[str, EntityStore] = MappingProxyType(
            {one.name: EntityStore(self, one) for one in ENTITIES}
        )

    @classmethod
    def open(
        cls,
        url: str,
        *,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] | None = None,
        create: bool = True,
        zone: tzinfo = UTC,
        corrections: Limits | None = None,
    ) -> Self:
        """Open the ledger at an SQLAlchemy URL; with `create`, make it when there is none.

        A new ledger knows the common currencies. `clock` gives aware datetimes, `new_id` GUID
        text, time-ordered by default; in `zone` its days begin and end. `corrections` are
        the limits of requests to correct points, none by default. Raises ConfigError
        (`ledger-url`, `ledger-missing`, `ledger-version`, `ledger-unusable`) and
        UnreachableError.
        """
        engine = engine_for(url, create=create)
        make_id = new_id or TimeOrderedIds()
        try:
            ledger_id = _known(engine)
            if ledger_id is None and not create:
                raise missing_ledger(engine.url)
            if ledger_id is None:
                ledger_id = _created(engine, clock().astimezone(zone), make_id())
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, ledger_id, clock, make_id, zone, corrections)

    @property
    def title(self) -> str:
        """The URL without its password."""
        return self._engine.url.render_as_string(hide_password=True)

    def now(self) -> datetime:
        """The moment it is, by the clock of the ledger."""
        return self._clock()

    def today(self) -> date:
        """The day it is, in the ledger's zone."""
        return self._clock().astimezone(self.zone).date()

    def store(self, name: str) -> EntityStore:
        """The entity of that name or alias; MapError `entity-unknown`."""
        return self.stores[entity_type(name).name]

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that sees one state of the ledger throughout."""
        return transaction(self._engine, write=False)

    @contextmanager
    def writing(self, by: str) -> Iterator[WriteTransaction]:
        """A write transaction whose changes carry `by` as last modifier.

        An exception inside rolls everything back. Raises UnreachableError `ledger-busy`.
        """
        # Here, because the desk posts, and the journal stands on this module; and because what is
        # settled stands on the programs, for which nobody waits who only reads.
        from connector.ledger.corrections.desk import CorrectionDesk
        from connector.ledger.shown.settling import settle

        desk = CorrectionDesk(self._corrections)
        with transaction(self._engine, write=True) as connection:
            open_ = WriteTransaction(connection, self._clock(), by, self.new_id, self.zone, desk)
            yield open_
            settle(open_)

    def head(self) -> int:
        """The sequence of the last committed change; 0 before the first one."""
        with self.reading() as connection:
            return feed.head(connection)

    def watch(self) -> Watch:
        """A look-out for commits of anybody, from now on; to be closed before the ledger."""
        return Watch(self._engine)

    def close(self) -> None:
        """Release all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _known(engine: sa.Engine) -> str | None:
    """The id of the ledger that is there, None where there is none yet."""
    with transaction(engine, write=False) as connection:
        if not sa.inspect(connection).has_table(ledger_info.name):
            return None
        row = connection.execute(sa.select(ledger_info)).one_or_none()
    if row is None:
        return None
    if row.schema_version in UPGRADABLE:
        _upgrade(engine)
    elif row.schema_version != SCHEMA_VERSION:
        raise ConfigError(
            "ledger-version",
            f"the ledger has schema version {row.schema_version}, "
            f"this program works with {SCHEMA_VERSION}",
            remedy="use the program version that wrote it, or import its records into a new one",
        )
    return str(row.id)


def _upgrade(engine: sa.Engine) -> None:
    """Add the tables and columns that an older version lacks; what is there stays as it is."""
    from connector.ledger.programs.naming import bind_all  # a ledger is upgraded once

    with transaction(engine, write=True) as connection:
        version = connection.scalar(sa.select(ledger_info.c.schema_version))
        if version not in UPGRADABLE:  # another process was faster
            return
        metadata.create_all(connection)
        add_columns(connection, metadata)
        bind_all(connection)
        cards_by_party.create(connection, checkfirst=True)
        _programs.cards_by_successor.create(connection, checkfirst=True)
        connection.execute(sa.update(ledger_info).values(schema_version=SCHEMA_VERSION))


def _created(engine: sa.Engine, at: datetime, new_id: str) -> str:
    """The id of the ledger, made now unless another process was faster."""
    with transaction(engine, write=True) as connection:
        metadata.create_all(connection)
        row = connection.execute(sa.select(ledger_info.c.id)).one_or_none()
        if row is not None:
            return str(row.id)
        info = {
            "singleton": 1,
            "id": new_id,
            "schema_version": SCHEMA_VERSION,
            "created_at": at.astimezone(UTC).replace(tzinfo=None),
        }
        connection.execute(sa.insert(ledger_info), [info])
        connection.execute(sa.insert(feed_counter), [{"singleton": 1, "head": 0}])
        day = {"singleton": 1, "turned": at.date(), "turning": at.date()}
        connection.execute(sa.insert(shown_days), [day])
        currencies = [{"number": code, "key": fold(code)} for code in CURRENCIES]
        connection.execute(sa.insert(REFERENCES["currencies"]), currencies)
    return new_id
