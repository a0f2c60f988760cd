"""What must hold when a world has come to rest.

Owns: the invariants, judged from the two systems and the store, not from what the engine says.
Never does: driving anything but the last verify and the sync that must find nothing.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from connector.engine.verify import Verdict
from connector.mapping.values import Side, Value
from connector.store.record import Layout, Record, State
from tests.simulation.people import known_key
from tests.simulation.plan_of_seed import KEYS
from tests.simulation.systems import SOMEBODY, US, Stored, System
from tests.simulation.world import World

EXCUSES = {
    "key-changed": ("rename", "unkey"),
    "key-missing": ("unkey",),
    "duplicate-key": ("rename", "create", "unkey"),
    "commerce-refused": ("rejected",),
    "dataverse-refused": ("rejected",),
    "attempts-exhausted": (
        *("transient", "lost before", "lost after", "crash", "takeover"),
        *("rename", "unkey"),  # a key that is taken by a row of another record
    ),
}
"""A record may be parked only for what this seed lets happen."""
PAIRED = ("Name", "Level", "First", "Second", "Active")
UNHEARD = ("crash", "lost after", "unreachable", "takeover")
WRITES_PER_ACT = 6


@dataclass
class Found:
    """The records of the state, by key and by number."""

    by_key: dict[str, list[Record]]
    layout: Layout
    open: set[tuple[int, str]]
    """(record, group) of the open conflicts."""


def judge(world: World) -> Verdict:
    """Assert everything; the last verify, for figures."""
    rounds = world.quiet()
    writes = {side: len(system.writes) for side, system in world.systems.items()}
    assert world.command("sync", world.sync), f"at rest after {rounds} runs, then not finished"
    for side, system in world.systems.items():
        extra = system.writes[writes[side] :]
        assert not extra, f"a sync without edits wrote to {side}: {extra}"
    verdict = world.command("verify", world.verify)
    assert isinstance(verdict, Verdict)
    found = _state(world)
    _few_writes(world)
    _nothing_invented(world)
    _nothing_lost(world, found)
    _no_duplicates(world)
    _deletes_have_a_cause(world)
    _all_equal(world, found)
    bad = [finding for finding in verdict.findings if finding.verdict == "difference"]
    assert not bad, f"verify finds differences: {bad}"
    return verdict


def _state(world: World) -> Found:
    store = world.stores.open()
    map, _ = world.compiled()
    columns = {side: tuple((c.name, c.type) for c in map.columns[side]) for side in Side}
    layout = store.layout(map.name, columns)
    by_key: dict[str, list[Record]] = {}
    for record in store.needing(layout, list(State), 0, 10_000):
        by_key.setdefault(record.key, []).append(record)
    open_ones = store.open_conflicts(map.name, 0, 10_000)
    store.close()
    return Found(by_key, layout, {(one.record, one.conflict.group) for one in open_ones})


def _few_writes(world: World) -> None:
    count = sum(len(system.writes) for system in world.systems.values())
    limit = WRITES_PER_ACT * (world.people.acts + world.crashes) + 10
    assert count <= limit, f"{count} writes for {world.people.acts} acts of people"
    for side, system in world.systems.items():
        cut = set(system.traits.cut)
        idle = [w for w in system.idle if not cut.intersection(w.values)]
        assert not idle, f"writes to {side} that changed nothing: {idle}"


def _nothing_invented(world: World) -> None:
    for side, system in world.systems.items():
        for id, row in system.rows.items():
            for name, value in row.values.items():
                if value is None or name.lower() == "active":
                    continue
                known = world.people.written.get(name.lower(), set())
                known |= world.people.written.get(name, set())
                assert value in known, f"nobody wrote {name}={value!r} of {id} in {side}"


def _nothing_lost(world: World, found: Found) -> None:
    """What a write of ours replaced stands in the audit, on its side and under its column."""
    noted: set[tuple[str, str, str]] = set()
    with sqlite3.connect(world.stores.path) as connection:
        rows = connection.execute("SELECT side, before, after FROM changes").fetchall()
    connection.close()
    for side, *texts in rows:
        for text in texts:
            for name, value in (json.loads(text) if text else {}).items():
                noted.add((side, name, _plain(value)))
    for side, system in world.systems.items():
        for cell in system.gave_way:
            if cell.value is not None and cell.column != KEYS[side]:
                assert (side.value, cell.column, _plain(cell.value)) in noted, (
                    f"{cell} was replaced by us and stands nowhere"
                )


def _plain(value: object) -> str:
    if isinstance(value, dict):
        value = next(iter(value.values()))
    return str(value)


def _by_key(system: System) -> dict[str, list[Stored]]:
    found: dict[str, list[Stored]] = {}
    for id, row in system.rows.items():
        found.setdefault(known_key(row.values[system.key]) or f"\0{id}", []).append(row)
    return found


def _no_duplicates(world: World) -> None:
    if world.plan.habits["rename"] or world.plan.habits["unkey"]:
        return
    for side, system in world.systems.items():
        for key, rows in _by_key(system).items():
            ours = [row for row in rows if row.creator == US]
            assert len(ours) < 2, f"we made {len(ours)} rows {key!r} in {side}"


def _deletes_have_a_cause(world: World) -> None:
    """We delete only what a person deleted on the other side."""
    if world.plan.habits["rename"] or world.plan.habits["unkey"]:
        return
    for side, system in world.systems.items():
        meant = world.systems[side.other].dropped.get(SOMEBODY, set())
        unmeant = system.dropped.get(US, set()) - meant
        assert not unmeant, f"deleted in {side}, but by nobody in {side.other}: {unmeant}"


def _all_equal(world: World, found: Found) -> None:
    """Both sides hold the same, but for what a person has to decide or the map wants."""
    commerce, dataverse = (_by_key(world.systems[side]) for side in Side)
    for key in sorted({*commerce, *dataverse}):
        ours, theirs = commerce.get(key, []), dataverse.get(key, [])
        records = found.by_key.get(key, [])
        if _parked(world, records + _bound(world, found, [*ours, *theirs])):
            continue
        assert len(ours) < 2, f"two rows {key!r} in commerce, and nobody is told"
        assert len(theirs) < 2, f"two rows {key!r} in dataverse, and nobody is told"
        if not ours or not theirs:
            gone = Side.COMMERCE if not ours else Side.DATAVERSE
            assert world.plan.deletes[gone] in ("ignore", "deactivate"), f"no {key!r} in {gone}"
            continue
        _same(world, found, key, records, ours[0], theirs[0])


def _parked(world: World, records: list[Record]) -> bool:
    problems = [record.problem for record in records if record.problem is not None]
    for problem in problems:
        plan = world.plan
        causes = EXCUSES[problem.code]
        assert any(plan.rates.get(c) or plan.habits.get(c) for c in causes), f"parked: {problem}"
    return bool(problems)


def _bound(world: World, found: Found, rows: list[Stored]) -> list[Record]:
    """The records these rows are bound to, which may be those of keys they had before."""
    ids = {
        id
        for system in world.systems.values()
        for id, stored in system.rows.items()
        if any(stored is row for row in rows)
    }
    return [
        record
        for records in found.by_key.values()
        for record in records
        if record.commerce.id in ids or record.dataverse.id in ids
    ]


def _same(
    world: World, found: Found, key: str, records: list[Record], ours: Stored, theirs: Stored
) -> None:
    open_groups = {group for record in records for n, group in found.open if n == record.number}
    waiting = [record for record in records if record.state is not State.SETTLED]
    assert not waiting or open_groups, f"{key!r} is at rest, but {waiting[0].state}"
    for name in PAIRED:
        group = "both" if name in ("First", "Second") else name
        if group in open_groups:
            continue
        a, b = ours.values[name], theirs.values[name.lower()]
        assert _alike(world, name, a, b), f"{key!r}: {name} is {a!r} and {b!r}"
    for name, target, given, row, source in (
        ("note", Side.DATAVERSE, ours.values["Note"], theirs, ours),
        ("Hint", Side.COMMERCE, theirs.values["hint"], ours, theirs),
    ):
        drifted = row.values[name]
        # A row we put back holds nothing in a column that does not travel to it, and a first
        # write whose reply was lost is taken for what the side held before.
        fair = source.creator == US or any(world.plan.rates[fault] for fault in UNHEARD)
        assert drifted == given or name in row.people or fair, (
            f"{key!r}: {name} in {target} is {drifted!r}, which is neither {given!r} nor an edit"
        )


def _alike(world: World, name: str, a: Value, b: Value) -> bool:
    if name == "Active":
        return {"Yes": True, "No": False, None: None}[a] == b  # type: ignore[index]
    cut = world.systems[Side.COMMERCE].traits.cut.get(name)
    cut_too = world.systems[Side.DATAVERSE].traits.cut.get(name.lower())
    return a == b or bool(cut and cut(b) == a) or bool(cut_too and cut_too(a) == b)
