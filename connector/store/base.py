"""What the engine keeps, and the narrow protocol it keeps it through.

Owns: the values of the sync state (records, positions, intents, conflicts, runs, leases) and
the store protocol: one transaction per `commit`, fenced by the lease.
Never does: deciding anything; a store applies exactly the work it is handed.
Tested in: tests/contract/store/ (one suite, every store).

State is kept as observations, not as to-do lists: what each side was last seen to hold, and
the pair both sides held when they last agreed. Times are seconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from connector.errors import Problem
from connector.mapping.values import Image, Side, Value, ValueType

# ---------------------------------------------------------------------------- records


class Presence(StrEnum):
    """What is known of one record on one side."""

    ABSENT = "absent"
    """Not there: never seen, or its delete was confirmed."""
    PRESENT = "present"
    UNKNOWN = "unknown"
    """Something may have happened; read it before the next write."""


class State(StrEnum):
    """Where a record stands; the gravest that applies."""

    SETTLED = "settled"
    PENDING = "pending"
    WAITING = "waiting"
    """A group waits for a row it refers to."""
    CONFLICT = "conflict"
    """A group waits for a person's choice between two edits."""
    PARKED = "parked"
    """The record waits for a person; `problem` says why."""


@dataclass(slots=True)
class SideState:
    """One record on one side."""

    presence: Presence = Presence.ABSENT
    id: str | None = None
    """Bound or chosen id; kept after a delete so that late news of it is recognised."""
    key: str | None = None
    """The key as this side spells it."""
    version: str | None = None
    epoch: int = 1
    image: Image | None = None
    """Last seen, in the layout's column order."""
    agreed: Image | None = None
    """This side's half of the agreed pair."""
    tick: int = 0
    """Logical time at which this state was established: of the request that saw it, or of
    the reply that settled a write."""
    modified_at: float | None = None
    modifier: str | None = None


@dataclass(slots=True)
class Record:
    """One (map, normalised key): both sides, and where it stands."""

    number: int
    map: str
    key: str
    ordinal: int = 0
    """Above 0 for a further row of one side under the same normalised key."""
    commerce: SideState = field(default_factory=SideState)
    dataverse: SideState = field(default_factory=SideState)
    unconfirmed: bool = False
    """A create of ours whose result was not seen yet; `agreed` holds what was intended."""
    state: State = State.SETTLED
    due: float | None = None
    """When to plan it next; None when nothing is to be done."""
    attempts: int = 0
    waiting: int = 0
    conflicts: int = 0
    problem: Problem | None = None

    def side(self, side: Side) -> SideState:
        """The state of one side."""
        return self.commerce if side is Side.COMMERCE else self.dataverse


@dataclass(frozen=True, slots=True)
class Layout:
    """The column lists in whose order images are kept; `id` is the store's own.

    `columns` gives (name, type) per side. A record kept under an older layout of the map is
    handed out in this order, columns it did not have as None.
    """

    id: int
    map: str
    columns: Mapping[Side, tuple[tuple[str, ValueType], ...]]


@dataclass(frozen=True, slots=True)
class Wait:
    """A group of a record that needs a row which is not there yet.

    `column` is the text column `value` is looked up in; empty where `value` is the row's id.
    """

    group: str
    side: Side
    entity: str
    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two edits of one group since the sides agreed; values by column name."""

    group: str
    base: Mapping[Side, Mapping[str, Value]]
    seen: Mapping[Side, Mapping[str, Value]]


# ---------------------------------------------------------------------------- audit


class ChangeKind(StrEnum):
    """What an audit row tells."""

    SEEN = "seen"
    """An edit of somebody else was observed."""
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    LOST = "lost"
    """A value gave way to another; `before` holds it."""
    CONFLICT = "conflict"
    PARKED = "parked"
    DECISION = "decision"


@dataclass(slots=True)
class Change:
    """One audit row. An intent has `outcome` None until its reply is settled."""

    number: int
    record: int
    kind: ChangeKind
    side: Side
    batch: int | None = None
    target: str | None = None
    """Id of the row written or seen."""
    expected: str | None = None
    """Version the write was conditional on."""
    before: Mapping[str, Value] | None = None
    after: Mapping[str, Value] | None = None
    outcome: str | None = "noted"
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """How an intent ended."""

    change: int
    outcome: str
    version: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """An audit row as read back, with the run and time it belongs to."""

    number: int
    run: int
    at: float
    record: int
    kind: ChangeKind
    side: Side
    target: str | None
    expected: str | None
    version: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    outcome: str | None
    detail: str | None


# ---------------------------------------------------------------------------- bookkeeping


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work one map until `expires`, by the store's clock."""

    map: str
    holder: str
    fencing: int
    expires: float


@dataclass(frozen=True, slots=True)
class Position:
    """Where a scan (`scan`) or a change feed (`feed`) of one side is to be resumed.

    `text` None removes it. `tick` is the logical time at which the scan began.
    """

    side: Side
    kind: Literal["scan", "feed"]
    text: str | None
    columns: tuple[str, ...] = ()
    epoch: int = 1
    tick: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class World:
    """The identity a side was bound to, its epoch, and the highest version seen in it."""

    side: Side
    identity: str
    title: str
    epoch: int = 1
    high_version: str | None = None


@dataclass(frozen=True, slots=True)
class MapRow:
    """What is kept of a map as a whole."""

    map: str
    fingerprint: str
    version: str
    loaded_at: float | None = None
    stopped: Problem | None = None
    """Why a guard, an alert or a person holds the map; None while it may run."""
    allowed_deletes: int = 0
    """Deletes a person released beyond the guard; counted down as they are sent."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a full scan that began at `tick` did not meet.

    Rows of `side` believed present, but last established before, become unknown and due, so
    that each is read by id before it counts as deleted.
    """

    side: Side
    tick: int


@dataclass(frozen=True, slots=True)
class Adoption:
    """The first sight of a row whose create is unconfirmed and whose last modifier is us."""

    id: str
    version: str | None
    image: Image
    modified_at: float | None
    modifier: str | None


@dataclass(slots=True)
class Work:
    """Everything one transaction makes durable, or nothing of it."""

    run: int
    at: float
    inserted: list[Record] = field(default_factory=list)
    updated: list[Record] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    waits: dict[int, tuple[Wait, ...]] = field(default_factory=dict)
    """By record number: replaces all waits of the record."""
    conflicts: dict[int, tuple[Conflict, ...]] = field(default_factory=dict)
    """By record number: the conflicts open now; the record's others are closed."""
    changes: list[Change] = field(default_factory=list)
    completions: list[Completion] = field(default_factory=list)
    completed_batch: tuple[int, str] | None = None
    """(batch, outcome): every intent of the batch that has no outcome yet gets this one."""
    sweep: Sweep | None = None
    map: MapRow | None = None

    def __bool__(self) -> bool:
        return any(
            (
                self.inserted,
                self.updated,
                self.positions,
                self.waits,
                self.conflicts,
                self.changes,
                self.completions,
                self.completed_batch,
                self.sweep,
                self.map,
            )
        )


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of a command over one map."""

    number: int
    command: str
    map: str
    fingerprint: str
    started: float
    ended: float | None = None
    outcome: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """A conflict that waits for a person, as read back; `key` as a side spells it."""

    number: int
    record: int
    key: str
    opened: float
    conflict: Conflict


# ---------------------------------------------------------------------------- protocol


class Scratch(Protocol):
    """A disk-backed table of (key, id, image) that lives as long as one comparison."""

    def put(self, rows: Iterable[tuple[str, str, Image]]) -> None:
        """Add rows; several rows may share one key."""
        ...

    def take(self, keys: Sequence[str]) -> Mapping[str, Sequence[tuple[str, Image]]]:
        """The (id, image) rows under these keys; they count as taken from then on."""
        ...

    def rest(self) -> Iterator[tuple[str, str, Image]]:
        """The rows never taken, streamed."""
        ...

    def __len__(self) -> int: ...


class Store(Protocol):
    """Durable sync state. Used from one thread at a time.

    Every call may raise `StateError`; `commit`, `renew` and `reopen_intents` raise
    `LeaseHeldError` when the lease is no longer ours.
    """

    # worlds and maps
    def world(self, side: Side) -> World | None:
        """The identity this state belongs to on one side."""
        ...

    def bind_world(self, world: World) -> None:
        """Remember (or replace) the identity of a side."""
        ...

    def map_row(self, map: str) -> MapRow | None:
        """What is kept of one map, None before its first run."""
        ...

    def map_rows(self) -> Sequence[MapRow]:
        """All maps that ever ran."""
        ...

    def layout(
        self,
        map: str,
        columns: Mapping[Side, tuple[tuple[str, ValueType], ...]],
        *,
        keep: bool = True,
    ) -> Layout:
        """The layout with these column lists, registered if new.

        Without `keep` a new one is good for reading only and leaves nothing in the store.
        """
        ...

    # leases and runs
    def acquire(
        self,
        map: str,
        holder: str,
        seconds: float,
        gone: Callable[[str], bool] = lambda _holder: False,
    ) -> Lease:
        """Take the lease; raises `LeaseHeldError` naming the holder and when it expires.

        The lease of a holder that `gone` says has died is taken over before it expires.
        """
        ...

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Extend the lease."""
        ...

    def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens if it was lost."""
        ...

    def numbers(self, name: str, count: int) -> int:
        """Reserve `count` numbers of a sequence for ever; the first of them, from 1 on.

        Sequences: `record`, `change`, `batch`, `tick`.
        """
        ...

    def start_run(self, command: str, map: str, fingerprint: str, at: float) -> int:
        """Open a run; its number."""
        ...

    def finish_run(
        self,
        run: int,
        at: float,
        outcome: str,
        counts: Mapping[str, int],
        error: Mapping[str, Any] | None = None,
    ) -> None:
        """Close a run with its figures."""
        ...

    def runs(self, map: str | None, limit: int) -> Sequence[RunRow]:
        """The newest runs first."""
        ...

    # reading the state
    def positions(self, map: str) -> Mapping[tuple[Side, str], Position]:
        """By (side, kind)."""
        ...

    def by_ids(self, layout: Layout, side: Side, ids: Sequence[str]) -> Mapping[str, Record]:
        """Records bound to these ids on this side."""
        ...

    def by_keys(self, layout: Layout, keys: Sequence[str]) -> Mapping[str, Sequence[Record]]:
        """Records under these normalised keys, by ordinal."""
        ...

    def by_numbers(self, layout: Layout, numbers: Sequence[int]) -> Mapping[int, Record]:
        """Records by number."""
        ...

    def due(self, layout: Layout, now: float, after: int, limit: int) -> Sequence[Record]:
        """Records due at `now` with a number above `after`, by number."""
        ...

    def next_due(self, map: str) -> float | None:
        """The earliest due time of the map."""
        ...

    def unconfirmed(self, map: str) -> int:
        """How many creates of ours wait for their first sight.

        Parked ones are left out: they may never be seen, and a person looks at them.
        """
        ...

    def bound(self, map: str, side: Side) -> int:
        """How many records are believed present on this side."""
        ...

    def waits(self, map: str) -> Iterator[Wait]:
        """Distinct targets somebody waits for, `group` empty."""
        ...

    def counts(self, map: str) -> Mapping[State, int]:
        """Records by state, every state named; tombstones not counted."""
        ...

    def needing(
        self, layout: Layout, states: Sequence[State], after: int, limit: int
    ) -> Sequence[Record]:
        """Records in these states with a number above `after`, by number."""
        ...

    def open_conflicts(self, map: str, after: int, limit: int) -> Sequence[OpenConflict]:
        """Conflicts not decided yet, by number."""
        ...

    def history(self, record: int) -> Sequence[ChangeRow]:
        """All audit rows of one record, oldest first."""
        ...

    def deletes_since(self, map: str, side: Side, since: float) -> int:
        """Deletes we sent to one side since a time, over all runs, whatever became of them."""
        ...

    # changing the state
    def commit(self, lease: Lease, work: Work) -> None:
        """Make all of `work` durable in one transaction, or raise and change nothing."""
        ...

    def adopt(
        self,
        lease: Lease,
        layout: Layout,
        side: Side,
        tick: int,
        rows: Sequence[Adoption],
        position: Position | None,
        run: int,
        at: float,
    ) -> Sequence[str]:
        """Settle unconfirmed creates by their first sight, set-based, with the position.

        A row is adopted where a record of the map is bound to its id on `side`, present,
        unconfirmed and established at or before `tick`: image, agreed half, version, tick and
        modifier become the row's and the record is confirmed. Returns the ids that were not
        adopted; when there are any, nothing is changed and the position is not moved.
        """
        ...

    def wake(self, lease: Lease, wait: Wait, at: float) -> int:
        """Make the records that wait for this target due; how many."""
        ...

    def reopen_intents(self, lease: Lease, run: int, at: float) -> int:
        """After a crash: end intents without outcome as `unknown`; how many.

        Their sides become unknown and their records due, with one attempt more.
        """
        ...

    # scratch space
    def scratch(self, layout: Layout, side: Side) -> AbstractContextManager[Scratch]:
        """A disk-backed table for one comparison, thrown away at the end."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
