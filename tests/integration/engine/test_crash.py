"""Killed at every effect and run again, each standard scenario ends as if nothing had been.

`pytest -rP` shows how many effects, and pairs of them, were tried per scenario.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.integration.engine.crashing import CrashBench, crash_everywhere, crash_twice
from tests.integration.engine.restorable import RestorableState
from tests.integration.engine.scenes import SCENES, Scene


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> RestorableState:
    """One file for all scenarios."""
    return RestorableState(tmp_path_factory.mktemp("crash") / "state.db")


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
    effects = crash_everywhere(bench, partial(scene.command, bench), settles=scene.settles)
    sys.stdout.write(f"{scene.name}: {effects} effects\n")
    assert effects >= 10


@pytest.mark.slow
@pytest.mark.parametrize("scene", [s for s in SCENES if s.small], ids=lambda scene: scene.name)
def test_killed_twice(set_up: Callable[[Scene], CrashBench], scene: Scene) -> None:
    bench = set_up(scene)
    pairs = crash_twice(bench, partial(scene.command, bench))
    sys.stdout.write(f"{scene.name}: {pairs} pairs of effects\n")
    assert pairs >= 50
