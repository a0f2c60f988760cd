"""People, faults, deaths and decisions in any order hypothesis thinks of, over engine and SQLite.

The rules do one thing each; `at_rest` lets everything settle and checks what must hold then. A
failing sequence is shrunk to the shortest one and printed as a program. `--hypothesis-profile`
long looks for longer.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from connector.endpoints.base import Create, Delete, Update
from connector.engine.decisions.again import try_again
from connector.engine.decisions.decide import Choice, decide
from connector.engine.ports import Guard
from connector.engine.retry import Retry
from connector.engine.runs.run import MapRun
from connector.mapping.values import Side, Value
from connector.store.record import State
from tests.integration.engine.conftest import map_text
from tests.integration.engine.crashing import CrashBench, explained
from tests.integration.engine.restorable import RestorableState
from tests.integration.engine.scenes import Faults
from tests.integration.engine.scripted import Killed, Moments, ScriptedEndpoint

KEYS = ("k1", "k2", "k3", "K4 ")
NAMES = {Side.COMMERCE: "Number", Side.DATAVERSE: "number"}
TABLES = {Side.COMMERCE: "Cards", Side.DATAVERSE: "cards"}
RUNS = 8
"""Runs after which a quiet world has to be at rest."""

sides = st.sampled_from(list(Side))
keys = st.sampled_from(KEYS)
policies = st.sampled_from(["manual", "commerce", "dataverse", "latest"])
deletes = st.sampled_from(["propagate", "restore", "deactivate", "ignore"])


class Machine(RuleBasedStateMachine):
    """Both systems, and one process after the other."""

    state: ClassVar[RestorableState]
    blank: ClassVar[bytes]

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count(1)

    @initialize(conflict=policies, commerce=deletes, dataverse=deletes)
    def begin(self, conflict: str, commerce: str, dataverse: str) -> None:
        self.state.restore(self.blank)
        by_side = f"{{commerce: {commerce}, dataverse: {dataverse}}}"
        self.bench = CrashBench(self.state, map_text(conflict=conflict, deletes=by_side))
        self.bench.guard = Guard(rows=10_000, share_from=10_000)
        self.bench.retry = Retry(attempts=15, first=0.0)
        self.bench.new(Side.COMMERCE, "anchor")  # nobody empties a side: that is a guard's case
        self.bench.new(Side.COMMERCE, "k1")
        self.bench.new(Side.DATAVERSE, "k2")
        assert self.bench.load().finished

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            try:
                self.at_rest()
            finally:
                self.bench.close()

    # ------------------------------------------------------------------ people

    @rule(side=sides, key=keys, field=st.sampled_from(["Name", "Level", "Note", "Active"]))
    def edit(self, side: Side, key: str, field: str) -> None:
        for id in self._ids(side, key):
            self._put(side, id, {field: self._value(side, field)})

    @rule(side=sides, key=keys)
    def create(self, side: Side, key: str) -> None:
        if not self._ids(side, key):
            id = f"{side}-{next(self.numbers)}"
            values = {f: self._value(side, f) for f in ("Name", "Active")}
            self._put(side, id, {"Number": key, **values})

    @rule(side=sides, key=keys)
    def delete(self, side: Side, key: str) -> None:
        for id in self._ids(side, key):
            self._system(side).drop(TABLES[side], id)

    @rule(side=sides, key=keys)
    def recreate(self, side: Side, key: str) -> None:
        if self._ids(side, key):
            self.delete(side, key)
            self.create(side, key)

    @rule(side=sides, one=keys, other=keys)
    def swap(self, side: Side, one: str, other: str) -> None:
        """Two cards change numbers, or one takes the other number where that is free."""
        if one != other:
            here, there = self._ids(side, one), self._ids(side, other)
            for ids, key in ((here, other), (there, one)):
                for id in ids:
                    self._put(side, id, {"Number": key})

    # ------------------------------------------------------------------ the world

    @rule(side=sides)
    def expire(self, side: Side) -> None:
        self._system(side).forget_feed()

    @rule(
        side=sides,
        faults=st.lists(
            st.sampled_from(["lost-after", "lost-before", "transient"]), min_size=1, max_size=3
        ),
    )
    def lose(self, side: Side, faults: list[Any]) -> None:
        """The next writes fail in these ways."""
        self._system(side).fault = Faults((Create, Update, Delete), faults)

    # ------------------------------------------------------------------ processes

    @rule()
    def sync(self) -> None:
        self.bench.sync()

    @rule(moment=st.integers(1, 45))
    def sync_and_die(self, moment: int) -> None:
        self.bench.reopen(Moments(kill_at=moment))
        with contextlib.suppress(Killed):
            self.bench.sync()
        self.bench.reopen()

    @precondition(lambda self: self._in(State.CONFLICT))
    @rule(winner=sides)
    def resolve(self, winner: Side) -> None:
        def work(run: MapRun) -> None:
            shown = run.store.open_conflicts("card", 0, 100)
            decide(run, shown, Choice("anna", winner), lambda _refusal: None)

        self.bench.run(work, "resolve")

    @precondition(lambda self: self._in(State.PARKED))
    @rule()
    def retry(self) -> None:
        def work(run: MapRun) -> None:
            try_again(run, run.store.needing(run.layout, [State.PARKED], 0, 100))

        self.bench.run(work, "retry")

    # ------------------------------------------------------------------ what must hold

    @rule()
    def at_rest(self) -> None:
        """Without faults it settles in a few runs; then everything is equal, kept and told."""
        bench = self.bench
        for side in Side:
            self._system(side).fault = lambda _operation: None
        runs = next((n for n in range(1, RUNS + 1) if bench.sync().finished), None)
        assert runs is not None, f"not at rest after {RUNS} runs"
        explained(bench)
        findings = bench.verify().findings
        bad = [finding for finding in findings if finding.verdict == "difference"]
        assert bad == [], f"the sides differ: {bad}"
        before = bench.writes()
        assert bench.sync().finished
        assert bench.writes() == before, "a sync without edits wrote something"
        for side in Side:
            self._system(side).by_key(TABLES[side])  # no key twice

    # ------------------------------------------------------------------ means

    def _system(self, side: Side) -> ScriptedEndpoint:
        return self.bench.commerce if side is Side.COMMERCE else self.bench.dataverse

    def _ids(self, side: Side, key: str) -> list[str]:
        rows = self._system(side).rows[TABLES[side]]
        return [id for id, row in rows.items() if row.values[NAMES[side]] == key]

    def _value(self, side: Side, field: str) -> Value:
        """A value nobody wrote before; a mark has only two."""
        number = next(self.numbers)
        if field == "Active":
            return (("No", "Yes") if side is Side.COMMERCE else (False, True))[number % 2]
        return number if field == "Level" else f"{field}{number}"

    def _put(self, side: Side, id: str, values: dict[str, Value]) -> None:
        if side is Side.DATAVERSE:
            values = {name.lower(): value for name, value in values.items()}
        self._system(side).change(TABLES[side], id, values)

    def _in(self, state: State) -> bool:
        return bool(self.bench.open().counts("card")[state])


@pytest.fixture
def machine(blank_state: Path) -> Iterator[type[Machine]]:
    """The machine over a store in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        Machine.state = RestorableState(Path(folder) / "state.db")
        Machine.blank = blank_state.read_bytes()
        yield Machine


@pytest.mark.slow
def test_whatever_happens_it_comes_to_rest(machine: type[Machine]) -> None:
    profile = settings()
    examples = max(20, profile.max_examples // 4)
    run_state_machine_as_test(
        machine, settings=settings(profile, max_examples=examples, stateful_step_count=30)
    )
