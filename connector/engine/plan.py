"""What one record needs next.

Owns: `plan(record, map) -> Action`, a pure function of what was observed and agreed.
Never does: I/O, clocks, ids, batches; it does not change the record.
Tested in: tests/unit/engine/test_plan.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from connector.engine.agreement import apart
from connector.engine.merge import Need, Pair, merge
from connector.engine.news.observe import renamed_problem
from connector.engine.ownership import of_another
from connector.errors import Problem, Subject
from connector.mapping.compiling.compiled import CompiledMap, Field, Group
from connector.mapping.document import DeletePolicy, FilterExit
from connector.mapping.references import TargetMissing
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Image, Side, Value
from connector.store.record import Conflict, Presence, Record, SideState, Wait

STICKY = frozenset({"duplicate-key", "key-changed", "key-missing", "key-unusable"})
"""Problems of identity: planning cannot lift them, only a new observation or a person can."""


class Kind(StrEnum):
    """The three ways to write."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Write(NamedTuple):
    """One write to one side; `id` None at a create means: choose one."""

    side: Side
    kind: Kind
    id: str | None
    version: str | None
    values: Mapping[str, Value]
    before: Mapping[str, Value] | None = None
    """What the written columns held, or the whole record before a delete."""
    groups: tuple[Group, ...] = ()
    """The groups that agree once this is applied."""
    lost: tuple[Group, ...] = ()
    """The groups in which an edit of this side gives way."""
    reason: str | None = None
    source: Image | None = None
    """What the other side held when an update was planned: its values are on their way."""


@dataclass(slots=True)
class Action:
    """Everything one record needs now; all empty means: it is settled."""

    reads: tuple[Side, ...] = ()
    writes: list[Write] = field(default_factory=list)
    agree: list[Group] = field(default_factory=list)
    """Groups whose seen values become the agreed pair without a write."""
    waits: list[Wait] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    drift: list[Group] = field(default_factory=list)
    problem: Problem | None = None
    again: bool = False
    """The record is planned once more when these writes are settled."""
    ignored: bool = False
    """The sides differ on purpose: a filter, a delete policy, a direction or a person's word
    keeps the record apart."""
    parted: bool = False
    """What the sides agreed on is void: the pair came apart while the record was outside."""


def plan(record: Record, map: CompiledMap) -> Action:
    """What `record` needs next under `map`."""
    if _unseen(record.commerce) or _unseen(record.dataverse):
        return Action(reads=tuple(side for side in Side if _unseen(record.side(side))))
    sticky = record.problem if record.problem and record.problem.code in STICKY else None
    if sticky is not None or record.accepted:
        return Action(problem=sticky, ignored=record.accepted)
    try:
        return _seen(record, map)
    except _Failed as failed:
        return Action(problem=failed.problem)


def _seen(record: Record, map: CompiledMap) -> Action:
    """What a record needs of which both sides are known."""
    if map.filters and (refusing := refused_by(record, map)):
        return _outside(record, map, refusing)
    commerce = record.commerce.presence is Presence.PRESENT
    dataverse = record.dataverse.presence is Presence.PRESENT
    if commerce and dataverse:
        return _both(record, map)
    if commerce or dataverse:
        return _one_sided(record, map, Side.COMMERCE if commerce else Side.DATAVERSE)
    return Action()


def _unseen(state: SideState) -> bool:
    """Whether the side must be read first.

    Either something may have happened to it, or a create of ours was applied without showing us
    the row.
    """
    return state.presence is Presence.UNKNOWN or (
        state.presence is Presence.PRESENT and state.image is None
    )


def refused_by(record: Record, map: CompiledMap) -> list[Side]:
    """The sides whose filter refuses what they hold, or last held of a pair that was agreed."""
    refusing: list[Side] = []
    for side, filter in map.filters.items():
        state = record.side(side)
        paired = state.presence is Presence.PRESENT or state.agreed is not None
        if paired and state.image is not None and not filter.admits(state.image):
            refusing.append(side)
    return refusing


def _outside(record: Record, map: CompiledMap, refusing: Sequence[Side]) -> Action:
    """The record is none of the map's, but a pair that was in sync may have to be undone."""
    first = refusing[0]
    here, other = record.side(first), record.side(first.other)
    if refusing == [Side.DATAVERSE] and (problem := of_another(record, map)) is not None:
        return Action(problem=problem)
    if (
        map.document.filter_exit is FilterExit.DELETE
        and len(refusing) == 1
        and other.presence is Presence.PRESENT
        and here.agreed is not None
        and other.agreed is not None
    ):
        return Action(writes=[_delete(record, map, first.other, f"left the filter of {first}")])
    alone = here.presence is Presence.PRESENT and other.presence is Presence.ABSENT
    return Action(ignored=True, parted=alone)


def _both(record: Record, map: CompiledMap) -> Action:
    c, d = record.commerce, record.dataverse
    if map.document.appends_to is not None or (not apart(record) and not record.anew):
        return Action()
    assert c.image is not None
    assert d.image is not None
    seen = Pair(c.image, d.image, c.modified_at, d.modified_at)
    agreed, groups = None, map.groups
    if c.agreed is not None and d.agreed is not None:
        agreed = Pair(c.agreed, d.agreed)
        changed = map.changed(Side.COMMERCE, c.image, c.agreed)
        changed |= map.changed(Side.DATAVERSE, d.image, d.agreed) | _meeting_anew(record, map)
        groups = tuple([map.groups[place] for place in sorted(changed)])
    action = Action()
    towards: dict[Side, list[tuple[Group, bool]]] = {side: [] for side in Side}
    master, blank_wins = map.master, map.document.blank_wins
    for group in groups:
        merged = merge(group, seen, agreed, master, blank_wins, record.anew.get(group.name))
        if merged.need is Need.AGREE:
            action.agree.append(group)
        elif merged.need is Need.DRIFT:
            action.drift.append(group)
        elif merged.need is Need.CONFLICT:
            action.conflicts.append(_conflict(group, seen, agreed))
        elif merged.need is Need.WRITE:
            assert merged.target is not None
            towards[merged.target].append((group, merged.overwrites))
    try:
        for target, merged_groups in towards.items():
            if merged_groups:
                _update(record, map, target, merged_groups, seen, action)
    except _Failed as failed:
        action.problem = failed.problem
        action.writes.clear()
        if agreed is None:
            action.agree.clear()
    return action


def _meeting_anew(record: Record, map: CompiledMap) -> set[int]:
    """Which of the map's groups have not agreed since the map changed."""
    if not record.anew:
        return set()
    return {at for at, group in enumerate(map.groups) if group.name in record.anew}


def _update(
    record: Record,
    map: CompiledMap,
    target: Side,
    groups: list[tuple[Group, bool]],
    seen: Pair,
    action: Action,
) -> None:
    state = record.side(target)
    source, current = seen.image(target.other), seen.image(target)
    values: dict[str, Value] = {}
    before: dict[str, Value] = {}
    written: list[Group] = []
    lost: list[Group] = []
    for group, overwrites in groups:
        # A field that is the same under the map stays as it is: the other side's form of it may
        # be shorter, and writing it back would cut what a person wrote.
        # A key is written only where a person renamed the record, which bears the new one then.
        alone = len(group.fields) == 1
        differing = [
            f
            for f in group.fields
            if f.column(target) is not None
            and ((alone and not f.key) or not f.same_in(seen.commerce, seen.dataverse))
        ]
        if any(f.key for f in differing) and map.key_of(target.other, source) != record.key:
            raise _Failed(renamed_problem(record, target.other))
        try:
            translated = _translated(record, map, differing, target, source)
        except TargetMissing as missing:
            action.waits.append(_wait(group, missing))
            continue
        written.append(group)
        if overwrites:
            lost.append(group)
        values.update(translated)
        before.update((f.column(target) or "", current[f.index(target)]) for f in differing)
    if values:
        action.writes.append(
            Write(
                target,
                Kind.UPDATE,
                state.id,
                state.version,
                values,
                before,
                tuple(written),
                tuple(lost),
                source=source,
            )
        )
    else:
        action.agree.extend(written)


def _one_sided(record: Record, map: CompiledMap, present: Side) -> Action:
    absent = present.other
    here, gone = record.side(present), record.side(absent)
    if record.unconfirmed or gone.agreed is None or here.agreed is None:
        if not map.creates_on(absent):
            return Action(ignored=True)
        # An id under which no row was ever seen may still belong to a create on its way.
        return _create(record, map, absent, gone.id if gone.image is None else None, None)
    policy = (
        map.document.deletes.commerce if absent is Side.COMMERCE else map.document.deletes.dataverse
    )
    if policy is DeletePolicy.RESTORE and map.creates_on(absent):
        return _create(record, map, absent, None, f"restored after a delete in {absent}")
    if policy is DeletePolicy.PROPAGATE:
        return Action(writes=[_delete(record, map, present, f"deleted in {absent}")])
    if policy is DeletePolicy.DEACTIVATE:
        return _deactivate(record, map, present)
    return Action(ignored=True)


def _create(
    record: Record, map: CompiledMap, target: Side, id: str | None, reason: str | None
) -> Action:
    source = record.side(target.other)
    assert source.image is not None
    creation = map.creations[target]
    action = Action()
    written = creation.groups
    try:
        values = creation.values(source.image)
    except (TargetMissing, Untranslatable):
        values, written = _create_by_group(record, map, target, source.image, action)
        waiting = {wait.group for wait in action.waits}
        keyless = any(group.fields[0].key for group in map.groups if group.name in waiting)
        if keyless or (waiting and map.document.appends_to is not None):
            return action  # a row without its key would be nobody's; or it is written only once
    action.writes.append(Write(target, Kind.CREATE, id, None, values, None, written, (), reason))
    return action


def _create_by_group(
    record: Record, map: CompiledMap, target: Side, source: Image, action: Action
) -> tuple[dict[str, Value], tuple[Group, ...]]:
    """The second pass over a record that cannot travel whole: find out which group waits."""
    try:
        values = map.creations[target].beside(source)
    except Untranslatable as error:
        raise _failed(record, map, error) from None
    written: list[Group] = []
    for group in map.creations[target].groups:
        try:
            translated = _translated(record, map, group.fields, target, source)
        except TargetMissing as missing:
            action.waits.append(_wait(group, missing))
            continue
        written.append(group)
        values.update((c, value) for c, value in translated.items() if value is not None)
    return values, tuple(written)


def _delete(record: Record, map: CompiledMap, target: Side, reason: str) -> Write:
    state = record.side(target)
    assert state.image is not None
    assert state.agreed is not None
    edited = tuple(g for g in map.groups if g.changed(target, state.image, state.agreed))
    if edited:
        names = ", ".join(group.name for group in edited)
        reason += f" against a newer edit of {names} in {target}"
    return Write(
        target,
        Kind.DELETE,
        state.id,
        state.version,
        {},
        before=as_columns(map, target, state.image),
        lost=edited,
        reason=reason,
    )


def _deactivate(record: Record, map: CompiledMap, target: Side) -> Action:
    state = record.side(target)
    assert state.image is not None
    assert state.agreed is not None
    index, value = map.inactive[target]
    if state.image[index] == value:
        return Action(ignored=True)
    column = map.columns[target][index].name
    groups = tuple(g for g in map.groups if any(f.index(target) == index for f in g.fields))
    write = Write(
        target,
        Kind.UPDATE,
        state.id,
        state.version,
        {column: value},
        {column: state.image[index]},
        groups,
        tuple(g for g in groups if g.changed(target, state.image, state.agreed)),
        reason=f"deactivated after a delete in {target.other}",
    )
    return Action(writes=[write])


def _translated(
    record: Record, map: CompiledMap, fields: Iterable[Field], target: Side, source: Image
) -> dict[str, Value]:
    """The fields' values in the target's form by column; raises `TargetMissing`."""
    translated: dict[str, Value] = {}
    for f in fields:
        column = f.column(target)
        if column is None:
            continue
        try:
            translated[column] = f.arriving(target, source)
        except Untranslatable as error:
            raise _failed(record, map, error, f.name) from None
    return translated


class _Failed(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _failed(
    record: Record, map: CompiledMap, error: Untranslatable, field: str | None = None
) -> _Failed:
    subject = Subject(map=map.name, record=str(record.number), field=field)
    return _Failed(Problem(error.code, error.message, error.remedy, subject))


def _wait(group: Group, missing: TargetMissing) -> Wait:
    lookup = missing.lookup
    column = "" if missing.by_id else lookup.called
    return Wait(group.name, lookup.side, lookup.entity, column, missing.value)


def _conflict(group: Group, seen: Pair, agreed: Pair | None) -> Conflict:
    base = {s: group.values(s, agreed.image(s)) for s in Side} if agreed else {}
    return Conflict(group.name, base, {s: group.values(s, seen.image(s)) for s in Side})


def as_columns(map: CompiledMap, side: Side, image: Image) -> dict[str, Value]:
    """An image by column name."""
    return {column.name: value for column, value in zip(map.columns[side], image, strict=True)}
