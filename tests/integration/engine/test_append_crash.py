"""An append map killed at every effect: no row is lost, none is added twice, nothing is kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from connector.endpoints.base import Create
from connector.engine.retry import Retry
from connector.mapping.values import Side
from tests.integration.engine.adding import APPEND
from tests.integration.engine.crashing import CrashBench, crash_everywhere, crash_twice
from tests.integration.engine.restorable import RestorableState
from tests.integration.engine.scenes import Faults, Scene

C, D = Side.COMMERCE, Side.DATAVERSE


def rows(bench: CrashBench, *keys: str, currency: str = "EUR") -> None:
    for key in keys:
        bench.new(C, key)
        bench.edit(C, key, Currency=currency)


def to_be_loaded(bench: CrashBench) -> None:
    bench.retry = Retry(attempts=12, first=0.0)
    bench.dataverse.put("currencies", "id-eur", code="EUR")
    rows(bench, *(f"T{n}" for n in range(8)))


def new_rows(bench: CrashBench) -> None:
    to_be_loaded(bench)
    assert bench.load().finished
    rows(bench, *(f"N{n}" for n in range(5)))


def lost_replies(bench: CrashBench) -> None:
    new_rows(bench)
    bench.dataverse.fault = Faults((Create,), ["lost-after", "lost-before", "transient"])


def what_waited_comes(bench: CrashBench) -> None:
    to_be_loaded(bench)
    rows(bench, "W1", "W2", currency="XTS")
    bench.load()
    bench.dataverse.put("currencies", "id-xts", code="XTS")
    rows(bench, "N1")


def restored(bench: CrashBench) -> None:
    """Dataverse is as it was before the last rows."""
    to_be_loaded(bench)
    bench.load()
    restore = bench.dataverse.backup()
    rows(bench, "N1", "N2")
    bench.sync()
    restore()
    bench.ahead += 120


def until_done(bench: CrashBench) -> object:
    """A run leaves what failed to a later one."""
    finish = bench.sync()
    while not finish.finished:
        finish = bench.sync()
    return finish


SCENES = [
    Scene("load", to_be_loaded, CrashBench.load, APPEND),
    Scene("sync", new_rows, CrashBench.sync, APPEND, small=True),
    Scene("lost replies", lost_replies, until_done, APPEND),
    Scene("woken", what_waited_comes, CrashBench.sync, APPEND, small=True),
    Scene("restored", restored, CrashBench.sync, APPEND),
]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> RestorableState:
    """One file for all scenarios."""
    return RestorableState(tmp_path_factory.mktemp("append") / "state.db")


@pytest.fixture
def set_up(state: RestorableState, blank_state: Path) -> Iterator[Callable[[Scene], CrashBench]]:
    """Makes the world of a scenario."""
    made: list[CrashBench] = []

    def make(scene: Scene) -> CrashBench:
        state.restore(blank_state.read_bytes())
        made.append(CrashBench(state, scene.text))
        scene.prepare(made[-1])
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_killed_at_every_effect(set_up: Callable[[Scene], CrashBench], scene: Scene) -> None:
    bench = set_up(scene)
    effects = crash_everywhere(bench, partial(scene.command, bench))
    sys.stdout.write(f"{scene.name}: {effects} effects\n")
    assert effects >= 10
    assert bench.records() == {}


@pytest.mark.slow
@pytest.mark.parametrize("scene", [s for s in SCENES if s.small], ids=lambda scene: scene.name)
def test_killed_twice(set_up: Callable[[Scene], CrashBench], scene: Scene) -> None:
    bench = set_up(scene)
    pairs = crash_twice(bench, partial(scene.command, bench))
    sys.stdout.write(f"{scene.name}: {pairs} pairs of effects\n")
    assert pairs >= 50
