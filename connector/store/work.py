"""What one transaction makes durable, and the rows kept beside the records.

Owns: audit rows, leases, positions, worlds, runs, and `Work`, which holds all of one commit.
Never does: committing; a store applies exactly the work it is handed.
Tested in: tests/contract/store/.

Times are seconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from connector.errors import Problem
from connector.mapping.values import Image, Side, Value
from connector.store.record import Conflict, Record, Wait


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


NOT_DONE = frozenset({"stale", "exists", "missing", "rejected", "transient"})
"""Outcomes of writes that surely did not happen; `unknown`, and none yet, may have."""


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
    agreed: Mapping[Side, Mapping[str, Value]] | None = None
    """The agreed pair of the written groups from before this write, by side and column name;
    None where there was none, as at a first create."""


@dataclass(frozen=True, slots=True)
class Completion:
    """How an intent ended."""

    change: int
    outcome: str
    version: str | None = None
    detail: str | None = None
    target: str | None = None
    """The row's own id where the side gave it another one than the intent had."""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """An audit row as read back, with the run, time and map it belongs to.

    Values have the types of JSON; `Store.typed` gives them back their own.
    """

    number: int
    run: int
    at: float
    map: str
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
    agreed: Mapping[Side, Mapping[str, Any]] | None = None


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
    high_id: str | None = None
    """The row with the newest version this feed has told of, and that version."""
    high_version: str | None = None


@dataclass(frozen=True, slots=True)
class World:
    """The identity a system was bound to, its epoch, and the highest version seen in it.

    `side` is the system's name in the config: a side's own, or that of a further commerce side.
    """

    side: str
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
    document: str | None = None
    """The map as `fingerprint` was taken from it, in JSON; None where an older version of this
    program kept the row."""


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


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person chose for a conflict, by its number."""

    conflict: int
    decision: str
    by: str


@dataclass(slots=True)
class Work:
    """Everything one transaction makes durable, or nothing of it."""

    run: int
    at: float
    inserted: list[Record] = field(default_factory=list)
    updated: list[Record] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    """Numbers of records of which nothing is kept any more, with what they waited for."""
    positions: list[Position] = field(default_factory=list)
    waits: dict[int, tuple[Wait, ...]] = field(default_factory=dict)
    """By record number: replaces all waits of the record."""
    conflicts: dict[int, tuple[Conflict, ...]] = field(default_factory=dict)
    """By record number: the conflicts open now; the record's others are closed."""
    changes: list[Change] = field(default_factory=list)
    completions: list[Completion] = field(default_factory=list)
    completed_batches: list[tuple[int, str]] = field(default_factory=list)
    """(batch, outcome): every intent of the batch that has no outcome yet gets this one."""
    sweep: Sweep | None = None
    map: MapRow | None = None
    decisions: list[Decided] = field(default_factory=list)
    """Written into their conflicts, decided at `at`; closing them is up to `conflicts`."""
    incidents: dict[str, int] = field(default_factory=dict)
    """Errors by kind, added to the map's count of the minute `at` lies in."""
    alerted: dict[str, float] = field(default_factory=dict)
    """By rule: when its alert was last raised."""
    described: str | None = None
    """What both sides say of the map's tables, replacing what was kept; None leaves it."""

    def __bool__(self) -> bool:
        return any(
            (
                self.inserted,
                self.updated,
                self.removed,
                self.positions,
                self.waits,
                self.conflicts,
                self.changes,
                self.completions,
                self.completed_batches,
                self.sweep,
                self.map,
                self.decisions,
                self.incidents,
                self.alerted,
                self.described,
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
    first_change: int | None = None
    """The next audit number when the run started: the rows of a run lie from here up to
    `first_change` of the map's next run. None for a run of an older version without any."""


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """A conflict that waits for a person, as read back; `key` as a side spells it."""

    number: int
    record: int
    key: str
    opened: float
    conflict: Conflict
    revision: int
    """Raised by one whenever the values of the open conflict change."""


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """A conflict, open or closed, with what a person decided."""

    number: int
    record: int
    map: str
    group: str
    opened: float
    closed: float | None
    revision: int
    conflict: Conflict
    decision: str | None
    decided_by: str | None
    decided_at: float | None
