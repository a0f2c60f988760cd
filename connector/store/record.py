"""One record of the sync state: what each side was seen to hold, and what both agreed on.

Owns: the values of records, their waits and conflicts, and the layout of their images.
Never does: deciding anything; keeping anything (`base.py` is the protocol for that).
Tested in: tests/contract/store/.

State is kept as observations, not as to-do lists: what each side was last seen to hold, and
the pair both sides held when they last agreed. Times are seconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from connector.errors import Problem
from connector.mapping.values import Image, Side, Value, ValueType


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


class Anew(StrEnum):
    """How a group of fields meets anew because the map changed since its sides agreed."""

    NEW = "new"
    """Its columns were not in the map before: first contact."""
    CHANGED = "changed"
    """Its values travel by another rule than the one they were agreed under."""


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
    accepted: bool = False
    """A person accepted the present difference, until either side changes."""
    anew: dict[str, Anew] = field(default_factory=dict)
    """Groups that have not agreed since the map changed, by name."""

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
