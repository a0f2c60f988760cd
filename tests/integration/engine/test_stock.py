"""A column that was deleted and made anew is empty in every row: nobody meant that as clearing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from connector.engine.runs.drift import recalled
from connector.engine.runs.stock import miss_columns
from connector.errors import MapError, MapStoppedError
from connector.mapping.values import Side, Value, ValueType
from tests.integration.engine.scripted import Killed, Moments, ScriptedEndpoint, Table

if TYPE_CHECKING:
    from connector.engine.runs.run import MapRun
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE


def altered(endpoint: ScriptedEndpoint, entity: str, name: str, **facets: object) -> None:
    """The description of one column changes."""
    table = endpoint.tables[entity]
    columns = [
        replace(column, **facets) if column.name == name else column  # type: ignore[arg-type]
        for column in table.columns
    ]
    endpoint.tables[entity] = Table(tuple(columns), table.key)


def emptied(endpoint: ScriptedEndpoint, entity: str, name: str, value: Value = None) -> None:
    """What a column holds goes with it: no row's version changes, no feed tells."""
    for id, row in endpoint.rows[entity].items():
        kept = {column: held for column, held in row.values.items() if column != name}
        endpoint.rows[entity][id] = replace(row, values={**kept, name: value})


@pytest.fixture
def bench(loaded: Bench) -> Bench:
    """Eight cards on both sides; Dataverse tells its columns apart."""
    for name in ("number", "name", "level", "note", "active"):
        altered(loaded.dataverse, "cards", name, identity=f"{name}-1")
    loaded.sync()
    return loaded


def made_anew(bench: Bench, name: str = "name") -> None:
    altered(bench.dataverse, "cards", name, identity=f"{name}-2")
    emptied(bench.dataverse, "cards", name)


def test_what_the_sides_say_is_kept_once(bench: Bench) -> None:
    kept = recalled(bench.open().described("card"))
    assert kept is not None
    assert kept["dataverse"]["columns"]["name"] == {"identity": "name-1", "type": "text"}
    assert kept["commerce"]["keys"] == [["Number"]]
    bench.sync()
    assert bench.counts.get("table changes") is None


def test_a_column_made_anew_stops_the_map_before_anything_is_read(bench: Bench) -> None:
    made_anew(bench)
    bench.edit(D, "C1", level=7)
    before, calls = bench.writes(), sum(bench.dataverse.calls.values())
    with pytest.raises(MapStoppedError) as told:
        bench.sync()
    assert told.value.code == "column-recreated"
    assert "`name`" in told.value.message
    assert "maps resume card" in told.value.remedy
    assert (told.value.subject.field, told.value.subject.side) == ("Name", "dataverse")
    assert (bench.writes(), sum(bench.dataverse.calls.values())) == (before, calls)
    with pytest.raises(MapStoppedError) as again:
        bench.sync()
    assert again.value.code == "column-recreated"
    assert bench.card(C, "C1")["Name"] == "C1"


def test_a_dry_run_says_that_the_next_run_would_stop(bench: Bench) -> None:
    made_anew(bench)
    with pytest.raises(MapStoppedError) as told:
        bench.rehearse()
    assert told.value.code == "column-recreated"
    row = bench.open().map_row("card")
    assert row is not None
    assert row.stopped is None


def test_letting_it_run_again_fills_the_column_from_the_other_side(bench: Bench) -> None:
    made_anew(bench)
    bench.edit(D, "C1", level=7)
    with pytest.raises(MapStoppedError):
        bench.sync()
    assert bench.rehearse().counts["update dataverse"] == 8
    bench.resume(0)
    bench.sync()
    assert bench.card(D, "C1")["name"] == bench.card(C, "C1")["Name"] == "C1"
    assert bench.card(D, "D3")["name"] == "D3"
    assert bench.card(C, "C1")["Level"] == 7
    bench.assert_settled()
    assert all(not one.anew for records in bench.records().values() for one in records)


def test_values_that_were_put_back_meanwhile_cost_no_write(bench: Bench) -> None:
    altered(bench.dataverse, "cards", "name", identity="name-2")  # and filled from a backup
    bench.edit(D, "C2", name="typed by somebody")
    with pytest.raises(MapStoppedError):
        bench.sync()
    bench.resume(0)
    before = bench.writes()
    bench.sync()
    assert bench.writes() == before + 1
    assert bench.card(D, "C2")["name"] == bench.card(C, "C2")["Name"] == "C2", "the master's"
    replaced = [change.before for change in bench.history("C2") if change.before]
    assert {"name": "typed by somebody"} in replaced


def test_on_the_masters_side_too_an_empty_value_is_filled(bench: Bench) -> None:
    altered(bench.commerce, "Cards", "Name", identity="1")
    bench.sync()
    altered(bench.commerce, "Cards", "Name", identity="2")
    emptied(bench.commerce, "Cards", "Name")
    with pytest.raises(MapStoppedError):
        bench.sync()
    bench.resume(0)
    bench.sync()
    assert bench.card(C, "C1")["Name"] == bench.card(D, "C1")["name"] == "C1"
    bench.assert_settled()


def test_another_type_is_another_column(bench: Bench) -> None:
    altered(bench.dataverse, "cards", "level", type=ValueType.DECIMAL)
    with pytest.raises(MapStoppedError) as told:
        bench.sync()
    assert told.value.code == "column-retyped"
    assert "integer" in told.value.message


def test_a_column_the_map_does_not_use_stops_nothing(bench: Bench) -> None:
    altered(bench.dataverse, "cards", "bank", identity="bank-1")
    bench.sync()
    made_anew(bench, "bank")
    bench.sync()
    assert bench.counts["table changes"] == 1
    bench.sync()
    assert "table changes" not in bench.counts


def test_a_column_the_map_got_at_the_same_time_is_only_new(bench: Bench) -> None:
    bench.text = bench.text.replace("Name, sync", "Name, conflict: commerce, sync")
    text = bench.text
    bench.text = "\n".join(line for line in text.splitlines() if "note" not in line)
    bench.sync()
    made_anew(bench, "note")
    bench.text = text
    bench.sync()
    bench.assert_settled()


def test_made_anew_while_a_run_is_at_work(bench: Bench) -> None:
    def work(run: MapRun) -> None:
        made_anew(bench)
        bench.edit(D, "C1", level=7)
        with pytest.raises(MapError) as told:
            bench.sync_in(run)
        assert told.value.code == "column-recreated"

    bench.run(work)
    with pytest.raises(MapStoppedError):
        bench.sync()
    bench.resume(0)
    bench.sync()
    assert bench.card(C, "C1")["Name"] == "C1"
    bench.assert_settled()


def test_a_column_that_was_missed_comes_back_as_another_one(loaded: Bench) -> None:
    """A system that tells no identities: the run that could not begin remembers."""
    kept = loaded.dataverse.tables["cards"]
    columns = tuple(column for column in kept.columns if column.name != "name")
    loaded.dataverse.tables["cards"] = Table(columns, kept.key)
    with pytest.raises(MapError):
        loaded.sync()
    document = loaded.document()
    for _ in range(2):
        miss_columns(document, loaded.ports(), 60.0)
    loaded.dataverse.tables["cards"] = kept
    emptied(loaded.dataverse, "cards", "name")
    with pytest.raises(MapStoppedError) as told:
        loaded.sync()
    assert told.value.code == "column-recreated"
    loaded.resume(0)
    loaded.sync()
    assert loaded.card(D, "C1")["name"] == "C1"
    loaded.assert_settled()


def test_nothing_is_missed_where_all_columns_are_there(loaded: Bench) -> None:
    before = loaded.open().described("card")
    miss_columns(loaded.document(), loaded.ports(), 60.0)
    assert loaded.open().described("card") == before


@pytest.mark.parametrize("kill_at", range(1, 9))
def test_whoever_is_killed_while_marking_begins_again(bench: Bench, kill_at: int) -> None:
    made_anew(bench)
    bench.edit(D, "C1", level=7)
    bench.reopen(Moments(kill_at))
    with pytest.raises((Killed, MapStoppedError)):
        bench.sync()
    bench.reopen()
    with pytest.raises(MapStoppedError):
        bench.sync()
    bench.resume(0)
    bench.sync()
    assert bench.card(C, "C1")["Name"] == bench.card(D, "C1")["name"] == "C1"
    bench.assert_settled()
