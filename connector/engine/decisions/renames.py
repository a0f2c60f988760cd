"""A person's ways out for a row whose key was changed or emptied on one side.

Owns: what each way means. `old-key` writes the key back where it was changed. `new-card` lets the
row begin anew under its new key; the record it leaves has lost its row there, and the map's delete
policy applies. `rename` lets the record bear the new key, which then travels to the other side.
Never does: choosing a way; writing without the version that was read.
Tested in: tests/integration/engine/test_renames.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from connector.engine.agreement import in_form_of
from connector.engine.apply import Applier
from connector.engine.cycle import settle_due
from connector.engine.decisions.fresh import read_anew
from connector.engine.decisions.undecided import Refuse, Undecided, moved_on, why_not
from connector.engine.news.absorb import Absorbed, begin_anew
from connector.engine.news.in_the_way import Strays
from connector.engine.news.twins import KEYLESS
from connector.engine.plan import Action, Kind, Write
from connector.engine.runs.run import MapRun
from connector.errors import Problem
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Image, Side, Value
from connector.store.record import Presence, Record
from connector.store.work import ChangeKind


class Way(StrEnum):
    """What becomes of a row that bears another key than its record."""

    OLD_KEY = "old-key"
    NEW_CARD = "new-card"
    RENAME = "rename"


def resolve_renamed(
    run: MapRun, records: Sequence[Record], way: Way, by: str, refuse: Refuse
) -> int:
    """Take one way for each of these parked records; how many need nobody any more.

    Both sides are read anew first; a record that is parked for another reason by then, or no
    longer, is refused with `changed`.
    """
    codes = {r.number: r.problem.code for r in records if r.problem is not None}
    read_anew(run, records)
    asked: list[tuple[Record, Side]] = []
    for record in records:
        problem = record.problem
        if problem is None or problem.code != codes.get(record.number):
            refuse(Undecided(record, moved_on(record)))
        elif problem.code in ("key-missing", "key-unusable") and way is not Way.OLD_KEY:
            refuse(Undecided(record, _no_new_key(record)))
        else:
            asked.append((record, Side(str(problem.subject.side))))
    steps = {Way.OLD_KEY: _put_back, Way.NEW_CARD: _begin_anew, Way.RENAME: _rename}
    taken = steps[way](run, asked, by, refuse)
    settle_due(run)
    return _settled(run, taken, refuse)


def _settled(run: MapRun, taken: Sequence[Record], refuse: Refuse) -> int:
    now = run.store.by_numbers(run.layout, [record.number for record in taken])
    refused = [Undecided(r, r.problem) for r in now.values() if r.problem is not None]
    for undecided in refused:
        refuse(undecided)
    run.tell("resolved", len(taken) - len(refused))
    return len(taken) - len(refused)


def _note(run: MapRun, absorbed: Absorbed, record: Record, side: Side, what: str) -> None:
    run.note(absorbed.work, record, ChangeKind.DECISION, side, detail=what)


# ---------------------------------------------------------------------------- old-key


def _put_back(
    run: MapRun, asked: Sequence[tuple[Record, Side]], by: str, refuse: Refuse
) -> list[Record]:
    """Write the old key back; meanwhile the record waits for nobody."""
    absorbed = Absorbed(run.work())
    writes: dict[int, Write] = {}
    for record, side in asked:
        values = _old_key(run.map, record, side)
        if values is None:
            refuse(Undecided(record, _no_old_key(record, side)))
            continue
        state = record.side(side)
        held = dict(zip(run.map.column_names(side), state.image or (), strict=True))
        before = {name: held[name] for name in values}
        what = f"old-key: the key of before goes back to {side}, decided by {by}"
        write = Write(side, Kind.UPDATE, state.id, state.version, values, before, reason=what)
        writes[record.number] = write
        _note(run, absorbed, record, side, what)
        record.due = run.now()
        absorbed.touch(record)

    def planned(record: Record, map: CompiledMap) -> Action:  # noqa: ARG001 - of the signature
        return Action(writes=[writes[record.number]], again=True)

    strays = [Strays(run.map, side, absorbed.records) for side in Side]
    applier = Applier(run)
    applier.push(absorbed, planned)
    applier.drain()
    freed = Absorbed(run.work())
    for record in [r for one in strays for r in one.let_on(run, absorbed.records)]:
        freed.touch(record)
    run.commit(freed.seal(run))
    return absorbed.records


def _old_key(map: CompiledMap, record: Record, side: Side) -> dict[str, Value] | None:
    """The key columns as this side last agreed on them, else as the other side has them.

    None where neither gives the record's own key.
    """
    state, other = record.side(side), record.side(side.other)
    assert state.image is not None
    halves: list[Image] = [] if state.agreed is None else [state.agreed]
    if other.image is not None:
        theirs = list(state.image)
        for field in map.fields:
            if field.key and field.index(side) >= 0:
                theirs[field.index(side)] = in_form_of(side, field, other.image)
        halves.append(tuple(theirs))
    for half in halves:
        if map.key_of(side, half) == record.key:
            return {map.columns[side][at].name: half[at] for at in map.keys[side]}
    return None


# ---------------------------------------------------------------------------- new-card


def _begin_anew(
    run: MapRun,
    asked: Sequence[tuple[Record, Side]],
    by: str,
    refuse: Refuse,  # noqa: ARG001 - of the signature
) -> list[Record]:
    taken: list[Record] = []
    for side in Side:
        leaving = [record for record, changed in asked if changed is side]
        if not leaving:
            continue
        keys = {record.number: record.side(side).key for record in leaving}
        run.hold()
        absorbed = begin_anew(run, side, leaving)
        for record in leaving:
            what = f"new-card: {keys[record.number]} begins anew in {side}, decided by {by}"
            _note(run, absorbed, record, side, what)
        run.commit(absorbed.seal(run))
        taken += leaving
    return taken


# ---------------------------------------------------------------------------- rename


def _rename(
    run: MapRun, asked: Sequence[tuple[Record, Side]], by: str, refuse: Refuse
) -> list[Record]:
    """Let the record bear the new key; planning it then writes the key to the other side."""
    wanted = {record.number: _key(run.map, record, side) for record, side in asked}
    holders = run.store.by_keys(run.layout, list(wanted.values()))
    absorbed = Absorbed(run.work())
    taken: dict[str, Record] = {}
    renamed: list[Record] = []
    for record, side in asked:
        key = wanted[record.number]
        others = [other for other in holders.get(key, ()) if other.number != record.number]
        there = next((other for other in others if not _is_tombstone(other)), taken.get(key))
        travels = all(f.travels_to(side.other) for f in run.map.fields if f.key)
        if there is not None or not travels:
            refuse(Undecided(record, _taken(record, there) if there else _one_way(record, side)))
            continue
        for tombstone in others:
            tombstone.key = f"{KEYLESS}{tombstone.number}"
            absorbed.touch(tombstone)
        what = f"rename: {record.side(side).key} is the key on both sides, decided by {by}"
        _note(run, absorbed, record, side, what)
        record.key, record.ordinal = key, 0
        record.problem = None
        record.due = run.now()
        absorbed.touch(record)
        taken[key] = record
        renamed.append(record)
    run.commit(absorbed.seal(run))
    return renamed


def _key(map: CompiledMap, record: Record, side: Side) -> str:
    image = record.side(side).image
    key = map.key_of(side, image) if image is not None else None
    assert key is not None, "a changed key is one"
    return key


def _is_tombstone(record: Record) -> bool:
    return record.commerce.presence is record.dataverse.presence is Presence.ABSENT


# ---------------------------------------------------------------------------- why not


def _no_new_key(record: Record) -> Problem:
    return why_not(
        record, "way-unknown", "the row has no key to go on with", "only --with old-key helps here"
    )


def _no_old_key(record: Record, side: Side) -> Problem:
    return why_not(
        record,
        "way-unknown",
        "the old key is not known any more",
        f"put it back in {side}, or use --with new-card",
    )


def _taken(record: Record, other: Record) -> Problem:
    return why_not(
        record,
        "key-taken",
        f"record {other.number} bears this key already",
        "use --with old-key or --with new-card, or delete the other record first",
    )


def _one_way(record: Record, side: Side) -> Problem:
    return why_not(
        record,
        "way-unknown",
        f"the map sends no keys to {side.other}",
        "use --with old-key or --with new-card",
    )
