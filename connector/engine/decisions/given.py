"""A value that a person gives for a conflict, which neither side may hold yet.

Owns: writing it, conditionally, to the side in whose columns it was given. Standing there it is
that side's edit, and travels to the other side like one as soon as that side is decided against.
Never does: deciding against a side (`decide.py` does), parsing what was typed.
Tested in: tests/integration/engine/test_given.py.

Until then the conflict stays open: should the process die in between, a person finds the value
given as one of the two edits, and nothing was overwritten without having been seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.engine.agreement import in_form_of
from connector.engine.apply import Applier
from connector.engine.decisions.fresh import read_unknown
from connector.engine.news.absorb import Absorbed
from connector.engine.plan import Action, Kind, Write, plan
from connector.engine.runs.run import MapRun
from connector.mapping.compiling.compiled import CompiledMap, Group
from connector.mapping.references import TargetMissing
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Side, Value
from connector.store.record import Presence, Record


@dataclass(frozen=True, slots=True)
class Given:
    """A value for one group, in the columns of one side."""

    group: str
    side: Side
    values: Mapping[str, Value]


def winner_of(record: Record, group: Group, given: Given) -> Side | None:
    """The side that holds the value given; None where neither does."""
    own, other = record.side(given.side).image, record.side(given.side.other).image
    assert own is not None
    assert other is not None
    if group.values(given.side, own) == given.values:
        return given.side
    fields = [f for f in group.fields if f.column(given.side) is not None]
    try:
        translated = [f.arriving(given.side, other) for f in fields]
    except (TargetMissing, Untranslatable):
        return None
    wanted = [given.values[f.column(given.side) or ""] for f in fields]
    return given.side.other if translated == wanted else None


def impose(run: MapRun, records: Sequence[Record], given: Given, reason: str) -> set[int]:
    """Write the value to its side of these records; the numbers of those where it stands now.

    The other records keep their conflict: the side refused, or moved on meanwhile.
    """
    side = given.side
    group = next(g for g in run.map.groups if g.name == given.group)
    absorbed = Absorbed(run.work())
    for record in records:
        _keep_apart(record, group, given)
        record.due = run.now()
        absorbed.touch(record)

    def planned(record: Record, map: CompiledMap) -> Action:
        action = plan(record, map)
        if not action.reads and action.problem is None:
            _add(action, _write(record, group, given, reason))
            action.again = True
        return action

    versions = {record.number: record.side(side).version for record in records}
    applier = Applier(run)
    applier.push(absorbed, planned)
    applier.drain()
    certain = [r for r in records if r.side(side).presence is Presence.PRESENT]
    applied = {r.number for r in certain if r.side(side).version != versions[r.number]}
    read_unknown(run, records)
    return applied | {r.number for r in records if _holds(r, group, given)}


def _holds(record: Record, group: Group, given: Given) -> bool:
    state = record.side(given.side)
    return (
        state.presence is Presence.PRESENT
        and state.image is not None
        and group.values(given.side, state.image) == given.values
    )


def _write(record: Record, group: Group, given: Given, reason: str) -> Write:
    state = record.side(given.side)
    assert state.image is not None
    held = group.values(given.side, state.image)
    values = {name: value for name, value in given.values.items() if held[name] != value}
    before = {name: held[name] for name in values}
    return Write(given.side, Kind.UPDATE, state.id, state.version, values, before, reason=reason)


def _add(action: Action, write: Write) -> None:
    """One write with what the record needs on that side anyhow: the second would be stale."""
    for place, other in enumerate(action.writes):
        if other.side is write.side:
            action.writes[place] = other._replace(
                values={**other.values, **write.values},
                before={**(other.before or {}), **(write.before or {})},
                reason=write.reason,
            )
            return
    action.writes.append(write)


def _keep_apart(record: Record, group: Group, given: Given) -> None:
    """Let the value count as an edit of its side even where it is what both sides agreed on.

    Else a process that dies right after the write would leave a side that took its edit back, and
    the other side's edit would travel over the value given.
    """
    state, other = record.side(given.side), record.side(given.side.other)
    assert state.image is not None
    assert state.agreed is not None
    assert other.image is not None
    fields = [f for f in group.fields if f.column(given.side) is not None]
    wanted = tuple(given.values[f.column(given.side) or ""] for f in fields)
    if any(state.agreed[f.index(given.side)] != v for f, v in zip(fields, wanted, strict=True)):
        return
    theirs = tuple(in_form_of(given.side, f, other.image) for f in fields)
    held = tuple(state.image[f.index(given.side)] for f in fields)
    half = list(state.agreed)
    for f, value in zip(fields, theirs if theirs != wanted else held, strict=True):
        half[f.index(given.side)] = value
    state.agreed = tuple(half)
