"""What must hold when a world has come to rest.

Owns: the order of the checks, and those of the state: rest, few writes, equal sides.
Never does: driving anything but the last verify and the sync that must find nothing. It judges
from the two systems and the state, not from what the engine says.
"""

from __future__ import annotations

from connector.endpoints.base import Create
from connector.engine.proof.verify import Verdict
from connector.mapping.values import Side, Value
from connector.store.record import Record, State
from tests.simulation import audited, left
from tests.simulation.excuses import may_be_parked
from tests.simulation.findings import Found, by_key
from tests.simulation.maps import MEANT
from tests.simulation.systems import US
from tests.simulation.told import Stored
from tests.simulation.world import World

PAIRED = ("Name", "Level", "First", "Second", "Active")
UNHEARD = ("crash", "lost after", "unreachable", "takeover", "truncated", "sent twice")
WRITES_PER_ACT = 6


def judge(world: World) -> Verdict:
    """Assert everything; the last verify, for figures."""
    rounds = world.quiet()
    writes = {side: len(system.writes) for side, system in world.systems.items()}
    again = world.command("sync", world.commands.sync)
    assert again, f"at rest after {rounds} runs, then not finished"
    for side, system in world.systems.items():
        extra = system.writes[writes[side] :]
        assert not extra, f"a sync without edits wrote to {side}: {extra}"
    verdict = world.command("verify", world.commands.verify)
    assert isinstance(verdict, Verdict), "the last verify did not come to its end"
    found = Found.of(world)
    few_writes(world)
    left.nothing_invented(world)
    left.nothing_lost(world, found)
    left.nothing_brought_back(world)
    left.nothing_revived(world, found)
    left.deletes_have_a_cause(world)
    audited.every_write_is_explained(world, found)
    no_duplicates(world)
    all_equal(world, found)
    bad = [finding for finding in verdict.findings if finding.verdict == "difference"]
    assert not bad, f"verify finds differences: {bad}"
    return verdict


def few_writes(world: World) -> None:
    """Writes are bounded by edits, and each of them changes something."""
    count = sum(len(system.writes) for system in world.systems.values())
    causes = world.people.acts + world.crashes + 30 * world.restores
    limit = WRITES_PER_ACT * causes + 10
    assert count <= limit, f"{count} writes for {world.people.acts} acts of people"
    for side, system in world.systems.items():
        cut = set(system.traits.cut)
        idle = [w for w in system.idle if not cut.intersection(w.values)]
        assert not idle, f"writes to {side} that changed nothing: {idle}"


def no_duplicates(world: World) -> None:
    """We never make two rows of one key.

    Unless the state went back to before one of them was announced, and what had been sent was
    received later still, on a side that takes a second row of a key: nobody knew of it any more.
    """
    if world.plan.habits["rename"] or world.plan.habits["unkey"]:
        return
    for side, system in world.systems.items():
        creates = [
            w for w in system.writes if w.at in system.late and isinstance(w.operation, Create)
        ]
        forgotten = {w.operation.id for w in creates} if world.restores else set()
        late = [id(system.rows[one]) for one in forgotten if one in system.rows]
        for key, rows in by_key(system).items():
            ours = [row for row in rows if row.creator == US and id(row) not in late]
            assert len(ours) < 2, f"we made {len(ours)} rows {key!r} in {side}"


def all_equal(world: World, found: Found) -> None:
    """Both sides hold the same, but for what a person has to decide or the map wants."""
    commerce, dataverse = (by_key(world.systems[side]) for side in Side)
    for key in sorted({*commerce, *dataverse}):
        ours, theirs = commerce.get(key, []), dataverse.get(key, [])
        records = found.records.get(key, [])
        concerned = records + found.bound([*ours, *theirs])
        if _parked(found, concerned) or any(record.accepted for record in concerned):
            continue
        if any(id in world.known.stale for side in Side for id in found.ids(key, side)):
            continue
        assert len(ours) < 2, f"two rows {key!r} in commerce, and nobody is told"
        assert len(theirs) < 2, f"two rows {key!r} in dataverse, and nobody is told"
        if not ours or not theirs:
            gone = Side.COMMERCE if not ours else Side.DATAVERSE
            assert world.plan.deletes[gone] in ("ignore", "deactivate"), f"no {key!r} in {gone}"
            continue
        _same(world, found, key, records, ours[0], theirs[0])


def _parked(found: Found, records: list[Record]) -> bool:
    parked = [record for record in records if record.problem is not None]
    for record in parked:
        assert may_be_parked(found, record), f"{record.key!r} is parked: {record.problem}"
    return bool(parked)


def _same(
    world: World, found: Found, key: str, records: list[Record], ours: Stored, theirs: Stored
) -> None:
    open_groups = {
        group for record in records for n, group in found.conflicts if n == record.number
    }
    waiting = _waits(world, ours, theirs)
    unsettled = [record for record in records if record.state is not State.SETTLED]
    assert not unsettled or open_groups or waiting, f"{key!r} is at rest, but {unsettled[0].state}"
    for name in PAIRED:
        group = "both" if name in ("First", "Second") else name
        if group in open_groups:
            continue
        a, b = ours.values[name], theirs.values[name.lower()]
        assert _alike(world, name, a, b), f"{key!r}: {name} is {a!r} and {b!r}"
    if world.plan.habits["currency"] and "Currency" not in open_groups and not waiting:
        code, id = ours.values["Currency"], theirs.values["currency"]
        # A currency that was renamed since is still the one the card names.
        codes = world.people.codes.get(str(id), {None})
        assert code in codes, f"{key!r}: the currency is {code!r} and {id!r}, which is {codes}"
    for name, target, given, row, source in (
        ("note", Side.DATAVERSE, ours.values["Note"], theirs, ours),
        ("Hint", Side.COMMERCE, theirs.values["hint"], ours, theirs),
    ):
        drifted = row.values[name]
        (id,) = found.ids(key, target)
        went_back = world.systems[target].went_back
        if (id, name) in went_back and went_back[id, name] == given:
            # It held what its source still does until a restore took that back, which nobody can
            # tell from an edit: it is drift until its source moves.
            continue
        if drifted in world.systems[target].unremembered.get((id, name), ()):
            # Ours, but of after the backup the state went back to: at first contact anybody's.
            continue
        if given is None and world.people.born.get((target.other, key), 0) > 1:
            # It came from a card that is gone. At the first contact with the one made in its
            # place a blank wins over nothing.
            continue
        # A row we put back holds nothing in a column that does not travel to it, nor does one
        # that a person made without it; and a first write whose reply was lost is taken for what
        # the side held before.
        fair = source.creator == US or any(world.plan.rates[fault] for fault in UNHEARD)
        fair = fair or (drifted is None and row.creator != US)
        assert drifted == given or name in row.people or fair, (
            f"{key!r}: {name} in {target} is {drifted!r}, which is neither {given!r} nor an edit"
        )


def _waits(world: World, ours: Stored, theirs: Stored) -> bool:
    """Whether a currency this card refers to is not there."""
    targets = world.systems[Side.DATAVERSE].targets
    code, id = ours.values["Currency"], theirs.values["currency"]
    missing = code is not None and code not in targets.values()
    return missing or (id is not None and id not in targets)


def _alike(world: World, name: str, a: Value, b: Value) -> bool:
    if name == "Active":
        return (None if a is None else MEANT[str(a)]) is b
    cut = world.systems[Side.COMMERCE].traits.cut.get(name)
    cut_too = world.systems[Side.DATAVERSE].traits.cut.get(name.lower())
    return a == b or bool(cut and cut(b) == a) or bool(cut_too and cut_too(a) == b)
