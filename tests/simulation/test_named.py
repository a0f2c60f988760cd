"""Stories that other sync products got wrong, and those a seed found here, told one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from connector.endpoints.base import Create
from connector.engine.ports import Guard, Limits, Ports, Tuning
from connector.engine.retry import Retry
from connector.engine.runs.run import MapRun
from connector.mapping.values import Side
from tests.simulation.conftest import MakeWorld
from tests.simulation.maps import map_text, spelled
from tests.simulation.plan_of_seed import FAULTS, HABITS, Plan
from tests.simulation.process import Process
from tests.simulation.systems import SOMEBODY
from tests.simulation.traits import Traits
from tests.simulation.verdict import judge
from tests.simulation.world import World

C, D = Side.COMMERCE, Side.DATAVERSE
PROPAGATE = ("propagate", "propagate")


def plan(
    deletes: tuple[str, str] = PROPAGATE,
    conflict: str = "manual",
    rates: Mapping[str, float] | None = None,
) -> Plan:
    """A calm world of small pages."""
    return Plan(
        {**dict.fromkeys(FAULTS, 0.0), **(rates or {})},
        dict.fromkeys(HABITS, 0) | {"rename": 1},
        map_text(conflict, deletes),
        dict(zip(Side, deletes, strict=True)),
        {side: Traits(side is C, True, True, True, page=2, batch=2) for side in Side},
        Tuning(Guard(1000, 1.0, 1), Retry(8, 2.0), Limits(page=3)),
        steps=0,
        cards=0,
    )


def begin(make_world: MakeWorld, how: Plan | None = None) -> World:
    """Four cards on both sides, two from each."""
    world = make_world(1, how or plan())
    for n, side in enumerate([C, C, D, D]):
        put(world, side, f"{side.value[0]}{n}", f"K{n}", f"name {n}")
    assert world.command("sync", world.commands.sync)
    return world


def put(world: World, side: Side, id: str, key: str | None = None, name: str | None = None) -> None:
    """Somebody creates or edits a card."""
    values = {spelled(side, "Number"): key, spelled(side, "Name"): name}
    world.people.acts += 1
    world.people.put(side, id, {column: v for column, v in values.items() if v is not None})


def held(world: World, side: Side, key: str) -> dict[str, object] | None:
    """The one card a side has under a key."""
    system = world.systems[side]
    id = system.twin(key)
    return None if id is None else dict(system.rows[id].values)


def test_flip_flop(make_world: MakeWorld) -> None:
    """Two quick edits while the echo of the first is under way do not chase each other."""
    world = begin(make_world)
    before = sum(len(system.writes) for system in world.systems.values())

    def second_edit(process: Process, name: str) -> None:
        if name == "dataverse has written":
            world.script = None
            put(world, C, "c0", name="second")

    put(world, C, "c0", name="first")
    world.script = second_edit
    world.command("sync", world.commands.sync)
    judge(world)
    dataverse = held(world, D, "K0")
    assert dataverse is not None
    assert dataverse["name"] == "second"
    assert sum(len(system.writes) for system in world.systems.values()) - before == 2


def test_a_delete_is_not_revived(make_world: MakeWorld) -> None:
    """The echo of our own write comes after the delete of the row, or with it."""
    world = begin(make_world)
    put(world, C, "c0", name="edited")

    def deleted(process: Process, name: str) -> None:
        if name == "dataverse has written":
            world.script = None
            world.systems[C].drop("c0", SOMEBODY)

    world.script = deleted
    world.command("sync", world.commands.sync)
    judge(world)
    assert held(world, C, "K0") is None
    assert held(world, D, "K0") is None


def test_a_card_made_again_at_once(make_world: MakeWorld) -> None:
    """Deleted and created anew between two runs: one card on each side, the new one."""
    world = begin(make_world)
    world.systems[C].drop("c0", SOMEBODY)
    put(world, C, "c9", "k0 ", "again")
    judge(world)
    for side, name in ((C, "Name"), (D, "name")):
        card = held(world, side, "K0")
        assert card is not None
        assert card[name] == "again"


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    "end", ["has written", "after commit", "before commit"], ids=lambda end: end.replace(" ", "-")
)
def test_killed_between_a_create_and_its_settlement(
    make_world: MakeWorld, side: Side, end: str
) -> None:
    world = begin(make_world)
    put(world, side.other, "new", "K9", "nine")
    world.calm = False
    written = False

    def kill(process: Process, name: str) -> None:
        nonlocal written
        written |= name == f"{side} has written"
        if written and name.endswith(end):
            world.script = None
            world.kill(process)

    world.script = kill
    world.command("sync", world.commands.sync)
    world.calm = True
    assert world.crashes == 1
    judge(world)
    (write,) = [w for w in world.systems[side].writes if "nine" in str(w)]
    assert world.systems[side].twin("K9") == write.operation.id


def test_a_value_cleared_while_the_first_write_is_out(make_world: MakeWorld) -> None:
    """Sides that meet agree at once on what is equal: clearing it then is an edit (seed 47)."""
    world = make_world(1, plan(conflict="dataverse"))
    put(world, C, "c0", "K0", "ours")
    put(world, D, "d0", "K0", "theirs")
    for side, column, value in ((C, "Active", "Yes"), (D, "active", True)):
        world.systems[side].change(f"{side.value[0]}0", {column: value}, SOMEBODY)

    def clear(process: Process, name: str) -> None:
        if name == "dataverse has written":
            world.script = None
            world.systems[C].change("c0", {"Active": None}, SOMEBODY)

    world.script = clear
    world.command("sync", world.commands.sync)
    judge(world)
    dataverse = held(world, D, "K0")
    assert dataverse is not None
    assert dataverse["active"] is None


def test_an_edit_taken_back_after_a_lost_reply(make_world: MakeWorld) -> None:
    """The write did happen, its source went back to what it was before: an edit (seed 1741)."""
    world = begin(make_world, plan(rates={"lost after": 1.0}))
    put(world, D, "d2", name="there")
    world.calm = False

    def kill(process: Process, name: str) -> None:
        if name == "commerce has written":
            world.script = None
            world.calm = True
            world.kill(process)

    world.script = kill
    world.command("sync", world.commands.sync)
    put(world, D, "d2", name="name 2")
    judge(world)
    commerce = held(world, C, "K2")
    assert commerce is not None
    assert commerce["Name"] == "name 2"


@pytest.mark.parametrize("edited", [None, "ten"])
def test_a_create_of_a_dead_process_arrives_after_it_was_looked_for(
    make_world: MakeWorld, edited: str | None
) -> None:
    """The next process finds nothing and creates anew: under the same id, so there is one row.

    It holds what the card held when it was sent first, and has to hold what it does now (seed 347).
    """
    calm = plan(rates={"lost before": 1.0})
    free = {side: replace(traits, unique=False) for side, traits in calm.traits.items()}
    world = begin(make_world, replace(calm, traits=free))
    put(world, C, "c9", "K9", "nine")
    world.calm = False
    sent: list[Create] = []

    def late(process: Process, name: str) -> None:
        if name.startswith("dataverse read: number"):
            world.script = None
            world.systems[D].carry_out(list(world.systems[D].columns), sent[0])

    def kill(process: Process, name: str) -> None:
        if name.startswith("dataverse Create("):
            world.script = late
            world.calm = True
            id = name.split("'")[1]
            sent.append(Create(id, {"number": "K9", "name": "nine"}))
            world.kill(process)

    world.script = kill
    world.command("sync", world.commands.sync)
    put(world, C, "c9", name=edited)
    world.command("sync", world.commands.sync)
    judge(world)
    rows = [row for row in world.systems[D].rows.values() if row.values["number"] == "K9"]
    assert [row.values["name"] for row in rows] == [edited or "nine"]


def test_a_row_a_scan_did_not_meet_is_read_before_it_counts_as_deleted(
    make_world: MakeWorld,
) -> None:
    """It moved while the scan went on: the feed expired, somebody edits, the page lacks it."""
    world = begin(make_world, plan(rates={"skipped": 1.0}))
    put(world, C, "c0", name="edited")
    world.systems[C].forget()
    moved = world.systems[C].twin("K2")
    assert moved is not None

    def edit(process: Process, name: str) -> None:
        if name.startswith("commerce scan:"):
            world.script = None
            put(world, C, moved, name="moved")

    world.calm = False
    world.script = edit
    world.command("sync", world.commands.sync)
    world.calm = True
    judge(world)
    assert world.systems[C].twin("K2") == moved
    assert not world.systems[D].dropped


@pytest.mark.parametrize("active", ["Yes", "No", None])
def test_a_card_comes_back_after_its_counterpart_was_deactivated(
    make_world: MakeWorld, active: str | None
) -> None:
    """What comes back is compared with what was deactivated, not with nothing (seed 230)."""
    world = begin(make_world, plan(deletes=("deactivate", "deactivate")))
    world.systems[C].drop("c0", SOMEBODY)
    assert world.command("sync", world.commands.sync)
    put(world, C, "c9", "K0", "back")
    world.systems[C].change("c9", {"Active": active}, SOMEBODY)
    judge(world)
    dataverse = held(world, D, "K0")
    assert dataverse is not None
    assert dataverse["active"] == {"Yes": True, "No": False, None: None}[active]


def test_a_create_deleted_before_it_was_seen(make_world: MakeWorld) -> None:
    """Its side never showed an image, and the other one is deactivated all the same (seed 190)."""
    world = make_world(1, plan(deletes=("deactivate", "deactivate")))
    for n in range(3):
        put(world, C, f"c{n}", f"K{n}", f"name {n}")

    def drop(process: Process, name: str) -> None:
        if name == "dataverse has written" and world.systems[D].twin("K0") is not None:
            world.script = None
            world.systems[D].drop(world.systems[D].twin("K0") or "", SOMEBODY)

    world.script = drop
    world.command("sync", world.commands.sync)
    judge(world)
    commerce = held(world, C, "K0")
    assert commerce is not None
    assert commerce["Active"] == "No"


def test_a_refused_create_does_not_hold_up_the_load(make_world: MakeWorld) -> None:
    """It is never going to be seen: load and sync do not wait for it (seed 9)."""
    world = make_world(1, plan(rates={"rejected": 1.0}))
    put(world, D, "d0", "K8", "eight")
    put(world, C, "c0", "K9", "nine")
    world.calm = False
    assert world.command("sync", world.commands.sync), "the load came to an end"
    world.calm = True
    began = world.now
    assert world.command("sync", world.commands.sync)
    assert world.now - began < 1
    judge(world)


def test_a_renamed_row_is_excused_under_its_new_key(make_world: MakeWorld) -> None:
    """Its record waits under the old key; verify knows the row by its id (seed 12)."""
    world = begin(make_world)
    put(world, C, "c0", key="K7")
    verdict = judge(world)
    assert {finding.verdict for finding in verdict.findings} == {"excused"}
    assert all("key-changed" in finding.reason for finding in verdict.findings)


def test_a_card_made_again_is_not_deleted_with_the_old_one(make_world: MakeWorld) -> None:
    """The page that tells of the delete is written before the next tells of the new (seed 1005).

    Only a load writes between the pages of a feed.
    """
    calm = plan()
    traits = {side: replace(traits, page=1) for side, traits in calm.traits.items()}
    world = begin(make_world, replace(calm, traits=traits))
    world.systems[C].drop("c0", SOMEBODY)
    put(world, C, "c9", "K0", "again")

    def unfinished(ports: Ports) -> None:
        row = ports.store.map_row("card")
        assert row is not None

        def work(run: MapRun) -> None:
            loading = run.work()
            loading.map = replace(row, loaded_at=None)
            run.commit(loading)

        world.commands.run(ports, "load", work)

    world.command("a load that was cut short", unfinished)
    judge(world)
    for side, name in ((C, "Name"), (D, "name")):
        card = held(world, side, "K0")
        assert card is not None
        assert card[name] == "again"


@pytest.mark.parametrize("deleted", list(Side))
def test_a_card_made_again_while_our_delete_is_in_doubt(
    make_world: MakeWorld, deleted: Side
) -> None:
    """The process died of the delete of its predecessor: the new card is not deleted too."""
    world = begin(make_world)
    world.systems[deleted].drop(world.systems[deleted].twin("K0") or "", SOMEBODY)

    def kill(process: Process, name: str) -> None:
        if name == f"{deleted.other} has written":
            world.script = None
            world.kill(process)

    world.script = kill
    world.calm = False
    world.command("sync", world.commands.sync)
    world.calm = True
    assert held(world, deleted.other, "K0") is None
    put(world, deleted, "new", "K0", "again")
    judge(world)
    for side in Side:
        card = held(world, side, "K0")
        assert card is not None
        assert card[spelled(side, "Name")] == "again"


def test_an_undo_that_died_is_not_taken_for_a_delete(make_world: MakeWorld) -> None:
    """It deleted what a run had created, and nobody took it up again: the source stays."""
    world = begin(make_world)
    put(world, C, "c9", "K9", "nine")
    assert world.command("sync", world.commands.sync)

    def kill(process: Process, name: str) -> None:
        if name == "dataverse has written":
            world.script = None
            world.kill(process)

    (newest,) = world.stores.open().runs("card", 1)
    world.commands.undoing = newest.number
    world.script = kill
    world.command("undo", world.commands.undo)
    assert held(world, D, "K9") is None
    world.commands.undoing = None
    judge(world)
    for side in Side:
        card = held(world, side, "K9")
        assert card is not None
        assert card[spelled(side, "Name")] == "nine"
