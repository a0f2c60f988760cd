"""Worlds for tests: each begins with an empty store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from tests.simulation.plan_of_seed import Plan
from tests.simulation.stores import SqlStores, Stores
from tests.simulation.world import World

MakeWorld: TypeAlias = Callable[..., World]


@pytest.fixture(scope="session")
def stores() -> Stores:
    """One place for the state of one world after the other."""
    return SqlStores()


@pytest.fixture
def make_world(stores: Stores) -> MakeWorld:
    """Makes a world, out of a seed or of a plan; the one before it ends."""

    def make(seed: int = 0, plan: Plan | None = None) -> World:
        return World(seed, stores, plan)

    return make
