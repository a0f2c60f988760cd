"""A map between two scripted systems, with a real store under it."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest

from connector.endpoints.base import Column, Entity
from connector.engine.cycle import Finish, sync
from connector.engine.load import load
from connector.engine.ports import Guard, Limits, Ports, Tuning
from connector.engine.proof.rehearse import DryRun, Rehearsal, rehearse
from connector.engine.proof.verify import Finding, Verdict, repair, verify
from connector.engine.retry import Retry
from connector.engine.runs.alerts import Notice, Rule
from connector.engine.runs.run import MapRun
from connector.engine.runs.running import running
from connector.engine.through_lookups import through_lookups
from connector.mapping.columns import Reference
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.document import MapDocument, parse_document
from connector.mapping.values import Side, Value, ValueType
from connector.store.base import Store
from connector.store.opening import open_store
from connector.store.record import Layout, Record, State
from connector.store.work import ChangeRow
from tests.integration.engine.restorable import RestorableState
from tests.integration.engine.scripted import (
    Inline,
    Moments,
    MortalStore,
    ScriptedEndpoint,
    Table,
)

FIELDS = """\
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
  - {commerce: Name, sync: "=", dataverse: name}
  - {commerce: Level, sync: "=", dataverse: level}
  - {commerce: Note, sync: ">", dataverse: note}
  - {commerce: Active, sync: "><", dataverse: active, values: {Yes: true, No: false}}
"""
LOOKUP = '  - {commerce: Currency, sync: "=", dataverse: currency.code}\n'


def map_text(
    *,
    conflict: str = "manual",
    deletes: str = "{commerce: propagate, dataverse: restore}",
    lookup: bool = False,
) -> str:
    """The test map under some policies."""
    return (
        "map: card\n"
        "commerce: {entity: Cards, inactive: {column: Active, value: No}}\n"
        "dataverse: {entity: cards, inactive: {column: active, value: false}}\n"
        f"conflict: {conflict}\n"
        f"deletes: {deletes}\n" + FIELDS + (LOOKUP if lookup else "")
    )


def _texts(*names: str) -> list[Column]:
    return [Column(name, ValueType.TEXT) for name in names]


def _commerce(page: int) -> ScriptedEndpoint:
    choice = Column("Active", ValueType.CHOICE, choices={"Yes": "Yes", "No": "No"})
    columns = [*_texts("Number", "Name", "Note", "Currency", "BankCurrency"), choice]
    columns.append(Column("Level", ValueType.INTEGER))
    cards = Table(tuple(columns), "Number")
    return ScriptedEndpoint("commerce", {"Cards": cards}, sees_creates=True, page=page)


def _dataverse(page: int) -> ScriptedEndpoint:
    columns = [*_texts("number", "name", "note"), Column("active", ValueType.BOOLEAN)]
    columns.append(Column("level", ValueType.INTEGER))
    reference = Reference("currencies", "id")
    columns.append(Column("currency", ValueType.REFERENCE, reference=reference))
    bank = Column("bank", ValueType.REFERENCE, reference=Reference("banks", "id"))
    branch = Column("branch", ValueType.REFERENCE, reference=Reference("branches", "id"))
    columns += [bank, branch]
    cards = Table(tuple(columns), "number")
    currencies = Table(tuple(_texts("code")), "code")
    held = Column("currency", ValueType.REFERENCE, reference=reference)
    banks = Table((*_texts("name"), held), "name")
    branches = Table((*_texts("code"), bank), "code")
    tables = {"cards": cards, "currencies": currencies, "banks": banks, "branches": branches}
    return ScriptedEndpoint("dataverse", tables, sees_creates=False, page=page)


_document = functools.cache(parse_document)


class Bench:
    """Both systems, the place of the state, and the commands as the engine offers them."""

    def __init__(self, state: RestorableState, text: str = "", *, page: int = 3) -> None:
        self.state = state
        self.text = text or map_text()
        self.commerce = _commerce(page)
        self.dataverse = _dataverse(page)
        self.guard = Guard()
        self.retry = Retry(attempts=4, first=0.0)
        self.limits = Limits(page=page)
        self.ahead = 0.0
        """Seconds our clock is ahead of the real one; sleeping moves it."""
        self.moments = Moments()
        self.alone = True
        """Whether every other process of ours is known to have died."""
        self.stopping: Callable[[], bool] = lambda: False
        self.alerts: tuple[Rule, ...] = ()
        self.notify: Callable[[Notice], None] = lambda _notice: None
        self._opened: list[Store] = []
        self._ids = itertools.count(1)

    # ------------------------------------------------------------------ parts

    @property
    def path(self) -> Path:
        return self.state.path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def open(self) -> Store:
        """The store, opened anew after a crash."""
        if not self._opened:
            self._opened.append(self.state.open())
        return self._opened[0]

    def reopen(self, moments: Moments | None = None) -> None:
        """What the next process finds; it may be killed at a moment of its own."""
        self.close()
        self.moments = moments or Moments()
        self.commerce.moments = self.dataverse.moments = self.moments

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()

    def document(self) -> MapDocument:
        """The map as its file says it."""
        return _document(self.text)

    def compiled(self) -> tuple[CompiledMap, dict[Side, Entity]]:
        document = _document(self.text)
        entities = {
            Side.COMMERCE: self.commerce.describe(document.commerce.entity),
            Side.DATAVERSE: self.dataverse.describe(document.dataverse.entity),
        }
        map = compile_map(
            document,
            entities[Side.COMMERCE].columns,
            entities[Side.DATAVERSE].columns,
            lambda name: self.dataverse.describe(name).columns,
        )
        return map, entities

    def ports(self) -> Ports:
        def sleep(seconds: float) -> None:
            self.ahead += seconds

        return Ports(
            store=cast(Store, MortalStore(self.open(), self.moments)),
            endpoints={
                Side.COMMERCE: self.commerce,
                Side.DATAVERSE: through_lookups(_document(self.text), self.dataverse),
            },
            clock=lambda: time.time() + self.ahead,
            monotonic=lambda: time.monotonic() + self.ahead,
            sleep=sleep,
            random=lambda: 0.5,
            new_id=lambda: f"00000000-0000-4000-8000-{next(self._ids):012}",
            executor=Inline(),
            holder="test",
            gone=lambda _holder: self.alone,
            stopping=self._stopping,
            notify=self.notify,
        )

    def _stopping(self) -> bool:
        return self.stopping()

    @property
    def tuning(self) -> Tuning:
        return Tuning(self.guard, self.retry, self.limits, self.alerts)

    # ------------------------------------------------------------------ commands

    def run(
        self, work: Callable[[MapRun], Any], command: str = "sync", master: Side | None = None
    ) -> Any:
        """Some work under the lease; the counts of the last run stay readable."""
        map, entities = self.compiled()
        if master is not None:
            map = map.with_master(master)
        with running(command, map, entities, self.ports(), self.tuning) as run:
            try:
                return work(run)
            finally:
                self.counts = dict(run.counts)

    def load(self, again: bool = False, master: Side | None = None) -> Finish:
        return cast(Finish, self.run(lambda run: load(run, again), "load", master))

    def sync(self, only: str | None = None, seconds: float | None = None) -> Finish:
        return cast(Finish, self.run(lambda run: sync(run, seconds, only)))

    def sync_in(self, run: MapRun) -> Finish:
        """A sync inside some work."""
        return sync(run)

    def resume(self, allow_deletes: int) -> None:
        """A person lets the map run again."""

        def work(run: MapRun) -> None:
            row = run.store.map_row(run.map.name)
            assert row is not None
            work = run.work()
            work.map = replace(row, stopped=None, allowed_deletes=allow_deletes)
            run.commit(work)

        map, entities = self.compiled()
        with running("resume", map, entities, self.ports(), self.tuning, held=True) as run:
            work(run)

    def verify(self, report: Callable[[Finding], None] = lambda _finding: None) -> Verdict:
        map, _ = self.compiled()
        return verify(map, self.ports(), report)

    def verify_one(self, key: str) -> Verdict:
        """A comparison of the record under one key, as a person types it."""
        map, _ = self.compiled()
        return verify(map, self.ports(), key=key)

    def repair(self) -> Verdict:
        first = self.verify()
        self.run(lambda run: repair(run, first.findings), "repair")
        return self.verify()

    def rehearse(self, only: str | None = None) -> Rehearsal:
        map, entities = self.compiled()
        return rehearse(DryRun(map, entities, self.ports(), self.tuning), only)

    # ------------------------------------------------------------------ looking

    def layout(self) -> Layout:
        """The layout the map's records are kept under."""
        map, _ = self.compiled()
        columns = {side: tuple((c.name, c.type) for c in map.columns[side]) for side in Side}
        return self.open().layout(map.name, columns)

    def records(self) -> dict[str, list[Record]]:
        """What the state holds, by key."""
        layout = self.layout()
        found: dict[str, list[Record]] = {}
        after = 0
        while records := self.open().needing(layout, list(State), after, 1000):
            after = records[-1].number
            for record in records:
                found.setdefault(record.key, []).append(record)
        return found

    def record(self, key: str) -> Record:
        """The one record under a key."""
        (record,) = self.records()[key.casefold()]
        return record

    def history(self, key: str) -> list[ChangeRow]:
        """The audit of one record."""
        return list(self.open().history(self.record(key).number))

    def card(self, side: Side, key: str) -> dict[str, Value]:
        """One card as a side holds it."""
        if side is Side.COMMERCE:
            return self.commerce.by_key("Cards")[key.casefold()]
        return self.dataverse.by_key("cards")[key.casefold()]

    def new(self, side: Side, key: str, name: str = "") -> str:
        """Somebody creates a card; its id."""
        id = f"{side.value[0]}-{key}"
        if side is Side.COMMERCE:
            id = self.commerce.id_for("Cards", {"Number": key}, id)
            self.commerce.put("Cards", id, Number=key, Name=name or key, Active="Yes")
        else:
            self.dataverse.put("cards", id, number=key, name=name or key, active=True)
        return id

    def edit(self, side: Side, key: str, **values: Value) -> None:
        """Somebody edits a card."""
        if side is Side.COMMERCE:
            self.commerce.change("Cards", self.commerce.id_of("Cards", key), values)
        else:
            self.dataverse.change("cards", self.dataverse.id_of("cards", key), values)

    def delete(self, side: Side, key: str) -> None:
        """Somebody deletes a card."""
        if side is Side.COMMERCE:
            self.commerce.drop("Cards", self.commerce.id_of("Cards", key))
        else:
            self.dataverse.drop("cards", self.dataverse.id_of("cards", key))

    def writes(self) -> int:
        """Writes with an effect so far, on both sides."""
        return len(self.commerce.written) + len(self.dataverse.written)

    def assert_settled(self) -> None:
        """Both sides equal, and nothing left to do."""
        self.assert_settled_but(0)

    def assert_settled_but(self, ignored: int) -> None:
        """Nothing left to do, and both sides equal but for what the map leaves alone."""
        verdict = self.verify()
        assert [f for f in verdict.findings if f.verdict != "ignored"] == []
        assert verdict.ignored == ignored
        before = self.writes()
        assert self.sync().finished
        assert self.writes() == before, "a sync without edits wrote something"


MakeBench: TypeAlias = Callable[..., Bench]


@pytest.fixture(scope="session")
def blank_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with its schema, to be copied; migrations are the slowest part of opening one."""
    path = tmp_path_factory.mktemp("blank") / "state.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def states() -> list[RestorableState]:
    """The files of the first, second, ... bench of a test; each test finds them blank."""
    return []


@pytest.fixture
def make_bench(states: list[RestorableState], blank_state: Path) -> Iterator[MakeBench]:
    """Makes benches, each with a store of its own."""
    made: list[Bench] = []
    blank = blank_state.read_bytes()

    def make(text: str = "", page: int = 3) -> Bench:
        if len(made) == len(states):
            states.append(RestorableState(blank_state.with_name(f"state{len(made)}.db")))
        state = states[len(made)]
        state.restore(blank)
        made.append(Bench(state, text, page=page))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """Both sides empty, nothing loaded."""
    return make_bench()


@pytest.fixture
def loaded(make_bench: MakeBench) -> Bench:
    """Five cards from commerce, three from Dataverse, all on both sides and loaded."""
    bench = make_bench()
    for n in range(1, 6):
        bench.new(Side.COMMERCE, f"C{n}")
    for n in range(1, 4):
        bench.new(Side.DATAVERSE, f"D{n}")
    assert bench.load().finished
    return bench
