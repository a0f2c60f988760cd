"""A key with a control character sets its own record aside, and nothing else, on any database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connector.mapping.values import Side
from connector.store.opening import open_store
from connector.store.record import State
from connector.store.sql_store import SqlStore
from tests.integration.engine.conftest import Bench, map_text
from tests.integration.engine.restorable import RestorableState
from tests.postgresql import Server

C, D = Side.COMMERCE, Side.DATAVERSE
CONTROLS = ["\x00", "\x01", "\x1f", "\t", "\x7f"]


class Elsewhere(RestorableState):
    """A state that lies in another database."""

    def __init__(self, url: str) -> None:
        super().__init__(Path())
        self._url = url

    def open(self) -> SqlStore:
        return open_store(self._url)


@pytest.fixture(params=["sqlite", "postgresql"])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Bench]]:
    """Makes one bench over each database: a card on both sides, loaded."""
    made: list[Bench] = []

    def bench_of(text: str) -> Bench:
        if request.param == "sqlite":
            bench: Bench = request.getfixturevalue("make_bench")(text)
        else:
            server: Server = request.getfixturevalue("postgresql")
            bench = Bench(Elsewhere(server.empty_state()), text)
        made.append(bench)
        bench.new(C, "C1")
        assert bench.load().finished
        return bench

    yield bench_of
    made[0].close()


def put(bench: Bench, side: Side, id: str, **values: str) -> None:
    """Somebody makes or changes a row under an id that is not its key."""
    names = {"key": ("Number", "number"), "name": ("Name", "name")}
    row = {names[name][side is D]: value for name, value in values.items()}
    system, table = (bench.commerce, "Cards") if side is C else (bench.dataverse, "cards")
    system.change(table, id, row)


def parked(bench: Bench) -> list[tuple[str, str]]:
    """(side, code) of what was set aside."""
    records = [record for found in bench.records().values() for record in found]
    problems = [r.problem for r in records if r.state is State.PARKED]
    return [(str(problem.subject.side), problem.code) for problem in problems if problem]


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("side", [C, D])
def test_a_new_row_waits_for_a_person_and_the_rest_goes_on(
    make: Callable[[str], Bench], side: Side, control: str
) -> None:
    bench = make(map_text())
    put(bench, side, "row", key=f"{control}bad{control}", name="name")
    bench.new(side, "good")
    bench.edit(C, "C1", Name="edited")
    bench.sync()
    assert parked(bench) == [(side.value, "key-unusable")]
    assert bench.card(side.other, "good")
    assert bench.card(D, "C1")["name"] == "edited"
    verdict = bench.verify()
    assert (verdict.equal, verdict.excused) == (True, 1)
    before = bench.writes()
    bench.sync()
    assert bench.writes() == before
    put(bench, side, "row", key="mended")
    bench.sync()
    assert bench.card(side.other, "mended")["Name" if side is D else "name"] == "name"
    assert parked(bench) == []
    bench.assert_settled()


@pytest.mark.parametrize("side", [C, D])
def test_a_paired_row_is_set_aside_until_its_key_is_put_back(
    make: Callable[[str], Bench], side: Side
) -> None:
    bench = make(map_text())
    name = "Number" if side is C else "number"
    bench.edit(side, "C1", **{name: "C\x001"})
    bench.sync()
    assert parked(bench) == [(side.value, "key-unusable")]
    record = bench.record("C1")
    assert record.problem is not None
    assert record.side(side).key == "C\ufffd1"
    assert "C\ufffd1" in record.problem.message
    bench.edit(side, "C\x001", **{name: "C1"})
    bench.sync()
    assert parked(bench) == []
    bench.assert_settled()


def test_a_load_goes_on_beside_it(make: Callable[[str], Bench]) -> None:
    bench = make(map_text())
    for n in range(10):
        put(bench, C, f"row-{n}", key=f"N{n}\x00" if n % 2 else f"N{n}", name="n")
    bench.load(again=True)
    assert parked(bench) == [("commerce", "key-unusable")] * 5
    assert len(bench.dataverse.by_key("cards")) == 6


def test_other_texts_travel_as_they_are(make: Callable[[str], Bench]) -> None:
    bench = make(map_text())
    bench.edit(C, "C1", Name="a\x00b")
    bench.sync()
    assert bench.card(D, "C1")["name"] == "a\x00b"
    (edit,) = [row for row in bench.history("C1") if row.kind == "seen"]
    assert edit.after == {"Name": "a\x00b"}
    bench.edit(C, "C1", Name="c\x00d")
    bench.edit(D, "C1", name="e\x00f")
    bench.sync()
    (conflict,) = bench.open().open_conflicts("card", 0, 9)
    assert conflict.conflict.seen == {C: {"Name": "c\x00d"}, D: {"name": "e\x00f"}}


def test_a_reference_by_such_a_text_is_set_aside(make: Callable[[str], Bench]) -> None:
    bench = make(map_text(lookup=True))
    bench.edit(C, "C1", Currency="U\x00SD")
    bench.new(C, "good")
    bench.sync()
    assert parked(bench) == [("None", "key-unusable")]
    assert bench.card(D, "good")
    bench.edit(C, "C1", Currency=None)
    bench.sync()
    assert parked(bench) == []


def test_a_person_who_changed_it_is_named_without_it(make: Callable[[str], Bench]) -> None:
    bench = make(map_text())
    bench.commerce.change("Cards", "c-C1", {"Name": "edited"}, by="so\x00mebody")
    bench.sync()
    assert bench.record("C1").commerce.modifier == "so\ufffdmebody"
    (edit,) = [row for row in bench.history("C1") if row.kind == "seen"]
    assert edit.detail == "so\ufffdmebody"
