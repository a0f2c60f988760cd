"""Everything the in-memory twin of the store keeps.

Owns: the tables, and copies of them: one for a transaction that may have to be taken back, one
for a backup.
Never does: deciding what is written (`store.py`).

Rows are replaced, never changed, so that a copy of a table is a copy of its outermost dictionary.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, fields

from connector.mapping.values import Side
from connector.store.record import Layout, Record, SideState, Wait
from connector.store.work import Change, ConflictRow, Lease, MapRow, Position, RunRow, World


@dataclass(frozen=True, slots=True)
class Kept:
    """A record, and the layout its images are kept in."""

    record: Record
    layout: Layout


@dataclass(frozen=True, slots=True)
class Told:
    """An audit row, with what belongs to its run and its reply."""

    change: Change
    map: str
    run: int
    at: float
    outcome: str | None
    version: str | None = None
    detail: str | None = None


@dataclass(slots=True)
class Tables:
    """One dictionary for each noun; the protocol in `connector/store/base.py` tells of them."""

    worlds: dict[str, World] = field(default_factory=dict)
    maps: dict[str, MapRow] = field(default_factory=dict)
    audit_kept_since: dict[str, float] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    layouts: dict[int, Layout] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    sequences: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("record", "change", "batch", "tick", "run"), 1)
    )
    runs: dict[int, RunRow] = field(default_factory=dict)
    positions: dict[tuple[str, Side, str], Position] = field(default_factory=dict)
    records: dict[int, Kept] = field(default_factory=dict)
    waits: dict[int, tuple[str, tuple[Wait, ...]]] = field(default_factory=dict)
    """By record: its map and what it waits for."""
    conflicts: dict[int, ConflictRow] = field(default_factory=dict)
    conflict_number: int = 0
    """The highest one given so far."""
    changes: dict[int, Told] = field(default_factory=dict)
    incidents: dict[tuple[str, str, int], int] = field(default_factory=dict)
    alerts: dict[tuple[str, str], float] = field(default_factory=dict)
    departed: dict[int, tuple[str, str, float]] = field(default_factory=dict)
    """By record: its map, its key, and when it was purged."""
    forgotten: dict[tuple[str, str, int], float] = field(default_factory=dict)
    """By map, hash of the key, and record."""

    def copy(self) -> Tables:
        """The same rows in tables of their own."""
        return Tables(*(copy.copy(getattr(self, one.name)) for one in fields(self)))

    def become(self, other: Tables) -> None:
        """Hold what `other` holds."""
        for one in fields(self):
            setattr(self, one.name, getattr(other, one.name))


def copied(record: Record) -> Record:
    """A record of its own; images are tuples and may be shared."""
    return Record(
        record.number,
        record.map,
        record.key,
        record.ordinal,
        _copied_side(record.commerce),
        _copied_side(record.dataverse),
        record.unconfirmed,
        record.state,
        record.due,
        record.attempts,
        record.waiting,
        record.conflicts,
        record.problem,
        record.accepted,
        dict(record.anew),
    )


def _copied_side(state: SideState) -> SideState:
    return SideState(
        state.presence,
        state.id,
        state.key,
        state.version,
        state.epoch,
        state.image,
        state.agreed,
        state.tick,
        state.modified_at,
        state.modifier,
    )
