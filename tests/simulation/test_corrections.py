"""Whole worlds over requests that are answered: whatever goes wrong, each is posted once at most.

Agents file requests in Dataverse, change and delete them. Commerce is a desk: in the write of a
request it posts it or refuses it, and puts the answer into the row, as the ledger does in one
transaction. Processes die, replies get lost, requests arrive twice or late, leases change hands,
the state goes back to a backup.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from random import Random

import pytest

from connector.endpoints.base import Applied, Delete, Operation, Outcome, Rejected, Update
from connector.mapping.values import Side
from tests.simulation.commands import Work
from tests.simulation.conftest import MakeWorld
from tests.simulation.findings import by_key
from tests.simulation.maps import KEYS, columns
from tests.simulation.people import People, known_key
from tests.simulation.plan_of_seed import Plan
from tests.simulation.story import story
from tests.simulation.systems import US, System
from tests.simulation.world import World

C, D = Side.COMMERCE, Side.DATAVERSE
REQUESTS = """\
map: card
commerce: {entity: Cards}
dataverse: {entity: cards}
master: dataverse
conflict: dataverse
deletes: {commerce: restore, dataverse: propagate}
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
  - {commerce: Level, sync: "<", dataverse: level}
  - {commerce: Name, sync: "<", dataverse: name}
  - {commerce: Note, sync: ">", dataverse: note}
"""
AT_REST = 20
"""Runs after which every request has to be answered."""


class Desk(System):
    """Commerce: what is asked for (Level) is posted where it is odd, and answered in the Note."""

    posted: dict[str, int]
    """By key of the request."""
    bookings: list[str]
    """The keys of what was posted, in order."""

    def carry_out(
        self, columns: Sequence[str], operation: Operation, looked: int | None = None
    ) -> Outcome:
        row = self.rows.get(operation.id)
        if isinstance(operation, Delete):
            if row is not None and known_key(row.values[self.key]) in self.posted:
                return Rejected("correction-posted", "what was posted stays")
            return super().carry_out(columns, operation, looked)
        outcome = super().carry_out(columns, operation, looked)
        if isinstance(outcome, Applied):
            self._answer(outcome.id)
            return Applied(outcome.id, self.row(outcome.id, columns))
        return outcome

    def _answer(self, id: str) -> None:
        values = self.rows[id].values
        key, asked = known_key(values[self.key]), values["Level"]
        if key not in self.posted and isinstance(asked, int) and asked % 2:
            self.posted[key] = asked
            self.bookings.append(key)
        there = self.posted.get(key)
        changed = "" if asked == there else ", and changed since"
        self.change(id, {"Note": f"posted {there}{changed}" if there else "refused"}, US)


class Agents(People):
    """Requests are filed, changed and deleted in Dataverse alone, each under a key of its own."""

    def act(self, spared: Container[str] = ()) -> str:
        self.acts += 1
        ids = [id for id in sorted(self.systems[D].rows) if id not in spared]
        what = self.random.random()
        if what < 0.4 or not ids:
            return self.create(D, self.key())
        id = self.random.choice(ids)
        if what < 0.85:
            name = self.random.choice(["level", "level", "name"])
            return self.put(D, id, {name: self.value(D, name)})
        return self.delete(D, id)

    def create(self, side: Side, key: str) -> str:
        return super().create(side, key) if side is D else "nobody files there"

    def key(self) -> str:
        self.keys.add(f"R{len(self.keys)}")
        return f"R{len(self.keys) - 1}"


def desk_world(make_world: MakeWorld, seed: int) -> World:
    """The world of a seed, with a desk for its commerce side and agents for its people."""
    drawn = Plan.of(Random(seed), seed)
    whole = replace(
        drawn.traits[C], ordered=True, feed=True, unique=True, sees_creates=True, cut={},
        ids="chosen", preconditions="version", sees_updates=True, tells=True, compares=False,
    )  # fmt: skip
    plan = replace(
        drawn,
        text=REQUESTS,
        deletes={C: "restore", D: "propagate"},
        traits={C: whole, D: replace(drawn.traits[D], cut={})},
        rates={**drawn.rates, "side restored": 0.0},
        undoes=0.0,
    )
    world = make_world(seed, plan)
    met = world.systems[D].gave_way_to
    desk = Desk(C, columns(C), KEYS[C], whole, world.clock_of(C.value), met)
    desk.posted, desk.bookings = {}, []
    world.systems[C] = desk
    world.people = Agents(world.random, plan, world.systems, world.known)
    rarely = world.commands.rarely()
    started: dict[str, Work] = {name: rarely[name] for name in ("verify", "again", "rehearse")}
    world.commands.rarely = lambda: started  # type: ignore[method-assign]
    return world


def judge(world: World) -> None:
    """Each request is posted once at most, answered in its row, and nobody's words are lost."""
    assert come_to_rest(world), f"not at rest after {AT_REST} runs"
    desk, crm = world.systems[C], world.systems[D]
    assert isinstance(desk, Desk)
    assert len(desk.bookings) == len(set(desk.bookings)), "posted twice"
    asked, kept = by_key(crm), by_key(desk)
    for key, rows in asked.items():
        (ours,), (theirs,) = rows, kept[key]
        assert ours.values["note"] == theirs.values["Note"], f"{key!r}: the answer"
        for name in ("Level", "Name"):
            # At first contact an empty value gives way: one that was emptied, or deleted with its
            # row, before anybody knew that commerce has the request.
            asks = ours.values[name.lower()]
            assert asks in (None, theirs.values[name]), f"{key!r}: {name}"
        there = desk.posted.get(key)
        assert str(ours.values["note"]).startswith(f"posted {there}" if there else "refused")
    gone = set(kept) - set(asked)
    assert gone <= set(desk.posted), "a request that was refused and deleted is gone"
    assert set(desk.posted) <= set(kept), "what was posted stays on record"
    written = [one.operation for one in crm.writes]
    assert all(set(one.values) == {"note"} for one in written if isinstance(one, Update))
    assert not any(isinstance(one, Delete) for one in written)


def come_to_rest(world: World) -> bool:
    """Nobody at work and nothing goes wrong: whether all is answered in time."""
    quiet = 0
    for _ in range(AT_REST):
        world.now += 1000
        before = [len(system.writes) for system in world.systems.values()]
        done = world.command("sync", world.commands.sync)
        same = before == [len(system.writes) for system in world.systems.values()]
        quiet = quiet + 1 if done and same else 0
        if quiet == 2:
            return True
        world.command("retry", world.commands.retry)
    return False


@pytest.mark.parametrize("seed", range(40))
def test_each_request_is_posted_once_and_answered(make_world: MakeWorld, seed: int) -> None:
    world = desk_world(make_world, seed)
    try:
        world.chaos()
        judge(world)
    except Exception as error:
        raise AssertionError(story(world, f"{type(error).__name__}: {error}")) from error


def test_the_worlds_are_rough(make_world: MakeWorld) -> None:
    """Else they would show nothing."""
    worlds: list[World] = []
    for seed in range(40):
        worlds.append(desk_world(make_world, seed))
        worlds[-1].chaos()
    desks = [world.systems[C] for world in worlds]
    assert sum(world.crashes for world in worlds) >= 5
    assert sum(world.restores for world in worlds) >= 1
    assert sum(len(desk.bookings) for desk in desks if isinstance(desk, Desk)) >= 50
