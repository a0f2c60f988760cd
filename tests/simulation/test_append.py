"""Whole worlds over an append map: whatever goes wrong, no row is lost and none is added twice.

Tills add rows to commerce and nobody changes any; processes die, replies get lost, requests arrive
twice or late, leases change hands, the state goes back to a backup.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from random import Random

import pytest

from connector.endpoints.base import Create
from connector.mapping.values import Side
from tests.simulation.commands import Work
from tests.simulation.conftest import MakeWorld
from tests.simulation.findings import Found, by_key
from tests.simulation.people import CODES, People
from tests.simulation.plan_of_seed import Plan
from tests.simulation.story import story
from tests.simulation.world import World

C, D = Side.COMMERCE, Side.DATAVERSE
APPEND = """\
map: card
mode: append
commerce: {entity: Cards}
dataverse: {entity: cards}
fields:
  - {commerce: Number, sync: ">", dataverse: number, key: true}
  - {commerce: Name, sync: ">", dataverse: name}
  - {commerce: Level, sync: ">", dataverse: level}
  - {commerce: Active, sync: ">>", dataverse: active, values: {Yes: true, No: false}}
  - {commerce: Currency, sync: ">", dataverse: currency.code}
"""
AT_REST = 20
"""Runs after which everything has to have arrived; a person tries again what was refused."""


class Tills(People):
    """Rows are only ever added, each under a key of its own; currencies come and stay."""

    def act(self, spared: Container[str] = ()) -> str:
        self.acts += 1
        there = self.systems[D].targets.values()
        free = [code for code in CODES if code not in there]
        if free and self.random.random() < 0.1:
            return self.new_currency(self.random.choice(free))
        return self.create(C, self.key())

    def create(self, side: Side, key: str) -> str:
        return super().create(side, key) if side is C else "nobody adds rows there"

    def key(self) -> str:
        self.keys.add(f"T{len(self.keys)}")
        return f"T{len(self.keys) - 1}"


def append_world(make_world: MakeWorld, seed: int) -> World:
    """The world of a seed, with an append map and tills instead of its own people."""
    drawn = Plan.of(Random(seed), seed)
    plan = replace(
        drawn,
        text=APPEND,
        habits={**drawn.habits, "currency": 1},
        rates={**drawn.rates, "side restored": 0.0, "state restored": 0.2 * (seed % 3 == 0)},
        fulfilled=True,
        undoes=0.0,
    )
    world = make_world(seed, plan)
    world.people = Tills(world.random, plan, world.systems, world.known)
    rarely = world.commands.rarely()
    able = ("verify", "repair", "again", "retry", "rehearse")
    started: dict[str, Work] = {name: rarely[name] for name in able}
    world.commands.rarely = lambda: started  # type: ignore[method-assign]
    return world


def judge(world: World) -> None:
    """Everything arrived once, as it was; the state keeps nothing of it."""
    assert come_to_rest(world), f"not at rest after {AT_REST} runs"
    source, target = by_key(world.systems[C]), by_key(world.systems[D])
    assert set(source) == set(target), f"lost or invented: {set(source) ^ set(target)}"
    for key, rows in target.items():
        assert len(rows) == 1, f"{len(rows)} rows {key!r}"
        ours, theirs = source[key][0].values, rows[0].values
        for name in ("Name", "Level"):
            cut = world.systems[D].traits.cut.get(name.lower())
            arrives = ours[name] if cut is None else cut(ours[name])
            assert arrives == theirs[name.lower()], f"{key!r}: {name}"
        code = world.systems[D].targets.get(str(theirs["currency"]))
        assert ours["Currency"] == code, f"{key!r}: the currency"
    made = [one.operation.id for one in world.systems[D].writes]
    assert all(isinstance(one.operation, Create) for one in world.systems[D].writes)
    assert len(made) == len(set(made)) == len(target), "a row was made twice"
    assert not world.systems[C].writes
    assert Found.of(world).records == {}
    verdict = world.command("verify", world.commands.verify)
    assert verdict.findings == []


def come_to_rest(world: World) -> bool:
    """Nobody at work and nothing goes wrong: whether all is done in time."""
    world.people.fulfil()
    for _ in range(AT_REST):
        world.now += 1000
        before = len(world.systems[D].writes)
        done = world.command("sync", world.commands.sync)
        if done and not Found.of(world).records and before == len(world.systems[D].writes):
            return True
        world.command("retry", world.commands.retry)
    return False


@pytest.mark.parametrize("seed", range(40))
def test_every_row_arrives_once(make_world: MakeWorld, seed: int) -> None:
    world = append_world(make_world, seed)
    try:
        world.chaos()
        judge(world)
    except Exception as error:
        raise AssertionError(story(world, f"{type(error).__name__}: {error}")) from error


def test_the_worlds_are_rough(make_world: MakeWorld) -> None:
    """Else they would show nothing."""
    worlds: list[World] = []
    for seed in range(40):
        worlds.append(append_world(make_world, seed))
        worlds[-1].chaos()
    assert sum(world.crashes for world in worlds) >= 5
    assert sum(world.restores for world in worlds) >= 1
    assert sum(len(world.systems[C].rows) for world in worlds) >= 100
