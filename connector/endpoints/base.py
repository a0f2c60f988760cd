"""The narrow protocol every system stands behind.

Owns: what the engine may ask of a side, and the values that travel across that line.
Never does: merging, state, retry loops beyond one request's transport.
Tested in: tests/contract/endpoints/ (one suite, every endpoint, asserting by capability).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol, TypeAlias

from connector.mapping.columns import Column as Column
from connector.mapping.columns import Reference as Reference
from connector.mapping.values import Image, Value

# ---------------------------------------------------------------------------- description


@dataclass(frozen=True, slots=True)
class Key:
    """An alternate (or natural) key; `active` is False while its index is being built."""

    name: str
    columns: tuple[str, ...]
    active: bool = True


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the system can promise; the engine and `check` decide by these alone."""

    preconditions: Literal["version", "compare", "none"]
    create: Literal["once", "at-least-once"]
    """`once`: a second create with the same id, or of the same key, answers `exists`."""
    modified_time: bool
    ordered_versions: bool
    change_feed: bool
    batch: int
    """Most operations one `write` call takes."""
    ids: Literal["chosen", "key", "allotted"] = "chosen"
    """How a row comes by its id: we choose it, which proves whose create it came from; it is the
    row's key, written out; or the system allots it, and only the reply to the create tells it."""
    append_only: bool = False
    """Whether rows come and then neither change nor go, so that a feed never tells of one twice."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One table as the live system describes it."""

    name: str
    title: str
    id_column: str
    columns: Mapping[str, Column]
    keys: tuple[Key, ...]
    capabilities: Capabilities
    notified_as: str | None = None
    """What the system calls the table when it notifies of changes; None where it never does."""
    follows: frozenset[str] = frozenset()
    """Tables of the same system that this one shows the outcome of: what is written there changes
    rows here."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which world this endpoint is.

    `clock_offset` is the remote clock minus ours. `users` are the ids under which our own
    writes appear as last modifier; empty where the system names no modifier.
    """

    world: str
    title: str
    clock_offset: timedelta = timedelta(0)
    users: frozenset[str] = frozenset()


# ---------------------------------------------------------------------------- observations


class Row(NamedTuple):
    """One record as seen; `image` is in the order of the requested columns."""

    id: str
    version: str | None
    image: Image
    modified_at: datetime | None = None
    modifier: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a scan or a change feed.

    `resume` is an opaque text from which the same call can be continued after this page
    (a crash may have thrown away what came later). `position` is set on the last page only:
    the feed position that covers every change since the first row was read; it is None where
    the system has no change feed.
    """

    rows: Sequence[Row]
    deleted: Sequence[str] = ()
    resume: str | None = None
    position: str | None = None
    last: bool = False


# ---------------------------------------------------------------------------- operations


@dataclass(frozen=True, slots=True)
class Create:
    """Create a record under the id `Endpoint.id_for` gave, a provisional one where it allots."""

    id: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Update:
    """Change these columns only, if the record still has the version we saw."""

    id: str
    version: str | None
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the record, if it still has the version we saw."""

    id: str
    version: str | None


Operation: TypeAlias = Create | Update | Delete


class Applied(NamedTuple):
    """It happened. `row` is the record after the write where the system returns it.

    `id` is the row's own from now on: after a create it may be another than the one asked for.
    """

    id: str
    row: Row | None = None


class Stale(NamedTuple):
    """Refused: the record has another version than expected. Read it again."""


class Exists(NamedTuple):
    """Refused: a record with this id, or with this key, is already there."""

    id: str | None
    """The id of the record in the way, where the system names it."""
    text: str = ""


class Missing(NamedTuple):
    """Refused: there is no record with this id."""


class Rejected(NamedTuple):
    """Refused for good: the same operation will be refused again."""

    code: str
    text: str
    field: str | None = None


class Transient(NamedTuple):
    """It did not happen now, but may later; `retry_after` in seconds where given."""

    text: str
    retry_after: float | None = None


class Unknown(NamedTuple):
    """The reply was lost: it may or may not have happened. Read before anything else."""

    text: str


Outcome: TypeAlias = Applied | Stale | Exists | Missing | Rejected | Transient | Unknown


# ---------------------------------------------------------------------------- protocol


class Throttling(NamedTuple):
    """How often a side asked us to slow down since the endpoint was opened."""

    times: int = 0
    seconds: float = 0.0
    """Waited because of it, summed over requests that wait side by side."""


class Pace(NamedTuple):
    """How a side takes writes at present; the engine asks before it sends."""

    rows: int | None = None
    """Operations the next call of `write` should have at most; None: what `batch` says."""
    calls: int = 3
    """Calls worth having under way."""
    pause: float = 0.0
    """Seconds until the side takes anything again."""
    rate: float | None = None
    """Operations per second these figures allow; None where nothing was measured yet."""
    limit: str | None = None
    """What holds the rate down, in the side's own words."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer of `read`: rows by the id or key that was asked for; absent ones lack."""

    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)


class Endpoint(Protocol):
    """One side of the sync.

    Every call may raise `UnreachableError`, `AccessError`, and `MapError` for an entity or
    column that does not exist. Calls are safe from several threads at once.
    """

    def identity(self) -> Identity:
        """Which world this is, and its clock against ours."""
        ...

    def describe(self, entity: str) -> Entity:
        """Columns, keys, facets and capabilities of one table, from live metadata."""
        ...

    def scan(self, entity: str, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        """Pages of the whole table in no promised order, from `resume` on.

        A row may appear twice; a row changed meanwhile is covered by the last page's
        `position` or, without a change feed, by the next scan. Each page is fetched when the
        iterator is advanced, never earlier. Raises `PositionExpiredError` when `resume` is
        no longer good.
        """
        ...

    def changes(self, entity: str, columns: Sequence[str], position: str) -> Iterator[Page]:
        """Pages of what changed since `position`; at least one page, the last has `position`.

        Raises `PositionExpiredError` when the feed no longer reaches back that far or the
        position was taken for another column list.
        """
        ...

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        """Records by id (`by=None`) or by equality of the column `by`; in batches.

        That holds texts, or in Dataverse the ids of other rows.
        Found rows are keyed by the asked value as it was spelled in `values`, whatever case
        the system compares in. A value that finds nothing is absent from the answer.
        """
        ...

    def id_for(self, entity: str, values: Mapping[str, Value], proposed: str) -> str:
        """The id a create of these values will have; asks the side nothing for a table it knows.

        `proposed` where ids are chosen. Where a row is identified by its key, that key written out
        as the feed and `read` do, of which `values` hold every part. `proposed` as a provisional
        id, one that finds no row, where the system allots ids.
        """
        ...

    def write(
        self, entity: str, columns: Sequence[str], operations: Sequence[Operation]
    ) -> Sequence[Outcome]:
        """Carry out up to `capabilities.batch` operations; one outcome each, in order.

        No operation's failure touches another. `Applied.row`, where the system returns it,
        is in the order of `columns`.
        """
        ...

    def newer(self, a: str, b: str) -> bool | None:
        """Whether version `a` is newer than `b`; None where versions cannot be ordered."""
        ...

    def throttling(self) -> Throttling:
        """What was counted so far; nothing for a side that never throttles."""
        ...

    def pace(self, entity: str) -> Pace:
        """How writes to this table are taken at present; asks the side nothing."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
