"""What became of the values and cards people left.

Owns: that nothing is lost, invented, revived, or deleted without a cause.
Never does: trusting the engine's word: it looks at the systems and at the audit.
"""

from __future__ import annotations

from connector.endpoints.base import Create
from connector.mapping.values import Value, normal_key
from connector.store.work import ChangeKind
from tests.simulation.findings import Found
from tests.simulation.maps import KEYS, SHARED
from tests.simulation.people import known_key
from tests.simulation.systems import SOMEBODY, US
from tests.simulation.world import World

GROUPED = frozenset({"first", "second"})


def nothing_invented(world: World) -> None:
    """Every value on a side was written by a person, for a card of this key."""
    renamed = world.plan.habits["rename"] or world.plan.habits["unkey"]
    for side, system in world.systems.items():
        for id, row in system.rows.items():
            card = known_key(row.values[system.key])
            for name, value in row.values.items():
                if value is None or name.lower() in SHARED:
                    continue
                cards = world.people.written.get(name.lower(), {}).get(value)
                assert cards is not None, f"nobody wrote {name}={value!r} of {id} in {side}"
                assert renamed or card in cards, (
                    f"{name}={value!r} of {id} in {side} was written for {sorted(cards)}"
                )


def nothing_lost(world: World, found: Found) -> None:
    """What was read, or replaced by a write of ours, stands there still or is in the audit."""
    noted: set[tuple[str, str, Value]] = set()
    for row in found.audit:
        for values in (row.before, row.after):
            noted.update((row.side, name, value) for name, value in values.items())
    map, _ = world.commands.compiled
    for side, system in world.systems.items():
        mapped = set(map.column_names(side)) - {KEYS[side]}
        for cell in system.gave_way:
            if cell.value is not None and cell.column in mapped:
                assert (side.value, cell.column, cell.value) in noted, (
                    f"{cell} was replaced by us and stands nowhere"
                )
    _nothing_read_is_lost(world, {(name.lower(), value) for _, name, value in noted})


def _nothing_read_is_lost(world: World, noted: set[tuple[str, Value]]) -> None:
    map, _ = world.commands.compiled
    for side, system in world.systems.items():
        names = map.column_names(side)
        standing = {(n, value) for row in system.rows.values() for n, value in row.values.items()}
        written = world.people.written
        for image in world.known.images[side]:
            for name, value in zip(names, image, strict=True):
                if name.lower() in SHARED or value is None or name == KEYS[side]:
                    continue
                assert (
                    (name, value) in standing
                    or (name.lower(), value) in noted
                    or value not in written.get(name.lower(), ())
                ), f"{name}={value!r} was read in {side}, is gone and stands nowhere"


def nothing_brought_back(world: World) -> None:
    """What a person, or a write of ours, replaced does not come back over the newer: no flip-flop.

    Unless a person decided so. What was before a backup was restored does not count (`world.py`).
    Grouped columns travel together, so that one of them may go back with an edit of the other. A
    column that keeps less than it is given hides, after a lost reply, that it was given anything.
    """
    if world.commands.decided:
        return
    for side, system in world.systems.items():
        excused = GROUPED | {name.lower() for name in system.traits.cut}
        back = [cell for cell in system.brought_back if cell.column.lower() not in excused]
        assert not back, f"replaced in {side}, and put back by us: {back}"


def nothing_revived(world: World, found: Found) -> None:
    """What a person deleted on one side we do not make again out of the other half.

    Unless a create came twice, the second time late: sent before anybody deleted what the first
    one had made, it is received after that, under the same id, and no engine can call it back.
    Nor where an undo meant to delete that very row: both want it gone, and only the undo wants
    its other half to be free of it, to be carried across again when the map goes on. What an undo
    makes again itself is somebody's wish. Where rows are known by their key alone, a row of another
    version than the one that a lost delete was meant for passes for a new card.
    """
    if world.plan.habits["rename"] or world.plan.habits["unkey"] or world.restores:
        return
    for parted in world.people.parted:
        undone = world.known.taken_back
        if (ChangeKind.DELETE, parted.side, parted.id) in undone or world.plan.deletes[
            parted.side
        ] == "restore":
            continue
        system, other = world.systems[parted.side], world.systems[parted.side.other]
        if other.traits.ids == "key" and (
            _delete_was_lost(found, parted.other)
            or any(gone.id == parted.other for gone in other.dropped)  # it is another row by now
        ):
            continue
        before = {write.operation.id for write in system.writes if write.at < parted.at}
        twice = {w.at for w in system.writes if w.at in system.late and w.operation.id in before}
        made = [
            write
            for write in system.writes
            if write.at > parted.at
            and write.at not in twice
            and (ChangeKind.CREATE, parted.side, write.operation.id) not in undone
            and isinstance(write.operation, Create)
            and normal_key(write.operation.values.get(system.key)) == parted.key
        ]
        if made and world.people.born.get((parted.side.other, parted.key), 0) < 2:
            left = other.rows.get(parted.other)
            assert left is None, f"{parted} was revived by {made[0]}"


def _delete_was_lost(found: Found, id: str) -> bool:
    """Whether a delete of ours to a row may have taken effect, and nobody heard of it."""
    deletes = [row for row in found.audit if (row.kind, row.target) == ("delete", id)]
    return any(row.outcome in ("unknown", "missing") for row in deletes)


def deletes_have_a_cause(world: World) -> None:
    """We delete only what a person deleted on the other side, or had taken back.

    A state that went back to before an undo does not know that it was us who deleted there, and
    the feed does not say: it passes for somebody's delete.
    """
    if world.plan.habits["rename"] or world.plan.habits["unkey"]:
        return
    for side, system in world.systems.items():
        other = world.systems[side.other]
        undone = world.known.taken_back
        meant = {
            gone.key
            for gone in other.dropped
            if gone.by == SOMEBODY
            or (world.restores and (ChangeKind.DELETE, other.side, gone.id) in undone)
        }
        ours = [gone for gone in system.dropped if gone.by == US]
        unmeant = {
            gone.key for gone in ours if (ChangeKind.DELETE, side, gone.id) not in undone
        } - meant
        assert not unmeant, f"deleted in {side}, but by nobody in {side.other}: {sorted(unmeant)}"
