"""What undoing one run means for one record.

Owns: `plan_undo`, a pure function of a record as it was just read and of its audit, and what the
agreed pair is once a write is taken back.
Never does: I/O; touching a row that somebody changed since.
Tested in: tests/unit/engine/test_undo.py.

A run's writes to one side of a record are taken together: what counts is what stood there before
the first of them and what the last one left. What it left is not what it meant to write, because
a target may round or shorten: it is what the first later audit row found there, or what stands
there now if no later row tells of the column.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from connector.engine.agreement import meet
from connector.engine.plan import Kind, Write, as_columns
from connector.engine.wars import UNDO
from connector.mapping.compiling.compiled import CompiledMap, Group
from connector.mapping.values import Side, Value, ValueType
from connector.store.record import Presence, Record, SideState
from connector.store.work import ChangeKind, ChangeRow

WRITES = frozenset({ChangeKind.CREATE, ChangeKind.UPDATE, ChangeKind.DELETE})
_TELLING = WRITES | {ChangeKind.SEEN}
_HAPPENED = frozenset({"applied", "unknown", "noted"})
"""A write whose outcome is unknown may have happened; the row as it is read now tells."""


@dataclass(frozen=True, slots=True)
class Trail:
    """What a run did to one side of a record, and what was seen or done there since."""

    side: Side
    written: tuple[ChangeRow, ...]
    since: tuple[ChangeRow, ...]

    @property
    def created(self) -> bool:
        """Whether there was no row before the run."""
        return self.written[0].kind is ChangeKind.CREATE

    @property
    def deleted(self) -> bool:
        """Whether the run left no row."""
        return self.written[-1].kind is ChangeKind.DELETE

    def before(self) -> dict[str, Any]:
        """What the columns held that the run wrote, the whole row where it deleted one."""
        held: dict[str, Any] = {}
        for row in self.written:
            if row.kind is ChangeKind.CREATE:
                break
            for name, value in (row.before or {}).items():
                held.setdefault(name, value)
        return held

    def later(self, column: str) -> ChangeRow | None:
        """The first row since that tells what it found in a column."""
        return next((r for r in self.since if r.before is not None and column in r.before), None)


@dataclass(frozen=True, slots=True)
class Restore:
    """One side of a record that goes back; `write` None where it stands there again already."""

    trail: Trail
    write: Write | None

    @property
    def side(self) -> Side:
        """The side that goes back."""
        return self.trail.side


@dataclass(frozen=True, slots=True)
class Kept:
    """One side of a record that is not touched, and why."""

    side: Side
    reason: str


@dataclass(slots=True)
class Undoing:
    """What becomes of one record; both empty means: nothing is left to take back."""

    restores: list[Restore] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Undo:
    """Which run is taken back, by which one, and under which map."""

    run: int
    by: int
    map: CompiledMap
    users: Mapping[Side, frozenset[str]]
    """Ids under which our own writes appear as last modifier."""
    undos: Container[int]
    """Runs that were an undo themselves, this one among them."""
    person: str
    """Who wants it."""

    @property
    def reason(self) -> str:
        """Told in the audit beside every write of the undo."""
        return f"{UNDO} {self.run}, decided by {self.person}"


def plan_undo(record: Record, rows: Sequence[ChangeRow], undo: Undo) -> Undoing:
    """What taking back a run means for one record, both sides of which were just read.

    `rows` is the record's audit from the run on, oldest first.
    """
    undoing = Undoing()
    for trail in trails(rows, undo.run):
        try:
            restore = _restore(record, trail, undo)
        except _LeaveError as left:
            undoing.kept.append(Kept(trail.side, str(left)))
        else:
            if restore is not None:
                undoing.restores.append(restore)
    return undoing


def trails(rows: Sequence[ChangeRow], run: int) -> list[Trail]:
    """The run's own writes and everything told since, by side."""
    found = []
    for side in Side:
        told = [r for r in rows if r.side is side and r.kind in _TELLING and r.outcome in _HAPPENED]
        own = [i for i, r in enumerate(told) if r.run == run and r.kind in WRITES]
        own = [i for i in own if not _done_again(told[i], told[i + 1 :])]
        if own:
            written = tuple(told[i] for i in own)
            found.append(Trail(side, written, tuple(told[own[-1] + 1 :])))
    return found


def _done_again(row: ChangeRow, later: Iterable[ChangeRow]) -> bool:
    """Whether a create or delete of unknown outcome did not happen: a later run did it."""
    return (
        row.outcome == "unknown"
        and row.kind is not ChangeKind.UPDATE
        and any(r.kind is row.kind and r.target == row.target and r.run != row.run for r in later)
    )


class _LeaveError(Exception):
    """This side is not touched; the text says why."""


def _restore(record: Record, trail: Trail, undo: Undo) -> Restore | None:
    state = record.side(trail.side)
    there = state.presence is Presence.PRESENT
    if state.presence is Presence.UNKNOWN:
        raise _LeaveError("could not be read for certain; run the undo again")
    if trail.created and trail.deleted:
        return None
    if trail.created:
        return _uncreate(record, trail, undo) if there else _gone(trail, undo)
    if trail.deleted:
        return _again(state, trail, undo) if there else _recreate(record, trail, undo)
    if not there:
        raise _LeaveError("deleted since")
    return _rewrite(state, trail, undo)


# ---------------------------------------------------------------------------- creates


def _uncreate(record: Record, trail: Trail, undo: Undo) -> Restore:
    """Delete what the run created, if nobody has changed it since."""
    state = record.side(trail.side)
    _same_row(state, trail)
    assert state.image is not None
    held = as_columns(undo.map, trail.side, state.image)
    _refuse_changed(trail, undo, held)
    if state.modifier is not None and state.modifier not in undo.users[trail.side]:
        raise _LeaveError(f"edited since by {state.modifier}")
    write = Write(
        trail.side, Kind.DELETE, state.id, state.version, {}, before=held, reason=undo.reason
    )
    return Restore(trail, write)


def _gone(trail: Trail, undo: Undo) -> Restore | None:
    """The row the run created is not there any more."""
    made = [r for r in trail.since if r.kind in (ChangeKind.CREATE, ChangeKind.DELETE)]
    # A row that was made in its place since, and is gone too, was somebody's to delete.
    if not made or made[-1].kind is ChangeKind.CREATE or made[-1].run not in undo.undos:
        raise _LeaveError("deleted since")
    return Restore(trail, None) if made[-1].outcome == "unknown" else None


# ---------------------------------------------------------------------------- updates


def _rewrite(state: SideState, trail: Trail, undo: Undo) -> Restore | None:
    """Write back what stood in the columns the run changed, if they still hold what it left."""
    _same_row(state, trail)
    assert state.image is not None
    held = as_columns(undo.map, trail.side, state.image)
    wanted = _typed(undo.map, trail.side, trail.before())
    differing = {name: value for name, value in wanted.items() if held[name] != value}
    if not differing:
        return _stands(trail, wanted, undo)
    _refuse_changed(trail, undo, {name: held[name] for name in wanted})
    write = Write(
        trail.side,
        Kind.UPDATE,
        state.id,
        state.version,
        differing,
        {name: held[name] for name in differing},
        groups_of(undo.map, trail.side, differing),
        reason=undo.reason,
    )
    return Restore(trail, write)


def _stands(trail: Trail, wanted: Iterable[str], undo: Undo) -> Restore | None:
    """The columns hold again what they held before the run."""
    later = [row for row in trail.since if any(name in (row.before or {}) for name in wanted)]
    if not later:
        return Restore(trail, None)
    last = later[-1]
    if last.kind is ChangeKind.SEEN:
        raise _LeaveError("changed back since by somebody")
    return Restore(trail, None) if last.outcome == "unknown" and last.run in undo.undos else None


# ---------------------------------------------------------------------------- deletes


def _again(state: SideState, trail: Trail, undo: Undo) -> Restore | None:
    """There is a row again where the run deleted one."""
    ours = [r for r in trail.since if r.kind is ChangeKind.CREATE and r.target == state.id]
    if not ours or ours[-1].run not in undo.undos:
        raise _LeaveError("there again since")
    return Restore(trail, None) if ours[-1].run == undo.by or _doubtful(ours[-1]) else None


def _doubtful(row: ChangeRow) -> bool:
    return row.outcome == "unknown"


def _recreate(record: Record, trail: Trail, undo: Undo) -> Restore:
    """Create the row anew, with what it held; nulls and columns set by the side are left out."""
    if trail.written[-1].agreed is None:
        raise _LeaveError("deleted by a version that kept no agreed pairs")
    if record.side(trail.side.other).image is None:
        raise _LeaveError("the other side of this record was never seen")
    held = _typed(undo.map, trail.side, trail.before())
    creatable = {column.name for column in undo.map.columns[trail.side] if column.creatable}
    values = {n: v for n, v in held.items() if v is not None and n in creatable}
    write = Write(trail.side, Kind.CREATE, None, None, values, reason=undo.reason)
    return Restore(trail, write)


# ---------------------------------------------------------------------------- what stands now


def _same_row(state: SideState, trail: Trail) -> None:
    if state.id != trail.written[-1].target:
        raise _LeaveError("another row stands in its place")


def _refuse_changed(trail: Trail, undo: Undo, held: Mapping[str, Value]) -> None:
    """Raise where a column does not hold any more what the run left in it."""
    changed: list[str] = []
    for name, value in held.items():
        row = trail.later(name)
        if row is None:
            continue
        left = _typed(undo.map, trail.side, {name: (row.before or {})[name]})[name]
        if left != value:
            changed.append(name)
    if changed:
        raise _LeaveError(f"changed since: {', '.join(changed)}")


def _typed(map: CompiledMap, side: Side, values: Mapping[str, Any]) -> dict[str, Value]:
    """Values as the audit tells them, in the types of the side's columns."""
    types = {column.name: column.type for column in map.columns[side]}
    unmapped = [name for name in values if name not in types]
    if unmapped:
        raise _LeaveError(f"{', '.join(unmapped)} is not in the map any more")
    return {name: _canonical(types[name], value) for name, value in values.items()}


def _canonical(type: ValueType, value: Any) -> Value:
    """JSON has no decimal, date or instant: the audit keeps them as text."""
    if isinstance(value, str):
        match type:
            case ValueType.DECIMAL:
                return Decimal(value)
            case ValueType.DATE:
                return date.fromisoformat(value)
            case ValueType.INSTANT:
                return datetime.fromisoformat(value)
    plain: Value = value
    return plain


# ---------------------------------------------------------------------------- the agreed pair


def give_back(record: Record, trail: Trail, map: CompiledMap) -> None:
    """Make the agreed pair what it was before the run wrote to one side; that side has gone back.

    A row that is created no more leaves a record that was never paired. Groups that had met for
    the first time in the run meet for the first time again, by the values that stand there now.
    """
    record.accepted = False
    if trail.created and trail.written[0].agreed is None:
        record.commerce.agreed = record.dataverse.agreed = None
        record.side(trail.side).id = None
        record.unconfirmed = False
        return
    if not trail.deleted and (record.commerce.agreed is None or record.dataverse.agreed is None):
        return  # the other side was taken back as well: the record is not paired any more
    halves = {side: _half(record, side, map) for side in Side}
    places = {side: {c.name: i for i, c in enumerate(map.columns[side])} for side in Side}
    for row in reversed(trail.written):
        pair = row.agreed or _first_contact(record, trail, row, map)
        for side, values in pair.items():
            for name, value in values.items():
                if name in places[side]:
                    place = places[side][name]
                    halves[side][place] = _canonical(map.columns[side][place].type, value)
    for side in Side:
        record.side(side).agreed = tuple(halves[side])


def _half(record: Record, side: Side, map: CompiledMap) -> list[Value]:
    agreed = record.side(side).agreed
    return list(agreed) if agreed is not None else [None] * len(map.columns[side])


def _first_contact(
    record: Record, trail: Trail, row: ChangeRow, map: CompiledMap
) -> Mapping[Side, Mapping[str, Value]]:
    """The halves with which the groups of an update stand before their sides have met."""
    images = {side: record.side(side).image for side in Side}
    if row.kind is not ChangeKind.UPDATE or None in images.values():
        return {}
    fresh = copy(record)
    for side in Side:
        values = as_columns(map, side, images[side] or ())
        if side is trail.side:
            values.update(_typed(map, side, row.before or {}))
        state = SideState(Presence.PRESENT, image=tuple(values.values()))
        if side is Side.COMMERCE:
            fresh.commerce = state
        else:
            fresh.dataverse = state
    meet(fresh, map)
    groups = groups_of(map, trail.side, row.before or {})
    return {side: _of_groups(fresh, side, groups) for side in Side}


def groups_of(map: CompiledMap, side: Side, columns: Container[str]) -> tuple[Group, ...]:
    """The groups that hold any of these columns of a side."""
    return tuple(g for g in map.groups if any(f.column(side) in columns for f in g.fields))


def _of_groups(record: Record, side: Side, groups: Sequence[Group]) -> dict[str, Value]:
    agreed = record.side(side).agreed
    assert agreed is not None
    return {name: value for group in groups for name, value in group.values(side, agreed).items()}
