"""Worlds for tests: each begins with an empty store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from connector.store.opening import open_store
from tests.simulation.plan_of_seed import Plan
from tests.simulation.stores import Stores
from tests.simulation.world import World

MakeWorld: TypeAlias = Callable[..., World]


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    """One place for the state of one world after the other."""
    folder = tmp_path_factory.mktemp("worlds")
    open_store(f"sqlite:///{folder / 'blank.db'}").close()
    return Stores(folder / "blank.db", folder)


@pytest.fixture
def make_world(stores: Stores) -> Iterator[MakeWorld]:
    """Makes a world, out of a seed or of a plan; the one before it ends."""
    made: list[World] = []

    def make(seed: int = 0, plan: Plan | None = None) -> World:
        while made:
            made.pop().close()
        made.append(World(seed, stores, plan))
        return made[-1]

    yield make
    while made:
        made.pop().close()
