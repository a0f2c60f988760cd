"""Many seeds, each a world of its own, over all cores.

Owns: living one seed from beginning to end, and spreading seeds over processes.
Never does: printing; `__main__.py` does.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.simulation.stores import KINDS, Stores
from tests.simulation.story import story
from tests.simulation.verdict import judge
from tests.simulation.world import World

CHUNK = 20
"""Seeds a process takes at a time."""
TOLD = 3
"""Failing seeds of one chunk whose story is kept: a broken engine fails them all."""

_stores: dict[str, Stores] = {}
"""One per kind and process: opening one is slower than living a seed."""


@dataclass(frozen=True)
class Failure:
    """A seed whose world broke an invariant."""

    seed: int
    invariant: str
    story: str | None

    def replay(self, store: str) -> str:
        """The command that lives it again."""
        return f"python -m tests.simulation --trace {self.seed} --store {store}"


@dataclass(frozen=True)
class Outcome:
    """What came of many seeds."""

    start: int
    seeds: int
    seconds: float
    jobs: int
    store: str
    failures: Sequence[Failure]

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "seeds": self.seeds,
            "start": self.start,
            "seconds": round(self.seconds, 1),
            "seeds_per_second": round(self.seeds / self.seconds, 1),
            "jobs": self.jobs,
            "store": self.store,
            "failing": [
                {"seed": f.seed, "invariant": f.invariant, "replay": f.replay(self.store)}
                for f in self.failures
            ],
        }


def live(world: World) -> str | None:
    """One world from beginning to end; the invariant it broke, if any."""
    try:
        world.chaos()
        judge(world)
    except Exception as error:  # noqa: BLE001 - whatever ends a world is what the seed found
        text = str(error) or "no message"
        return text if isinstance(error, AssertionError) else f"{type(error).__name__}: {text}"
    return None


def one(seed: int, store: str) -> tuple[World, str | None]:
    """One seed, with its world to look at."""
    if store not in _stores:
        _stores[store] = KINDS[store]()
    world = World(seed, _stores[store])
    return world, live(world)


def many(start: int, seeds: int, jobs: int, store: str) -> Outcome:
    """So many seeds from `start` on."""
    began = time.monotonic()
    chunks = [
        (first, min(first + CHUNK, start + seeds), store)
        for first in range(start, start + seeds, CHUNK)
    ]
    failures = sorted(_all(chunks, jobs), key=lambda failure: failure.seed)
    return Outcome(start, seeds, time.monotonic() - began, jobs, store, failures)


def _all(chunks: Sequence[tuple[int, int, str]], jobs: int) -> Iterator[Failure]:
    if jobs == 1:
        for chunk in chunks:
            yield from _some(chunk)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for failures in pool.imap_unordered(_some, chunks):
            yield from failures


def _some(chunk: tuple[int, int, str]) -> list[Failure]:
    first, end, store = chunk
    failures: list[Failure] = []
    for seed in range(first, end):
        world, invariant = one(seed, store)
        if invariant is not None:
            told = story(world, invariant) if len(failures) < TOLD else None
            failures.append(Failure(seed, invariant, told))
    return failures
