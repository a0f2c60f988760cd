"""Maps in append mode: every row arrives once, and nothing is kept of those that did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Pace
from connector.errors import MapError, UsageError
from tests.integration.engine.adding import (
    APPEND,
    NOTHING,
    D,
    add,
    append_bench,
    arrived,
    tables,
)

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return append_bench(make_bench)


# ---------------------------------------------------------------------------- every row once


def test_rows_are_added_once_and_nothing_is_kept_of_them(bench: Bench) -> None:
    add(bench, *(f"T{n}" for n in range(10)))
    assert bench.load().finished
    assert len(arrived(bench)) == 10
    assert bench.card(D, "T3")["currency"] == "id-eur"
    add(bench, "T10", "T11")
    assert bench.sync().finished
    assert bench.counts["created dataverse"] == 2
    assert tables(bench) == NOTHING
    bench.assert_settled()


def test_ten_thousand_rows_leave_no_row_each_in_the_state(make_bench: MakeBench) -> None:
    bench = make_bench(APPEND, page=1000)
    bench.dataverse.batch = 1000
    bench.dataverse.unique = False  # looking for a twin costs the scripted side a walk
    bench.dataverse.put("currencies", "id-eur", code="EUR")
    for n in range(9_990):
        bench.commerce.put("Cards", f"c{n}", Number=f"T{n}", Name="x", Currency="EUR")
    assert bench.load().finished
    size = bench.path.stat().st_size
    for n in range(9_990, 10_000):
        bench.commerce.put("Cards", f"c{n}", Number=f"T{n}", Name="x", Currency="EUR")
    assert bench.sync().finished
    assert len(bench.dataverse.rows["cards"]) == 10_000
    assert tables(bench) == NOTHING
    assert bench.path.stat().st_size == size


def test_the_id_of_a_row_follows_from_map_source_and_row(bench: Bench) -> None:
    """So that nobody who adds it once more, with a state of its own, adds it twice."""
    add(bench, "T1", "T2")
    bench.load()
    before = dict(bench.dataverse.rows["cards"])
    bench.close()
    bench.path.unlink()
    add(bench, "T3")
    assert bench.load().finished
    assert {id: bench.dataverse.rows["cards"][id] for id in before} == before
    assert len(arrived(bench)) == 3
    assert bench.counts["there dataverse"] == 2
    assert tables(bench) == NOTHING


def test_a_loaded_map_is_loaded_again_only_where_asked(bench: Bench) -> None:
    add(bench, "T1", "T2", "T3", "T4")
    bench.load()
    with pytest.raises(UsageError) as told:
        bench.load()
    assert told.value.code == "map-loaded"
    bench.delete(D, "T2")
    sizes = len(bench.dataverse.sizes)
    assert bench.load(again=True).finished
    assert len(arrived(bench)) == 4
    assert bench.dataverse.sizes[sizes:] == [1], "rows that are there are not sent again"


def test_a_map_that_was_not_loaded_is_not_synced(bench: Bench) -> None:
    with pytest.raises(MapError) as told:
        bench.sync()
    assert told.value.code == "map-not-loaded"


def test_rows_outside_the_filter_stay_at_home(bench: Bench) -> None:
    add(bench, "T1")
    bench.commerce.put("Cards", "c-X", Number="X", Name="draft")
    bench.load()
    assert arrived(bench) == ["t1"]
    assert bench.verify().ignored == 1


def test_an_append_map_may_go_to_commerce(make_bench: MakeBench) -> None:
    bench = make_bench(
        "map: card\nmode: append\ncommerce: {entity: Cards}\ndataverse: {entity: cards}\n"
        "fields:\n"
        '  - {commerce: Number, sync: "<", dataverse: number, key: true}\n'
        '  - {commerce: Name, sync: "<", dataverse: name}\n'
    )
    for n in range(5):
        bench.new(D, f"D{n}")
    assert bench.load().finished
    bench.new(D, "D5")
    assert bench.sync().finished
    assert len(bench.commerce.by_key("Cards")) == 6
    assert tables(bench) == NOTHING
    bench.assert_settled()


def test_a_table_that_takes_a_row_twice_is_refused(bench: Bench) -> None:
    bench.dataverse.ids = "allotted"
    with pytest.raises(MapError) as told:
        bench.load()
    assert told.value.code == "append-unsafe"


# ---------------------------------------------------------------------------- what people do there


def test_edits_and_deletes_on_the_other_side_are_told_by_a_comparison_alone(bench: Bench) -> None:
    add(bench, "T1", "T2", "T3")
    bench.load()
    bench.edit(D, "T1", name="edited")
    bench.delete(D, "T2")
    bench.new(D, "X1")
    reads = bench.dataverse.calls["changes"] + bench.dataverse.calls["scan"]
    assert bench.sync().finished
    assert bench.dataverse.calls["changes"] + bench.dataverse.calls["scan"] == reads
    verdict = bench.verify()
    assert {(f.verdict, f.key): f.reason for f in verdict.findings} == {
        ("drift", "T1"): "edited in dataverse; this map adds rows and changes none",
        ("difference", "T2"): "only in commerce",
        ("ignored", "X1"): "only in dataverse, as the map or a person wants",
    }
    repaired = bench.repair()
    assert repaired.equal
    assert bench.card(D, "T1")["name"] == "edited"
    assert "t2" in arrived(bench)


def test_what_the_other_side_cut_is_no_edit(bench: Bench) -> None:
    bench.dataverse.loses["name"] = lambda value: str(value)[:3]
    bench.commerce.put("Cards", "c-1", Number="T1", Name="a long name", Currency="EUR")
    bench.load()
    reads = bench.commerce.calls["read"]
    assert bench.verify().findings == []
    assert bench.commerce.calls["read"] == reads, "rows that are as they were added are read once"
    bench.edit(D, "T1", name="b")
    assert [finding.field for finding in bench.verify().findings] == ["Name"]


def test_a_dry_run_tells_what_would_be_added_and_keeps_nothing(bench: Bench) -> None:
    add(bench, "T1", "T2")
    assert bench.rehearse().counts == {"create dataverse": 2}
    bench.load()
    add(bench, "T3")
    add(bench, "T4", currency="XTS")
    assert bench.rehearse().counts == {"create dataverse": 1, "wait": 1}
    assert tables(bench) == NOTHING
    bench.sync()
    assert bench.rehearse().counts == {}


def test_one_row_alone(bench: Bench) -> None:
    add(bench, "T1")
    bench.load()
    add(bench, "T2", "T3")
    assert bench.sync(only="t3").finished
    assert arrived(bench) == ["t1", "t3"]
    assert bench.verify_one("T2").differences == 1
    assert bench.sync().finished
    assert len(arrived(bench)) == 3


# ---------------------------------------------------------------------------- feeds and backups


def test_an_expired_feed_is_replaced_by_the_table_and_nothing_is_sent_twice(bench: Bench) -> None:
    add(bench, *(f"T{n}" for n in range(7)))
    bench.load()
    add(bench, "T8")
    bench.commerce.forget_feed()
    sizes = len(bench.dataverse.sizes)
    assert bench.sync().finished
    assert len(arrived(bench)) == 8
    assert bench.dataverse.sizes[sizes:] == [1]


def test_rows_that_went_with_a_backup_come_back(bench: Bench) -> None:
    add(bench, "T1", "T2")
    bench.load()
    restore = bench.dataverse.backup()
    add(bench, "T3", "T4")
    bench.sync()
    restore()
    bench.sync()
    assert arrived(bench) == ["t1", "t2"], "looked for at most once a minute"
    bench.ahead += 120
    assert bench.sync().finished
    assert len(arrived(bench)) == 4
    assert bench.counts["rows gone"] == 1
    bench.assert_settled()


@pytest.mark.parametrize("knows_its_end", [False, True])
def test_a_source_that_went_back_gives_no_row_away(bench: Bench, knows_its_end: bool) -> None:
    """It may give a key once more, to another row; what was added before stays."""
    bench.commerce.knows_its_end = knows_its_end
    add(bench, "T1")
    bench.load()
    restore = bench.commerce.backup()
    add(bench, "T2")
    bench.sync()
    restore()
    add(bench, "T3")
    bench.commerce.put("Cards", "c-new", Number="T2", Name="another T2", Currency="EUR")
    bench.ahead += 120
    bench.sync()
    assert len(arrived(bench)) == 3
    problem = bench.record("T2").problem
    assert problem is not None
    assert problem.code == "row-in-the-way"


def test_a_changed_map_concerns_new_rows_and_those_that_were_kept(bench: Bench) -> None:
    add(bench, "T1")
    add(bench, "T2", currency="XTS")
    bench.load()
    bench.text = APPEND.replace(
        '  - {commerce: Currency, sync: ">", dataverse: currency.code}\n', ""
    )
    assert bench.sync().finished
    assert len(arrived(bench)) == 2
    assert tables(bench) == NOTHING


def test_a_map_does_not_change_its_mode(bench: Bench) -> None:
    add(bench, "T1")
    bench.load()
    bench.text = APPEND.replace("mode: append\n", "")
    with pytest.raises(MapError) as told:
        bench.sync()
    assert told.value.code == "map-rekeyed"


def test_calls_are_as_large_as_the_side_takes_them(make_bench: MakeBench) -> None:
    bench = make_bench(APPEND, page=12)
    bench.dataverse.batch = 12
    bench.dataverse.put("currencies", "id-eur", code="EUR")
    bench.dataverse.paced = lambda: Pace(rows=5, calls=1, pause=max(0.0, 2.0 - bench.ahead))
    add(bench, *(f"T{n}" for n in range(12)))
    assert bench.load().finished
    assert bench.dataverse.sizes == [5, 5, 2]
    assert bench.ahead >= 2, "it stood still while the side took nothing"


def test_a_run_that_is_told_to_stop_goes_on_where_it_was(bench: Bench) -> None:
    add(bench, *(f"T{n}" for n in range(20)))
    bench.stopping = lambda: bench.dataverse.calls["write"] >= 2
    assert not bench.load().finished
    some = len(arrived(bench))
    assert 0 < some < 20
    bench.stopping = lambda: False
    assert bench.load().finished
    assert len(arrived(bench)) == 20
    assert tables(bench) == NOTHING
