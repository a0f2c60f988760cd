"""Whole worlds out of one number each: in the end the sides agree, whatever went wrong.

A seed that fails says how to replay it: `python -m tests.simulation --trace SEED`.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.conftest import MakeWorld
from tests.simulation.plan_of_seed import CALM, FAULTS, WORST, Plan
from tests.simulation.runner import live
from tests.simulation.story import story
from tests.simulation.world import World

FOUND = [347, 1005, 1131, 1227, 1304, 1337, 1513, 1741, 1859, 4267, 5828, 10044, 12931, 40193]
"""Seeds that once failed and whose story is too long to be told in test_named.py."""
FOREIGN = [24, 46, 128, 178, 233, 326, 349, 2246, 2735, 5397, 10199, 11579, 12427, 32149, 53952]
FOREIGN += [1283]
"""The same, of commerce sides that are known by their keys, allot ids, or take every write."""


def lived(make_world: MakeWorld, seed: int) -> World:
    """A world that holds every invariant."""
    world = make_world(seed)
    invariant = live(world)
    assert invariant is None, story(world, invariant)
    return world


@pytest.mark.parametrize("seed", [*range(20), *FOUND, *FOREIGN])
def test_the_world_comes_to_rest_in_agreement(make_world: MakeWorld, seed: int) -> None:
    lived(make_world, seed)


@pytest.mark.parametrize("seed", range(3))
def test_one_seed_is_one_story(make_world: MakeWorld, seed: int) -> None:
    first = lived(make_world, seed).fingerprint()
    lived(make_world, seed + 1)
    assert lived(make_world, seed).fingerprint() == first


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 51])
def test_one_seed_is_one_story_in_every_process(seed: int) -> None:
    """Byte for byte, whatever order a set of texts has in it."""
    told = {
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--trace", str(seed)],
            env={**os.environ, "PYTHONHASHSEED": str(salt)},
            stdout=subprocess.PIPE,
            check=False,
        ).stdout
        for salt in (1, 2)
    }
    assert len(told) == 1
    assert told.pop().startswith(b"seed ")


def plans(make_world: MakeWorld, count: int) -> list[Plan]:
    return [make_world(seed).plan for seed in range(count)]


def test_the_seeds_differ_in_kind(make_world: MakeWorld) -> None:
    """Swarm testing: some seeds lack a fault altogether, others have it."""
    drawn = plans(make_world, 60)
    for fault in FAULTS:
        assert {plan.rates[fault] > 0 for plan in drawn} == {True, False}, fault


def test_some_seeds_have_no_fault_and_some_have_all_at_their_worst(make_world: MakeWorld) -> None:
    drawn = plans(make_world, 2 * WORST)
    calm = [seed for seed, plan in enumerate(drawn) if not any(plan.rates.values())]
    assert calm == list(range(0, 2 * WORST, CALM))
    highest = {name: rate for name, (_, rate) in FAULTS.items()}
    assert [seed for seed, plan in enumerate(drawn) if plan.rates == highest] == [1, WORST + 1]
