"""A map that changed since it last ran: which records that concerns.

Owns: finding out that a map changed, and marking the records to be planned anew, those and no
others; what their fields hold is settled by the ordinary cycle.
Never does: writing to a side; planning.
Tested in: tests/integration/engine/test_changed_maps.py.

The marks are durable before the map counts as the one that ran last. Whoever is killed in between
begins again, and marks what is marked already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.engine.plan import refused_by
from connector.engine.runs.run import MapRun
from connector.engine.settle import stand
from connector.errors import MapError
from connector.mapping.compiling.compiled import CompiledMap, Group
from connector.mapping.document import MapDocument
from connector.mapping.values import Image, Side
from connector.mapping.versions import MapChange, Sort, changes_between, kept_as, recalled
from connector.store.base import Store
from connector.store.record import Anew, Layout, Presence, Record, State
from connector.store.work import MapRow, Position

OUTSIDE = ""
"""Stands among concerned groups for the record as a whole: one that is outside, or was."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a changed map means for its records."""

    changes: tuple[MapChange, ...]
    """Empty where the version that ran before is not known."""
    anew: Mapping[str, Anew]
    """How groups meet anew, by name."""
    touched: frozenset[str]
    """Groups about which anything changed, those no longer there among them."""
    redirected: frozenset[str]
    """Groups that travel another way than before."""
    outside: bool
    """Which records travel, or what a delete means, may have changed."""
    unread: bool
    """Columns are read as another type than they were: the tables have to be read anew."""


def turn_of(row: MapRow, map: CompiledMap, read: Mapping[Side, Sequence[str]]) -> Turn | None:
    """What changed since the map last ran; None where nothing did.

    `read` names the columns that were read of each side. Raises `MapError` (`map-rekeyed`) where
    the records would be other ones.
    """
    if row.fingerprint == map.document.fingerprint():
        return None
    old = recalled(row.document)
    if old is None:
        return _unknown_turn(map, read)
    changes = tuple(changes_between(old, map.document))
    rekeyed = [c for c in changes if c.sort is Sort.PAIRING or _is_key(c)]
    if rekeyed:
        raise _rekeyed(map.document, rekeyed[0])
    sorts = {sort: {c.group for c in changes if c.sort is sort and c.group} for sort in Sort}
    anew = dict.fromkeys(sorts[Sort.RULE], Anew.CHANGED)
    anew |= dict.fromkeys(sorts[Sort.ADDED] | sorts[Sort.TYPE], Anew.NEW)
    touched = frozenset(c.group for c in changes if c.group)
    if any(c.sort is Sort.POLICY and c.group is None for c in changes):
        touched |= {group.name for group in map.groups}
    keys = {f.name for f in map.fields if f.key}
    outside = any(c.sort is Sort.OUTSIDE for c in changes) or bool(keys & sorts[Sort.DIRECTION])
    redirected = frozenset(sorts[Sort.DIRECTION])
    return Turn(changes, anew, touched, redirected, outside, unread=bool(sorts[Sort.TYPE]))


def _is_key(change: MapChange) -> bool:
    row = change.after if change.sort is Sort.ADDED else change.before
    return change.sort in (Sort.ADDED, Sort.REMOVED) and bool(row.get("key"))


def _unknown_turn(map: CompiledMap, read: Mapping[Side, Sequence[str]]) -> Turn:
    """Kept by a version of this program that did not keep maps: only what is new shows."""
    groups = frozenset(group.name for group in map.groups)
    new = {group.name for group in map.groups if not _was_read(group, read)}
    return Turn((), dict.fromkeys(new, Anew.NEW), groups, groups, outside=True, unread=False)


def _was_read(group: Group, read: Mapping[Side, Sequence[str]]) -> bool:
    pairs = [(side, f.column(side)) for side in Side for f in group.fields]
    return all(not read.get(side) or column in (None, *read[side]) for side, column in pairs)


def _rekeyed(document: MapDocument, change: MapChange) -> MapError:
    place = f"field {change.field}" if change.field else f"`{change.at}`"
    return MapError(
        "map-rekeyed",
        f"{place} changed, and with it which records the map pairs",
        subject=document.file.subject(map=document.map),
        cause="the sync state belongs to the records as they were paired before",
        remedy="put it back as it was, or give the map another name and load it",
    )


# ---------------------------------------------------------------------------- records


def concerned(record: Record, map: CompiledMap, turn: Turn, open: Collection[str]) -> set[str]:
    """The groups in which the record is to be planned anew; `open` are those in conflict now."""
    c, d = record.commerce, record.dataverse
    found = set(open) & turn.touched
    if record.waiting:
        found |= turn.touched
    if record.problem is not None and record.problem.subject.field is not None:
        found |= _groups_of(map, record.problem.subject.field) & turn.touched
    if c.agreed is not None and d.agreed is not None:
        seen = _seen(record)
        found |= {g.name for g in map.groups if _group_concerned(g, record, seen, turn)}
    if turn.outside and _stands_outside(record, map):
        found.add(OUTSIDE)
    return found


def _seen(record: Record) -> tuple[Image, Image] | None:
    """What both sides hold, where that is known."""
    c, d = record.commerce, record.dataverse
    there = c.presence is d.presence is Presence.PRESENT
    return (c.image, d.image) if there and c.image is not None and d.image is not None else None


def _group_concerned(
    group: Group, record: Record, seen: tuple[Image, Image] | None, turn: Turn
) -> bool:
    how = turn.anew.get(group.name)
    if how is Anew.NEW:
        return True
    if how is Anew.CHANGED:
        return seen is None or not group.same(*seen)
    if group.name not in turn.redirected or seen is None:
        return False
    halves = record.commerce.agreed, record.dataverse.agreed
    return any(
        half is not None and group.changed(side, image, half)
        for side, image, half in zip(Side, seen, halves, strict=True)
    )


def _groups_of(map: CompiledMap, field: str) -> set[str]:
    names = {g.name for g in map.groups if any(f.name == field for f in g.fields)}
    return names or {field}


def _stands_outside(record: Record, map: CompiledMap) -> bool:
    """Whether it is kept from travelling, or no longer."""
    there = [record.side(side).presence is not Presence.ABSENT for side in Side]
    never_met = record.commerce.agreed is None or record.dataverse.agreed is None
    return not all(there) or never_met or bool(refused_by(record, map))


def mark(record: Record, map: CompiledMap, turn: Turn, groups: Collection[str], now: float) -> None:
    """Have the record planned anew in these groups."""
    names = {group.name for group in map.groups}
    record.anew = {name: how for name, how in record.anew.items() if name in names}
    record.anew |= {name: turn.anew[name] for name in groups if name in turn.anew}
    record.due = now
    stand(record)


def concerned_records(
    store: Store, layout: Layout, map: CompiledMap, turn: Turn, page: int
) -> Iterator[list[tuple[Record, set[str]]]]:
    """Page by page, the records a change concerns and their groups."""
    after = 0
    while records := store.needing(layout, list(State), after, page):
        after = records[-1].number
        found = [(r, concerned(r, map, turn, _open(store, r))) for r in records]
        yield [(record, groups) for record, groups in found if groups]


def _open(store: Store, record: Record) -> set[str]:
    if not record.conflicts:
        return set()
    return {row.group for row in store.conflict_rows(record.number) if row.closed is None}


# ---------------------------------------------------------------------------- the run


def columns_read(store: Store, map: str) -> dict[Side, Sequence[str]]:
    """The columns that were read of each side."""
    found = store.positions(map)
    return {side: found[side, "feed"].columns for side in Side if (side, "feed") in found}


def turn_over(run: MapRun, row: MapRow | None) -> None:
    """Have the records planned anew that a change of the map concerns, before anything is read.

    Raises `MapError` (`map-rekeyed`).
    """
    document = run.map.document
    text = kept_as(document)
    if row is not None and (row.fingerprint, row.version, row.document) == (
        document.fingerprint(),
        document.version,
        text,
    ):
        return
    kept = row or MapRow(document.map, document.fingerprint(), document.version)
    turn = turn_of(kept, run.map, columns_read(run.store, document.map))
    if turn is not None:
        for page in concerned_records(run.store, run.layout, run.map, turn, run.limits.page):
            work = run.work()
            for record, groups in page:
                mark(record, run.map, turn, groups, run.now())
                work.updated.append(record)
            run.commit(work)
            run.tell("replanned", len(page))
    work = run.work()
    work.map = replace(
        kept, fingerprint=document.fingerprint(), version=document.version, document=text
    )
    if turn is not None and turn.unread:
        work.positions = [Position(s, kind, None) for s in Side for kind in ("scan", "feed")]
        run.whole.clear()
    run.commit(work)
