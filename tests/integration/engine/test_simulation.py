"""People, faults and crashes in random order: in the end the sides agree and no edit is lost."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from connector.endpoints.base import Operation
from connector.engine.ports import Guard, Limits
from connector.engine.retry import Retry
from connector.mapping.values import Side, Value, normal_key
from connector.store.record import State
from tests.integration.engine.conftest import map_text
from tests.integration.engine.scripted import Fault, Killed, Moments, ScriptedEndpoint

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE
KEYS = [f"k{n}" for n in range(12)]
STEPS = 60
ENTITY = {C: "Cards", D: "cards"}
NUMBER = {C: "Number", D: "number"}
NAME = {C: "Name", D: "name"}
LEVEL = {C: "Level", D: "level"}
POLICIES = [
    ("manual", "{commerce: propagate, dataverse: restore}"),
    ("latest", "{commerce: propagate, dataverse: propagate}"),
    ("commerce", "{commerce: restore, dataverse: restore}"),
    ("dataverse", "{commerce: restore, dataverse: propagate}"),
]


class Crowd:
    """People on both sides; every value they write is unique, so that it can be found again."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench = bench
        self.random = random.Random(seed)
        self.written = 0
        self.standing: dict[tuple[Side, str], str] = {}
        """The last name a person left on a row of a side, by its id."""

    def endpoint(self, side: Side) -> ScriptedEndpoint:
        return self.bench.commerce if side is C else self.bench.dataverse

    def ids(self, side: Side, key: str) -> list[str]:
        """The rows under a key; more than one are twins."""
        rows = self.endpoint(side).rows[ENTITY[side]]
        return [id for id, row in rows.items() if normal_key(row.values[NUMBER[side]]) == key]

    def act(self) -> None:
        """One person does one thing."""
        side, key = self.random.choice(list(Side)), self.random.choice(KEYS)
        self.written += 1
        ids, what = self.ids(side, key), self.random.random()
        if not ids or (what < 0.04 and len(ids) < 2):
            self.create(side, key.upper() if what < 0.5 else key)
        elif what < (0.12 if len(ids) < 2 else 0.4):
            self.drop(side, self.random.choice(ids))
        elif len(ids) > 1 and what < 0.5:
            values: dict[str, Value] = {NUMBER[side]: f"renamed {self.written}"}
            self.endpoint(side).change(ENTITY[side], ids[0], values)
        elif what < 0.6:
            self.edit(side, self.random.choice(ids), LEVEL[side], self.written)
        else:
            self.name(side, self.random.choice(ids))

    def create(self, side: Side, key: str) -> None:
        id = f"{side}-{self.written}"
        active: Value = "Yes" if side is C else True
        values = {NUMBER[side]: key, "Active" if side is C else "active": active}
        self.endpoint(side).change(ENTITY[side], id, values)
        self.name(side, id)

    def name(self, side: Side, id: str) -> None:
        self.standing[side, id] = f"n{self.written}"
        self.edit(side, id, NAME[side], f"n{self.written}")

    def edit(self, side: Side, id: str, column: str, value: Value) -> None:
        self.endpoint(side).change(ENTITY[side], id, {column: value})

    def drop(self, side: Side, id: str) -> None:
        self.endpoint(side).drop(ENTITY[side], id)
        self.standing.pop((side, id), None)

    def part_twins(self) -> None:
        """Somebody clears up."""
        for side in Side:
            for key in KEYS:
                for id in self.ids(side, key)[1:]:
                    self.drop(side, id)

    def fault(self, operation: Operation) -> Fault | None:
        """Now and then a write fails."""
        faults: list[Fault] = ["lost-after", "lost-before", "transient"]
        return self.random.choice(faults) if self.random.random() < 0.2 else None


def work(bench: Bench, crowd: Crowd) -> None:
    """A run that may be killed anywhere, with people acting while it writes."""
    kill_at = crowd.random.randrange(1, 60) if crowd.random.random() < 0.5 else None
    bench.reopen(Moments(kill_at))
    for endpoint in (bench.commerce, bench.dataverse):
        endpoint.fault = crowd.fault
        endpoint.before_write = crowd.act if crowd.random.random() < 0.5 else lambda: None
        if crowd.random.random() < 0.1:
            endpoint.forget_feed()
    try:
        bench.sync()
    except Killed:
        pass
    finally:
        bench.reopen()
        for endpoint in (bench.commerce, bench.dataverse):
            endpoint.fault = lambda _operation: None
            endpoint.before_write = lambda: None
    bench.ahead += 10


def settle(bench: Bench) -> None:
    """Runs without faults until nothing is left."""
    for _ in range(10):
        if bench.sync().finished:
            return
        bench.ahead += 60
    raise AssertionError("it never came to rest")


def told(bench: Bench) -> set[str]:
    """Every value in the audit and in open conflicts."""
    engine = sa.create_engine(bench.url)
    query = "SELECT before, after FROM changes UNION ALL SELECT base, seen FROM conflicts"
    with engine.connect() as connection:
        texts = [text for row in connection.execute(sa.text(query)) for text in row if text]
    engine.dispose()
    return {part for text in texts for part in text.replace("\\", "").split('"')}


@pytest.mark.parametrize("policies", POLICIES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_the_sides_agree_in_the_end(
    make_bench: MakeBench, policies: tuple[str, str], seed: int
) -> None:
    conflict, deletes = policies
    bench = make_bench(map_text(conflict=conflict, deletes=deletes))
    bench.guard = Guard(rows=10_000, share=1.0)
    bench.retry = Retry(attempts=50, first=0.0)  # faults come thicker than anywhere
    crowd = Crowd(bench, seed)
    for _ in range(8):
        crowd.act()
    bench.load()
    for _ in range(STEPS):
        if crowd.random.random() < 0.25:
            work(bench, crowd)
        else:
            crowd.act()
    settle(bench)
    crowd.part_twins()
    settle(bench)

    verdict = bench.verify()
    assert [f for f in verdict.findings if f.verdict != "excused"] == []
    before = bench.writes()
    bench.sync()
    assert bench.writes() == before
    assert bench.commerce.by_key("Cards").keys() == bench.dataverse.by_key("cards").keys()
    states = {record.state for records in bench.records().values() for record in records}
    assert states <= {State.SETTLED, State.CONFLICT}
    assert conflict == "manual" or states <= {State.SETTLED}
    known = told(bench)
    names = {str(card["Name"]) for card in bench.commerce.by_key("Cards").values()}
    names &= {str(card["name"]) for card in bench.dataverse.by_key("cards").values()}
    lost = {place: name for place, name in crowd.standing.items() if name not in known | names}
    assert lost == {}


@pytest.mark.parametrize("seed", range(3))
def test_a_dry_run_foretells_the_next_run(make_bench: MakeBench, seed: int) -> None:
    bench = make_bench()
    bench.limits = Limits(page=50)
    bench.guard = Guard(rows=10_000, share=1.0)
    crowd = Crowd(bench, seed)
    bench.load()
    for _ in range(8):
        for _ in range(6):
            crowd.act()
        foretold = bench.rehearse().writes
        before = bench.writes()
        bench.sync()
        assert bench.writes() - before == foretold
